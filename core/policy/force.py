"""What a plugin is on a day: the shipped one with the published rule sets and parameter lines laid over it."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from siquan.core.engine.definition import Binder, Definition
from siquan.core.errors import NotFound
from siquan.core.exchange.content import Content, NewLine
from siquan.core.plugins import Catalogue
from siquan.core.policy.timeline import applies, in_force, known_by
from siquan.core.rules.decide import RuleSet, canonical
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import ParamLine, ParamSpec, PluginSpec, RuleSetSpec
from siquan.core.spec.version import content_hash
from siquan.core.store.rows import RuleVersion
from siquan.core.store.transaction import Tx

SHIPPED = "shipped"


@dataclass(frozen=True)
class Bound:
    """A plugin bound and ready to decide. `hash` is what a case is pinned to; `versions` are the labels of its
    published rule sets (`v3`), those not named are as shipped."""

    spec: PluginSpec
    definitions: Mapping[str, Definition]
    rulesets: Mapping[str, RuleSet]
    book: ParameterBook
    hash: str
    versions: Mapping[str, str] = field(default_factory=dict)


def plugin_hash(spec: PluginSpec) -> str:
    """What a case is pinned to: processes, rule sets and parameters of the plugin, together."""
    parts: Mapping[str, Any] = {
        "processes": sorted((p.id, p.hash) for p in spec.processes),
        "rulesets": sorted((r.id, content_hash(r)) for r in spec.rulesets),
        "parameters": sorted((p.name, content_hash(p)) for p in spec.parameters),
    }
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def bind(spec: PluginSpec, versions: Mapping[str, str] | None = None) -> Bound:
    """Raises Errors with what does not fit together."""
    book = ParameterBook(spec.parameters)
    definitions, rulesets = Binder(spec.processes, spec.rulesets, book.types()).bind()
    labels = {**spec.versions, **(versions or {})}
    for id, ruleset in rulesets.items():
        ruleset.locales = spec.locales
        ruleset.version = labels.get(id, SHIPPED)
    return Bound(spec, definitions, rulesets, book, plugin_hash(spec), labels)


def param_specs(lines: Iterable[NewLine]) -> list[ParamSpec]:
    """Published lines as a loader would have read them."""
    found: dict[str, list[ParamLine]] = {}
    for line in lines:
        found.setdefault(line.name, []).append(line.line)
    return [ParamSpec(name=name, lines=tuple(many)) for name, many in found.items()]


def with_lines(specs: Iterable[ParamSpec], more: Iterable[ParamSpec]) -> tuple[ParamSpec, ...]:
    """Parameters with further lines; a published line takes the place of a shipped one of the same place and day."""
    out = {p.name: p for p in specs}
    for extra in more:
        known = out.get(extra.name)
        if known is None:
            out[extra.name] = extra
            continue
        new = {(line.place, line.since) for line in extra.lines}
        kept = tuple(line for line in known.lines if (line.place, line.since) not in new)
        out[extra.name] = known.model_copy(update={"lines": kept + extra.lines})
    return tuple(out.values())


def overlay(spec: PluginSpec, rulesets: Mapping[str, RuleSetSpec], lines: Iterable[NewLine], labels: Mapping[str, str]) -> PluginSpec:
    """The plugin with these rule sets in the place of its own, and these parameter lines besides."""
    replaced = tuple(rulesets[r.id].model_copy(update={"where": r.where}) if r.id in rulesets else r for r in spec.rulesets)
    parameters = with_lines(spec.parameters, param_specs(lines))
    return spec.model_copy(update={"rulesets": replaced, "parameters": parameters, "versions": dict(labels)})


class Force:
    """Answers what applies on which day; keeps what it bound until something is published."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._lock = threading.Lock()
        self._shipped = {
            p.name: Bound(
                p, {d: v for d, v in catalogue.definitions.items() if v.spec.plugin == p.name},
                {r: v for r, v in catalogue.rulesets.items() if r.partition(".")[0] == p.name}, catalogue.books[p.name], plugin_hash(p),
            )
            for p in catalogue.plugins
        }  # fmt: skip
        self._revision = 0
        self._versions: dict[str, list[RuleVersion]] = {}
        self._contents: dict[str, Content] = {}
        self._bound: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Bound] = {}

    @property
    def plugins(self) -> Collection[str]:
        return self._shipped.keys()

    def shipped(self, plugin: str) -> Bound:
        """Raises NotFound."""
        found = self._shipped.get(plugin)
        if found is None:
            raise NotFound(kind="插件", name=plugin)
        return found

    def on(self, tx: Tx, plugin: str, day: dt.date, known: dt.datetime | None = None) -> Bound:
        """The plugin as it applies on a day; `known` asks what would have been answered at that moment. Lines count from
        the day their version takes effect, as long as it is not withdrawn: a later version takes over the rules, not them."""
        versions = self._published(tx, plugin)
        if not versions:
            return self.shipped(plugin)
        chosen = {r: v for r, many in versions.items() if (v := in_force(many, day, known)) is not None}
        active = [v for many in versions.values() for v in known_by(many, known) if applies(v, day, known)]
        key = (plugin, tuple(sorted(v.id for v in chosen.values())), tuple(sorted(v.id for v in active)))
        with self._lock:
            ready = self._bound.get(key)
        if ready is None:
            rulesets = {r: self.content(v).ruleset for r, v in chosen.items()}
            labels = {r: f"v{v.number}" for r, v in chosen.items()}
            ready = bind(overlay(self.shipped(plugin).spec, rulesets, self._lines(active), labels))
            with self._lock:
                self._bound[key] = ready
        return ready

    def _published(self, tx: Tx, plugin: str) -> dict[str, list[RuleVersion]]:
        """Published versions of the plugin's rule sets, read anew when something was published."""
        revision = tx.policies.revision()
        if not revision:
            return {}
        with self._lock:
            if revision != self._revision:
                found: dict[str, list[RuleVersion]] = {}
                for row in tx.policies.with_status(("published", "withdrawn")):
                    found.setdefault(row.ruleset, []).append(row)
                self._versions, self._revision, self._bound = found, revision, {}
            rulesets = self.shipped(plugin).rulesets
            return {r: v for r, v in self._versions.items() if r.partition(".")[0] == plugin and r in rulesets}

    def content(self, version: RuleVersion) -> Content:
        """Parsed once: what was published does not change."""
        with self._lock:
            found = self._contents.get(version.id)
        if found is None:
            found = Content.from_json(version.content)
            with self._lock:
                self._contents[version.id] = found
        return found

    def _lines(self, versions: Iterable[RuleVersion]) -> list[NewLine]:
        ordered = sorted(versions, key=lambda v: (v.published_at or dt.datetime.min.replace(tzinfo=dt.UTC), v.number))
        return [line for v in ordered for line in self.content(v).lines]

    def lines(self, tx: Tx, plugin: str, day: dt.date = dt.date.max) -> list[NewLine]:
        """Published lines of a plugin that count by a day; by default all that are not withdrawn, those to come too."""
        return self._lines(v for many in self._published(tx, plugin).values() for v in known_by(many) if applies(v, day))

    def ahead(self, tx: Tx, plugin: str) -> ParameterBook:
        """The book with everything that is published, also what is still to come: what a page lists."""
        return self.on(tx, plugin, dt.date.max).book

    def applies(self, tx: Tx, ruleset: str, day: dt.date) -> RuleVersion | None:
        """The published version of a rule set that applies on a day; None is the shipped one."""
        return in_force(self.versions(tx, ruleset), day)

    def versions(self, tx: Tx, ruleset: str) -> list[RuleVersion]:
        """Every version that was ever published, for a timeline."""
        return [v for v in tx.policies.of(ruleset, ("published", "withdrawn")) if v.published_at is not None]
