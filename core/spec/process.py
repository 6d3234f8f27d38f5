"""A process file: roles, facts, states and transitions, from YAML to a flat ProcessSpec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.spec import read
from siquan.core.spec.accounts import read_accounts, read_balances, read_catalogue, read_posts
from siquan.core.spec.fragment import RESERVED_STATE, Expanded, expand
from siquan.core.spec.model import (
    ChildOf,
    DueSpec,
    EscalateSpec,
    FactSpec,
    ObligationSpec,
    ProcessSpec,
    RoleSpec,
    RuleSetSpec,
    Span,
    StateSpec,
    TallySpec,
    TransitionSpec,
)
from siquan.core.spec.source import Cursor, Map, Seq, WrongShape
from siquan.core.spec.tasking import read_sign, read_task
from siquan.core.spec.verbs import STARTER, read_verbs

UNITS = {"day": "day", "days": "day", "workday": "workday", "workdays": "workday", "month": "month", "months": "month",
         "日": "day", "天": "day", "工作日": "workday", "个工作日": "workday", "个月": "month"}  # fmt: skip
UPWARDS, EVERY = ("leader", "up"), ("month", "two_months", "quarter", "half", "year")
LEVELS = ("", "district", "street", "community", "grid", "compound")
#: posts that are no role of any process
KERNEL = ("admin", "policy_author", "policy_approver")


class UnknownReference(SiquanError):
    """`{name}` is not a {what} of this process"""

    code = "SQ031"
    zh = "这个流程里没有叫 `{name}` 的{what_zh}"
    help_en = "known: {known}"
    help_zh = "已有：{known}"


class BadDue(SiquanError):
    """`{text}` is not a time limit"""

    code = "SQ032"
    zh = "`{text}` 不是时限"
    help_en = "write it as `3 workdays`, `7 days` or `oc.file.days days`"
    help_zh = "写作 3 workdays、7 days、2 months 或 参数名 days"


class Names:
    """Looks names up, with the fragment's prefix first."""

    def __init__(self, facts: Iterable[FactSpec], rulesets: Mapping[str, str], states: Iterable[str], roles: Iterable[str], children: Mapping[str, str]) -> None:
        self.facts: set[str] = set()
        for spec in facts:
            self._fact(spec.name, spec)
        self.rulesets, self.states, self.roles, self.children = dict(rulesets), list(states), list(roles), dict(children)
        self.siblings: dict[str, str] = {}
        self.plugin = ""

    def _fact(self, name: str, spec: FactSpec) -> None:
        self.facts.add(name)
        for f in spec.fields if spec.type == "record" else ():
            self._fact(f"{name}.{f.name}", f)

    def find(self, name: str, prefix: str, pool: Any, where: Where, what: str, what_zh: str) -> str:
        for candidate in (prefix + name, name):
            if candidate in pool:
                return candidate
        raise UnknownReference(where, name=name, what=what, what_zh=what_zh, known="、".join(list(pool)[:30]))

    def fact(self, name: str, prefix: str, where: Where) -> str:
        return self.find(name, prefix, self.facts, where, "fact", "事实")

    def role(self, name: str, where: Where) -> str:
        return name if name == STARTER else self.find(name, "", self.roles, where, "role", "角色")

    def ruleset(self, name: str, prefix: str, where: Where) -> str:
        if name in self.rulesets.values():
            return name
        return self.rulesets[self.find(name, prefix, self.rulesets, where, "rule set", "规则集")]

    def state(self, name: str, where: Where) -> str:
        return self.find(name, "", self.states, where, "state", "状态")

    def child(self, name: str, prefix: str, where: Where) -> str:
        if name in self.children.values() or name in self.siblings.values():
            return name
        if name in self.siblings:
            return self.siblings[name]
        return self.children[self.find(name, prefix, self.children, where, "child process", "子流程")]


def _who(text: str, where: Where) -> dict[str, str]:
    """`fact person`, `starter`, `leader`, `leaders up to street`, `group NAME`, `unit ID`; nothing: a post."""
    match text.split():
        case []:
            return {}
        case ["fact", path]:
            return {"fact": path}
        case ["starter" | "leader" as kind]:
            return {"kind": kind}
        case ["leaders", "up", "to", level] if level and level in LEVELS:
            return {"kind": "leaders", "scope": level}
        case ["group" | "unit" as kind, name]:
            return {"kind": kind, "scope": name}
    ways = "fact NAME, starter, leader, leaders up to LEVEL, group NAME or unit ID"
    raise WrongShape(where, key="who", wanted=ways, wanted_zh="fact 事实名、starter、leader、leaders up to 级别、group 组名、unit 单位编号 之一", value=text)


def read_roles(raw: Map) -> dict[str, RoleSpec]:
    """`community: 社区经办@community`, or `{title, at: community, who: fact person}`."""
    out = {}
    for name, value in raw.items():
        where, who = raw.at[name], dict[str, str]()
        if name in KERNEL:
            raise read.ReservedName(where, name=name, what="角色")
        if isinstance(value, Map):
            c = Cursor(value, f"roles.{name}", where)
            who, title, level = _who(c.text("who"), c.at("who")), c.text("title", name), c.choice("at", LEVELS, "")
            c.done()
        else:
            title, _, level = str(value).partition("@")
            if level not in LEVELS:
                raise WrongShape(where, key=name, wanted="a level", wanted_zh="级别 district、street、community、grid、compound", value=level)
        out[name] = RoleSpec.model_validate({"where": where, "name": name, "title": title, "level": level, **who})
    return out


def read_span(text: str, where: Where) -> Span:
    found = re.fullmatch(r"\s*([\w.]+)\s*([^\W\d]+)\s*", text) or re.fullmatch(r"\s*(\d+)([^\W\d]+)\s*", text)
    unit = UNITS.get(found.group(2)) if found else None
    if found is None or unit is None:
        raise BadDue(where, text=text)
    return Span(n=found.group(1), unit=unit)


def _escalate(raw: Any, where: Where, names: Names) -> EscalateSpec:
    c = Cursor(raw, "escalate", where)
    span, to = read_span(c.text("after", need=True), c.at("after")), c.text("to", need=True)
    c.done()
    return EscalateSpec(n=span.n, unit=span.unit, to=to if to in UPWARDS else names.role(to, c.at("to")))


def _due(name: str, raw: Any, where: Where, prefix: str, names: Names) -> DueSpec:
    c = Cursor(raw, f"due.{name}", where)
    after, escalate = read_span(c.text("after", need=True), c.at("after")), c.list("escalate")
    due = DueSpec(
        where=where, name=name, title=c.text("title"), n=after.n, unit=after.unit, start=c.text("start"), before=c.text("before"),
        then=c.text("then", "remind"), basis=c.choice("basis", read.BASES, ""), cite=c.text("cite"), prefix=prefix,
        remind=tuple(read_span(x, c.at("remind")) for x in c.words("remind")),
        escalate=tuple(_escalate(x, at, names) for x, at in zip(escalate, escalate.at, strict=True)),
    )  # fmt: skip
    c.done()
    return due


def _length(name: str, text: str, where: Where) -> DueSpec:
    """A time of `3 workdays`, without a start."""
    span = read_span(text, where)
    return DueSpec(where=where, name=name, n=span.n, unit=span.unit)


def _obligation(name: str, raw: Any, where: Where, names: Names) -> ObligationSpec:
    """What it can never be met by is for `verify` to say; here it must only say by what."""
    c = Cursor(raw, f"obligations.{name}", where)
    spans = {key: read_span(text, c.at(key)) for key in ("warn", "grace", "make_up") if (text := c.text(key))}
    by, ways = c.text("by"), [key for key in ("met_when", "act", "child") if c.text(key)]
    if len(ways) != 1:
        raise WrongShape(c.where, key=name, wanted="one of met_when, act, child", wanted_zh=" met_when、act、child 三个里的一个", value="、".join(ways))
    out = ObligationSpec(
        where=where, name=name, title=c.text("title", name), every=c.choice("every", EVERY, ""), since=c.text("from"), until=c.text("until"),
        partial=c.flag("partial"), met_when=c.text("met_when"), act=c.text("act"), child=c.text("child"), by=names.role(by, c.at("by")) if by else "",
        basis=c.choice("basis", read.BASES, ""), cite=c.text("cite"), **spans,
    )  # fmt: skip
    c.done()
    return out


def _transition(name: str, raw: Any, where: Where, prefix: str, names: Names) -> TransitionSpec:
    c = Cursor(raw, f"transition {name}", where)
    to, branches, target = "", {}, c.any("to")
    if isinstance(target, Map):
        for keys, state in target.items():
            goal = "" if state == "same" else names.state(str(state), target.at[keys])
            for key in keys.split(","):
                branches[key.strip()] = goal
    elif target is not None and target != "same":
        to = names.state(str(target), c.at("to"))
    decide = c.text("decide")
    setting = c.map("set")
    opens = c.text("opens")
    spec = TransitionSpec(
        where=where, name=name, title=c.text("title", name), by=tuple(names.role(r, c.at("by")) for r in c.words("by")),
        needs=tuple(names.fact(f, prefix, c.at("needs")) for f in c.words("needs")),
        asks=tuple(names.fact(f, prefix, c.at("asks")) for f in c.words("asks")),
        decide=names.ruleset(decide, prefix, c.at("decide")) if decide else "", to=to, branches=branches,
        check=tuple(names.ruleset(r, prefix, c.at("check")) for r in c.words("check")),
        opinion=c.choice("opinion", ("none", "optional", "required"), "optional"), reasons=c.table("reasons"),
        not_same_as=tuple(names.find(s, prefix, names.states, c.at("not_same_as"), "state", "状态") for s in c.words("not_same_as")),
        not_before=c.text("not_before"), set={names.fact(k, prefix, setting.at[k]): str(v) for k, v in setting.items()},
        confirms=c.flag("confirms"), opens=names.child(opens, prefix, c.at("opens")) if opens else "", document=c.text("document"),
        auto=c.flag("auto"), hint=c.text("hint"), prefix=prefix, post=read_posts(c.list("post"), names.plugin),
    )  # fmt: skip
    c.done(("title", "by", "needs", "to"))
    return spec


def _state(name: str, raw: Any, where: Where, prefix: str, names: Names, expanded: Expanded) -> StateSpec:
    c = Cursor(raw, f"states.{name}", where)
    final = c.any("final", "")
    if str(final).lower() in ("yes", "no", "on", "off", "是", "否"):
        raise c.wrong("final", "true or a word for the outcome", " true，或结果的名字（不要写 yes/no、是/否）")
    outcome = name.rpartition(".")[2] if final is True else "" if final in (False, None) else str(final)
    dues = []
    if c.has("due"):
        dues.append(_due("due", c.any("due"), c.at("due"), prefix, names))
    many = c.map("dues")
    dues += [_due(k, v, many.at[k], prefix, names) for k, v in many.items()]
    title, hint, by = c.text("title", name), c.text("hint"), tuple(names.role(r, c.at("by")) for r in c.words("by"))
    main, if_nobody = c.flag("main", True), c.text("if_nobody")
    task = read_task(c.any("task"), c.at("task"), names) if c.has("task") else None
    signed, sign_at = c.any("sign"), c.at("sign")
    transitions = []
    entries = c.map("do")
    for key, value in entries.items():
        transitions.append(_transition(key, value, entries.at[key], prefix, names))
    for key, value in c.rest():
        if not isinstance(value, Map):
            raise WrongShape(c.at(key), key=key, wanted="a transition or one of " + ", ".join(RESERVED_STATE), wanted_zh="转移（一组键和值），或 " + "、".join(RESERVED_STATE) + " 之一", value=value)  # fmt: skip
        transitions.append(_transition(key, value, c.at(key), prefix, names))
    if outcome and (task is not None or signed is not None):
        raise c.wrong("task" if task is not None else "sign", "nothing: nobody works on a final state", "删掉：办结的状态没有人办理")
    sign = read_sign(signed, sign_at, names, transitions) if signed is not None else None
    if sign is not None:  # a signature needs no second word on whose step it is
        transitions = [t.model_copy(update={"by": sign.by}) if t.name in (sign.agree, sign.refuse) and not t.by else t for t in transitions]
    return StateSpec(
        where=where, name=name, title=title, final=outcome, by=by, dues=tuple(dues), transitions=tuple(transitions),
        if_nobody=if_nobody, fragment=expanded.fragments.get(prefix, ""), part=expanded.titles.get(prefix, ""),
        main=main and prefix not in expanded.sides, hint=hint, task=task, sign=sign,
    )  # fmt: skip


def read_process(
    raw: Any, plugin: str, library: Mapping[str, Map], shared: Mapping[str, str], where: Where, *,
    name: str = "", child: ChildOf | None = None, prefix: str = "", outer_roles: Mapping[str, RoleSpec] | None = None,
    siblings: Mapping[str, str] | None = None,
) -> tuple[list[ProcessSpec], list[RuleSetSpec]]:  # fmt: skip
    """The process and the child processes its fragments brought; rule sets written in it. `shared` maps the names of
    the plugin's rule sets to full ids."""
    c = Cursor(raw, "process", where)
    short = name or c.text("process", need=True)
    c.any("process")
    c.any("as")
    id = f"{plugin}.{short}"
    if child is None and c.has("child_of"):
        above = Cursor(c.any("child_of"), "child_of", c.at("child_of"))
        child = ChildOf(process=_full(above.text("process", need=True), plugin), name=above.text("as", need=True))
        above.done()
    states_raw = c.map("states")
    if not states_raw:
        raise WrongShape(c.where, key="states", wanted="at least one state", wanted_zh="至少一个状态", value="")
    expanded = expand(states_raw, library)
    facts = read.read_facts(c.map("facts")) + read.read_derived(c.map("derived"))
    for part, at in expanded.facts:
        facts += read.read_facts(part, at)
    for part, at in expanded.derived:
        facts += read.read_derived(part, at)
    roles = {**(outer_roles or {}), **read_roles(c.map("roles"))}
    rule_entries: list[tuple[str, Any, Where, str]] = []
    rules_raw = c.map("rules")
    rule_entries += [(k, v, rules_raw.at[k], "") for k, v in rules_raw.items()] + expanded.rules
    own: dict[str, str] = {}
    rulesets = []
    for key, value, at_where, at in rule_entries:
        full = f"{id}.{key}" if (at or child and name) else f"{plugin}.{key}"
        own[key] = full
        rulesets.append(read.read_ruleset(full, value, at_where, process=id, prefix=at))
    children = {}
    for key, value, _at in expanded.children:
        children[key] = f"{id}.{key}"
        children[str(value.get("as") or key)] = f"{id}.{key}"
    names = Names(facts, {**shared, **own}, [s[0] for s in expanded.states] + list(expanded.entries), roles, children)
    names.siblings = dict(siblings or {})
    for chosen in facts:
        for each in (chosen, *chosen.fields):
            if each.among:
                names.role(each.among, each.where or where)
    names.plugin = plugin
    states = tuple(_state(n, v, w, p, names, expanded) for n, v, w, p in expanded.states)
    anywhere_raw = c.map("anywhere")
    anywhere = tuple(_transition(k, v, anywhere_raw.at[k], "", names) for k, v in anywhere_raw.items())
    ending, verbs = read_verbs(
        c.map("verbs"), states, anywhere, lambda f, at: names.fact(f, "", at), lambda n, v, at: _transition(n, v, at, "", names), _length
    )
    parameters = read.read_parameters(c.map("parameters"))
    for part in expanded.parameters:
        parameters += read.read_parameters(part)
    sheets = read.read_sheets(c.map("excel"))
    for part in expanded.sheets:
        sheets += read.read_sheets(part)
    tallies = c.map("tallies")
    separate = c.list("separate")
    obligations = c.map("obligations")
    cases = c.list("cases")
    bases = c.map("bases")
    spec = ProcessSpec(
        where=c.where, id=id, plugin=plugin, title=c.text("title", short), icon=c.text("icon", "diagram-3"), about=c.text("about"),
        number=c.text("number"), pin=c.choice("pin", ("opening", "none"), "opening"), place=c.choice("place", ("", "compound", "community", "street", "district"), ""),
        child_of=child, roles=roles, if_nobody=c.table("if_nobody"),
        separate=tuple(tuple(str(x) for x in group) for group in separate if isinstance(group, Seq)), facts=facts,
        opening=tuple(names.fact(f, "", c.at("opening")) for f in c.words("opening")), name_fact=c.text("name"), states=states,
        anywhere=(*anywhere, *ending), verbs=verbs, parameters=parameters,
        rulesets=tuple(rulesets), sheets=sheets,
        tallies=tuple(_tally(k, v, tallies.at[k]) for k, v in tallies.items()),
        cases=tuple(read.read_case(x, at, process=id) for x, at in zip(cases, cases.at, strict=True)),
        bases={k: read.plain(v) for k, v in bases.items()}, unconfirmed=c.words("unconfirmed"),
        obligations=tuple(_obligation(k, v, obligations.at[k], names) for k, v in obligations.items()),
        accounts=read_accounts(c.map("accounts"), plugin), catalogue=read_catalogue(c.any("catalogue"), c.at("catalogue"), plugin),
        balances=read_balances(c.map("balances"), plugin),
    )  # fmt: skip
    c.done(("states", "facts", "rules", "roles"))
    out = [spec]
    for key, value, at in expanded.children:
        link = ChildOf(process=id, name=f"{at}{value.get('as') or key.removeprefix(at)}")
        inner, more = read_process(
            value, plugin, library, shared, value.where, name=f"{short}.{key}", child=link, prefix=at, outer_roles=roles,
            siblings=siblings,
        )
        out += inner
        rulesets += more
    return out, rulesets


def _full(name: str, plugin: str) -> str:
    return name if name.startswith(f"{plugin}.") else f"{plugin}.{name}"


def _tally(name: str, raw: Any, where: Where) -> TallySpec:
    c = Cursor(raw, f"tallies.{name}", where)
    tally = TallySpec(
        where=where, name=name, roll=c.text("roll", need=True), ballots=c.text("ballots", need=True), matters=c.text("matters"),
        policy=c.table("policy"),
    )  # fmt: skip
    c.done()
    for key in tally.policy:
        if key not in ("invalid_participates", "silence"):
            raise UnknownReference(c.at("policy"), name=key, what="counting policy", what_zh="计票口径", known="invalid_participates、silence")
    return tally
