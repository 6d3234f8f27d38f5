"""What every use-case shares: catalogue, store, clock, calendar, organisation tree, pinned definitions."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from siquan.core.calendar import Calendar, Year
from siquan.core.engine.access import Chain, Post
from siquan.core.engine.definition import Binder, Definition
from siquan.core.errors import NotFound
from siquan.core.plugins import Catalogue
from siquan.core.rules.decide import RuleSet, canonical
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.stories import Stories
from siquan.core.spec.model import PluginSpec, RuleSetSpec
from siquan.core.spec.version import content_hash
from siquan.core.store.database import Store
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx

ZONE = ZoneInfo("Asia/Shanghai")


class App:
    """Built once per process. Holds no case data; caches only what is immutable or keyed by a version."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Callable[[], dt.datetime]) -> None:
        self.store, self.catalogue, self.clock = store, catalogue, clock
        self._lock = threading.Lock()
        self.stories = Stories()
        self._pinned: dict[str, tuple[dict[str, Definition], dict[str, RuleSet], ParameterBook]] = {}
        self._bare: dict[int, RuleSet] = {}
        self._calendar: tuple[int, Calendar] | None = None
        self._hashes = {p.name: plugin_hash(p) for p in catalogue.plugins}

    def now(self) -> dt.datetime:
        return self.clock().astimezone(dt.UTC)

    def today(self) -> dt.date:
        """The civil date in China, on which every decision and deadline stands."""
        return self.now().astimezone(ZONE).date()

    # definitions

    def definition(self, process: str) -> Definition:
        return self.catalogue.definition(process)

    def current_hash(self, process: str) -> str:
        return self._hashes[self.definition(process).spec.plugin]

    def pin(self, tx: Tx, process: str) -> str:
        """Stores the plugin's document under its content hash and returns the hash a case is pinned to."""
        definition = self.definition(process)
        plugin = self.catalogue.plugin(definition.spec.plugin)
        digest = self._hashes[plugin.name]
        if not tx.definitions.has(digest):
            tx.definitions.put(digest, "plugin", plugin.name, plugin.model_dump_json())
        return digest

    def bound(self, tx: Tx, case: Case) -> tuple[dict[str, Definition], dict[str, RuleSet], ParameterBook]:
        """What a case is decided by: pinned at its opening; a standing body follows what is in force."""
        current = self.catalogue.definitions.get(case.process)
        standing = current is not None and current.spec.pin == "none"
        if standing or case.definition_hash == self._hashes.get(case.process.partition(".")[0]):
            return self.catalogue.definitions, self.catalogue.rulesets, self.catalogue.book_of(case.process)
        with self._lock:
            found = self._pinned.get(case.definition_hash)
        if found is None:
            spec = PluginSpec.model_validate_json(tx.definitions.get(case.definition_hash).document)
            book = ParameterBook(spec.parameters)
            definitions, rulesets = Binder(spec.processes, spec.rulesets, book.types()).bind()
            for ruleset in rulesets.values():
                ruleset.locales = spec.locales
            found = (definitions, rulesets, book)
            with self._lock:
                self._pinned[case.definition_hash] = found
        return found

    def definition_of(self, tx: Tx, case: Case) -> Definition:
        found = self.bound(tx, case)[0].get(case.process)
        if found is None:
            raise NotFound(kind="流程", name=case.process)
        return found

    def book_of(self, tx: Tx, case: Case) -> ParameterBook:
        return self.bound(tx, case)[2]

    def ruleset_of(self, definition: Definition, id: str) -> RuleSet:
        return definition.rulesets.get(id) or self.catalogue.ruleset(id)

    def bare(self, definition: Definition) -> RuleSet:
        """An empty rule set over a definition's facts: evaluates single expressions."""
        with self._lock:
            found = self._bare.get(id(definition))
            if found is None:
                spec = RuleSetSpec(id=f"{definition.spec.id}.", process=definition.spec.id)
                found = self._bare[id(definition)] = RuleSet(spec, definition.scope, definition.schema, definition.derived)
            return found

    # organisation

    def chain(self, tx: Tx, place: str) -> Chain:
        return Chain(tuple((u.id, u.kind) for u in tx.people.above(place)) if place else ())

    def posts(self, tx: Tx, chain: Chain) -> tuple[Post, ...]:
        """Everyone in a post at the place or above it today; who left the service holds none."""
        return tuple(Post(g.person_id, g.role, g.unit_id) for g in tx.people.grants_at(chain.ids, self.today()))

    def person_name(self, tx: Tx, person: str) -> str:
        if person in ("", "system"):
            return "系统"
        found = tx.people.find(person)
        return found.name if found else person

    # calendar

    def calendar(self, tx: Tx) -> Calendar:
        version = tx.calendars.version()
        with self._lock:
            if self._calendar is not None and self._calendar[0] == version:
                return self._calendar[1]
        years = {
            y: Year(
                y,
                {dt.date.fromisoformat(d): n for d, n in row.holidays.items()},
                frozenset(dt.date.fromisoformat(d) for d in row.workdays),
                row.source,
            )
            for y, row in tx.calendars.years().items()
        }
        calendar = Calendar(years, str(version))
        with self._lock:
            self._calendar = (version, calendar)
        return calendar


def plugin_hash(spec: PluginSpec) -> str:
    """What a case is pinned to: processes, rule sets and parameters of the plugin, together."""
    parts: Mapping[str, Any] = {
        "processes": sorted((p.id, p.hash) for p in spec.processes),
        "rulesets": sorted((r.id, content_hash(r)) for r in spec.rulesets),
        "parameters": sorted((p.name, content_hash(p)) for p in spec.parameters),
    }
    return hashlib.sha256(canonical(parts).encode()).hexdigest()
