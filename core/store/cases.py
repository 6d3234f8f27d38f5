"""Cases: the row that says where a case stands, its lock and the queries of the inbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from siquan.core.engine.fold import REASSIGNED
from siquan.core.errors import NotFound, Stale
from siquan.core.store import chain
from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, chunks, select, storable, within
from siquan.core.store.rows import Case

_C = t.case_file.c
_BY_ID = select(Case, t.case_file).where(_C.id == sa.bindparam("b_id"))
_GET, _LOCK = Prepared(_BY_ID), Prepared(_BY_ID.with_for_update())
_BUMP = Prepared(
    sa.update(t.case_file)
    .where(_C.id == sa.bindparam("b_id"))
    .values(children_revision=_C.children_revision + 1)
)
_CHILDREN = Prepared(
    select(Case, t.case_file)
    .where(_C.parent_id == sa.bindparam("b_parent"))
    .order_by(_C.parent_name, _C.ordinal)
)
_CHANGEABLE = frozenset(
    "number title place state outcome closed_at due_on definition_hash book_version parent_id parent_name "
    "ordinal origin holder".split()
)
#: process -> states; an empty set means every state of it
States = Mapping[str, Collection[str]]
#: holders of a case that is on the desks of whoever may: nobody, or the signers, who are asked one by one
FREE = ("", "*")
#: more places with the states that count there
Desks = Sequence[tuple[Collection[str] | None, States]]


@dataclass(frozen=True)
class Own:
    """Work that is with `persons` (each with the processes that count, none: all), or that waits for a signature of roles
    of a process at some places; only of one process and in an area, where these are given. What is with somebody is on
    nobody else's desk."""

    persons: tuple[tuple[str, frozenset[str]], ...] = ()
    signs: tuple[tuple[frozenset[str], str, frozenset[str]], ...] = ()
    process: str = ""
    area: frozenset[str] | None = None

    def where(self) -> list[sa.ColumnElement[bool]]:
        """One condition for each kind of it."""
        row = t.task.c
        now = (row.closed_at.is_(None), row.turn == sa.true())
        out = []
        for person, processes in self.persons:
            held = _C.id.in_(sa.select(row.case_id).where(row.assignee == person, *now))
            out.append(sa.and_(held, *([within(_C.process, processes)] if processes else [])))
        for places, process, roles in self.signs:
            open_ = sa.select(row.case_id).where(within(row.role, roles), row.assignee.is_(None), *now)
            out.append(sa.and_(_C.process == process, within(_C.place, places), _C.id.in_(open_)))
        narrow = [_C.process == self.process] if self.process else []
        if self.area is not None:
            narrow.append(within(_C.place, self.area))
        return [sa.and_(o, *narrow) for o in out]


@cache
def _update(columns: frozenset[str]) -> Prepared:
    where = (_C.id == sa.bindparam("b_id"), _C.revision == sa.bindparam("b_revision"))
    return Prepared(sa.update(t.case_file).where(*where), sorted(columns))


class Cases(Repository):
    def add(
        self,
        *,
        process: str,
        definition_hash: str,
        title: str,
        place: str,
        state: str,
        opened_by: str,
        number: str | None = None,
        parent_id: str | None = None,
        parent_name: str | None = None,
        ordinal: int | None = None,
        book_version: int = 0,
        due_on: dt.date | None = None,
        origin: str = "",
        case_id: str | None = None,
    ) -> Case:
        """Open a case at revision 1; its first event is still to be appended."""
        at = self.tx.at
        row = Case(
            case_id or self.tx.new_id(),
            number,
            process,
            definition_hash,
            parent_id,
            parent_name,
            ordinal,
            title,
            place,
            state,
            None,
            True,
            1,
            0,
            at,
            opened_by,
            at,
            None,
            due_on,
            book_version,
            origin,
            0,
            chain.GENESIS,
            "",
        )
        self._insert(t.case_file, row)
        self.tx.locked.add(row.id)
        self.tx.heads[row.id] = (0, chain.GENESIS)
        return row

    def find(self, case_id: str) -> Case | None:
        row = _GET.row(self.tx, {"b_id": case_id}) if storable(case_id) else None
        return None if row is None else Case(*row)

    def get(self, case_id: str) -> Case:
        row = self.find(case_id)
        if row is None:
            raise NotFound(kind="事项", name=case_id)
        return row

    def lock(self, case_id: str) -> Case:
        """The case, held until the transaction ends; nobody else can act on it meanwhile. On a child take the
        parent's lock first, or two acts can wait for each other."""
        row = _LOCK.row(self.tx, {"b_id": case_id})
        if row is None:
            raise NotFound(kind="事项", name=case_id)
        self.tx.locked.add(case_id)
        return Case(*row)

    def by_number(self, number: str) -> Case | None:
        return self._one(Case, select(Case, t.case_file).where(_C.number == number)) if storable(number) else None

    def get_many(self, case_ids: Collection[str]) -> dict[str, Case]:
        found: dict[str, Case] = {}
        for part in chunks(case_ids):
            found |= {c.id: c for c in self._all(Case, select(Case, t.case_file).where(_C.id.in_(part)))}
        return found

    def update(self, case_id: str, expected_revision: int, **changes: Any) -> int:
        """Change the row if it still has the expected revision; returns the new revision. Setting `closed_at`
        closes the case. Raises Stale when it moved on, NotFound when there is none."""
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            raise TypeError(f"no such column to change: {sorted(unknown)}")
        if "closed_at" in changes:
            changes["is_open"] = changes["closed_at"] is None
        if case_id in self.tx.unsaved:
            changes["last_seq"], changes["last_hash"] = self.tx.heads[case_id]
        changes |= {"revision": expected_revision + 1, "updated_at": self.tx.at}
        values = {**changes, "b_id": case_id, "b_revision": expected_revision}
        if not _update(frozenset(changes)).run(self.tx, values):
            raise Stale(seen=expected_revision, now=self.get(case_id).revision)
        self.tx.unsaved.discard(case_id)
        self.tx.locked.add(case_id)
        return expected_revision + 1

    # -- children --------------------------------------------------------------------------------------------
    def children(self, parent_id: str, name: str | None = None) -> list[Case]:
        """Children in the order they were opened, of one name or of all."""
        found = self._found(Case, _CHILDREN, {"b_parent": parent_id})
        return [c for c in found if c.parent_name == name] if name else found

    def next_ordinal(self, parent_id: str, name: str) -> int:
        """Call it under the parent's lock."""
        top = sa.select(sa.func.coalesce(sa.func.max(_C.ordinal), 0)).where(
            _C.parent_id == parent_id, _C.parent_name == name
        )
        return self._count(top) + 1

    def count_children(self, parent_id: str) -> int:
        """Children of every name together: what the next one's number counts on from. Under the parent's lock."""
        return self._count(sa.select(sa.func.count()).where(_C.parent_id == parent_id))

    def bump_children(self, parent_id: str) -> int:
        """A child changed: the parent's children revision goes up (and the parent is locked). Returns the new
        one."""
        if not _BUMP.run(self.tx, {"b_id": parent_id}):
            raise NotFound(kind="事项", name=parent_id)
        self.tx.locked.add(parent_id)
        return self.get(parent_id).children_revision

    # -- inbox -----------------------------------------------------------------------------------------------
    def open_for(
        self,
        places: Collection[str] | None,
        states: States | None = None,
        *,
        due_from: dt.date | None = None,
        due_to: dt.date | None = None,
        limit: int = 50,
        offset: int = 0,
        also: Desks = (),
        own: Own | None = None,
    ) -> list[Case]:
        """Open cases at these places (None: everywhere) in these states (None: all), or at any desk of `also`, earliest
        deadline first. With `due_from`/`due_to` (both included) only cases with a deadline in between."""
        where = self._open(places, states, due_from, due_to, also, own)
        if where is None:
            return []
        # ids first: the sort then runs over an index and never touches the wide rows
        page = sa.select(_C.id).where(*where).order_by(_C.due_on, _C.id).limit(limit).offset(offset)
        ids = list(self.tx.conn.execute(page).scalars())
        found = self.get_many(ids)
        return [found[i] for i in ids]

    def count_open(
        self,
        places: Collection[str] | None,
        states: States | None = None,
        *,
        due_from: dt.date | None = None,
        due_to: dt.date | None = None,
        also: Desks = (),
        own: Own | None = None,
    ) -> int:
        where = self._open(places, states, due_from, due_to, also, own)
        return (
            0
            if where is None
            else self._count(sa.select(sa.func.count()).select_from(t.case_file).where(*where))
        )

    def count_open_by(
        self,
        column: Literal["process", "place", "state"],
        places: Collection[str] | None,
        states: States | None = None,
        also: Desks = (),
        own: Own | None = None,
    ) -> dict[str, int]:
        """{process or place or state: number of open cases}."""
        where = self._open(places, states, None, None, also, own)
        if where is None:
            return {}
        by = _C[column]
        found = self.tx.conn.execute(sa.select(by, sa.func.count()).where(*where).group_by(by))
        return {str(name): int(n) for name, n in found}

    @staticmethod
    def _desk(places: Collection[str] | None, states: States | None) -> list[sa.ColumnElement[bool]] | None:
        """What has to hold at one desk; None when nothing can match."""
        if places is not None and not places or states is not None and not states:
            return None
        where = [] if places is None else [within(_C.place, places)]
        if states is not None:
            whole = [process for process, names in states.items() if not names]
            some = [
                sa.and_(_C.process == process, within(_C.state, names))
                for process, names in states.items()
                if names
            ]
            where.append(sa.or_(*some, *([within(_C.process, whole)] if whole else [])))
        return where

    def _open(
        self,
        places: Collection[str] | None,
        states: States | None,
        due_from: dt.date | None,
        due_to: dt.date | None,
        also: Desks = (),
        own: Own | None = None,
    ) -> list[sa.ColumnElement[bool]] | None:
        """Conditions; None when nothing can match. With `own` the desks hold only what is with nobody."""
        desks = [d for d in (self._desk(p, s) for p, s in ((places, states), *also)) if d is not None]
        held = own.where() if own is not None else []
        if not desks and not held:
            return None
        where: list[sa.ColumnElement[bool]] = [_C.is_open == sa.true()]
        free = [within(_C.holder, FREE)] if own is not None else []
        if len(desks) == 1 and not held:
            where += [*desks[0], *free]
        else:
            where.append(sa.or_(*(sa.and_(sa.true(), *d, *free) for d in desks), *held))
        if due_from is not None:
            where.append(_C.due_on >= due_from)
        if due_to is not None:
            where.append(_C.due_on <= due_to)
        elif due_from is not None:
            where.append(_C.due_on < dt.date.max)
        return where

    def opened_by(self, person: str, limit: int = 50, offset: int = 0) -> list[Case]:
        """What a person started, newest first."""
        page = select(Case, t.case_file).where(_C.opened_by == person)
        return self._all(Case, page.order_by(_C.opened_at.desc(), _C.id).limit(limit).offset(offset))

    def done_by(self, person: str, limit: int = 50, offset: int = 0) -> list[Case]:
        """Cases a person has acted in, the last act first; who only moved work about has not."""
        last = (
            sa.select(t.event.c.case_id, sa.func.max(t.event.c.at).label("last_at"))
            .where(t.event.c.actor == person, t.event.c.kind != REASSIGNED)
            .group_by(t.event.c.case_id)
            .subquery()
        )
        page = (
            select(Case, t.case_file)
            .join(last, last.c.case_id == _C.id)
            .order_by(last.c.last_at.desc(), _C.id)
        )
        return self._all(Case, page.limit(limit).offset(offset))

    def search(
        self, words: str, places: Collection[str] | None = None, limit: int = 50, offset: int = 0
    ) -> list[Case]:
        """Cases whose number begins with the words or whose title has all of them, newest first."""
        parts = words.lower().split()
        if not parts or not storable(words) or (places is not None and not places):
            return []
        title = sa.and_(*(sa.func.lower(_C.title).contains(p, autoescape=True) for p in parts))
        where = [sa.or_(sa.func.lower(_C.number).startswith(words.strip().lower(), autoescape=True), title)]
        if places is not None:
            where.append(within(_C.place, places))
        page = select(Case, t.case_file).where(*where).order_by(_C.opened_at.desc(), _C.id)
        return self._all(Case, page.limit(limit).offset(offset))

    # -- everything ------------------------------------------------------------------------------------------
    def of_process(
        self, process: str, is_open: bool | None = None, after: str = "", limit: int = 500
    ) -> list[Case]:
        """A page by id, for runs over all cases of a process."""
        where = [_C.process == process, _C.id > after]
        if is_open is not None:
            where.append(_C.is_open == (sa.true() if is_open else sa.false()))
        return self._all(Case, select(Case, t.case_file).where(*where).order_by(_C.id).limit(limit))

    def open_of(self, process: str, after: str = "", limit: int = 200) -> list[Case]:
        """Open cases of one process by id, a page at a time."""
        where = (_C.process == process, _C.is_open == sa.true(), _C.id > after)
        return self._all(Case, select(Case, t.case_file).where(*where).order_by(_C.id).limit(limit))

    def count_versions(self, process: str) -> dict[str, tuple[int, int]]:
        """{definition hash: (open, closed)} of one process."""
        out: dict[str, tuple[int, int]] = {}
        by = sa.select(_C.definition_hash, _C.is_open, sa.func.count()).where(_C.process == process)
        for digest, is_open, n in self.tx.conn.execute(by.group_by(_C.definition_hash, _C.is_open)):
            was = out.get(digest, (0, 0))
            out[digest] = (was[0] + n, was[1]) if is_open else (was[0], was[1] + n)
        return out

    def count_open_states(self, process: str) -> dict[tuple[str, str], int]:
        """{(definition hash, state): open cases} of one process."""
        by = sa.select(_C.definition_hash, _C.state, sa.func.count()).where(_C.process == process, _C.is_open == sa.true())
        return {(d, s): int(n) for d, s, n in self.tx.conn.execute(by.group_by(_C.definition_hash, _C.state))}

    def standing(self) -> list[tuple[str, str, str, str, int]]:
        """(process, definition hash, state, place, open cases): the groups open cases stand in."""
        by = (_C.process, _C.definition_hash, _C.state, _C.place)
        found = sa.select(*by, sa.func.count()).where(_C.is_open == sa.true()).group_by(*by).order_by(*by)
        return [(str(p), str(d), str(s), str(u), int(n)) for p, d, s, u, n in self.tx.conn.execute(found)]

    def standing_in(self, process: str, digest: str, state: str, place: str, limit: int) -> list[Case]:
        """Open cases of one such group, by id."""
        where = (_C.process == process, _C.is_open == sa.true(), _C.state == state, _C.definition_hash == digest, _C.place == place)
        return self._all(Case, select(Case, t.case_file).where(*where).order_by(_C.id).limit(limit))

    def left_by_opener(self, process: str, digest: str, state: str, place: str) -> list[Case]:
        """Cases of a group whose opener is not in service any more."""
        p, here = t.person.c, (_C.process == process, _C.is_open == sa.true(), _C.state == state, _C.definition_hash == digest, _C.place == place)
        joined = select(Case, t.case_file).outerjoin(t.person, p.id == _C.opened_by).where(*here, sa.or_(p.id.is_(None), p.active == sa.false()))
        return self._all(Case, joined.order_by(_C.id))

    def without_task(self, limit: int = 1000) -> list[str]:
        """Open cases that have no open task."""
        task = sa.select(t.task.c.id).where(t.task.c.case_id == _C.id, t.task.c.closed_at.is_(None)).exists()
        where = (_C.is_open == sa.true(), ~task)
        return list(self.tx.conn.execute(sa.select(_C.id).where(*where).order_by(_C.id).limit(limit)).scalars())

    def ids(self, after: str = "", limit: int = 500) -> list[str]:
        page = sa.select(_C.id).where(_C.id > after).order_by(_C.id).limit(limit)
        return list(self.tx.conn.execute(page).scalars())

    def count_by_process(self) -> dict[str, tuple[int, int]]:
        """{process: (open, closed)}."""
        out: dict[str, tuple[int, int]] = {}
        found = self.tx.conn.execute(
            sa.select(_C.process, _C.is_open, sa.func.count()).group_by(_C.process, _C.is_open)
        )
        for process, is_open, n in found:
            was = out.get(process, (0, 0))
            out[process] = (was[0] + n, was[1]) if is_open else (was[0], was[1] + n)
        return out
