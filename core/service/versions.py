"""The versions of a process: how many cases follow each, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from siquan.core.errors import BadInput, NoAccess, NotFound, SiquanError
from siquan.core.exchange.content import Content
from siquan.core.exchange.diff import diff
from siquan.core.exchange.processdiff import HOW, Change, change, differing, process_changes, reaching
from siquan.core.plugins import discover
from siquan.core.policy.force import Bound, bind
from siquan.core.service.app import ZONE, App
from siquan.core.service.words import Words
from siquan.core.spec.model import RuleSetSpec
from siquan.core.spec.version import content_hash
from siquan.core.store.transaction import Tx
from siquan.core.views_change import ChangeView, DiffView, VersionView

SHORTEST = 6


def meaning(bound: Bound, process: str) -> str:
    """What of a plugin concerns one process: itself, the rule sets it asks, the parameters they read."""
    definition = bound.definitions.get(process)
    if definition is None:
        return ""
    family = [d for d in bound.definitions.values() if d.spec.id == process or (d.spec.child_of and d.spec.child_of.process == process)]
    parts = sorted(content_hash(d.spec) for d in family)
    rules = {name: r for d in family for name, r in d.rulesets.items()}
    parts += sorted(content_hash(r.spec) for r in rules.values())
    names = {p for r in rules.values() for p in r.params}
    parts += sorted(content_hash(s) for n, s in bound.book.specs.items() if n in names or n.startswith("basis."))
    return " ".join(parts)


class Versions:
    def __init__(self, app: App) -> None:
        self.app = app

    def current(self, tx: Tx, process: str) -> Bound:
        return self.app.in_force(tx, self.app.definition(process).spec.id)

    def find(self, tx: Tx, process: str, name: str) -> Bound:
        """A kept version by its hash or the beginning of it. Raises NotFound, BadInput when it is no single one."""
        now = self.current(tx, process)
        plugin = process.partition(".")[0]
        known = dict.fromkeys([now.hash, *(d.hash for d in tx.definitions.versions("plugin", plugin))])
        found = [h for h in known if h.startswith(name.lower())] if len(name) >= SHORTEST else []
        if not found:
            raise NotFound(kind="流程版本", name=name)
        if len(found) > 1:
            raise BadInput(why=f"`{name}` 开头的版本不止一个，请多写几位")
        return now if found[0] == now.hash else self.app.pinned(tx, found[0])

    def _known(self, tx: Tx, person: str) -> None:
        """Anybody of the house may read; nobody is whoever sits at the machine."""
        if person and tx.people.find(person) is None:
            raise NoAccess(why="没有这个人")

    def kept(self, process: str, person: str, lang: str = "zh") -> tuple[VersionView, ...]:
        """Every version that was kept, the current one first, then the newest."""
        id = self.app.definition(process).spec.id
        with self.app.store.read() as tx:
            self._known(tx, person)
            now = self.current(tx, id)
            counts, states = tx.cases.count_versions(id), tx.cases.count_open_states(id)
            rows = tx.definitions.versions("plugin", id.partition(".")[0])
            same = meaning(now, id)
            out = []
            if all(k.hash != now.hash for k in rows):
                out.append(VersionView(now.hash, None, 0, 0, True, True))
            for row in rows:
                opened, closed = counts.get(row.hash, (0, 0))
                if not opened and not closed and row.hash != now.hash:
                    continue
                bound = now if row.hash == now.hash else self.app.pinned(tx, row.hash)
                alike = row.hash == now.hash or meaning(bound, id) == same
                definition = bound.definitions.get(id)
                words = Words(self.app.catalogue, definition.spec, lang) if definition else None
                standing = tuple((s, words.state_named(s) if words else s, n) for (h, s), n in sorted(states.items()) if h == row.hash)
                out.append(VersionView(row.hash, row.at.astimezone(ZONE), opened, closed, row.hash == now.hash, alike, standing))
            return tuple(sorted(out, key=lambda v: not v.current))

    # what differs

    def diff(self, process: str, person: str, other: str = "", lang: str = "zh", file: Path | None = None) -> DiffView:
        """From the version `other` (default: the one most open cases follow) to the current one; or from the current
        one to a plugin file that is not installed yet."""
        id = self.app.definition(process).spec.id
        with self.app.store.read() as tx:
            self._known(tx, person)
            now = self.current(tx, id)
            if file is not None:
                old, new = now, self._from_file(file, id)
            else:
                old, new = self.find(tx, id, other) if other else self._followed(tx, id, now), now
            found = self.changes(id, old, new, lang)
            return self._view(tx, id, old, new, found, lang)

    def _followed(self, tx: Tx, process: str, now: Bound) -> Bound:
        counts = {h: n for h, (n, _) in tx.cases.count_versions(process).items() if h != now.hash and n}
        if counts:
            return self.app.pinned(tx, max(counts, key=lambda h: (counts[h], h)))
        older = [d.hash for d in tx.definitions.versions("plugin", process.partition(".")[0]) if d.hash != now.hash]
        return self.app.pinned(tx, older[0]) if older else now

    def _from_file(self, file: Path, process: str) -> Bound:
        if not file.exists():
            raise NotFound(kind="文件", name=str(file))
        catalogue = discover(bundled=False, only=[file], dirs=())
        broken = next((f.error for f in catalogue.found if f.error is not None), None)
        if broken is not None:
            raise broken
        spec = next((p for p in catalogue.plugins if any(x.id == process for x in p.processes)), None)
        if spec is None:
            raise NotFound(kind="流程", name=process)
        return bind(spec)

    def changes(self, process: str, old: Bound, new: Bound, lang: str = "zh") -> list[Change]:
        """One per change: the process, its children, the rules and parameters they ask."""
        out: list[Change] = []
        ids = [process, *sorted({d.spec.id for b in (old, new) for d in b.definitions.values() if d.spec.child_of and d.spec.child_of.process == process})]
        for id in ids:
            a, b = old.definitions.get(id), new.definitions.get(id)
            if a is not None and b is not None:
                found = process_changes(a.spec, b.spec)
                out += found if id == process else [_within(c, a.spec.title) for c in found]
            elif a is not None or b is not None:
                spec = (a or b).spec  # type: ignore[union-attr]
                out.append(change("child", "removed" if a else "added", id, spec.title))
        out += self._rules(ids, old, new, lang)
        out += self._parameters(ids, old, new)
        return out

    def _asked(self, bound: Bound, ids: Iterable[str]) -> dict[str, tuple[str, ...] | None]:
        """Rule set -> the states of the process whose steps ask it; None where a child's do."""
        out: dict[str, tuple[str, ...] | None] = {}
        main = next(iter(ids))
        for id in ids:
            definition = bound.definitions.get(id)
            if definition is None:
                continue
            for state in definition.spec.states:
                for t in state.transitions:
                    for name in (t.decide, *t.check):
                        if name:
                            out[name] = None if id != main else tuple(dict.fromkeys((*(out.get(name) or ()), state.name)))
            for t in definition.spec.anywhere:
                out |= {name: None for name in (t.decide, *t.check) if name}
        return out

    def _rules(self, ids: list[str], old: Bound, new: Bound, lang: str) -> list[Change]:
        a, b = self._asked(old, ids), self._asked(new, ids)
        out: list[Change] = []
        for name in dict.fromkeys([*a, *b]):
            one, two = old.rulesets.get(name), new.rulesets.get(name)
            states = a.get(name, b.get(name))
            if one is None or two is None:
                title = (one or two).spec.title if one or two else name  # type: ignore[union-attr]
                out.append(change("rule", "removed" if two is None else "added", name, title or name, states=states))
            elif content_hash(one.spec) != content_hash(two.spec):
                out += self._rule_changes(one.spec, two.spec, new, states, lang)
        return out

    def _rule_changes(self, old: RuleSetSpec, new: RuleSetSpec, bound: Bound, states: tuple[str, ...] | None, lang: str) -> list[Change]:
        home, title = bound.rulesets[new.id], new.title or new.id
        try:
            found = diff(Content(ruleset=old), Content(ruleset=new), home.schema, bound.book, lang, scope=home.scope)
        except (SiquanError, KeyError, ValueError):
            # an old sentence may name facts that are gone: then the texts are compared
            return self._texts(old, new, states)
        out = []
        for d in found:
            if d.cosmetic:
                continue
            how = "changed" if d.kind in ("changed", "moved", "setting") else d.kind
            if how not in HOW:
                continue
            pairs = [(d.title if d.kind != "moved" else "to", d.before, d.after)] if how == "changed" else []
            out.append(change("rule", how, f"{new.id}.{d.rule}", f"{title} {d.rule}", pairs, states))  # type: ignore[arg-type]
        return out

    def _texts(self, old: RuleSetSpec, new: RuleSetSpec, states: tuple[str, ...] | None) -> list[Change]:
        a, b = {r.id: r for r in old.rules}, {r.id: r for r in new.rules}
        out = []
        for name in dict.fromkeys([*b, *a]):
            how = "added" if name not in a else "removed" if name not in b else "changed"
            pairs = differing(a[name], b[name]) if how == "changed" else []
            if how != "changed" or pairs:
                out.append(change("rule", how, f"{new.id}.{name}", f"{new.title or new.id} {name}", pairs, states))  # type: ignore[arg-type]
        return out

    def _parameters(self, ids: list[str], old: Bound, new: Bound) -> list[Change]:
        used: dict[str, tuple[str, ...] | None] = {}
        for bound in (old, new):
            for name, states in self._asked(bound, ids).items():
                rules = bound.rulesets.get(name)
                for p in rules.params if rules else ():
                    known = used.get(p, ())
                    used[p] = None if states is None or known is None else tuple(dict.fromkeys((*known, *states)))
        out = []
        for name, states in sorted(used.items()):
            a, b = old.book.specs.get(name), new.book.specs.get(name)
            if a is None or b is None:
                if a is not b:
                    out.append(change("parameter", "removed" if b is None else "added", name, (a or b).title or name, states=states))  # type: ignore[union-attr]
            elif content_hash(a) != content_hash(b):
                pairs = [(f"{line}", x, y) for line, x, y in _lines(a, b)]
                out.append(change("parameter", "changed", name, b.title or name, pairs, states))
        return out

    def _view(self, tx: Tx, process: str, old: Bound, new: Bound, found: list[Change], lang: str) -> DiffView:
        standing: dict[str, int] = {}
        total = 0
        for (digest, state), n in tx.cases.count_open_states(process).items():
            if digest != new.hash:
                standing[state] = standing.get(state, 0) + n
                total += n
        definition = old.definitions.get(process)
        out = []
        for c in found:
            if c.fact:
                n = tx.facts.count_open(process, c.fact)
            elif c.states is None or definition is None:
                n = sum(standing.values())
            else:
                n = sum(standing.get(s, 0) for s in reaching(definition.spec, c.states))
            out.append(ChangeView(c.what, c.how, c.name, c.zh if lang == "zh" else c.en, n))
        spec = (new.definitions.get(process) or old.definitions[process]).spec
        return DiffView(process, Words(self.app.catalogue, spec, lang).title, old.hash, new.hash, tuple(out), total)


def _within(c: Change, title: str) -> Change:
    """A child's change: its cases are counted with their parents, so it may touch every one of them."""
    return Change(c.what, c.how, c.name, f"{title}：{c.zh}", f"{title}: {c.en}", None, c.fact)


def _lines(a: object, b: object) -> list[tuple[str, str, str]]:
    one = {(line.place, line.since): str(line.value) for line in a.lines}  # type: ignore[attr-defined]
    two = {(line.place, line.since): str(line.value) for line in b.lines}  # type: ignore[attr-defined]
    keys = sorted(dict.fromkeys([*one, *two]))
    return [(" ".join(x for x in (k[0], k[1].isoformat()) if x), one.get(k, "—"), two.get(k, "—")) for k in keys if one.get(k) != two.get(k)]
