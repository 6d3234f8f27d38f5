"""Finds what to fill in so that a step's rules come to what is wanted: a search by distance over the values of its form,
the rows of its collections and the day. It gives the same answer every time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from siquan.core.rules import tree as t
from siquan.core.rules.decide import Situation
from siquan.core.rules.facts import FactSet, Stated, staleness
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.service.context import Context
from siquan.core.spec.model import FactSpec, TallySpec, TransitionSpec
from siquan.core.testing.aim import Aim, All, Compiler, distance, nodes
from siquan.core.testing.pool import Pool

#: distances worked out for one step before the search gives up
MOST = 420
WAITS = (1, 2, 3, 4, 6, 8, 11, 16, 21, 31, 46, 61, 91, 121, 181, 251, 366, 550, 800)
_KEPT = Compiler()


@dataclass
class Answer:
    """`facts` typed by leaf path, a record that does not exist as ABSENT; `rows` by collection."""

    facts: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    day: dt.date = dt.date.min
    distance: float = 0.0
    #: facts behind what is still wrong
    wanting: tuple[str, ...] = ()


class Filler:
    """One step of one case, read in an open transaction (`context`)."""

    def __init__(self, context: Context, step: TransitionSpec, pool: Pool, n: int = 0, again: Collection[str] = (), fixed: Mapping[str, Any] | None = None) -> None:
        """`n` tells the persons of several children apart; `again` are facts of earlier forms that may be said otherwise;
        `fixed` are answers that stand."""
        self.context, self.step, self.pool = context, step, pool
        self.definition, self.schema = context.definition, context.definition.schema
        self.start = Answer(day=context.today)
        self._bare = context.app.bare(self.definition)
        self._chain = context.chain.ids
        self._parent = context.parent_lookup()
        self._lists = dict(context.lists)
        self._tried = 0
        self._known: dict[int, tuple[Aim, tuple[str, ...]]] = {}
        self.paths: list[str] = []
        self.lists: list[FactSpec] = []
        self._begin(n)
        for name in again:
            spec = self.schema.specs[name]
            if spec.collection and spec not in self.lists:
                self.lists.append(spec)
            elif not spec.collection and name not in self.paths:
                self.paths.append(name)
        self.start.facts.update(fixed or {})
        self.paths = [p for p in self.paths if p not in (fixed or {})]

    def _begin(self, n: int) -> None:
        tallied = self.definition.spec.worked_out
        known = FactSet(self.schema, self.context.stored, self.context.today)
        for name in (*self.step.needs, *self.step.asks):
            if name in tallied or name not in self.schema:
                continue
            spec = self.schema.specs[name]
            if spec.collection:
                self.lists.append(spec)
                if name in self.step.needs and not self._lists[name].items:
                    self.start.rows[name] = self._usual_rows(spec)
                continue
            for leaf in self.schema.leaves(name):
                if leaf.collection or (leaf.derive and not leaf.by):
                    continue
                self.paths.append(leaf.name)
                if name in self.step.needs and known.value(leaf.name) is None and not leaf.derive:
                    self.start.facts[leaf.name] = self.pool.usual(leaf.name, self.context.today, n)

    def _usual_rows(self, spec: FactSpec) -> Rows:
        mine = self.pool.given.get(spec.name)
        if mine and isinstance(mine[0], Rows) and mine[0].items:
            return Rows(mine[0].items, True)
        return Rows((self.pool.row(spec, {}, 0, self.context.today),), True)

    # looking

    def situation(self, answer: Answer) -> Situation:
        context, day = self.context, answer.day
        stated = {p: Stated(v, day if self.schema.specs[p].max_age else None) for p, v in answer.facts.items()}
        base = FactSet(self.schema, context.stored, day).with_stated(stated)
        # a collection without rows is one nobody has finished, whatever the import said
        lists = {**self._lists, **{n: r if r.items else Rows((), False) for n, r in answer.rows.items()}}
        if self.definition.spec.tallies:
            context.today = day
            context.__dict__["lists"] = lists
            context.__dict__.pop("tallied", None)
            tallied = context.tallied
            extra = {p: Stated(v) for p, v in tallied.items() if not isinstance(v, Rows)}
            lists = {**lists, **{p: v for p, v in tallied.items() if isinstance(v, Rows)}}
            base = FactSet(self.schema, {**base.stated, **extra}, day)
        stale = staleness(self.schema, base.stated, day, lambda text: context.number(text, day))
        return Situation(self._bare, FactSet(self.schema, base.stated, day, stale), context.book, day, self._chain, self._parent, lists)

    def far(self, parts: list[Aim], answer: Answer, before: list[float] | None = None, changed: str = "") -> list[float]:
        """The distance of each part; those that do not read what was changed keep the one they had."""
        self._tried += 1
        here = self.situation(answer)

        def run(node: t.Node) -> Any:
            return _KEPT.of(node)(here.fact, here.param, answer.day)

        if before is None or not changed:
            return [distance(p, run, self.definition.derived) for p in parts]
        return [
            distance(p, run, self.definition.derived) if self._reads(p, changed) else old for p, old in zip(parts, before, strict=True)
        ]  # fmt: skip

    def _reads(self, aim: Aim, path: str) -> bool:
        return any(p == path or p.startswith(f"{path}.") or path.startswith(f"{p}.") for p in self._behind(aim))

    def find(self, aim: Aim) -> Answer:
        """The closest answer; its distance is zero where the aim was reached. The parts of an aim are worked off one after the
        other, and none may undo another."""
        parts = _parts(aim)
        best = Answer(dict(self.start.facts), dict(self.start.rows), self.start.day)
        far = self.far(parts, best)
        limit = MOST + 25 * sum(d > 0 for d in far)
        moving = any(far)
        while moving and any(far) and self._tried < limit:
            moving = False
            for part in [p for p, d in zip(parts, far, strict=True) if d > 0]:
                for other, changed in self._neighbours(part, best):
                    if self._tried >= limit:
                        break
                    there = self.far(parts, other, far, changed)
                    if sum(there) < sum(far) - 1e-9:
                        best, far, moving = other, there, True
                        break
        best.distance = sum(far)
        if best.distance > 0:
            best.wanting = tuple(dict.fromkeys(p for part, d in zip(parts, far, strict=True) if d > 0 for p in self._behind(part)))
        return best

    def _behind(self, aim: Aim) -> tuple[str, ...]:
        """Facts the aim reads, through derived ones."""
        found = self._known.get(id(aim))
        if found is None:
            found = self._known[id(aim)] = (aim, self._look_behind(aim))
        return found[1]

    def _look_behind(self, aim: Aim) -> tuple[str, ...]:
        out: dict[str, None] = {}
        todo = list(nodes(aim))
        seen: set[str] = set()
        while todo:
            for part in t.walk(todo.pop()):
                if isinstance(part, t.Fact) and part.path not in seen:
                    seen.add(part.path)
                    if part.path in self.definition.derived:
                        todo.append(self.definition.derived[part.path])
                    out[part.path] = None
        return tuple(out)

    def _neighbours(self, aim: Aim, now: Answer) -> Iterator[tuple[Answer, str]]:
        """Answers one change away, each with the fact that was changed; empty when it is more than one."""
        behind = set(self._behind(aim))
        for path in self.paths:
            record = self.schema.record_of(path)
            if path in behind or (record is not None and record.name in behind):
                for value in (*self._dynamic(aim, path, now), *self.pool.candidates(path, now.day)):
                    if value != now.facts.get(path):
                        yield self._with(now, path, value), path
                if path not in self.step.needs:
                    yield self._with(now, path, None), path
                if record is not None and record.absent:
                    yield self._with(now, record.name, ABSENT), record.name
        tallies = [x for x in self.definition.spec.tallies if any(p.startswith(f"{x.name}.") or p == x.name for p in behind)]
        for spec in self.lists:
            if spec.name in behind or any(spec.name in (x.roll, x.ballots) for x in tallies):
                for said in self._saying(spec, now):
                    yield from ((Answer(said, {**now.rows, spec.name: rows}, now.day), "") for rows in self._rows(spec, now, said, tallies))
        if any(isinstance(n, t.Today) for top in nodes(aim) for n in t.walk(top)):
            for wait in WAITS:
                yield Answer(now.facts, now.rows, now.day + dt.timedelta(wait)), ""

    def _with(self, now: Answer, path: str, value: Any) -> Answer:
        facts = dict(now.facts)
        if value is None:
            facts.pop(path, None)
        else:
            if value is ABSENT:
                for below in [p for p in facts if p.startswith(f"{path}.")]:
                    del facts[below]
            head = path.rpartition(".")[0]
            if head and facts.get(head) is ABSENT:
                del facts[head]
            facts[path] = value
        return Answer(facts, now.rows, now.day)

    def _dynamic(self, aim: Aim, path: str, now: Answer) -> list[Any]:
        """Values at which a comparison of this fact with another expression turns."""
        out: list[Any] = []
        here: Situation | None = None
        for top in nodes(aim):
            for node in t.walk(top):
                if isinstance(node, t.Compare) and any(isinstance(s, t.Fact) and s.path == path for s in (node.left, node.right)):
                    other = node.right if isinstance(node.left, t.Fact) and node.left.path == path else node.left
                    if isinstance(other, t.Literal | t.Param) or any(isinstance(n, t.Var) for n in t.walk(other)):
                        continue
                    here = here or self.situation(now)
                    value = _KEPT.of(other)(here.fact, here.param, now.day)
                    if isinstance(value, dt.date):
                        out += [value + dt.timedelta(d) for d in (0, 1, -1)]
                    elif isinstance(value, int | Fraction) and not isinstance(value, bool):
                        whole = int(value // 1)
                        out += [whole, whole + 1, whole - 1] if self.schema.specs[path].type == "integer" else [value, value + 1, value - 1]
                    elif isinstance(value, str):
                        out.append(value)
        return [v for v in dict.fromkeys(out) if v is not None]

    # rows

    def _saying(self, spec: FactSpec, now: Answer) -> Iterator[dict[str, Any]]:
        """The facts as they are; and with a word for each fact that rows of the list have to agree with."""
        yield now.facts
        named = {v.path for row in self.pool.templates.get(spec.name, ()) for v in row.values() if isinstance(v, t.Fact)}
        for path in sorted(named & set(self.paths)):
            if not isinstance(now.facts.get(path), str):
                yield self._with(now, path, "样例").facts

    def _meant(self, template: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any] | None:
        """A template with what its facts say; None where one says nothing."""
        out = {k: facts.get(v.path, self._stored(v.path)) if isinstance(v, t.Fact) else v for k, v in template.items()}
        return None if any(v is None or v is ABSENT and isinstance(template[k], t.Fact) for k, v in out.items()) else out

    def _stored(self, path: str) -> Any:
        found = self.context.stored.get(path)
        return found.value if found is not None else None

    def _rows(self, spec: FactSpec, now: Answer, facts: dict[str, Any], tallies: list[TallySpec]) -> Iterator[Rows]:
        mine = now.rows.get(spec.name, self._lists.get(spec.name) or Rows((), False))
        items = list(mine.items)
        for tally in tallies:
            if spec.name == tally.ballots:
                yield from self._ballots(spec, tally, now)
        yield from (Rows(v.items, True) for v in self.pool.given.get(spec.name, ()) if isinstance(v, Rows))
        if not mine.complete:
            yield Rows(mine.items, True)
        fields = [m for x in (*self.pool.templates.get(spec.name, ()), {}) if (m := self._meant(x, facts)) is not None]
        for template in fields:
            for more in (1, 4):
                yield Rows((*items, *(self.pool.row(spec, template, len(items) + n, now.day) for n in range(more))), True)
        for n in range(min(len(items), 8)):
            yield Rows((*items[:n], *items[n + 1 :]), True)
            yield Rows((*items, dict(items[n])), True)  # the same once more
        for n in range(min(len(items), 8)):
            for template in fields:
                changed = {k: v for k, v in template.items() if items[n].get(k) != v}
                for name, value in changed.items():
                    yield Rows((*items[:n], {**items[n], name: value}, *items[n + 1 :]), True)
            for f in spec.fields:
                if f.type in ("text", "person"):
                    for word in dict.fromkeys(v for v in now.facts.values() if isinstance(v, str)):
                        yield Rows((*items[:n], {**items[n], f.name: word}, *items[n + 1 :]), True)
                if f.type == "boolean":
                    yield Rows((*items[:n], {**items[n], f.name: not items[n].get(f.name)}, *items[n + 1 :]), True)
        if items:
            yield Rows((), True)
            yield Rows((), False)

    def _ballots(self, spec: FactSpec, tally: TallySpec, now: Answer) -> Iterator[Rows]:
        """Papers of the whole roll on every matter: all for it, part of them, all against it, none back."""
        roll = now.rows.get(tally.roll, self._lists.get(tally.roll) or Rows((), False)).items
        units = [r.get("unit") for r in roll if r.get("unit") is not None]
        names = ["议题"]
        if tally.matters in self.definition.children:
            label = self.context.child(tally.matters).spec.name_fact
            names = [str(r.get(label)) for r in self._lists[tally.matters].items if r.get(label)]
        known = {f.name for f in spec.fields}
        for choice, share in (("yes", 1.0), ("no", 1.0), ("yes", 0.7), ("yes", 0.5), ("invalid", 1.0), ("yes", 0.3)):
            back = units[: max(1, int(len(units) * share))]
            rows = [{"matter": m, "unit": u, "choice": choice, "returned": now.day, "delivered": now.day} for m in names for u in back]
            yield Rows(tuple(self.pool.row(spec, {k: v for k, v in r.items() if k in known}, n, now.day) for n, r in enumerate(rows)), True)
        yield Rows((), True)


def _parts(aim: Aim) -> list[Aim]:
    """A conjunction taken apart."""
    return [p for part in aim.parts for p in _parts(part)] if isinstance(aim, All) else [aim]
