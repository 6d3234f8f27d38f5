"""Owners' votes counted exactly, by area and by head (民法典 278; domain 1.6).

One 专有部分 is one person, except that units with the same owner key are one person together (一人多套).
Areas are decimals turned into fractions, never floats. What is wrong with the papers is listed, not guessed
away: a fault of the roll makes every result unknown (`None`), a fault of a ballot leaves that ballot out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Literal

from siquan.core.rules.values import Number, exact
from siquan.core.votes.ballots import Ballot as Ballot
from siquan.core.votes.ballots import Choice as Choice
from siquan.core.votes.ballots import Unit as Unit

Majority = Literal["ordinary", "special"]

#: ("owner", key) or ("unit", unit): who is counted as a head.
Person = tuple[str, str]


@dataclass(frozen=True)
class Policy:
    """How to count. The defaults are domain 1.6; the shares are 民法典 278.

    quorum: share of all owners that must take part, `>=`, by area and by head.
    majority: ordinary is more than 1/2, special at least 3/4 of those taking part; `majorities` per matter.
    invalid_participates: whether a defaced ballot takes part (it never is a yes or a no).
    silence: what a delivered but unreturned paper means. `with_majority` (only where the owners resolved so)
      adds it to the choice that leads by area and by head among the cast ones, or to none when none does.
    blank: a matter left blank on a paper that voted on others. later_replaces: the second ballot counts.
    max_yes: more approvals than this over all matters spoil a unit's paper (多选无效).
    window: first and last day a ballot may come back; with it, ballots without a date of return are left out.
    """

    quorum: Fraction = Fraction(2, 3)
    majority: Majority = "ordinary"
    majorities: Mapping[str, Majority] | None = None
    invalid_participates: bool = False
    silence: Literal["not_participating", "with_majority"] = "not_participating"
    blank: Literal["not_participating", "abstain"] = "not_participating"
    later_replaces: bool = False
    max_yes: int | None = None
    window: tuple[dt.date, dt.date] | None = None

    def majority_of(self, matter: str) -> Majority:
        return (self.majorities or {}).get(matter, self.majority)


@dataclass(frozen=True, slots=True)
class Issue:
    """Something wrong. `kind`: duplicate_unit no_area (the roll: results are unknown) | unknown_unit
    not_counting unknown_matter second_ballot replaced late undated over_voted (ballots left out) |
    split_owner (one person, two choices: the head abstains) | silence_undecided."""

    kind: str
    unit: str
    matter: str
    zh: str
    en: str


@dataclass(frozen=True)
class MatterTally:
    """The count of one matter. Areas in m². `quorum_met` and `passed` are None when the roll has faults."""

    matter: str
    majority: Majority
    total_area: Fraction
    total_n: int
    part_area: Fraction
    part_n: int
    yes_area: Fraction
    yes_n: int
    no_area: Fraction
    no_n: int
    abstain_area: Fraction
    abstain_n: int
    quorum_met: bool | None
    passed: bool | None

    @property
    def part_area_share(self) -> Fraction:
        """Of all owners; 0 when there are none."""
        return _share(self.part_area, self.total_area)

    @property
    def part_n_share(self) -> Fraction:
        return _share(self.part_n, self.total_n)

    @property
    def yes_area_share(self) -> Fraction:
        """Of those taking part; 0 when nobody does."""
        return _share(self.yes_area, self.part_area)

    @property
    def yes_n_share(self) -> Fraction:
        return _share(self.yes_n, self.part_n)

    def facts(self) -> dict[str, Any]:
        """Exact numbers under the field names, for rules."""
        names = [n for n in self.__dataclass_fields__] + [n + "_share" for n in SHARES]
        values = {name: getattr(self, name) for name in names}
        return {k: exact(v) if isinstance(v, Fraction) else v for k, v in values.items()}

    def lines(self) -> tuple[str, str]:
        """The sum in Chinese and English."""
        special = self.majority == "special"
        quorum = _word(self.quorum_met, "人数面积达到|未达到|待核", "quorum met|no quorum|quorum unknown")
        verdict = _word(self.passed, "通过|未通过|尚不能定", "passed|not passed|unknown")
        part, yes = f"{self.part_n}/{self.total_n}", f"{self.yes_n}/{self.part_n}"
        part_area = f"{plain(self.part_area)}/{plain(self.total_area)} m²"
        yes_area = f"{plain(self.yes_area)}/{plain(self.part_area)} m²"
        return (
            f"参与 {part} 人、{part_area}，{quorum[0]}；同意 {yes} 人、{yes_area}，"
            f"须{'四分之三以上' if special else '过半数'}，{verdict[0]}",
            f"taking part {part} people, {part_area}, {quorum[1]}; yes {yes} people, {yes_area},"
            f" {'at least 3/4' if special else 'more than 1/2'} is needed: {verdict[1]}",
        )


SHARES = ("part_area", "part_n", "yes_area", "yes_n")


@dataclass(frozen=True)
class Tally:
    """`need_area` and `need_n` are the smallest participation that makes the quorum."""

    total_area: Fraction
    total_n: int
    need_area: Fraction
    need_n: int
    matters: Mapping[str, MatterTally]
    issues: tuple[Issue, ...]
    complete: bool

    def facts(self) -> dict[str, Any]:
        """Exact numbers for rules: totals, `issues` (how many) and `matters` as a list of records."""
        return {
            "total_area": exact(self.total_area),
            "total_n": self.total_n,
            "need_area": exact(self.need_area),
            "need_n": self.need_n,
            "complete": self.complete,
            "issues": len(self.issues),
            "matters": [matter.facts() for matter in self.matters.values()],
        }


@dataclass(frozen=True)
class Election:
    """`tied` are equal candidates for the last `tied_seats` seats: a lot or a re-vote decides, not we.
    `reserves` passed without a seat, in order; `open_seats` found no candidate. Not `determined`: the roll
    has faults."""

    seats: int
    elected: tuple[MatterTally, ...]
    tied: tuple[MatterTally, ...]
    tied_seats: int
    reserves: tuple[tuple[MatterTally, ...], ...]
    open_seats: int
    determined: bool


def tally(
    roll: Iterable[Unit], ballots: Iterable[Ballot], policy: Policy | None = None, matters: Sequence[str] = ()
) -> Tally:
    """Count. With `matters` named, each of them is tallied even without a ballot, and a ballot on anything
    else is left out (OC-T11: what was not announced cannot be voted on); without, the ballots name them."""
    policy = policy or Policy()
    issues: list[Issue] = []
    units = _units(roll, issues)
    complete = not issues
    area = {unit.unit: Fraction(unit.area or 0) for unit in units.values() if unit.counts}
    person = {u: ("owner", units[u].owner_key) if units[u].owner_key else ("unit", u) for u in area}
    total_area, total_n = sum(area.values(), Fraction()), len(set(person.values()))

    papers = list(ballots)
    names = list(dict.fromkeys(matters or (ballot.matter for ballot in papers)))
    cast = _cast(papers, units, names, policy, issues)
    sent = {(b.unit, b.matter) for b in papers if b.delivered and b.unit in area}
    done: dict[str, MatterTally] = {}
    for name in names:
        votes = cast[name]
        heads = _heads(votes, person, name, issues)
        if policy.silence == "with_majority":
            silent = [unit for unit in area if (unit, name) in sent and unit not in votes]
            _join(votes, heads, silent, area, person, name, issues)
        done[name] = _matter(name, votes, heads, area, total_area, total_n, policy, complete)
    need_n = ceil(policy.quorum * total_n)
    return Tally(total_area, total_n, policy.quorum * total_area, need_n, done, tuple(issues), complete)


def rank(matters: Iterable[MatterTally]) -> tuple[tuple[MatterTally, ...], ...]:
    """Passed candidates by heads, then by area. Equals share a group and stand in their given order there."""
    groups: dict[tuple[int, Fraction], list[MatterTally]] = {}
    for matter in matters:
        if matter.passed:
            groups.setdefault((matter.yes_n, matter.yes_area), []).append(matter)
    return tuple(tuple(groups[key]) for key in sorted(groups, reverse=True))


def elect(result: Tally, seats: int) -> Election:
    """Fill seats from the ranking; a tie across the last seat is left open."""
    if not result.complete:
        return Election(seats, (), (), 0, (), seats, False)
    elected: list[MatterTally] = []
    tied: tuple[MatterTally, ...] = ()
    reserves: list[tuple[MatterTally, ...]] = []
    for group in rank(result.matters.values()):
        free = seats - len(elected)
        if tied or free <= 0:
            reserves.append(group)
        elif len(group) <= free:
            elected.extend(group)
        else:
            tied = group
    free = max(seats - len(elected), 0)
    return Election(
        seats, tuple(elected), tied, free if tied else 0, tuple(reserves), 0 if tied else free, True
    )


def plain(area: Fraction) -> str:
    """An area in full, at least two places: 61204.38; what is no decimal number as a fraction."""
    hundredths = area * 100
    if hundredths.denominator == 1:
        return f"{hundredths.numerator // 100}.{hundredths.numerator % 100:02d}"
    bare = area.denominator
    for prime in (2, 5):
        while bare % prime == 0:
            bare //= prime
    return str(area) if bare != 1 else f"{Decimal(area.numerator) / Decimal(area.denominator):f}"


def _units(roll: Iterable[Unit], issues: list[Issue]) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for row in roll:
        if row.unit in units:
            zh, en = "名册里这个专有部分出现两次", "the unit stands on the roll twice"
            issues.append(Issue("duplicate_unit", row.unit, "", zh, en))
            continue
        units[row.unit] = row
        if row.counts and (row.area is None or row.area <= 0):
            zh, en = "面积缺失或不为正", "its area is missing or not positive"
            issues.append(Issue("no_area", row.unit, "", zh, en))
    return units


def _cast(
    papers: Sequence[Ballot],
    units: Mapping[str, Unit],
    names: Sequence[str],
    policy: Policy,
    issues: list[Issue],
) -> dict[str, dict[str, Choice]]:
    """Matter -> unit -> the one choice that counts; whoever does not take part is left out."""

    def out(kind: str, ballot: Ballot, zh: str, en: str) -> None:
        issues.append(Issue(kind, ballot.unit, ballot.matter, zh, en))

    window = policy.window
    found: dict[tuple[str, str], Ballot] = {}
    # "later" is by date of return; what has none comes last, in the order of the sheet
    for ballot in sorted(papers, key=lambda b: (b.returned is None, b.returned or dt.date.max)):
        key = ballot.unit, ballot.matter
        if ballot.unit not in units:
            out("unknown_unit", ballot, "名册里没有这个专有部分", "the roll has no such unit")
        elif not units[ballot.unit].counts:
            out("not_counting", ballot, "这个专有部分不计票", "the unit does not count")
        elif ballot.matter not in names:
            out("unknown_matter", ballot, "未公告的事项不能表决", "the matter was not announced")
        elif ballot.choice is None:
            continue
        elif window and ballot.returned is None:
            out("undated", ballot, "没有收回日期，不计", "it has no date of return")
        elif window and ballot.returned and not window[0] <= ballot.returned <= window[1]:
            out("late", ballot, "不在表决期内收回，不计", "it came back outside the window")
        elif key not in found:
            found[key] = ballot
        elif policy.later_replaces:
            out("replaced", found[key], "被后一张票取代", "a later ballot replaces it")
            found[key] = ballot
        else:
            out("second_ballot", ballot, "同一专有部分的第二张票，不计", "the unit has voted already")
    cast: dict[tuple[str, str], Choice] = {key: b.choice for key, b in found.items() if b.choice}
    approvals: dict[str, int] = {}
    for (unit, _), choice in cast.items():
        approvals[unit] = approvals.get(unit, 0) + (choice == "yes")
    for unit, n in approvals.items():
        if policy.max_yes is not None and n > policy.max_yes:
            zh = f"同意 {n} 项，多于应选 {policy.max_yes} 项，整张无效"
            issues.append(Issue("over_voted", unit, "", zh, f"{n} approvals are more than {policy.max_yes}"))
            cast.update({key: "invalid" for key in cast if key[0] == unit})
    if not policy.invalid_participates:
        cast = {key: choice for key, choice in cast.items() if choice != "invalid"}
    if policy.blank == "abstain":
        for unit in dict.fromkeys(unit for unit, _ in [*cast]):
            for name in names:
                # a paper that came back defaced for this matter is no blank
                if (unit, name) not in found:
                    cast[unit, name] = "abstain"
    sorted_: dict[str, dict[str, Choice]] = {name: {} for name in names}
    for (unit, name), choice in cast.items():
        sorted_[name][unit] = choice
    return sorted_


def _heads(
    votes: Mapping[str, Choice], person: Mapping[str, Person], matter: str, issues: list[Issue]
) -> dict[Person, Choice]:
    """One choice per person; two different ones count as an abstention and are reported."""
    said: dict[Person, list[tuple[str, Choice]]] = {}
    for unit, choice in votes.items():
        said.setdefault(person[unit], []).append((unit, choice))
    heads: dict[Person, Choice] = {}
    for who, choices in said.items():
        valid: set[Choice] = {choice for _, choice in choices if choice != "invalid"} or {"invalid"}
        if len(valid) > 1:
            where = "、".join(sorted(unit for unit, _ in choices))
            zh = f"同一业主的 {where} 表决不一致，面积各计，人数计弃权"
            en = f"one owner voted differently for {where}: areas as cast, the head abstains"
            issues.append(Issue("split_owner", where, matter, zh, en))
        heads[who] = next(iter(valid)) if len(valid) == 1 else "abstain"
    return heads


def _join(
    votes: dict[str, Choice],
    heads: dict[Person, Choice],
    silent: Sequence[str],
    area: Mapping[str, Fraction],
    person: Mapping[str, Person],
    matter: str,
    issues: list[Issue],
) -> None:
    """Add silent units to the choice that leads by area and by head; a person who voted keeps his choice."""
    if not silent:
        return

    def leads(weight: Callable[[Choice], Number]) -> set[Choice]:
        options: tuple[Choice, ...] = ("yes", "no", "abstain")
        best = max(weight(option) for option in options)
        return {option for option in options if weight(option) == best and best > 0}

    by_area = leads(lambda c: sum((area[u] for u, v in votes.items() if v == c), Fraction()))
    by_head = leads(lambda c: sum(v == c for v in heads.values()))
    if len(by_area) != 1 or by_area != by_head:
        zh, en = "没有面积和人数都居首的意见，未反馈的票不计入", "no choice leads by area and by head"
        issues.append(Issue("silence_undecided", "", matter, zh, en))
        return
    (choice,) = by_area
    for unit in silent:
        votes[unit] = choice
        heads.setdefault(person[unit], choice)


def _matter(
    name: str,
    votes: Mapping[str, Choice],
    heads: Mapping[Person, Choice],
    area: Mapping[str, Fraction],
    total_area: Fraction,
    total_n: int,
    policy: Policy,
    complete: bool,
) -> MatterTally:
    def of(choice: Choice) -> tuple[Fraction, int]:
        areas = sum((area[unit] for unit, cast in votes.items() if cast == choice), Fraction())
        return areas, sum(head == choice for head in heads.values())

    part_area, part_n = sum((area[unit] for unit in votes), Fraction()), len(heads)
    (yes_area, yes_n), (no_area, no_n), (abstain_area, abstain_n) = of("yes"), of("no"), of("abstain")
    quorum = total_n > 0 and part_area >= policy.quorum * total_area and part_n >= policy.quorum * total_n
    if policy.majority_of(name) == "special":
        enough = 4 * yes_area >= 3 * part_area and 4 * yes_n >= 3 * part_n
    else:
        enough = 2 * yes_area > part_area and 2 * yes_n > part_n
    return MatterTally(
        matter=name,
        majority=policy.majority_of(name),
        total_area=total_area,
        total_n=total_n,
        part_area=part_area,
        part_n=part_n,
        yes_area=yes_area,
        yes_n=yes_n,
        no_area=no_area,
        no_n=no_n,
        abstain_area=abstain_area,
        abstain_n=abstain_n,
        quorum_met=quorum if complete else None,
        passed=(quorum and part_n > 0 and enough) if complete else None,
    )


def _share(part: Number, whole: Number) -> Fraction:
    return Fraction(part) / Fraction(whole) if whole else Fraction(0)


def _word(value: bool | None, zh: str, en: str) -> tuple[str, str]:
    """One of three words for true, false, unknown."""
    i = 2 if value is None else 1 - value
    return zh.split("|")[i], en.split("|")[i]
