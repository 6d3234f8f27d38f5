"""A process tried out: a draft of a test case is played in a world of its own, and everything a page shows is read from there.

The draft is all there is: it is played anew for every look, so undoing is leaving off the last step, and what was tried is a
test case already. The database of the installation is never touched."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from siquan.core.engine.access import acting_roles, is_post
from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.errors import BadInput, NoAccess, NotFound, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.rules.decision import Decision
from siquan.core.rules.facts import to_wire
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.service.acts import SYSTEM, StepRefused
from siquan.core.service.context import Context
from siquan.core.service.record import decision_from
from siquan.core.service.verbs import NoSuchVerb, declared, way_back
from siquan.core.service.words import Words
from siquan.core.spec.model import CaseSpec, CaseStep, FactSpec, StateSpec, TransitionSpec
from siquan.core.spec.verbs import STARTER, TASKS, TITLES, moving
from siquan.core.tasks.task import AGREE
from siquan.core.testing.casefile import flow, text_of, written
from siquan.core.testing.live import Live
from siquan.core.testing.pool import Pool
from siquan.core.testing.record import typed
from siquan.core.testing.retell import said_why
from siquan.core.testing.runner import run_case
from siquan.core.testing.tasked import STAND_INS, result_of
from siquan.core.testing.trytasks import TryTasks
from siquan.core.testing.tryview import Chosen, FactLine, Offer, Told, TryView
from siquan.core.views import StepView

#: steps of one try-out; more is a case for `siquan test`
MOST_STEPS = 60
#: days from the beginning that may be waited
LONGEST = 366 * 12
PEOPLE = STAND_INS
#: what is no step of the process, in the story
BESIDE = {"facts": ("补录事实", "Facts stated"), "wait": ("等待", "Waited"), "post": ("到岗", "In post")}
#: worlds played at the same time: each takes memory and a processor
_ROOM = threading.BoundedSemaphore(3)


class TooLong(SiquanError):
    """a try-out ends after {most} steps"""

    code = "SQ605"
    zh = "试运行最多 {most} 步"
    help_en = "undo some, or save it as a test case and go on from there"
    help_zh = "撤回几步，或者存成用例，改由 siquan test 跑"
    exit = 1
    http = 422


class Tryout:
    """Build one for each request; `draft` is plain JSON."""

    def __init__(self, catalogue: Catalogue, draft: Mapping[str, Any], lang: str = "zh") -> None:
        self.catalogue, self.lang = catalogue, lang
        self.definition = catalogue.definition(str(draft["process"]))
        self.draft: dict[str, Any] = {"process": self.definition.spec.id, "on": str(draft["on"]), "given": dict(draft.get("given") or {}), "steps": list(draft.get("steps") or ())}
        if len(self.draft["steps"]) > MOST_STEPS:
            raise TooLong(most=MOST_STEPS)
        self.told: list[Told] = []
        with _ROOM:
            self._play()

    @staticmethod
    def begin(catalogue: Catalogue, process: str, on: dt.date, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"process": catalogue.definition(process).spec.id, "on": on.isoformat(), "given": dict(given), "steps": []}

    # playing

    def _play(self) -> None:
        day = dt.date.fromisoformat(self.draft["on"])
        self.live = Live(self.catalogue, self.definition.spec.id, day, self.draft["given"])
        self.live.open()
        for raw in self.draft["steps"]:
            self._tell(_step(raw))

    def _tell(self, step: CaseStep) -> None:
        live = self.live
        definition = self._about(step.child)
        row, state = live.row(), live.row(step.child).state
        wrong = live.take(step)
        if wrong and not step.refused:
            # what went once goes again; only a changed plugin gets here
            raise BadInput(why=f"第 {len(self.told) + 1} 步现在办不成了：{wrong}")
        refused = bool(step.refused)
        fault = live.fault if refused else None
        blocks = tuple(fault.blocks) if isinstance(fault, StepRefused) else ()
        decisions = tuple(fault.decisions) if isinstance(fault, StepRefused) else tuple(self._decided(step)) if step.act and not refused else ()
        words, zh = Words(self.catalogue, definition.spec, self.lang), self.lang == "zh"
        named = next((words.step(t, state) for t in definition.machine.steps(state) if t.name == step.act), "") or self._verb_title(definition, step.act)
        if step.task:
            named = TASKS[step.task][0] if zh else TASKS[step.task][1].capitalize()
        title = named if step.act or step.task else BESIDE["facts" if step.given else "wait" if step.on or step.wait else "post"][0 if zh else 1]
        after = self._about(step.child).spec.state(live.row(step.child).state)
        facts = tuple(self._chosen_for(step, definition)) + tuple((definition.schema.title(p) if p in definition.schema else p, _short(v)) for p, v in step.given.items())
        clock = self._clocked(live, row.revision) if not step.act and not step.task else ""
        self.told.append(Told(
            len(self.told) + 1, title, self._who(step.by or self._own(definition, state, step.act), definition), live.today, self._reached(step, state, after), refused, blocks, decisions, facts,
            fault.text(self.lang) if fault is not None and not blocks else clock, step.child,
        ))  # fmt: skip

    def _reached(self, step: CaseStep, before: str, after: StateSpec | None) -> str:
        """The title of the state a step led to; nothing for what leads nowhere."""
        if after is None or (after.name == before and not step.act):
            return ""
        return Words(self.catalogue, self._about(step.child).spec, self.lang).state(after)

    def _chosen_for(self, step: CaseStep, definition: Definition) -> Iterator[tuple[str, str]]:
        """What was chosen for a task: to whom it went, what the signature says."""
        zh = self.lang == "zh"
        if step.result:
            yield "", ("同意" if step.result == "agree" else "不同意") if zh else "agrees" if step.result == "agree" else "does not agree"
        if step.task and step.to:
            yield "给" if zh else "to", self._who(step.to, definition)
        if step.others:
            yield "协办" if zh else "with", ("、" if zh else ", ").join(self._who(o, definition) for o in step.others)

    def _clocked(self, live: Live, since: int) -> str:
        """What the clock did while time passed."""
        with live.service.app.store.read() as tx:
            rows = [e for e in tx.events.of(live.id) if e.actor == SYSTEM and e.kind == "acted" and e.data.get("revision", 0) > since]
        titles = {t.name: t.title for s in self.definition.spec.states for t in s.transitions} | {t.name: t.title for t in self.definition.spec.anywhere}
        return "、".join(f"到期自动：{titles.get(str(e.data.get('transition')), '')}" for e in rows)

    def _decided(self, step: CaseStep) -> list[Decision]:
        live = self.live
        id = live.row("" if self._opens(step) else step.child).id
        with live.service.app.store.read() as tx:
            rows = [d for d in tx.decisions.of(id) if not d.refused and d.record]
            last = max((e.seq for e in tx.events.of(id)), default=0)
            return [decision_from(d.record) for d in rows if d.event_seq == last]

    def _opens(self, step: CaseStep) -> bool:
        return any(t.name == step.act and t.opens for s in self.definition.spec.states for t in s.transitions)

    def _about(self, child: str) -> Definition:
        return self.catalogue.definition(self.live.row(child).process)

    def _own(self, definition: Definition, state: str, act: str) -> str:
        """The role the runner lets act where nobody is named."""
        verb = definition.spec.verb("suspend" if act == "resume" else act)
        step = next((t for t in definition.machine.steps(state) if t.name == act), verb.step if verb is not None and verb.step.by else None)
        roles = acting_roles(definition.spec, definition.spec.state(state), step) if step is not None else ()
        return next((r for r in roles if is_post(definition.spec, r)), "")

    def _who(self, name: str, definition: Definition) -> str:
        return Words(self.catalogue, definition.spec, self.lang).role(name) if name in definition.spec.roles else name

    @staticmethod
    def _verb_title(definition: Definition, act: str) -> str:
        verb = definition.spec.verb(act)
        return (verb.step.title if verb is not None else "") or TITLES.get(act, (act, act))[0]

    def _transition(self, child: str, name: str) -> TransitionSpec:
        """A step of the state the case stands in, or a verb of its process. Raises NoSuchStep."""
        definition, row = self._about(child), self.live.row(child)
        if name not in moving(definition.spec):
            return definition.machine.step(row.state, name)
        with self.live.service.app.store.read() as tx:
            return declared(Context(self.live.service.app, tx, tx.cases.get(row.id)), name).step

    # doing

    def _add(self, step: dict[str, Any]) -> None:
        if len(self.draft["steps"]) >= MOST_STEPS:
            raise TooLong(most=MOST_STEPS)
        clean = {k: v for k, v in step.items() if v not in (None, "", {}, (), [], False)}
        self._tell(_step(clean))
        self.draft["steps"].append(clean)

    def take(self, child: str, name: str, by: str, given: Mapping[str, Any], opinion: str, reason: str, to: str = "") -> bool:
        """Takes a step or a verb; one that is refused stays in the draft as refused. Whether it was taken. Raises SiquanError
        for facts that cannot be read: then nothing was tried."""
        step: dict[str, Any] = {"act": name, "by": by, "child": child, "given": dict(given), "opinion": opinion, "reason": reason, "to": to}
        self._fill_posts(child, name, by)
        self._fill_signers(child, name)
        return self._try(step)

    def task(self, child: str, verb: str, by: str, to: str = "", others: Sequence[str] = (), result: str = "", before: bool = False, reason: str = "", opinion: str = "") -> bool:
        """Does something with a task; what is refused stays in the draft as refused. Whether it was done."""
        state = self._about(child).spec.state(self.live.row(child).state)
        if state is not None and state.sign is not None and result:
            self._fill_signers(child, state.sign.agree if result == AGREE else state.sign.refuse)
        return self._try({
            "task": verb, "by": by, "child": child, "to": to, "others": list(others), "result": result, "before": before, "reason": reason,
            "opinion": opinion,
        })  # fmt: skip

    def _try(self, step: dict[str, Any]) -> bool:
        here = self.live.moment()
        wrong = self.live.take(_step({k: v for k, v in step.items() if v}))
        fault = self.live.fault
        if wrong and fault is not None and not self._is_refusal(fault):
            self.live.back_to(here)
            raise fault
        refused = said_why(self.live) if wrong else ""
        self.live.back_to(here)
        self._add({**step, "refused": refused})
        return not refused

    def _fill_posts(self, child: str, name: str, by: str) -> None:
        """Where somebody else tries a step, its own posts are held: else he would only stand in for nobody."""
        definition, state = self._about(child), self.live.row(child).state
        step = self._transition(child, name)
        for role in acting_roles(definition.spec, definition.spec.state(state), step) if by else ():
            if role != by and is_post(definition.spec, role) and f"{definition.spec.plugin}:{role}" not in self.live.world.people:
                self._add({"by": role, "child": child})

    def _fill_signers(self, child: str, name: str) -> None:
        """Whoever is to sign where a step leads is there by then: a signature is asked of those who hold the role at that
        moment."""
        definition, state = self._about(child), self.live.row(child).state
        for goal in targets(self._transition(child, name), state):
            found = definition.spec.state(goal)
            for role in found.sign.by if found is not None and found.sign is not None and goal != state else ():
                if is_post(definition.spec, role) and f"{definition.spec.plugin}:{role}" not in self.live.world.people:
                    self._add({"by": role, "child": child})

    @staticmethod
    def _is_refusal(fault: SiquanError) -> bool:
        """A step that was refused is part of the story; what could not be read or is still to be filled in is not."""
        return isinstance(fault, StepRefused | NoAccess | NoSuchVerb)

    def state_fact(self, child: str, path: str, value: Any, by: str = "") -> None:
        """States a fact beside any step: a value, `none`, or None for unknown."""
        definition = self._about(child)
        if path not in definition.schema:
            raise NotFound(kind="事实", name=path)
        self._add({"given": {path: value}, "by": by, "child": child})

    def wait_until(self, day: dt.date) -> None:
        if day <= self.live.today:
            raise BadInput(why=f"时钟只能往后拨，现在是 {self.live.today.isoformat()}")
        if (day - dt.date.fromisoformat(self.draft["on"])).days > LONGEST:
            raise BadInput(why="等得太久了，最多十二年")
        self._add({"on": day.isoformat()})

    @property
    def next_due(self) -> dt.date | None:
        """The day after the next deadline, children's included."""
        ends = [d.end_date for c in ("", *(c for c, _, _ in self.children())) for d in self.live.deadlines(c) if d.status == "open" and d.fired_at is None]
        return max(min(ends) + dt.timedelta(1), self.live.today + dt.timedelta(1)) if ends else None

    # looking

    @property
    def roles(self) -> list[tuple[str, str]]:
        """(role, title) in the language of the page."""
        words = Words(self.catalogue, self.definition.spec, self.lang)
        return [(r, words.role(r)) for r in self.definition.spec.roles]

    def children(self) -> tuple[tuple[str, str, str], ...]:
        out = []
        with self.live.service.app.store.read() as tx:
            for name in self.definition.children:
                for n, case in enumerate(tx.cases.children(self.live.id, name), 1):
                    state = self.catalogue.definition(case.process).spec.state(case.state)
                    out.append((f"{name}/{n}", case.title, state.title if state else case.state))
        return tuple(out)

    def view(self, actor: str = "", choose: str = "") -> TryView:
        """`actor` looks at the steps; empty: each step is offered to whoever should take it. `choose` is the key of an offer.
        Who is looked for is there for the look alone."""
        here = self.live.moment()
        try:
            return self._view(actor, choose)
        finally:
            self.live.back_to(here)

    def _view(self, actor: str, choose: str) -> TryView:
        children = self.children()
        offers = tuple(o for child in ("", *(c for c, _, _ in children)) for o in self._offers(child, actor, dict((c, t) for c, t, _ in children), choose))
        person = self.live._person(actor, self.definition.spec, None, self.live.id) if actor else self._anyone(self.definition)
        chosen = next((o for o in offers if o.key == choose), None)
        return TryView(
            self.definition.spec.id, self.definition.spec.title, self.live.today, dt.date.fromisoformat(self.draft["on"]),
            self.live.service.case(self.live.id, person, self.lang), offers, tuple(self.told), tuple(self._facts()), children, self.next_due,
            self._chosen(chosen) if chosen is not None else None, self.draft,
        )  # fmt: skip

    def _anyone(self, definition: Definition) -> str:
        role = next((r for r, x in definition.spec.roles.items() if not x.fact), "")
        return self.live._person(role, definition.spec)

    def _offers(self, child: str, actor: str, titles: Mapping[str, str], choose: str = "") -> list[Offer]:
        live, row = self.live, self.live.row(child)
        definition = self.catalogue.definition(row.process)
        spec, state = definition.spec, definition.spec.state(row.state)
        pages: dict[str, dict[str, StepView]] = {}
        out = []
        tasks = TryTasks(live, definition, child, Words(self.catalogue, spec, self.lang))
        mine = tuple((r, spec.roles[r].title) for r in spec.roles)
        of, _, chosen = choose.partition("|")
        todo = [
            Offer(child, titles.get(child, ""), o.step, o.by, mine, task=o.task, about=o.about, main=o.first)
            for o in (tasks.offers(actor, chosen if of == child else "") if state is not None and not state.final else ())
        ]  # fmt: skip
        for step in definition.machine.steps(row.state) if state is not None else ():
            if step.auto or result_of(state, step):
                continue
            roles = acting_roles(spec, state, step)
            own = state is not None and any(t.name == step.name for t in state.transitions)
            by = actor or (tasks.holder if own else "") or next((r for r in roles if is_post(spec, r)), next((r for r in roles if r in spec.roles), ""))
            person = row.opened_by if not by else live._person(by, spec, None, row.id)
            if person not in pages:
                try:
                    pages[person] = {s.name: s for s in live.service.case(row.id, person, self.lang).steps}
                except SiquanError:
                    pages[person] = {}
            found = pages[person].get(step.name)
            if found is not None:
                asked = tuple((r, spec.roles[r].title) for r in dict.fromkeys((*roles, *spec.roles)) if r in spec.roles)
                out.append(Offer(child, titles.get(child, ""), found, by, asked))
        return [*(o for o in todo if o.main), *out, *(o for o in todo if not o.main), *self._verbs(child, actor, titles.get(child, ""))]

    def _verbs(self, child: str, actor: str, title: str) -> list[Offer]:
        """What may be done besides the steps: return, take back, suspend, resume, reopen; those that are of no use now are left out."""
        live, row = self.live, self.live.row(child)
        definition = self.catalogue.definition(row.process)
        spec, words = definition.spec, Words(self.catalogue, definition.spec, self.lang)
        out = []
        with live.service.app.store.read() as tx:
            context = Context(live.service.app, tx, tx.cases.get(row.id))
            known = {name: declared(context, name) for name in moving(spec)}
            last, back = context.story.undo.get("by", "") or row.opened_by, [(s, words.state_named(s)) for s in (way_back(context, known["return"]) if "return" in known else ())]
        for name, verb in known.items():
            by = actor or next((r for r in verb.step.by if is_post(spec, r)), "")
            person = live._person(by, spec, None, row.id) if by else row.opened_by if STARTER in verb.step.by else last
            try:
                entry = next((v for v in live.service.case(row.id, person, self.lang).verbs if v.name == name), None)
            except SiquanError:
                continue
            if entry is None or not entry.allowed:
                continue
            opinion = "none" if name == "take_back" else verb.step.opinion
            who = (", " if self.lang == "en" else "、").join(words.role(r) for r in verb.step.by)
            step = StepView(name, entry.title, "", True, hint=entry.hint, opinion=opinion, who=who, reasons=tuple(verb.step.reasons.items()), verb=name)
            out.append(Offer(child, title, step, by, tuple((r, spec.roles[r].title) for r in spec.roles), tuple(back) if name == "return" else ()))
        return out

    def _chosen(self, offer: Offer) -> Chosen:
        live, row = self.live, self.live.row(offer.child)
        definition = self.catalogue.definition(row.process)
        if offer.task:
            tasks = TryTasks(live, definition, offer.child, Words(self.catalogue, definition.spec, self.lang))
            return Chosen(offer, (), form=tasks.form(offer.step.name, offer.task, offer.by))
        if offer.step.name in moving(definition.spec):
            return Chosen(offer, ())
        step = definition.machine.step(row.state, offer.step.name)
        person = live._person(offer.by, definition.spec, step, row.id) if offer.by else row.opened_by
        fields = live.service.form(row.id, step.name, person, None, self.lang).fields
        pool = Pool(definition, self.catalogue)
        lists = []
        for name in (*step.needs, *step.asks):
            spec = definition.schema.get(name)
            if spec is not None and spec.collection:
                lists.append((name, definition.schema.title(name), self._rows(spec, pool, row.id), name in step.needs))
        return Chosen(offer, fields, tuple(lists))

    def _rows(self, spec: FactSpec, pool: Pool, case_id: str) -> str:
        """Rows as YAML, one to a line: those there are, else those of the plugin's own cases, else one made up."""
        with self.live.service.app.store.read() as tx:
            known = Context(self.live.service.app, tx, tx.cases.get(case_id)).lists.get(spec.name) or Rows((), False)
        mine = pool.given.get(spec.name)
        rows = known if known.items else mine[0] if mine and isinstance(mine[0], Rows) else Rows((pool.row(spec, {}, 0, self.live.today),), True)
        shown = typed(spec, to_wire(rows))
        return "\n".join(flow(r) for r in shown)

    def _facts(self) -> list[FactLine]:
        live, schema = self.live, self.definition.schema
        with live.service.app.store.read() as tx:
            stored = Context(live.service.app, tx, tx.cases.get(live.id)).stored
        tallied = self.definition.spec.worked_out
        out = []
        for path, spec in schema.specs.items():
            if spec.type == "list" or (spec.type == "record" and not spec.absent) or path.partition(".")[0] in tallied or (spec.derive and not spec.by):
                continue
            found = stored.get(path)
            value = found.value if found is not None else None
            known = "unknown" if value is None else "none" if value is ABSENT else "known"
            shown = "" if value is None else spec.absent if value is ABSENT else spec.values.get(str(value), "") or ("是" if value is True else "否" if value is False else str(to_wire(value)))
            if spec.type == "record" and known == "unknown":
                shown = ""
            out.append(FactLine(path, schema.title(path), shown, known))
        return out

    # keeping

    def case(self, name: str) -> CaseSpec:
        spec, schema = self.definition.spec, self.definition.schema
        given = {p: typed(schema.specs[p], v) if p in schema else v for p, v in self.draft["given"].items()}
        case = self.live.spec_of_case(name)
        return case.model_copy(update={"given": given, "process": spec.id, "steps": tuple(self._typed(s) for s in case.steps)})

    def _typed(self, step: CaseStep) -> CaseStep:
        definition = self._about(step.child)
        opened = next((t.opens for s in self.definition.spec.states for t in s.transitions if t.name == step.act and t.opens), "")
        schema = self.catalogue.definition(opened).schema if opened else definition.schema
        return step.model_copy(update={"given": {p: typed(schema.specs[p], v) if p in schema else v for p, v in step.given.items()}})

    def saved(self, name: str) -> str:
        """The try-out as a case file that passes `siquan test`. Raises BadInput where it does not."""
        case = self.case(name)
        wrong = run_case(self.catalogue, case)
        if wrong:
            raise BadInput(why="存成用例以后跑不过：" + "；".join(wrong))
        return text_of([written(case)], case.process.partition(".")[2], f"试运行存下来的，{self.live.case.on}")


def read_rows(text: str) -> list[dict[str, Any]]:
    """Rows as they were typed: one YAML mapping to a line. Raises BadInput."""
    out: list[dict[str, Any]] = []
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = yaml.load(line)
        except YAMLError:
            row = None
        if not isinstance(row, dict):
            raise BadInput(why=f"第 {n} 行要写成 {{字段: 值, …}}")
        out.append({str(k): v.isoformat() if isinstance(v, dt.date) else v if isinstance(v, bool | int) or v is None else str(v) for k, v in row.items()})
    return out


def _step(raw: Mapping[str, Any]) -> CaseStep:
    step = dict(raw)
    if step.get("on"):
        step["on"] = dt.date.fromisoformat(str(step["on"]))
    return CaseStep(**step)


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and "value" in value:
        value = value["value"]
    if isinstance(value, list):
        return f"{len(value)} 行"
    if value is None:
        return "未知"
    return {"True": "是", "False": "否", "none": "没有"}.get(str(value), str(value))[:60]
