"""Choosing a person: a fact with `among: ROLE` takes only who may hold that role at the case's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from siquan.core.engine.access import holding
from siquan.core.engine.definition import Definition
from siquan.core.errors import BadInput
from siquan.core.rules.facts import Stated
from siquan.core.service.app import App
from siquan.core.service.context import Context
from siquan.core.spec.model import FactSpec
from siquan.core.store.transaction import Tx
from siquan.core.views import FieldView


class NotAmong(BadInput):
    """`{name}` cannot be chosen as {fact}: only who holds {role} here, and is not recused, can be"""

    code = "SQ480"
    zh = "“{fact}”不能选 `{name}`：只能选这里担任{role}、又没有回避的人"
    help_en = "choose from the list: {known}"
    help_zh = "可以选：{known}"


def settle(context: Context, given: Mapping[str, Stated], note: bool = False) -> None:
    """Refuses a person who may not be chosen. `note` writes down whom the case names now, so that he finds it."""
    schema, spec = context.definition.schema, context.definition.spec
    for path, fact in given.items():
        known = schema.get(path)
        if known is None or known.type != "person":
            continue
        who = fact.value if isinstance(fact.value, str) else ""
        if known.among and who and who not in (able := context.choosable(known.among)):
            names = "、".join(context.app.person_name(context.tx, p) for p in able) or "—"
            raise NotAmong(
                fact=schema.title(path), role=spec.roles[known.among].title, name=context.app.person_name(context.tx, who)[:60], known=names
            )
        if note and path in named_by_roles(context):
            context.tx.named.put(context.case.id, path, who if context.tx.people.find(who) is not None else "")


def named_by_roles(context: Context) -> set[str]:
    """Facts that say who holds a role, here or in a child."""
    children = [context.child(name).spec for name in context.definition.children]
    return {r.fact for spec in (context.definition.spec, *children) for r in spec.roles.values() if r.fact}


def options(app: App, tx: Tx, definition: Definition, fact: FactSpec, places: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Who can be chosen at the places: (id, name and unit)."""
    role, out = definition.spec.roles[fact.among], dict[str, str]()
    for place in places:
        chain = app.chain(tx, place)
        for post in holding(role, app.posts(tx, chain, definition.spec), chain):
            unit = tx.people.find_unit(post.unit)
            out.setdefault(post.person, f"{app.person_name(tx, post.person)}（{unit.name if unit else post.unit}）")
    return tuple(sorted(out.items(), key=lambda o: o[1]))


def offered(
    app: App, tx: Tx, definition: Definition, fields: Iterable[FieldView], places: Iterable[str], gone: Iterable[str] = ()
) -> tuple[FieldView, ...]:
    """The fields, those that choose a person with whom one can choose: all but the `gone`."""
    where, not_these, out = list(places), set(gone), []
    for f in fields:
        spec = definition.schema.get(f.path)
        if spec is not None and spec.among:
            f = replace(f, options=tuple(o for o in options(app, tx, definition, spec, where) if o[0] not in not_these))
        out.append(f)
    return tuple(out)
