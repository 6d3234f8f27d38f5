"""Decisions on record, explained and decided again; sheets in and out."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from siquan.core.errors import BadInput, Errors, NotFound, Refused, SiquanError, Where
from siquan.core.policy.force import Bound
from siquan.core.policy.question import Question, ask
from siquan.core.rules.decide import RuleSet, canonical
from siquan.core.rules.decision import Decision, ParamUse
from siquan.core.rules.facts import FactSet, Reader, Schema, Stated, to_wire
from siquan.core.rules.parameters import ParameterBook, from_text
from siquan.core.rules.tree import Type
from siquan.core.rules.values import ABSENT, Rows
from siquan.core.service.acts import MAX_KEY, Acts
from siquan.core.service.app import ZONE, App
from siquan.core.service.context import Context
from siquan.core.service.mask import STRICT, mask, masked
from siquan.core.service.pages import must_see
from siquan.core.service.record import decision_from, record_of
from siquan.core.service.refusal import check_text
from siquan.core.service.steps import assess, import_block
from siquan.core.service.words import Words, fact_views
from siquan.core.sheets import read_sheet, write_sheet
from siquan.core.spec.model import FactSpec, SheetSpec
from siquan.core.store.rows import StoredDecision
from siquan.core.store.transaction import Tx
from siquan.core.views import DecisionView, ImportResult

#: the longest name of an imported file
MAX_FILE = 400


class Papers:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts = app, acts

    # decisions

    def decide(
        self, ruleset: str, facts: Mapping[str, Any], on: dt.date | None, place: str, overrides: Mapping[str, str], lang: str, known: dt.date | None = None,
    ) -> Decision:
        """A decision without a case, by the version that applies on that day (`known`: as one
        knew at the end of that one): both engines, nothing written. Raises
        Errors for facts that cannot be read."""
        self.app.catalogue.ruleset(ruleset)
        day = on or self.app.today()
        with self.app.store.read() as tx:
            moment = dt.datetime.combine(known, dt.time.max, ZONE) if known else None
            bound = self.app.in_force(tx, ruleset, day, moment)
            places: tuple[str, ...] = ()
            if place:
                places = self.app.chain(tx, place).ids if tx.people.find_unit(place) else (place,)
                if len(places) == 1 and not any(line.place == place for s in bound.book.specs.values() for line in s.lines):
                    tx.people.unit(place)
        question = ask(bound.definitions, bound.rulesets[ruleset], bound.book, facts, day, places, overrides)
        return question.answer(lang=lang)

    def view(self, decision_id: str, person: str, lang: str) -> DecisionView:
        with self.app.store.read() as tx:
            row = tx.decisions.get(decision_id)
            if row.case_id is None:
                raise NotFound(kind="判定", name=decision_id)
            case = tx.cases.get(row.case_id)
            context = Context(self.app, tx, case)
            must_see(context, person)
            words = Words(self.app.catalogue, context.definition.spec, lang)
            decision = decision_from(row.record) if row.record is not None else _erased(row)
            if row.record is not None and lang != "zh":
                again = self._again(context, row, lang)
                if again is not None:
                    # only the words are another language's; what was decided, and on what, stays as recorded
                    decision = replace(decision, findings=again.findings, asks=again.asks)
            schema = context.definition.schema
            decision = replace(decision, findings=tuple(masked(f, schema, _kind) for f in decision.findings))
            stated = Reader(schema, dt.date.max).read(_envelopes(decision.facts, schema), check=False)
            views = fact_views(words, FactSet(schema, stated, decision.on), lambda t: context.number(t, decision.on), lambda p: self.app.person_name(tx, p))
            return DecisionView(
                row.id, case.id, case.title, row.at.astimezone(ZONE), self.app.person_name(tx, row.actor),
                words.step_named(row.transition), row.refused, decision, views, self._replay(context, row),
            )  # fmt: skip

    def _decided_by(self, context: Context, row: StoredDecision) -> Iterator[RuleSet]:
        """Rule sets a recorded decision may have been made with: the hash leaves titles out, which its words may hold."""
        found = (bound.rulesets.get(row.ruleset) for bound in self._bounds(context, row))
        return (r for r in found if r is not None and r.hash == row.hash)

    def _bounds(self, context: Context, row: StoredDecision) -> Iterator[Bound]:
        """What the case is pinned to, what applied on that day, what it was pinned to before it was migrated."""
        app, tx = self.app, context.tx
        yield app.bound(tx, context.case)
        if row.ruleset in app.catalogue.rulesets:
            yield app.in_force(tx, row.ruleset, row.on_date, row.at)
        for event in context.events:
            if event.kind == "migrated":
                yield app.pinned(tx, event.data["pinned_from"])

    def _again(self, context: Context, row: StoredDecision, lang: str) -> Decision | None:
        """Decides once more from the recorded inputs alone."""
        asked = self.asked(context, row)
        return asked.answer(both=False, lang=lang) if asked is not None else None

    def asked(self, context: Context, row: StoredDecision, rules: RuleSet | None = None) -> Question | None:
        """The question a recorded decision answered, from its record alone; None when its rules or a long list are gone."""
        rules = rules or next(self._decided_by(context, row), None)
        if row.record is None or rules is None:
            return None
        record = decision_from(row.record)
        schema = rules.schema
        own = {p: e for p, e in record.facts.items() if p in schema}
        long = {p: _found_again(context, p, e["digest"]) for p, e in record.facts.items() if "digest" in e}
        if None in long.values():
            return None
        given = {p: e for p, e in _envelopes(own, schema).items() if p not in long}
        stated = Reader(schema, dt.date.max).read(given, check=False)
        above = rules.scope.parent or {}
        parents = {p[7:]: _typed(e, above.get(p[7:])) for p, e in record.facts.items() if p.startswith("parent.")}
        lists = {p: _rows(e) for p, e in record.facts.items() if isinstance(e.get("value"), list) and p not in schema}
        lists |= {p: rows for p, rows in long.items() if rows is not None}
        fixed = {p.name: p.value for p in record.parameters}
        book = _FixedBook(fixed, record)
        stale = {p: dt.date.fromisoformat(e["stale_since"]) for p, e in own.items() if "stale_since" in e}
        facts = FactSet(schema, stated, record.on, stale)
        return Question(rules, facts, book, record.on, (record.place,) if record.place else (), parents.get, lists)

    def _replay(self, context: Context, row: StoredDecision) -> str:
        if row.record is None:
            return "erased"
        old = record_of(decision_from(row.record))
        kept = ("outcome", "value", "findings", "asks", "parameters", "hash")
        tried = False
        for rules in self._decided_by(context, row):
            asked = self.asked(context, row, rules)
            if asked is None:
                continue
            tried, new = True, record_of(asked.answer(both=False, lang="zh"))
            if all(canonical(old[k]) == canonical(new[k]) for k in kept):
                return "same"
        return "differs" if tried else ""

    def explain(self, case_id: str, person: str, lang: str) -> list[DecisionView]:
        """Every decision on record, oldest first; of an erased one what stays: who, when, under which rules."""
        with self.app.store.read() as tx:
            case = tx.cases.get(self._id(tx, case_id))
            must_see(Context(self.app, tx, case), person)
            rows = tx.decisions.of(case.id)
        return [self.view(r.id, person, lang) for r in rows]

    def _id(self, tx: Tx, name: str) -> str:
        """A case by its id or its number."""
        found = tx.cases.find(name) or tx.cases.by_number(name)
        if found is None:
            raise NotFound(kind="事项", name=name)
        return found.id

    # sheets

    def _sheet(self, context: Context, target: str) -> tuple[SheetSpec, Schema, Any]:
        """(sheet, schema its columns name, child definition or None)."""
        definition = context.definition
        if target in definition.children:
            child = context.child(target)
            sheet = next((s for s in (*definition.spec.sheets, *child.spec.sheets) if s.target in (target, "self", child.spec.id.rpartition(".")[2])), None)
            if sheet is None and child.spec.sheets:
                sheet = child.spec.sheets[0]
            if sheet is not None:
                return sheet, child.schema, child
        sheet = next((s for s in definition.spec.sheets if s.target == target), None)
        spec = definition.schema.top.get(target)
        if sheet is None or spec is None:
            raise NotFound(kind="表格", name=target)
        return sheet, Schema(spec.fields), None

    def sheet(self, case_id: str, target: str, person: str, empty: bool) -> tuple[str, bytes]:
        with self.app.store.begin() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            sheet, schema, child = self._sheet(context, target)
            rows: list[dict[str, Any]] = []
            if not empty and child is not None:
                values = tx.facts.current_many([c.id for c in context.children(target)])
                rows = [{p: f.envelope() for p, f in values[c.id].items()} for c in context.children(target)]
            elif not empty:
                rows = [dict(r.data or {}) for r in tx.collections.rows(case_id, target)]
            tx.access.add(person, "export", target, case_id)
            name = f"{context.case.number or '四圈'}-{sheet.name}.xlsx"
            roles = {r.name: r.title for r in (child or context.definition).spec.roles.values()}
            return name, write_sheet(sheet, schema, rows, title=context.case.title, masked=_masked, roles=roles)

    def import_sheet(
        self, case_id: str, target: str, person: str, filename: str, data: bytes, revision: int | None, key: str | None
    ) -> ImportResult:
        """All rows or none. Children are matched by the sheet's key columns: new ones are opened, known ones supplied."""
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            sheet, schema, child = self._sheet(context, target)
        rows = read_sheet(data, filename, sheet, schema, self.app.today())
        if not rows and child is not None:
            raise BadInput(why="表里没有一行数据")
        digest = hashlib.sha256(data).hexdigest()
        if key:
            check_text(key, MAX_KEY, "请求编号")
        check_text(filename, MAX_FILE, "文件名")
        with self.acts._on_record(case_id, target, person), self.app.store.begin() as tx:
            claimed = tx.idempotency.claim(key, ["import", case_id, target, person, digest]) if key else None
            if claimed:
                return ImportResult(**claimed)
            context = self.acts._locked(tx, case_id, revision)
            result = (
                self._import_children(context, target, child, sheet, rows, person, filename, digest)
                if child is not None
                else self._import_rows(context, target, sheet, rows, person, filename, digest)
            )
            if key:
                tx.idempotency.answer(key, dict(result.__dict__))
            return result

    def check_sheet(self, case_id: str, target: str, person: str, filename: str, data: bytes) -> int:
        """Rows of a sheet that could be imported now; raises what the import would."""
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            sheet, schema, child = self._sheet(context, target)
            if child is None:
                self._may_import(context, target, person)
        return len(read_sheet(data, filename, sheet, schema, self.app.today()))

    def _may_import(self, context: Context, target: str, person: str) -> None:
        self.acts._may_supply(context, person)
        why = import_block(context, target, person)
        if why:
            raise Refused(why=why)

    def _import_rows(self, context: Context, target: str, sheet: SheetSpec, rows: list[Any], person: str, filename: str, digest: str) -> ImportResult:
        self._may_import(context, target, person)
        for row in rows:
            if row.masked:  # the rows take the place of those there were
                raise _masked_row(sheet, row)
        tx, case = context.tx, context.case
        seq = tx.events.next_seq(case.id)
        data_rows = [r.values for r in rows]
        batch = tx.collections.add(case.id, target, seq, data_rows, complete=True, file_name=filename[:200], file_hash=digest)
        data = {"collections": {target: batch.commitment}, "rows": len(rows), "sheet": sheet.name, "file": digest}
        result = self.acts._supplied(context, person, "imported", {}, data)
        return ImportResult(case.id, target, len(rows), len(rows), 0, result.revision)

    def _import_children(
        self, context: Context, target: str, child: Any, sheet: SheetSpec, rows: list[Any], person: str, filename: str, digest: str
    ) -> ImportResult:
        step = next((s for s in context.definition.machine.steps(context.case.state) if s.opens == child.spec.id), None)
        by_title = {c.title: c.fact for c in sheet.columns}
        keys = [by_title.get(k, k) for k in sheet.key] or [child.spec.name_fact]
        known = {tuple(str(row.get(k)) for k in keys): row for row in context.lists[target].items}
        tx = context.tx
        created = updated = 0
        errors: list[SiquanError] = []
        read: list[tuple[Any, dict[str, Stated], Any]] = []
        for row in rows:
            reader = Reader(child.schema, self.app.today())
            given = reader.read(row.facts, check=False)
            errors += reader.errors
            ident = tuple(str(given[k].value) if k in given else "None" for k in keys)
            read.append((row, given, known.get(ident)))
            if read[-1][2] is None and step is None:
                raise Refused(why=f"“{context.state.title}”阶段不能新增：{'、'.join(ident)}")
        if step is not None and any(old is None for *_, old in read):
            # a step that can be taken once in its form can be taken for a whole sheet
            found = assess(context, step, person, both=True, strict=True)
            self.acts._refuse(context, step, found, "-", next(iter(step.reasons), ""), person)
        else:
            self.acts._may_supply(context, person)
        for row, given, old in read:
            if old is None and row.masked:
                raise _masked_row(sheet, row)
            if old is None:
                self.acts._add_child(context, child, person, given)
                created += 1
                continue
            row_context = self.acts._locked(tx, old[""], None)
            changed = {p: f for p, f in given.items() if _differs(row_context.stored.get(p), f)}
            if changed and row_context.state.final:
                why = f"{row_context.case.title}已是“{row_context.state.title}”，表里改了{'、'.join(child.schema.title(p) for p in changed)}"
                errors.append(Refused(Where(f"{sheet.name}!A{row.row_no}"), why=why, help="先重新审查，或者从表里去掉这一行的改动"))
            elif changed:
                self.acts._may_supply(row_context, person)
                self.acts._supplied(row_context, person, "supplied", changed)
                updated += 1
        if errors:
            raise Errors(errors) if len(errors) > 1 else errors[0]
        context = self.acts._fresh(context)
        case = context.case
        data: dict[str, Any] = {"rows": len(rows), "sheet": sheet.name, "file": digest, "to": case.state, "revision": case.revision + 1}
        context.record("imported", person, data)
        tx.cases.update(case.id, case.revision)
        self.acts._touch_parent(context)
        return ImportResult(case.id, target, len(rows), created, updated, case.revision + 1)


def _kind(spec: FactSpec) -> str:
    return spec.sensitive if spec.sensitive in STRICT else ""


def _masked_row(sheet: SheetSpec, row: Any) -> BadInput:
    titles = "、".join(f"“{t}”" for t in row.masked[:5])
    return BadInput(Where(f"{sheet.name}!A{row.row_no}"), why=f"{titles}是导出时遮盖过的，原来的内容不在表里", help="填上原来的内容再导入")


def _masked(spec: FactSpec, text: str) -> str:
    return mask(_kind(spec), text) if _kind(spec) else text


def _found_again(context: Context, path: str, digest: str) -> Rows | None:
    """A list that was recorded by its digest alone, if it still stands as it was."""
    rows = context.lists.get(path)
    if rows is None or hashlib.sha256(canonical(to_wire(rows)).encode()).hexdigest() != digest:
        return None
    return rows


def _erased(row: StoredDecision) -> Decision:
    """What stays of a decision whose content was erased."""
    return Decision(row.ruleset, "", row.version, row.hash, row.on_date, row.place, row.outcome, None, (), (), ())


def _differs(old: Stated | None, new: Stated) -> bool:
    return old is None or (old.value, old.as_of, old.source) != (new.value, new.as_of or old.as_of, new.source)


def _envelopes(facts: Mapping[str, Mapping[str, Any]], schema: Schema) -> dict[str, Any]:
    out = {}
    for path, envelope in facts.items():
        spec = schema.get(path)
        if spec is None or (spec.type == "record" and envelope.get("value") != "none"):
            continue
        if envelope.get("derived") and spec.type in ("record",):
            continue
        out[path] = {k: v for k, v in envelope.items() if k in ("value", "as_of", "source", "ref", "by", "complete")}
    return out


def _typed(envelope: Mapping[str, Any], kind: Type | None = None) -> Any:
    value = envelope.get("value")
    if value == "none":
        return ABSENT
    if isinstance(value, str) and kind is not None and kind.kind == "date":
        return dt.date.fromisoformat(value)
    if isinstance(value, str) and kind is not None and kind.kind == "number":
        return from_text(value)
    return _rows(envelope) if isinstance(value, list) else value


def _rows(envelope: Mapping[str, Any]) -> Rows:
    def item(v: Any) -> Any:
        return {k: ABSENT if x == "none" else x for k, x in v.items()} if isinstance(v, dict) else v

    return Rows(tuple(item(v) for v in envelope.get("value") or ()), bool(envelope.get("complete")))


class _FixedBook(ParameterBook):
    """The parameters a recorded decision used, and no others."""

    def __init__(self, fixed: Mapping[str, Any], record: Decision) -> None:
        super().__init__()
        self._uses = {p.name: p for p in record.parameters}
        self.specs = dict.fromkeys(fixed)  # type: ignore[assignment]

    def use(self, name: str, on: dt.date, places: Any = ()) -> Any:
        return self._uses.get(name) or ParamUse(name, None, None, "", "", "", "")
