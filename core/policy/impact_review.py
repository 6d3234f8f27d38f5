"""One stretch of recorded decisions decided again by a draft, and compared with what was decided."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from json.scanner import make_scanner
from typing import Any

from siquan.core.policy.impact_history import History
from siquan.core.policy.impact_kernel import Kernel, Mode
from siquan.core.policy.impact_program import Air, Program, Verdict
from siquan.core.policy.impact_rows import typed_list
from siquan.core.policy.impact_tally import Difference, Tally, difference
from siquan.core.rules import tree as t
from siquan.core.store.layout import LOST, STATED, UNREAD, Layout, facts_read
from siquan.core.store.rows import NewFlip
from siquan.core.store.transaction import Tx

#: json.loads without its checks for what our own texts never are
_SCAN: Callable[[str, int], tuple[Any, int]] = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]
#: differences kept before they are worked out again
MOST_PAIRS = 50_000


@dataclass
class Lane:
    """The rows of one layout. The lists and lost values a row needs cost another look; most rows need none."""

    layout: Layout
    fast: Kernel


@dataclass
class Patient:
    """A row that needs more than its inputs."""

    row: Any
    values: list[Any]
    kernel: Kernel
    wants: dict[str, int]  # fact it lacks -> place of its value, -1 behind the others
    lists: list[int]  # lists it needs


class Review:
    def __init__(self, program: Program) -> None:
        self.program = program
        self._lanes: dict[str, Lane] = {}
        self._days: dict[str, tuple[dt.date, int]] = {}
        self._pairs: dict[Any, Difference] = {}
        self._types: dict[str, t.Type] = facts_read(program.nodes, program.ruleset.derived)

    def stretch(self, tx: Tx, after: int, upto: int) -> Tally:
        """The rows over `after` up to `upto`."""
        tally, flips, slow, erased = Tally(upto), list[tuple[int, Difference]](), list[Any](), 0
        #: layout, place and step -> what is in the air there, and the verdicts met, counted
        met: dict[Any, tuple[Air, Kernel, dict[Any, list[Any]]]] = {}
        days, scan = self._days, _SCAN
        for row in tx.inputs.page(self.program.ruleset.id, after, upto):
            n, digest, text, place, outcome, value, results, inputs = row
            if inputs is None:
                erased += 1
                continue
            day, step = days.get(text) or self._day(text)
            there = (digest, place, step)
            found = met.get(there)
            if found is None:
                lane = self._lane(tx, digest)
                found = met[there] = self.program.air(day, place, lane.layout.limits), lane.fast, {}
            air, kernel, ledger = found
            truths = kernel.run(scan(inputs, 0)[0], air.params, day) if kernel.plain else None
            if truths is None:
                slow.append(row)
                continue
            key = (truths, outcome, value, results)
            entry = ledger.get(key)
            if entry is None:
                entry = ledger[key] = [0, self._difference(self.program.verdict(air, truths), outcome, value, results, digest)]
            entry[0] += 1
            if entry[1].changed:
                flips.append((n, entry[1]))
        _sum_up(tally, met)
        tally.erased(erased)
        for digest in dict.fromkeys(row[1] for row in slow):
            flips += self._mend(tx, self._lanes[digest], [row for row in slow if row[1] == digest], tally)
        tally.flips = _named(tx, sorted(flips, key=lambda flip: flip[0]))
        return tally

    def _lane(self, tx: Tx, digest: str) -> Lane:
        lane = self._lanes.get(digest)
        if lane is None:
            layout = tx.inputs.layout(digest)
            lane = self._lanes[digest] = Lane(layout, self.program.kernel(layout, Mode.FAST))
        return lane

    def _day(self, text: str) -> tuple[dt.date, int]:
        day = dt.date.fromisoformat(text)
        found = self._days[text] = (day, self.program.step(day))
        return found

    def _difference(self, new: Verdict, outcome: str, value: str, results: str, digest: str) -> Difference:
        key = (new, outcome, value, results, digest)
        found = self._pairs.get(key)
        if found is None:
            if len(self._pairs) >= MOST_PAIRS:
                self._pairs.clear()
            rules = self._lanes[digest].layout.rules
            found = self._pairs[key] = difference(Verdict(outcome, value, results), rules, new, self.program.rules)
        return found

    # rows that need more

    def _mend(self, tx: Tx, lane: Lane, rows: list[Any], tally: Tally) -> list[tuple[int, Difference]]:
        patients = self._diagnose(tx, lane, rows)
        self._give_lists(tx, lane.layout, patients)
        history = History(tx, self.program, {p.row[0]: list(p.wants) for p in patients if p.wants})
        flips = []
        for p in patients:
            day, _ = self._day(p.row[2])
            gone = [lane.layout.lists[at].path for at in p.lists if p.values[self._behind(lane.layout, p.kernel, at)].__class__ is dict]
            found = {path: history.value(p.row[0], path, day, self._types[path]) for path in p.wants}
            gone += [path for path, told in found.items() if not (told.stated or told.known and path in self.program.ruleset.derived)]
            if gone:
                tally.missing(sorted(gone))
                continue
            for path, place in p.wants.items():
                if place >= 0:
                    p.values[place] = found[path].value
                    if path in self.program.ruleset.derived:
                        p.values[place - 1] = STATED if found[path].value is not None else LOST
            p.values += [found[path].value if path in found else None for path in p.kernel.lacking]
            air = self.program.air(day, p.row[3], lane.layout.limits)
            truths = p.kernel.run(p.values, air.params, day)
            assert truths is not None  # only a FAST kernel passes on a row
            outcome, value, results = p.row[4:7]
            change = self._difference(self.program.verdict(air, truths), outcome, value, results, lane.layout.digest)
            tally.count(change, {p.row[3]: 1})
            if change.changed:
                flips.append((p.row[0], change))
        return flips

    def _diagnose(self, tx: Tx, lane: Lane, rows: list[Any]) -> list[Patient]:
        layout, program = lane.layout, self.program
        more = tx.inputs.more([row[0] for row in rows])
        out = []
        for row in rows:
            values = json.loads(row[7])
            day, _ = self._day(row[2])
            limits = program.air(day, row[3], layout.limits).params[len(program.params) :]
            bounds = values[layout.width :]
            aged = any(bounds[2 * n] > q or bounds[2 * n + 1] <= q for n, q in enumerate(limits))
            lists, ages = more[row[0]]
            if aged:
                _age(layout, values, json.loads(ages or "[]"), dict(zip(layout.limits, limits, strict=True)))
            kernel = program.kernel(layout, Mode.FULL if aged else Mode.MEND)
            kept = json.loads(lists) if lists else [None] * len(layout.lists)
            wants, needed = _look_for(kernel, layout, values)
            values += [kept[at] for at in kernel.lists]
            out.append(Patient(row, values, kernel, wants, needed))
        return out

    def _behind(self, layout: Layout, kernel: Kernel, at: int) -> int:
        """Where a list stands among the values."""
        return layout.width + 2 * len(layout.limits) + kernel.lists.index(at)

    def _give_lists(self, tx: Tx, layout: Layout, patients: Iterable[Patient]) -> None:
        """Lists come typed; those that are not kept come out of the whole record."""
        unsure = {at for at, slot in enumerate(layout.lists) if not slot.sure}
        records = tx.inputs.lists({p.row[0]: layout for p in patients if unsure & set(p.lists)})
        for p in patients:
            for at in p.kernel.lists:
                place = self._behind(layout, p.kernel, at)
                kept = records[p.row[0]][at] if at in p.lists and at in unsure else p.values[place]
                p.values[place] = typed_list(self._types[layout.lists[at].path], kept) if at in p.lists else None


def _look_for(kernel: Kernel, layout: Layout, values: list[Any]) -> tuple[dict[str, int], list[int]]:
    """(facts to look for elsewhere and the place of their value, lists that are needed). What stands only under derived
    facts that need not be derived anew is not looked at, so nothing stands in its place."""
    wants, lists, anew = dict[str, int](), list[int](), {""}
    for path, place, under, how in kernel.reads:
        active = not anew.isdisjoint(under)
        if how:
            came = values[place - 1] if place >= 0 else UNREAD
            if active and came in how:
                anew.add(path)
            if active and came == UNREAD:
                wants[path] = place
        elif place < 0:
            if active:
                wants[path] = place
        elif place >= layout.width:
            if active:
                lists.append(place - layout.width)
        elif values[place].__class__ is dict:
            if active:
                wants[path] = place
            else:
                values[place] = None
    return wants, lists


def _sum_up(tally: Tally, met: Mapping[Any, tuple[Air, Kernel, Mapping[Any, list[Any]]]]) -> None:
    places: dict[int, tuple[Difference, dict[str, int]]] = {}
    for (_, place, _), (_, _, ledger) in met.items():
        for times, change in ledger.values():
            _, at = places.setdefault(id(change), (change, {}))
            at[place] = at.get(place, 0) + times
    for change, at in places.values():
        tally.count(change, at)


def _named(tx: Tx, flips: list[tuple[int, Difference]]) -> list[NewFlip]:
    """Flips with what they are flips of."""
    whose = tx.inputs.whose([n for n, _ in flips])
    out = []
    for n, change in flips:
        row = whose[n]
        kind = "refusal" if row.refused else "decision"
        out.append(NewFlip(kind, row.decision_id, row.case_id, row.place, row.on_date, change.before, change.after, change.told))
    return out


def _age(layout: Layout, values: list[Any], ages: list[Any], limits: dict[str, int]) -> None:
    """Put the values back that were too old, and take those away that now are."""
    aged = [slot for slot in layout.scalars if slot.age]
    for slot, kept in zip(aged, ages, strict=False):
        if kept is None:
            continue
        place = layout.places[slot.path]
        age, value = kept if isinstance(kept, list) else (kept, values[place])
        values[place] = value if age <= limits[slot.age] else None
