"""Drafts: begun, edited, proved, submitted, signed, published, withdrawn. Each step is one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from siquan.core.dmn.to_rules import made_from, to_rules
from siquan.core.errors import BadInput, NoAccess
from siquan.core.exchange.content import Content
from siquan.core.exchange.merge import Merged, merge
from siquan.core.exchange.sheetread import take_workbook
from siquan.core.policy.edits import BadEdit, Edit, Editor
from siquan.core.policy.examined import Examined
from siquan.core.policy.force import Bound
from siquan.core.policy.guards import unhandled
from siquan.core.policy.life import Signed, VersionRefused, refused, seen, signed, writers
from siquan.core.policy.proving import Proving
from siquan.core.policy.reading import said
from siquan.core.policy.trials import cases_of, decide_case
from siquan.core.policy.views import (
    DifferenceLine,
    DraftPage,
    DraftResult,
    Gate,
    ImpactCard,
    ProofView,
    RuleSetPage,
)
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.app import APPROVER, AUTHOR, App
from siquan.core.service.refusal import check_text
from siquan.core.service.rules import Rules, without
from siquan.core.store.rows import RuleEvent, RuleVersion
from siquan.core.store.transaction import Tx

#: the largest workbook or model taken
LARGEST = 20_000_000


class Drafts:
    def __init__(self, app: App, rules: Rules) -> None:
        self.app, self.rules, self.life = app, rules, rules.life
        #: gives the card of a version's impact run; the impact service sets it
        self.impact_card: Any = lambda tx, version: None

    # changing

    def start(self, ruleset: str, person: str, title: str = "") -> DraftResult:
        self.app.catalogue.ruleset(ruleset)
        check_text(title, 200, "标题")
        with self.app.store.begin() as tx:
            self.rules.must(tx, person, AUTHOR)
            return _result(self.life.start(tx, ruleset, person, title))

    def _draft(self, tx: Tx, version_id: str, person: str, revision: int | None = None, *roles: str) -> RuleVersion:
        self.rules.must(tx, person, *(roles or (AUTHOR,)))
        version = tx.policies.lock(version_id)
        seen(version, revision)
        return version

    def edit(self, version_id: str, person: str, edits: Sequence[Edit], revision: int | None) -> DraftResult:
        with self.app.store.begin() as tx:
            version = self._draft(tx, version_id, person, revision)
            self.life.check(version, "draft", "edited", "修改")
            bound = self.app.in_force(tx, version.ruleset)
            old = Content.from_json(version.content)
            editor = Editor(self.life.base(tx, version), self.rules.ahead(tx, version.ruleset), self.app.today(), bound.rulesets[version.ruleset])
            row = self.life.edit(tx, version, person, self._expanded(tx, bound, version, old, edits), editor)
            return replace(_result(row), changes=said(self.rules.diff(tx, bound, old, Content.from_json(row.content), "zh")))

    def _expanded(self, tx: Tx, bound: Bound, version: RuleVersion, content: Content, edits: Sequence[Edit]) -> list[Edit]:
        """Edits that need more than the content: the place of a parameter has to exist, and a case is accepted with what the
        draft decides. Raises BadEdit."""
        if not isinstance(edits, Sequence) or isinstance(edits, str) or not all(isinstance(e, Mapping) for e in edits):
            raise BadEdit(why="改动要写成一列")
        out: list[Edit] = []
        for edit in edits:
            place = str(edit.get("place") or "") if edit.get("op") == "param" else ""
            if place and tx.people.find_unit(place) is None:
                raise BadEdit(why=f"没有这个地方：`{place[:100]}`")
            out.append(self._accepted(tx, bound, version, content, edit) if edit.get("op") == "case_accept" else edit)
        return out

    def _accepted(self, tx: Tx, bound: Bound, version: RuleVersion, content: Content, edit: Edit) -> Edit:
        """A case with the draft's own decision as its expectation; it stands in the draft from then on, for all to see."""
        examined = self.rules.examined(tx, bound, content, version.ruleset)
        known = {c.name: c for c in [*cases_of(bound, version.ruleset), *content.cases]}
        case = known.get(str(edit.get("name")))
        if case is None or examined.whole is None:
            raise BadEdit(why=f"没有用例 `{str(edit.get('name'))[:100]}`，或者草稿还不能计算")
        found = decide_case(bound, examined.whole, examined.book, case, examined.book.newest() or self.app.today())
        expect = str(found.value) if found.value is not None and not isinstance(found.value, dict | list) else found.outcome
        fresh = case.model_copy(
            update={"expect": expect, "because": tuple(f.rule for f in found.hits()), "ask": None, "value": found.value if isinstance(found.value, dict | list) else None}
        )  # fmt: skip
        return {"op": "case_spec", "case": fresh}

    def upload(self, version_id: str, person: str, filename: str, data: bytes, revision: int | None) -> DraftResult:
        """An edited workbook, or a DMN model. What was changed in the draft meanwhile stays; a conflict is refused."""
        check_text(filename, 400, "文件名")
        if len(data) > LARGEST:
            raise BadInput(why="文件超过 20 MB")
        with self.app.store.read() as tx:  # reading a large file must not hold the database
            version = tx.policies.get(version_id)
            self.rules.must(tx, person, AUTHOR)
            seen(version, revision)
            self.life.check(version, "draft", "edited", "修改")
            bound = self.app.in_force(tx, version.ruleset)
            book = self.rules.ahead(tx, version.ruleset)
        current = Content.from_json(version.content)
        content, conflicts = self._read_file(bound, book, current, filename, data)
        Editor(content, book, self.app.today(), bound.rulesets[version.ruleset]).sound(current, content)
        with self.app.store.begin() as tx:
            row = self._draft(tx, version_id, person, version.revision)
            row = self.life.put(tx, row, person, content, "uploaded", {"file": filename[:200], "conflicts": conflicts})
            return replace(_result(row), changes=said(self.rules.diff(tx, bound, current, content, "zh")))

    def _read_file(self, bound: Bound, book: ParameterBook, current: Content, filename: str, data: bytes) -> tuple[Content, list[list[str]]]:
        home = bound.rulesets[current.ruleset.id]
        if filename.lower().endswith((".dmn", ".xml")):
            spec = to_rules(data, "", current.ruleset, home.schema)
            read, made = current.model_copy(update={"ruleset": spec}), made_from(data)
            if made is None:
                return read, []
            # a model of ours knows what it was made from: what was changed here meanwhile stays
            merged = merge(current.model_copy(update={"ruleset": made.model_copy(update={"intents": current.ruleset.intents})}), current, read)
            return merged.content, _named(merged)
        merged = take_workbook(data, filename, current, home.schema, book, scope=home.scope)
        return merged.content, _named(merged)

    def merge(self, version_id: str, person: str, revision: int | None) -> DraftResult:
        with self.app.store.begin() as tx:
            return _result(self.life.merge(tx, self._draft(tx, version_id, person, revision), person))

    def discard(self, version_id: str, person: str) -> None:
        with self.app.store.begin() as tx:
            self.life.discard(tx, self._draft(tx, version_id, person), person)

    # the way to force

    def submit(self, version_id: str, person: str, effective: dt.date, reason: str, revision: int | None) -> DraftResult:
        page = self.page(version_id, person, "zh", wait=20)
        with self.app.store.begin() as tx:
            version = self._draft(tx, version_id, person, revision)
            self.life.check(version, "draft", "submitted", "送审")
            if version.revision != page.revision:
                seen(version, page.revision)
            if not reason.strip():
                raise refused(version, "submitted", "送审", "a reason is missing", "送审要写明改动理由")
            shut = [g for g in page.gates if g.status != "ok"]
            if shut:
                raise refused(version, "submitted", "送审", shut[0].text, "；".join(f"{g.text}（{g.help}）" if g.help else g.text for g in shut))
            measured = {"proof": page.proof.kind, "cases": page.cases_passed, "impact": page.impact.id if page.impact else ""}
            return _result(self.life.submit(tx, version, person, effective, reason, self.app.today(), measured))

    def sign(self, version_id: str, person: str, approve: bool, opinion: str) -> DraftResult:
        with self.app.store.begin() as tx:
            return _result(self.life.sign(tx, self._draft(tx, version_id, person, None, APPROVER), person, approve, opinion, self.app.today()))

    def recall(self, version_id: str, person: str) -> DraftResult:
        """Back to the desk of whoever wrote it."""
        with self.app.store.begin() as tx:
            version = self._draft(tx, version_id, person)
            if person not in writers(tx.policies.events(version.ruleset, version.id)):
                raise NoAccess(why="只有起草或改过这一版的人能撤回送审")
            return _result(self.life.recall(tx, version, person))

    def publish(self, version_id: str, person: str) -> DraftResult:
        with self.app.store.begin() as tx:
            version = self._draft(tx, version_id, person, None, AUTHOR, APPROVER)
            return _result(self.life.publish(tx, version, person, self.app.today()))

    def withdraw(self, version_id: str, person: str, reason: str) -> DraftResult:
        """An approver who did not write it."""
        with self.app.store.begin() as tx:
            version = self._draft(tx, version_id, person, None, APPROVER)
            if person in writers(tx.policies.events(version.ruleset, version.id)):
                raise NoAccess(why="发布了的版本，要由没有写过它的批准人撤回")
            return _result(self.life.withdraw(tx, version, person, reason, self.app.today()))

    # the page

    def page(self, version_id: str, person: str, lang: str, wait: float | None = 1.5) -> DraftPage:
        """The editor's page. The proof is waited for `wait` seconds (None: until it is there)."""
        today = self.app.today()
        with self.app.store.read() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            version = tx.policies.get(version_id)
            bound = self.app.in_force(tx, version.ruleset)
            content, base = Content.from_json(version.content), self.life.base(tx, version).model_copy(update={"lines": ()})
            base_row = tx.policies.get(version.base_id) if version.base_id else None
            day = first_day(content, version.effective, today, base_row.effective if base_row else None)
            examined = self.rules.examined(tx, bound, content, version.ruleset)
            home = bound.rulesets[version.ruleset]
            unchanged = home.spec == base.ruleset  # the usual case: what is in force is bound already
            book = without(self.rules.ahead(tx, version.ruleset), content)
            before = Examined(base, book, home, home, ()) if unchanged else self.rules.examined(tx, bound, base, version.ruleset, content)
            found = self.rules.diff(tx, bound, base, content, lang)
            page = self.rules.view(tx, bound, examined, version, person, lang, day, before=before, differences=found)
            events = tx.policies.events(version.ruleset, version.id)
            card = self.impact_card(tx, version)
            people = self._people(tx, version, events, person, lang == "zh")
            newest = self.life.newest(tx, version.ruleset)
            timeline = self.rules.spans(tx, version.ruleset)
            base_line = self.rules.version_line(tx, base_row, version.ruleset, timeline, person, lang)
            stale = (newest.id if newest else None) != version.base_id and version.status in ("draft", "review", "approved")
            newer = self.rules.version_line(tx, newest, version.ruleset, timeline, person, lang) if stale else None
            needs, fits = self.life.needs(tx, version), self._fits(tx, version)
            proving = Proving(self.rules.reading(tx, bound, examined, day, lang, before), before.sound, before.book, day)
        proof = self._proof(version, content, base, bound, proving, day, lang, wait)
        passed = sum(1 for c in page.cases if c.passed)
        failed = sum(1 for c in page.cases if c.passed is False)
        errors = tuple(f"{rule}：{e.text(lang)}" if rule else e.text(lang) for rule, _field, e in examined.faults)
        gates = self._gates(content, examined, page, proof, said(found), card, newer is not None, failed, lang == "zh")
        return DraftPage(
            page, version.revision, base_line, newer, _conflicts(events), said(found), errors, proof, gates, passed, failed, version.effective,
            version.reason, needs, people.signers, impact=card, why_not=people.why_not,
            may_edit=version.status == "draft" and people.author, may_submit=version.status == "draft" and people.author and all(g.status == "ok" for g in gates),
            may_sign=people.may_sign, may_publish=version.status == "approved" and (people.author or people.approver) and fits,
            may_withdraw=version.status == "published" and people.approver and not people.wrote and newest is not None and newest.id == version.id,
            may_recall=version.status in ("review", "approved") and people.author and people.wrote,
        )  # fmt: skip

    def _fits(self, tx: Tx, version: RuleVersion) -> bool:
        try:
            self.life.fits(tx, version, version.effective or dt.date.min, self.app.today(), "published", "发布")
        except VersionRefused:
            return False
        return True

    def _proof(self, version: RuleVersion, content: Content, base: Content, bound: Bound, proving: Proving, day: dt.date, lang: str, wait: float | None) -> ProofView:
        if proving.reading.examined.whole is None:
            return ProofView("none")
        # what is proved hangs on these and on nothing else
        key = (version.ruleset, content.digest, base.digest, bound.hash, day, lang)
        return self.rules.prover.get(key, proving.view, wait) or ProofView("waiting")

    def _people(self, tx: Tx, version: RuleVersion, events: Sequence[RuleEvent], person: str, zh: bool) -> _People:
        posts = self.rules.posts(tx, person)
        author, approver = AUTHOR in posts, APPROVER in posts
        wrote, done = writers(events) | {version.author}, signed(events)
        able = {g.person_id for g in tx.people.all_grants(self.app.today()) if g.role == APPROVER} - wrote - set(done.people)
        why = ""
        if version.status == "review":
            wrote_it, signed_it = ("起草或改过这一版的人不能签署它", "你已经签过了") if zh else ("whoever wrote it cannot sign it", "you have signed it")
            no_post = "签署要“政策批准”的岗位" if zh else "signing takes the post of a policy approver"
            why = wrote_it if person in wrote else signed_it if person in done.people else "" if approver else no_post
        may = version.status == "review" and person in able
        return _People(author, approver, may, person in wrote, why, tuple(sorted(self.app.person_name(tx, p) for p in able)), done)

    def _gates(
        self, content: Content, examined: Examined, page: RuleSetPage, proof: ProofView, found: Sequence[DifferenceLine], card: ImpactCard | None,
        stale: bool, failed: int, zh: bool,
    ) -> tuple[Gate, ...]:  # fmt: skip
        """What has to hold before anybody is asked to approve."""
        faults, waiting = len(examined.faults), proof.status != "done"
        lost = unhandled(self.app.force.shipped(page.plugin), content.ruleset)
        table = content.ruleset.table
        bare = [
            r.id for r in page.rules
            if r.change in ("added", "changed") and not r.display_only and (not r.cite if r.basis else not table)
        ]  # fmt: skip
        flaws = [i.text for i in proof.issues if i.blocking]
        broken = [i.say for i in proof.intents if i.status == "refuted"]
        ran = card is not None and card.status == "done"
        tested = f"用例全部通过（{len(page.cases)} 个）" if zh else f"every test case passes ({len(page.cases)})"
        rows: list[tuple[str, str, bool, bool, str]] = [  # words, failed, open, help
            ("有改动", "something is changed", False, not found, "还没有改动" if zh else "nothing is changed yet"),
            ("每一条都能计算", "every rule can be computed", faults > 0, False, f"{faults} 处有误" if zh else f"{faults} faults"),
            ("每个结果流程都认得", "the process knows every result", bool(lost), False, "；".join(lost) if zh else ", ".join(lost)),
            ("改过的规则都写了依据和出处", "every changed rule has a basis and cites its source", bool(bare), False, "、".join(bare)),
            (tested, tested, failed > 0, faults > 0, (f"{failed} 个没有通过" if zh else f"{failed} do not pass") if failed else ""),
            ("没有新的空档、重叠和冲突", "no new gap, overlap or conflict", bool(flaws), waiting, "；".join(flaws)),
            ("声明的意图都守住", "the declared intents hold", bool(broken), waiting, "；".join(broken)),
            ("算过影响", "the impact was run", False, not ran, "改动之后还没有算过影响" if zh else "not run since the last change"),
            (
                "改自最新的版本", "made from the newest version", stale, False,
                "这期间发布过别的版本，先并入" if zh else "another version was published meanwhile: merge it first",
            ),
        ]  # fmt: skip
        return tuple(
            Gate(a if zh else b, "failed" if bad else "open" if open_ else "ok", help if bad or open_ else "") for a, b, bad, open_, help in rows
        )


@dataclass(frozen=True)
class _People:
    """Who the asker is to a version, and who could sign it."""

    author: bool
    approver: bool
    may_sign: bool
    wrote: bool
    why_not: str
    signers: tuple[str, ...]
    done: Signed


def first_day(content: Content, effective: dt.date | None, today: dt.date, base: dt.date | None = None) -> dt.date:
    """The day from which everything in a draft would apply, and what it follows on: proofs and pages take its parameters."""
    return max([effective or today, today, base or today, *(line.since for line in content.lines)])


def _named(merged: Merged) -> list[list[str]]:
    return [[c.rule, c.field, str(c.base), str(c.ours), str(c.theirs)] for c in merged.conflicts]


def _conflicts(events: Sequence[RuleEvent]) -> tuple[DifferenceLine, ...]:
    """What the last merge or upload could not decide, until the draft is edited again."""
    for event in reversed(events):
        if event.kind in ("merged", "uploaded"):
            found: list[Any] = (event.data or {}).get("conflicts") or []
            return tuple(DifferenceLine("conflict", rule, field, f"{rule} {field}".strip(), ours, theirs) for rule, field, _base, ours, theirs in found)
        if event.kind in ("edited", "submitted"):
            return ()
    return ()


def _result(version: RuleVersion) -> DraftResult:
    return DraftResult(version.id, version.revision, version.status)


