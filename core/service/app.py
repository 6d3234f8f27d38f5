"""What every use-case shares: catalogue, store, clock, calendar, organisation tree, pinned definitions."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from zoneinfo import ZoneInfo

from siquan.core.calendar import Calendar, Year
from siquan.core.engine.access import GROUP, LEADER, Chain, Post, Standing, lend, post_names
from siquan.core.engine.definition import Definition
from siquan.core.errors import NotFound
from siquan.core.plugins import Catalogue
from siquan.core.policy.force import Bound, Force, bind
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.stories import Stories
from siquan.core.spec.model import PluginSpec, ProcessSpec, RuleSetSpec
from siquan.core.store.database import Store
from siquan.core.store.rows import Case
from siquan.core.store.transaction import Tx

ZONE = ZoneInfo("Asia/Shanghai")
AUTHOR, APPROVER = "policy_author", "policy_approver"
#: posts of the policy team
POLICY_ROLES = {AUTHOR: "政策起草", APPROVER: "政策批准"}
ADMIN = "admin"
#: posts that let nobody see a case: they are about rules, or about people
ASIDE = {*POLICY_ROLES, ADMIN}
#: posts that are no role of a process
KERNEL_ROLES = POLICY_ROLES | {ADMIN: "管理员", LEADER: "负责人"}


#: what the clock does bears no person's name
SYSTEM = "system"


class App:
    """Built once per process. Holds no case data; caches only what is immutable or keyed by a version."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Callable[[], dt.datetime]) -> None:
        self.store, self.catalogue, self.clock = store, catalogue, clock
        self._lock = threading.Lock()
        self.stories = Stories()
        self.force = Force(catalogue)
        self._pinned: dict[str, Bound] = {}
        self._bare: dict[int, RuleSet] = {}
        self._calendar: tuple[int, Calendar] | None = None

    def now(self) -> dt.datetime:
        return self.clock().astimezone(dt.UTC)

    def today(self) -> dt.date:
        """The civil date in China, on which every decision and deadline stands."""
        return self.now().astimezone(ZONE).date()

    # definitions

    def definition(self, process: str) -> Definition:
        return self.catalogue.definition(process)

    def in_force(self, tx: Tx, id: str, on: dt.date | None = None, known: dt.datetime | None = None) -> Bound:
        """The plugin of a process or rule set as it applies on a day, default today; `known`: as one knew at a moment."""
        return self.force.on(tx, id.partition(".")[0], on or self.today(), known)

    def pin(self, tx: Tx, process: str) -> str:
        """Stores the plugin's document, as it is in force today, under its content hash; a case is pinned to it."""
        bound = self.in_force(tx, self.definition(process).spec.id)
        if not tx.definitions.has(bound.hash):
            tx.definitions.put(bound.hash, "plugin", bound.spec.name, bound.spec.model_dump_json())
        return bound.hash

    def bound(self, tx: Tx, case: Case) -> Bound:
        """What a case is decided by: pinned at its opening; a standing body follows what is in force."""
        own = self.opened_under(tx, case)
        definition = own.definitions.get(case.process)
        if definition is not None and definition.spec.pin == "none" and case.process in self.catalogue.definitions:
            return self.in_force(tx, case.process)
        return own

    def opened_under(self, tx: Tx, case: Case) -> Bound:
        """The version whose hash the case bears: that of its opening, or the one it was taken to since."""
        plugin = case.process.partition(".")[0]
        if case.process in self.catalogue.definitions and case.definition_hash == self.force.shipped(plugin).hash:
            return self.force.shipped(plugin)
        return self.pinned(tx, case.definition_hash)

    def remember(self, bound: Bound) -> None:
        """A version that may not be stored yet, known by its hash from now on: to try what it would do."""
        with self._lock:
            self._pinned.setdefault(bound.hash, bound)

    def pinned(self, tx: Tx, digest: str) -> Bound:
        """The plugin as it was when it was kept under this hash. Raises NotFound."""
        with self._lock:
            found = self._pinned.get(digest)
        if found is None:
            found = bind(PluginSpec.model_validate_json(tx.definitions.get(digest).document))
            with self._lock:
                self._pinned[digest] = found
        return found

    def definition_of(self, tx: Tx, case: Case) -> Definition:
        found = self.bound(tx, case).definitions.get(case.process)
        if found is None:
            raise NotFound(kind="流程", name=case.process)
        return found

    def book_of(self, tx: Tx, case: Case) -> ParameterBook:
        return self.bound(tx, case).book

    def ruleset_of(self, definition: Definition, id: str) -> RuleSet:
        """A rule set a process decides or checks by, in the version the definition was bound with."""
        found = definition.rulesets.get(id)
        if found is None:
            raise NotFound(kind="规则集", name=id)
        return found

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

    def posts(self, tx: Tx, chain: Chain, spec: ProcessSpec | None = None) -> tuple[Post, ...]:
        """Everyone in a post at the place or above it today; who left the service holds none. The policy team's posts and
        the administrators' let nobody see a case; a group's only those of a process that names it. A process's roles of one
        named unit are held there, wherever the case is."""
        names = post_names(spec) if spec is not None else set()
        far = {(r.scope, r.name) for r in spec.roles.values() if r.kind == "unit"} if spec is not None else set()
        grants = tx.people.grants_at({*chain.ids, *(unit for unit, _ in far)}, self.today())
        return tuple(
            Post(g.person_id, g.role, g.unit_id) for g in grants
            if g.role not in ASIDE and (not g.role.startswith(GROUP) or g.role in names)
            and (g.unit_id in chain.ids or (g.unit_id, g.role) in far)
        )  # fmt: skip

    def standings(self, tx: Tx) -> tuple[Standing, ...]:
        """Who stands in for whom today."""
        return tuple(
            Standing(s.person_id, s.substitute_id, frozenset(s.scope.get("roles", ())), frozenset(s.scope.get("processes", ())))
            for s in tx.substitutions.running(self.today())
        )  # fmt: skip

    def desk(self, tx: Tx, person: str, process: str) -> tuple[Post, ...]:
        """The posts by which a person has a part in cases of the process, wherever: his own, then those he was lent."""
        standings = [s for s in self.standings(tx) if s.substitute == person]
        own = [
            Post(g.person_id, g.role, g.unit_id) for p in (person, *(s.person for s in standings)) if self.serves(tx, p)
            for g in tx.people.grants(p, self.today()) if g.role not in ASIDE
        ]  # fmt: skip
        return tuple(p for p in lend(own, standings, process) if p.person == person)

    def serves(self, tx: Tx, person: str) -> bool:
        """Whether somebody is in the service today."""
        found = tx.people.find(person)
        return found is not None and found.serves(self.today())

    def post_title(self, name: str) -> str:
        """What a post is called: a kernel post, a group, or the role of some process."""
        if name in KERNEL_ROLES or name.startswith(GROUP):
            return KERNEL_ROLES.get(name) or name.removeprefix(GROUP)
        roles = (d.spec.roles.get(name) for d in self.catalogue.definitions.values())
        return next((r.title for r in roles if r is not None), name)

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
