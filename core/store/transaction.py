"""One database transaction and its repositories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.access import AccessLog
from siquan.core.store.calendars import Calendars
from siquan.core.store.cases import Cases
from siquan.core.store.collections import Collections
from siquan.core.store.counters import Counters
from siquan.core.store.deadlines import Deadlines
from siquan.core.store.decisions import Decisions
from siquan.core.store.definitions import Definitions
from siquan.core.store.events import Events
from siquan.core.store.facts import Facts
from siquan.core.store.idempotency import Idempotency
from siquan.core.store.impacts import Impacts
from siquan.core.store.incidents import Incidents
from siquan.core.store.inputs import Inputs
from siquan.core.store.ledger import LedgerBook
from siquan.core.store.links import Links
from siquan.core.store.moves import Moves
from siquan.core.store.named import Named
from siquan.core.store.notices import Notices
from siquan.core.store.obligations import Obligations
from siquan.core.store.parameters import Parameters
from siquan.core.store.people import People
from siquan.core.store.policies import Policies
from siquan.core.store.prepared import Prepared
from siquan.core.store.repairs import Repairs
from siquan.core.store.settings import Settings
from siquan.core.store.substitutions import Substitutions
from siquan.core.store.tasks import Tasks

_HEAD = Prepared(
    sa.update(t.case_file).where(t.case_file.c.id == sa.bindparam("b_id")), ["last_seq", "last_hash"]
)


class Tx:
    """Repositories as attributes; `conn` is the connection for `jobs.enqueue`. All rows of one transaction
    bear one time, `at`, read from the clock when it is first needed (after any wait for a lock)."""

    def __init__(
        self,
        conn: sa.Connection,
        now: Callable[[], dt.datetime],
        new_id: Callable[[], str],
        new_salt: Callable[[], str],
        fault: Callable[[str], None],
    ) -> None:
        self.conn = conn
        self.now = now
        self.new_id = new_id
        self.new_salt = new_salt
        self.fault = fault
        #: cases whose row this transaction holds
        self.locked: set[str] = set()
        #: last (seq, hash) of cases that got events, and those not yet written to the case row
        self.heads: dict[str, tuple[int, str]] = {}
        self.unsaved: set[str] = set()
        #: (case, seq, actor) of the events written, for who follows the cases
        self.written: list[tuple[str, int, str]] = []
        #: the day that what the clock does belongs to, however late it comes to it
        self.as_of: dt.date | None = None
        #: layouts of decision inputs this transaction put among the definitions
        self.layouts: set[str] = set()

    @cached_property
    def at(self) -> dt.datetime:
        return self.now().astimezone(dt.UTC)

    @cached_property
    def cursor(self) -> Any:
        """The driver's cursor in this transaction, for prepared statements."""
        return self.conn.connection.cursor()

    @cached_property
    def driver_error(self) -> type[Exception]:
        dbapi: Any = self.conn.dialect.dbapi
        error: type[Exception] = dbapi.Error
        return error

    @property
    def is_sqlite(self) -> bool:
        return self.conn.dialect.name == "sqlite"

    @cached_property
    def people(self) -> People:
        return People(self)

    @cached_property
    def cases(self) -> Cases:
        return Cases(self)

    @cached_property
    def events(self) -> Events:
        return Events(self)

    @cached_property
    def facts(self) -> Facts:
        return Facts(self)

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self)

    @cached_property
    def inputs(self) -> Inputs:
        return Inputs(self)

    @cached_property
    def impacts(self) -> Impacts:
        return Impacts(self)

    @cached_property
    def deadlines(self) -> Deadlines:
        return Deadlines(self)

    @cached_property
    def obligations(self) -> Obligations:
        return Obligations(self)

    @cached_property
    def tasks(self) -> Tasks:
        return Tasks(self)

    @cached_property
    def links(self) -> Links:
        return Links(self)

    @cached_property
    def notices(self) -> Notices:
        return Notices(self)

    @cached_property
    def collections(self) -> Collections:
        return Collections(self)

    @cached_property
    def idempotency(self) -> Idempotency:
        return Idempotency(self)

    @cached_property
    def counters(self) -> Counters:
        return Counters(self)

    @cached_property
    def definitions(self) -> Definitions:
        return Definitions(self)

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters(self)

    @cached_property
    def policies(self) -> Policies:
        return Policies(self)

    @cached_property
    def calendars(self) -> Calendars:
        return Calendars(self)

    @cached_property
    def incidents(self) -> Incidents:
        return Incidents(self)

    @cached_property
    def access(self) -> AccessLog:
        return AccessLog(self)

    @cached_property
    def settings(self) -> Settings:
        return Settings(self)

    @cached_property
    def moves(self) -> Moves:
        return Moves(self)

    @cached_property
    def repairs(self) -> Repairs:
        return Repairs(self)

    @cached_property
    def substitutions(self) -> Substitutions:
        return Substitutions(self)

    @cached_property
    def named(self) -> Named:
        return Named(self)

    @cached_property
    def ledger(self) -> LedgerBook:
        return LedgerBook(self)

    def flush(self) -> None:
        """Tell who follows the cases; write the heads of chains whose case row was not updated after the event."""
        self.notices.tell(self.written)
        self.written.clear()
        for case_id in sorted(self.unsaved):
            seq, last = self.heads[case_id]
            _HEAD.run(self, {"b_id": case_id, "last_seq": seq, "last_hash": last})
        self.unsaved.clear()
