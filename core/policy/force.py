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
from siquan.core.exchange.content import Content
from siquan.core.plugins import Catalogue
from siquan.core.policy.timeline import in_force
from siquan.core.rules.decide import RuleSet, canonical
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.model import ParamLine, ParamSpec, PluginSpec, RuleSetSpec
from siquan.core.spec.version import content_hash
from siquan.core.store.rows import BookLine, RuleVersion
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


def param_specs(plugin: str, lines: Iterable[BookLine]) -> list[ParamSpec]:
    """Published lines of one plugin as its loader would have read them; their names are kept as `plugin.name`."""
    found: dict[str, list[ParamLine]] = {}
    for line in lines:
        owner, _, name = line.name.partition(".")
        if owner == plugin:
            value = ParamLine(since=line.since, value=line.value, place=line.place, basis=line.basis, cite=line.cite, ref=line.ref)
            found.setdefault(name, []).append(value)
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


def overlay(spec: PluginSpec, contents: Mapping[str, RuleSetSpec], lines: Iterable[BookLine], labels: Mapping[str, str]) -> PluginSpec:
    """The plugin with these rule sets in the place of its own, and these parameter lines besides."""
    rulesets = tuple(contents[r.id].model_copy(update={"where": r.where}) if r.id in contents else r for r in spec.rulesets)
    parameters = with_lines(spec.parameters, param_specs(spec.name, lines))
    return spec.model_copy(update={"rulesets": rulesets, "parameters": parameters, "versions": dict(labels)})


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
        self._lines: tuple[int, list[BookLine]] = (0, [])
        self._bound: dict[tuple[str, tuple[str, ...], int], Bound] = {}

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
        """The plugin as it applies on a day; `known` asks what would have been answered at that moment."""
        revision = tx.policies.revision()
        if not revision:
            return self.shipped(plugin)
        with self._lock:
            if revision != self._revision:
                found: dict[str, list[RuleVersion]] = {}
                for row in tx.policies.with_status(("published", "withdrawn")):
                    found.setdefault(row.ruleset, []).append(row)
                self._versions, self._revision, self._bound = found, revision, {}
            own = {r: v for r, v in self._versions.items() if r.partition(".")[0] == plugin and r in self.shipped(plugin).rulesets}
        chosen = {r: v for r, many in own.items() if (v := in_force(many, day, known)) is not None}
        book = self._book(tx, known)
        key = (plugin, tuple(sorted(v.id for v in chosen.values())), book)
        with self._lock:
            ready = self._bound.get(key)
        if ready is None:
            lines = tx.parameters.lines(book) if book else []
            contents = {r: Content.from_json(v.content).ruleset for r, v in chosen.items()}
            labels = {r: f"v{v.number}" for r, v in chosen.items()}
            ready = bind(overlay(self.shipped(plugin).spec, contents, lines, labels))
            with self._lock:
                self._bound[key] = ready
        return ready

    def _book(self, tx: Tx, known: dt.datetime | None) -> int:
        """The version of the parameter book, now or as it stood at a moment."""
        if known is None:
            return tx.parameters.version()
        return next((v.version for v in tx.parameters.versions() if v.at <= known), 0)

    def applies(self, tx: Tx, ruleset: str, day: dt.date) -> RuleVersion | None:
        """The published version of a rule set that applies on a day; None is the shipped one."""
        return in_force(self.versions(tx, ruleset), day)

    def versions(self, tx: Tx, ruleset: str) -> list[RuleVersion]:
        """Every version that was ever published, for a timeline."""
        return [v for v in tx.policies.of(ruleset, ("published", "withdrawn")) if v.published_at is not None]
