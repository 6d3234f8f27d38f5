"""Impact runs of a draft: started, watched, stopped, read page by page, taken out as a workbook."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from siquan.core.errors import NotFound, Refused
from siquan.core.exchange.content import Content
from siquan.core.jobs import Jobs, JobView
from siquan.core.policy.examined import at_once
from siquan.core.policy.force import Bound
from siquan.core.policy.impact import OpenCase, run_impact
from siquan.core.policy.impact_crew import Draft
from siquan.core.policy.impact_job import ImpactJobs, Trial
from siquan.core.policy.impact_report import LETTERS, ImpactReport, flips, flips_workbook, report
from siquan.core.policy.life import label
from siquan.core.policy.views import FlipLine, Flow, ImpactCard, ImpactPage
from siquan.core.rules.decision import RANK, Decision
from siquan.core.service.app import APPROVER, AUTHOR, ZONE, App
from siquan.core.service.context import Context
from siquan.core.service.drafts import Drafts
from siquan.core.service.migrating import decide_under
from siquan.core.service.pages import may_see
from siquan.core.service.rules import Rules
from siquan.core.store.rows import Case, ImpactFlip, ImpactRun, RuleVersion
from siquan.core.store.transaction import Tx

PAGE = 50


class Impacts:
    """Without jobs (tests, in-memory stores) a run is made at once."""

    def __init__(self, app: App, rules: Rules, drafts: Drafts) -> None:
        self.app, self.rules, self.drafts, self.life = app, rules, drafts, rules.life
        self.jobs: ImpactJobs | None = None
        drafts.impact_card = self.card

    def attach(self, jobs: Jobs) -> None:
        """Registers the job; every process that enqueues or works does the same."""
        self.jobs = ImpactJobs(self.app.store, jobs, self.trial)

    # what is tried

    def trial(self, version_id: str) -> Trial:
        """A version as a run needs it. Raises Refused while it cannot be computed."""
        with self.app.store.read() as tx:
            version = tx.policies.get(version_id)
            bound = self.app.in_force(tx, version.ruleset)
            content = Content.from_json(version.content)
            examined = self.rules.examined(tx, bound, content, version.ruleset)
        if examined.whole is None:
            raise Refused(why="草稿里还有不能计算的地方，先改正再算影响")
        book = at_once(content, examined.book)
        new = dataclasses.replace(bound, book=book, rulesets={**bound.rulesets, version.ruleset: examined.whole})
        return Trial(Draft(examined.whole, book), content.hash, lambda after: self._open(bound, new, version.ruleset, after))

    def _open(self, old: Bound, new: Bound, ruleset: str, after: str) -> Iterator[OpenCase]:
        """Open cases of the process whose facts the rule set reads, by id."""
        process = new.rulesets[ruleset].spec.process
        while True:
            with self.app.store.read() as tx:
                page = tx.cases.open_of(process, after, 200) if process else []
            for case in page:
                yield _Open(self.app, case, new, ruleset)
            if len(page) < 200:
                return
            after = page[-1].id

    # running

    def start(self, version_id: str, person: str) -> ImpactCard:
        with self.app.store.begin() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            version = tx.policies.get(version_id)
            self._runnable(version)
        self.trial(version_id)  # what cannot be computed is said now
        if self.jobs is None:
            self.run(version_id, person)
        else:
            with self.app.store.begin() as tx:
                job, _ = self.jobs.start(tx, version.id, person, self._key(tx, version))
            found = self.jobs.jobs.status(job)
            if found is not None and found.state in ("cancelled", "failed"):
                self.jobs.jobs.retry(job)
        with self.app.store.read() as tx:
            card = self.card(tx, version)
        return card or ImpactCard("", "queued", 0, 0)

    def _runnable(self, version: RuleVersion) -> None:
        if version.status not in ("draft", "review", "approved"):
            raise Refused(why="已经发布、撤回或丢弃的版本不再测算影响；另起一份草稿")

    def _key(self, tx: Tx, version: RuleVersion) -> str:
        """A run that is done does not stand in the way of another: decisions are recorded every day."""
        done = sum(1 for r in tx.impacts.of(version.id) if r.content_hash == version.hash and r.status == "done")
        return f"{version.id}/{version.hash[:40]}/{done}"

    def run(self, version_id: str, person: str, progress: Callable[[int, int], None] | None = None) -> str:
        """Makes the run here and now; one that was broken off goes on where it stopped. Returns its id."""
        with self.app.store.read() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            self._runnable(tx.policies.get(version_id))
        trial = self.trial(version_id)
        return run_impact(
            self.app.store, version_id, trial.draft, content_hash=trial.content_hash, by=person, open_cases=trial.open_cases,
            step=self._step(progress) if progress else None,
        )  # fmt: skip

    def _step(self, progress: Callable[[int, int], None]) -> Callable[..., AbstractContextManager[Tx]]:
        known = {"total": 0}

        @contextmanager
        def step(**said: Any) -> Iterator[Tx]:
            with self.app.store.begin() as tx:
                yield tx
            known["total"] = int(said.get("total", known["total"]))
            if "done" in said:
                progress(int(said["done"]), known["total"])

        return step

    def cancel(self, version_id: str, person: str) -> ImpactCard:
        with self.app.store.begin() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            version = tx.policies.get(version_id)
            key = self._key(tx, version)
        if self.jobs is not None:
            self.jobs.jobs.cancel(f"impact:{key}")
        with self.app.store.read() as tx:
            return self.card(tx, version) or ImpactCard("", "cancelled", 0, 0)

    # reading

    def card(self, tx: Tx, version: RuleVersion) -> ImpactCard | None:
        """How far the run of the version's content is; of an earlier content, that it is out of date."""
        runs = tx.impacts.of(version.id)
        run = next((r for r in runs if r.content_hash == version.hash), None)
        job = self._job(tx, version) if self.jobs is not None else None
        if job is not None and job.state == "queued" and (run is None or run.status != "running"):
            return ImpactCard(run.id if run else "", "queued", 0, 0)
        if run is None:
            if job is not None and job.state in ("failed", "cancelled"):
                return ImpactCard("", job.state, 0, 0, note=job.note or "")
            return self._card(tx, runs[0], "stale") if runs else None
        # a run whose worker died is going on in no one's hands until it is taken up again
        status = job.state if job is not None and run.status == "running" and job.state in ("failed", "cancelled") else run.status
        return self._card(tx, run, status, job.note or "" if job is not None and status == "failed" else "")

    def _job(self, tx: Tx, version: RuleVersion) -> JobView | None:
        assert self.jobs is not None
        return self.jobs.jobs.status(f"impact:{self._key(tx, version)}")

    def _card(self, tx: Tx, run: ImpactRun, status: str, note: str = "") -> ImpactCard:
        found = report(tx, run.id)
        at = (found.ended_at or run.updated_at).astimezone(ZONE)
        return ImpactCard(
            run.id, status, found.rows, found.total, found.decided, found.changed, found.other, found.missing, found.erased,
            found.cases.checked, found.cases.changed, found.seconds, at, note,
        )  # fmt: skip

    def page(
        self, version_id: str, person: str, lang: str, rule: str = "", before: str = "", after: str = "", open_only: bool = False, page: int = 1
    ) -> ImpactPage:
        draft = self.drafts.page(version_id, person, lang)
        card = draft.impact or ImpactCard("", "none", 0, 0)
        if not card.id:
            return ImpactPage(draft, card, (), (), (), (), (), 0, 0, 1, 1)
        with self.app.store.read() as tx:
            found = report(tx, card.id)
            listed = flips(tx, card.id, before=before, after=after, rule=rule, kind="case" if open_only else "", page=max(page, 1), size=PAGE)
            titles = {r.id: r.title for r in draft.page.rules}
            lines = tuple(self._line(tx, f, titles, person) for f in listed.rows)
            places = sorted(((self._place(tx, p), n, changed) for p, (n, changed) in found.places.items()), key=lambda x: (-x[2], -x[1]))
            version = tx.policies.get(version_id)
            schema = self.app.in_force(tx, version.ruleset).rulesets[version.ruleset].schema
        missing = tuple((schema.title(p), n) for p, n in sorted(found.missing_facts.items(), key=lambda x: -x[1]))
        return ImpactPage(
            draft, card, self._flows(found), tuple((c.rule, titles.get(c.rule, c.rule), c.newly_hit, c.no_longer_hit) for c in found.rules),
            tuple(places), missing, lines, len(lines), listed.total, listed.page, listed.pages, rule, before, after, open_only,
        )  # fmt: skip

    def _flows(self, found: ImpactReport) -> tuple[Flow, ...]:
        return tuple(Flow(a, b, n, tone(a, b)) for (a, b), n in sorted(found.flow.items(), key=lambda x: -x[1]))

    def _place(self, tx: Tx, place: str) -> str:
        unit = tx.people.find_unit(place) if place else None
        return unit.name if unit else place

    def _line(self, tx: Tx, flip: ImpactFlip, titles: dict[str, str], person: str) -> FlipLine:
        case = tx.cases.find(flip.case_id) if flip.case_id else None
        seen = case is not None and may_see(Context(self.app, tx, case), person)
        why = tuple(f"{rule} {titles.get(rule, '')}：{LETTERS[was]} → {LETTERS[now]}".replace(" ：", "：") for rule, (was, now) in ((r, tuple(pair)) for r, pair in flip.why.items()))
        return FlipLine(
            flip.decision_id or "", flip.case_id or "", (case.number or "") if case else "",
            case.title if case is not None and seen else "", self._place(tx, flip.place), flip.on_date, flip.before_label, flip.after_label, why,
            tuple(flip.why), flip.kind == "case",
        )  # fmt: skip

    def file(self, version_id: str, person: str) -> tuple[str, bytes]:
        with self.app.store.begin() as tx:
            self.rules.must(tx, person, AUTHOR, APPROVER)
            version = tx.policies.get(version_id)
            card = self.card(tx, version)
            if card is None or not card.id:
                raise NotFound(kind="影响测算", name=label(version))
            tx.access.add(person, "export", f"impact {version.ruleset} {label(version)}", None)
        with self.app.store.read() as tx:  # a large workbook must not hold the database
            data = flips_workbook(tx, card.id, who=self.app.person_name(tx, person), at=self.app.now().astimezone(ZONE))
        return f"影响-{version.ruleset}-{label(version)}.xlsx", data


class _Open:
    """One open case, decided by what it is pinned to and by the draft."""

    def __init__(self, app: App, case: Case, new: Bound, ruleset: str) -> None:
        self.app, self.case, self.new, self.ruleset = app, case, new, ruleset
        self._then: Decision | None = None

    @property
    def id(self) -> str:
        return self.case.id

    @property
    def place(self) -> str:
        return self.case.place

    def decide_old(self) -> Decision:
        with self.app.store.read() as tx:
            context = Context(self.app, tx, self.case)
            old = self.app.bound(tx, self.case)
            self._then = decide_under(context, self.new.rulesets[self.ruleset], self.new.book)
            return decide_under(context, old.rulesets[self.ruleset], old.book)

    def decide_new(self) -> Decision:
        if self._then is None:
            self.decide_old()
        assert self._then is not None
        return self._then


def tone(before: str, after: str) -> str:
    """Whether a case fares the same, better (up) or worse (down)."""
    if before == after:
        return "same"
    a, b = (RANK.get(x.partition(" ")[0], 99) for x in (before, after))
    return "up" if b > a else "down" if b < a else "changed"
