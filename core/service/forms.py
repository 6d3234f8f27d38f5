"""Step forms and what an act would do: worked out with the compiled reading only, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from siquan.core.engine.definition import Definition
from siquan.core.rules.decision import Decision, Finding, branch_key
from siquan.core.rules.facts import FactSet, Reader, Stated, to_wire
from siquan.core.rules.values import ABSENT
from siquan.core.service.app import App
from siquan.core.service.choices import NotAmong, offered, settle
from siquan.core.service.context import Context
from siquan.core.service.ledger import Posting
from siquan.core.service.pages import CasePage, must_see, step_view
from siquan.core.service.record import decision_from
from siquan.core.service.records import whole_records
from siquan.core.service.steps import Assessment, assess, finding_block, form_facts
from siquan.core.service.words import Words
from siquan.core.spec.model import FactSpec, TransitionSpec
from siquan.core.views import EventView, FieldView, Preview

CHANGES_SHOWN = 8


def field(words: Words, spec: FactSpec, facts: FactSet | None, required: bool, errors: Mapping[str, str], raw: Any) -> FieldView:
    """The control of one fact, holding what was typed, else what is known."""
    stated = facts.stated.get(spec.name) if facts else None
    record = facts.schema.record_of(spec.name) if facts else None
    whole = facts.stated.get(record.name) if facts and record else None
    value, as_of, source = "", "", ""
    if raw is not None:
        entry = raw if isinstance(raw, Mapping) else {"value": raw}
        value, as_of, source = (str(entry.get(k) or "") if entry.get(k) is not False else "false" for k in ("value", "as_of", "source"))
        value = {"True": "true", "False": "false"}.get(value, value)
    elif stated is not None and stated.value is not None:
        wire = to_wire(stated.value)
        value = {True: "true", False: "false"}.get(wire, "") if isinstance(wire, bool) else str(wire)
        as_of, source = stated.as_of.isoformat() if stated.as_of else "", stated.source
    elif whole is not None and whole.value is ABSENT:
        value, as_of, source = "none", whole.as_of.isoformat() if whole.as_of else "", whole.source
    absent = spec.absent or (record.absent if record else "")
    options: tuple[tuple[str, str], ...] = ()
    if spec.type == "enum":
        options = tuple((c, words.option(spec.name, c, t)) for c, t in spec.values.items())
    elif spec.type == "boolean":
        options = (("true", "是"), ("false", "否")) if words.lang == "zh" else (("true", "yes"), ("false", "no"))
    title = words.text(f"facts.{spec.name}.title", spec.title or spec.name.rpartition(".")[2])
    return FieldView(
        spec.name, title, spec.type, required, value, options, spec.unit, words.text(f"facts.{spec.name}.help", spec.help), absent,
        bool(spec.max_age), as_of, source, words.text(f"facts.{record.name}.title", record.title) if record else "", spec.evidence,
        "" if spec.min is None else str(spec.min), "" if spec.max is None else str(spec.max), (), errors.get(spec.name, ""),
        words.role(spec.by) if spec.by else "",
    )  # fmt: skip


def leaves(definition: Definition, names: Iterable[str]) -> list[FactSpec]:
    out: dict[str, FactSpec] = {}
    tallied = definition.spec.worked_out
    for name in names:
        for leaf in definition.schema.leaves(name) if name not in tallied else ():
            if not leaf.collection and not leaf.derive and leaf.type != "list":
                out[leaf.name] = leaf
    return list(out.values())


def read_given(definition: Definition, given: Mapping[str, Any], today: Any, lang: str) -> tuple[dict[str, Stated], dict[str, str]]:
    """Typed facts and one message per field that cannot be read."""
    reader = Reader(definition.schema, today)
    stated = reader.read(whole_records(definition.schema, given), check=False)
    for error in reader.errors:
        # a clerk knows the title of a field, not its name
        path = str(error.values.get("path", ""))
        error.values["fact"] = definition.schema.title(path)
    errors = {str(e.values.get("path", "")): e.text(lang) for e in reader.errors}
    return {p: s for p, s in stated.items() if p not in errors}, errors


class Forms:
    def __init__(self, app: App) -> None:
        self.app, self.pages = app, CasePage(app)

    def opening(self, process: str, given: Mapping[str, Any] | None, lang: str, places: Sequence[str] = ()) -> tuple[FieldView, ...]:
        """The fields asked when a case is opened at one of the places; who can be chosen is asked again when it is."""
        definition = self.app.definition(process)
        fields = self._opening(definition, given, lang)
        if not any(f.among for f in definition.schema.specs.values()):
            return fields
        with self.app.store.read() as tx:
            return offered(self.app, tx, definition, fields, places)

    def _opening(self, definition: Definition, given: Mapping[str, Any] | None, lang: str) -> tuple[FieldView, ...]:
        words = Words(self.app.catalogue, definition.spec, lang)
        stated, errors = read_given(definition, given or {}, self.app.today(), lang)
        facts = FactSet(definition.schema, stated, self.app.today())
        names = definition.spec.opening
        return tuple(
            field(words, s, facts, s.name in names, errors, (given or {}).get(s.name)) for s in leaves(definition, names)
        )

    def step(
        self, case_id: str, name: str, person: str, given: Mapping[str, Any] | None, lang: str, seen: int | None = None
    ) -> Preview:
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            transition = context.definition.machine.step(context.case.state, name)
            if transition.opens:
                return self._opening_step(context, transition, person, given, lang)
            return self._preview(context, transition, person, given, lang, seen)

    def _opening_step(self, context: Context, transition: TransitionSpec, person: str, given: Mapping[str, Any] | None, lang: str) -> Preview:
        words = Words(self.app.catalogue, context.definition.spec, lang)
        child = context.child(next(n for n, p in context.definition.children.items() if p == transition.opens))
        fields = offered(self.app, context.tx, child, self._opening(child, given, lang), [context.case.place], context.story.recused)
        view = self.pages.build(context, person, lang)
        found = assess(context, transition, person, both=False, strict=True, lang=lang)
        step = step_view(context, transition, person, words)
        answers = tuple((f.title, self._shown(Words(self.app.catalogue, child.spec, lang), child, f), "") for f in fields if f.value)
        ready = not found.blocks and not any(f.error or (f.required and not f.value) for f in fields)
        if given is not None:
            fields = tuple(_needed(f, lang) for f in fields)
        title = Words(self.app.catalogue, child.spec, lang).title
        note = f"登记一件“{title}”" if lang == "zh" else f"opens: {title}"
        return Preview(view, step, fields, answers, None, title, ready, tuple(found.blocks), (note, _signed(context, person, lang)))

    def _shown(self, words: Words, definition: Definition, f: FieldView) -> str:
        spec = definition.schema.get(f.path)
        if f.value == "none" and f.absent:
            return f.absent
        return dict(f.options).get(f.value, f.value) + (spec.unit if spec else "")

    def _preview(
        self, context: Context, transition: TransitionSpec, person: str, given: Mapping[str, Any] | None, lang: str, seen: int | None
    ) -> Preview:
        definition = context.definition
        words = Words(self.app.catalogue, definition.spec, lang)
        view = self.pages.build(context, person, lang)
        step = step_view(context, transition, person, words)
        before = context.facts()
        stated, errors = read_given(definition, given or {}, context.today, lang)
        stated = self._chosen(context, stated, errors, lang)
        context.given = stated
        found = assess(context, transition, person, both=False, strict=given is not None, lang=lang)
        required = set(transition.needs)
        specs = [s for s in form_facts(context, transition) if not s.derive and s.type != "list"]
        decision, to_title = self._outcome(context, transition, found, words)
        related = self._related(context, transition, found, decision, {s.name for s in specs}, lang)
        by_fact: dict[str, list[str]] = {}
        for finding in related:
            for path in finding.facts:
                by_fact.setdefault(path, []).append(finding.rule)
        fields = []
        for spec in specs:
            record = definition.schema.record_of(spec.name)
            need = spec.name in required or (record is not None and record.name in required and not record.absent)
            view_field = field(words, spec, before, need, errors, (given or {}).get(spec.name))
            fields.append(_with_rules(view_field, by_fact.get(spec.name, [])))
        fields = list(offered(self.app, context.tx, definition, fields, [context.case.place], context.story.recused))
        if given is not None:
            fields = [_needed(f, lang) if f.path in found.missing else f for f in fields]
        answers = tuple(
            (words.fact(definition.schema, p), self._said(context, words, p, s.value), self._old(context, words, before, p))
            for p, s in stated.items() if s.value is not None
        )  # fmt: skip
        blocks = list(found.blocks)
        if decision is not None and transition.branches and not to_title:
            blocks += [finding_block(f) for f in decision.findings if f.result in ("hit", "unknown") and f.outcome == decision.outcome]
        posted: list[str] = []
        if given is not None and transition.post and not (blocks or errors or found.missing):
            extra = {p: Stated(context.evaluate(x, transition.prefix)) for p, x in transition.set.items()}
            decisions = [*found.decisions, *([decision] if decision is not None and transition.branches else [])]
            more, posted = Posting(context, transition, decisions, extra).preview(lang)
            blocks += more
        allowed = not blocks and not errors and not found.missing
        changed: tuple[EventView, ...] = ()
        if seen is not None and seen != context.case.revision:
            changed = tuple(e for e in view.events[:CHANGES_SHOWN] if not e.case and _revision(context, e.seq) > seen)
        return Preview(
            view, step, tuple(fields), answers, decision, to_title, allowed, tuple(blocks),
            (*posted, *self._consequences(context, transition, to_title, person, lang)), changed, tuple(related),
        )  # fmt: skip

    def _old(self, context: Context, words: Words, before: FactSet, path: str) -> str:
        old = before.stated.get(path)
        return self._said(context, words, path, old.value) if old is not None and old.value is not None else ""

    def _said(self, context: Context, words: Words, path: str, value: Any) -> str:
        spec = context.definition.schema.specs[path]
        return self.app.person_name(context.tx, value) if spec.type == "person" and isinstance(value, str) else _with_unit(words, spec, value)

    def _chosen(self, context: Context, stated: dict[str, Stated], errors: dict[str, str], lang: str) -> dict[str, Stated]:
        """What was stated but for persons who may not be chosen: those are errors of their fields."""
        for path, fact in stated.items():
            try:
                settle(context, {path: fact})
            except NotAmong as fault:
                errors[path] = fault.text(lang)
        return {p: f for p, f in stated.items() if p not in errors}

    def _outcome(
        self, context: Context, transition: TransitionSpec, found: Assessment, words: Words
    ) -> tuple[Decision | None, str]:
        if not (transition.decide and transition.branches):
            decision = found.decisions[-1] if found.decisions else None
            if decision is None and transition.confirms:
                # whoever confirms sees what the rules said, not only that they said it
                kept = [d for d in context.tx.decisions.of(context.case.id, refused=False) if d.record is not None]
                decision = decision_from(kept[-1].record) if kept else None
            return decision, words.state_named(transition.to or context.case.state)
        decision = context.decide(transition.decide, both=False, lang=words.lang)
        for key in (branch_key(decision.value), decision.outcome):
            if key in transition.branches:
                return decision, words.state_named(transition.branches[key] or context.case.state)
        return decision, ""

    def _related(
        self, context: Context, transition: TransitionSpec, found: Assessment, decision: Decision | None, fields: set[str], lang: str
    ) -> list[Finding]:
        decisions = [*found.decisions]
        if decision is not None and decision not in decisions:
            decisions.append(decision)
        out: dict[str, Finding] = {}
        for d in decisions:
            for f in d.findings:
                if set(f.facts) & fields:
                    out[f.rule] = f
        return list(out.values())

    def _consequences(self, context: Context, transition: TransitionSpec, to_title: str, person: str, lang: str) -> tuple[str, ...]:
        zh = lang == "zh"
        out = []
        target = context.definition.spec.state(transition.to) if transition.to else None
        if to_title and to_title != context.state.title:
            out.append(f"进入“{to_title}”" if zh else f"moves to “{to_title}”")
        if target is not None and target.final:
            out.append("事项办结，不能再录入事实" if zh else "the case is closed; no facts can be added")
        if transition.confirms:
            out.append("这是由你负责确认的决定，写明理由并记你的姓名" if zh else "you confirm this decision by name, with reasons")
        if transition.document:
            out.append(f"本步文书：《{transition.document}》" if zh else f"paper of this step: {transition.document}")
        for due in target.dues if target is not None else ():
            title = due.title or (target.title if target else "")
            amount = context.evaluate(due.n, due.prefix) if not due.n.isdigit() else due.n
            unit = {"workday": "个工作日", "day": "日", "month": "个月"}[due.unit]
            if amount not in (0, "0"):
                out.append(f"开始计时：{title}，{amount}{unit}" if zh else f"a deadline starts: {title}, {amount} {due.unit}s")
        out.append(_signed(context, person, lang))
        return tuple(out)

    def supply(self, case_id: str, person: str, given: Mapping[str, Any] | None, lang: str) -> Preview:
        """A form over all facts of a case, without a step."""
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            definition = context.definition
            words = Words(self.app.catalogue, definition.spec, lang)
            view = self.pages.build(context, person, lang)
            stated, errors = read_given(definition, given or {}, context.today, lang)
            stated = self._chosen(context, stated, errors, lang)
            before = context.facts()
            every = (field(words, s, before, False, errors, (given or {}).get(s.name)) for s in leaves(definition, definition.schema.top))
            fields = offered(self.app, tx, definition, every, [context.case.place], context.story.recused)
            title = "录入或更正事实" if lang == "zh" else "state or correct facts"
            from siquan.core.views import StepView

            step = StepView("", title, "", True, opinion="none")
            answers = tuple(
                (words.fact(definition.schema, p), self._said(context, words, p, s.value), self._old(context, words, before, p))
                for p, s in stated.items() if s.value is not None
            )  # fmt: skip
            return Preview(view, step, fields, answers, None, "", not errors, (), (_signed(context, person, lang),))


def _with_unit(words: Words, spec: FactSpec, value: Any) -> str:
    return words.value(spec, value) + ("" if value is ABSENT else spec.unit)


def _signed(context: Context, person: str, lang: str) -> str:
    name = context.app.person_name(context.tx, person)
    return f"记入经过，署名{name}，不能删除；录错可更正，更正也留痕" if lang == "zh" else f"recorded under the name of {name}; it cannot be deleted, only corrected on record"


def _needed(f: FieldView, lang: str) -> FieldView:
    if not f.error and f.required and not f.value:
        return replace(f, error="这一项要填" if lang == "zh" else "this is needed")
    return f


def _with_rules(f: FieldView, rules: list[str]) -> FieldView:
    return replace(f, rules=tuple(rules)) if rules else f


def _revision(context: Context, seq: int) -> int:
    event = context.tx.events.get(context.case.id, seq)
    return int(event.data.get("revision", 0)) if event is not None else 0
