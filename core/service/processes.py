"""Process cards and the process page: picture, table of states, rules in force today, what could not be confirmed."""

from __future__ import annotations

from siquan.core.diagram import from_process
from siquan.core.engine.access import post_names
from siquan.core.engine.definition import Definition
from siquan.core.engine.machine import targets
from siquan.core.policy.force import Bound
from siquan.core.rules import tree as t
from siquan.core.rules.decide import cap
from siquan.core.rules.decision import Piece
from siquan.core.rules.say import Sentence, show
from siquan.core.rules.values import ABSENT
from siquan.core.service.app import App
from siquan.core.service.forms import Forms
from siquan.core.service.words import Words
from siquan.core.store.transaction import Tx
from siquan.core.verify import CHECKS, Finding, unexplored, verify
from siquan.core.views import ProcessCard, ProcessView, RuleLine


class Processes:
    def __init__(self, app: App, forms: Forms) -> None:
        self.app, self.forms = app, forms
        self._findings: dict[str, list[Finding]] = {}

    def _places(self, tx: Tx, person: str, definition: Definition) -> tuple[tuple[str, str], ...]:
        """Where a person may open the process: places of the right kind under his posts."""
        spec = definition.spec
        if spec.child_of is not None:
            return ()
        out: dict[str, str] = {}
        for post in self.app.desk(tx, person, spec.id):
            if post.role not in post_names(spec):
                continue
            for unit in tx.people.under(post.unit):
                if unit.kind == spec.place or (not spec.place and unit.id == post.unit):
                    out[unit.id] = unit.name
        return tuple(out.items())

    def places(self, process: str, person: str) -> list[str]:
        """Ids of the places where the person may open it."""
        with self.app.store.read() as tx:
            return [id for id, _ in self._places(tx, person, self.app.definition(process))]

    def cards(self, person: str, lang: str) -> tuple[ProcessCard, ...]:
        with self.app.store.read() as tx:
            counts = tx.cases.count_by_process()
            out = []
            for id, d in self.app.catalogue.definitions.items():
                words = Words(self.app.catalogue, d.spec, lang)
                opened, closed = counts.get(id, (0, 0))
                places = self._places(tx, person, d)
                out.append(
                    ProcessCard(
                        id, d.spec.plugin, words.title, d.spec.icon, words.text("about", d.spec.about), opened, closed,
                        bool(places), places, len(d.spec.unconfirmed),
                    )
                )  # fmt: skip
            return tuple(out)

    def page(self, process: str, person: str, lang: str) -> ProcessView:
        definition = self.app.definition(process)
        spec = definition.spec
        words = Words(self.app.catalogue, spec, lang)
        with self.app.store.read() as tx:
            by_state = tx.cases.count_open_by("state", None, {spec.id: frozenset()})
            texts = {k.removeprefix(f"{words.short}."): v for k, v in words.texts.items()}
            graph = from_process(
                spec, lang=lang, counts={k: v for k, v in by_state.items() if v}, href=lambda s: f"#state-{s}", texts=texts
            )
            places = self._places(tx, person, definition)
            bound = self.app.in_force(tx, spec.id)
        definition = bound.definitions[spec.id]
        states = []
        for state in spec.states:
            ways = "；".join(
                f"{words.step(t, state.name)} → {self._targets(words, t, state.name)}" for t in state.transitions
            )
            states.append((state.name, words.state(state), by_state.get(state.name, 0), ways or ("办结" if lang == "zh" else "closed")))
        findings, checks = self._verify(spec.plugin, spec.id, lang)
        return ProcessView(
            spec.id, spec.plugin, words.title, spec.icon, words.text("about", spec.about), spec.hash, graph.svg(), graph.mermaid(),
            tuple(states), tuple(self._rules(bound, definition, words)), findings, checks, sum(by_state.values()), bool(places),
            self.forms.opening(process, None, lang, [p for p, _ in places]) if places else (), places, spec.unconfirmed, tuple(self._parameters(bound, definition, lang)),
        )  # fmt: skip

    def _targets(self, words: Words, transition: object, state: str) -> str:
        return "、".join(words.state_named(t) for t in targets(transition, state))  # type: ignore[arg-type]

    def _verify(self, plugin: str, process: str, lang: str) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]]:
        zh = lang == "zh"
        if plugin not in self._findings:
            # the catalogue does not change while the process runs
            self._findings[plugin] = [f for f in verify(self.app.catalogue, plugin) if f.severity != "note" or f.code == unexplored.CODE]
        found = self._findings[plugin]
        bad = {f.code for f in found}
        shown = tuple((f.severity, f.code, f.zh if zh else f.en) for f in found)
        return shown, tuple(c[1] if zh else c[2] for c in CHECKS if c[0] not in bad)

    def _rules(self, bound: Bound, definition: Definition, words: Words) -> list[RuleLine]:
        """Each rule as a sentence with today's values, in the order of the steps that ask it."""
        today, lang = self.app.today(), words.lang
        out, seen = [], set()
        for state in definition.spec.states:
            for transition in state.transitions:
                for name in (*transition.check, transition.decide):
                    if not name or name in seen:
                        continue
                    seen.add(name)
                    ruleset, book = definition.rulesets[name], bound.book
                    use = {p: book.use(p, today) for p in ruleset.params if p in book.specs}

                    def param(name: str, use: dict = use) -> str:  # type: ignore[type-arg]
                        found = use.get(name)
                        return show(found.value, lang) if found is not None else name

                    talk = Sentence(ruleset.schema, lang, param)
                    by_id = {r.spec.id: r for r in ruleset.rules}
                    for spec in ruleset.spec.rules:
                        rule = by_id.get(spec.id)
                        own = [n.name for n in t.walk(rule.condition) if isinstance(n, t.Param)] if rule else []
                        line = book.line(f"basis.{spec.id}", today)
                        basis = str(line.value) if line is not None else spec.basis
                        outcome = spec.outcome if spec.outcome in ("REJECT", "BLOCK", "EVIDENCE", "WARN", "PRIORITY", "TARGET") else ("PASS" if not spec.outcome else "WARN")
                        capped = cap(outcome, basis)
                        text = spec.display_only and f"{spec.say or spec.title}（{spec.display_only}）" or (talk.say(rule.condition) if rule else "")
                        out.append(
                            RuleLine(
                                words.step(transition, state.name), spec.id, ruleset.title(spec, lang), (Piece(text),), capped, basis, spec.cite,
                                tuple((p, show(use[p].value, lang)) for p in dict.fromkeys(own) if p in use), spec.unconfirmed,
                                capped != outcome,
                            )
                        )  # fmt: skip
        return out

    def _parameters(self, bound: Bound, definition: Definition, lang: str) -> list[tuple[str, str, str, str, str]]:
        book, today, out = bound.book, self.app.today(), []
        used = {p for r in definition.rulesets.values() for p in r.params}
        for name in sorted(used):
            spec = book.specs.get(name)
            if spec is None:
                continue
            use = book.use(name, today)
            value = "—" if use.value is ABSENT else show(use.value, lang) + (f" {spec.unit}" if spec.unit else "")
            out.append((name, spec.title, value, use.basis, use.cite))
        return out
