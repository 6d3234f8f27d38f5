"""What persons are told about cases, whether they have read it, and who follows a case.

Everybody who follows a case is told of each event another person writes: `Tx.flush` sees to it, whoever wrote the event.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.prepared import Prepared
from siquan.core.store.repository import Repository, select
from siquan.core.store.rows import Notice

#: every kind of notice, in Chinese and English; whoever sends one more names it here
KINDS = {
    "urged": ("催办", "urged"), "copied": ("抄送给你", "copied to you"), "acted": ("你关注的事有进展", "a case you follow moved"),
    "answered": ("并入的事已有结果", "the case yours was merged into has ended"), "read": ("已阅", "read"),
    "assigned": ("交给你办", "given to you"), "declined": ("退单，等你派", "declined: yours to dispatch"),
    "remind": ("期限快到", "a deadline is near"), "overdue": ("已超期", "overdue"), "escalate": ("督办", "put before you: overdue"),
    "warned": ("义务快到期", "an obligation is nearly due"), "missed": ("义务没有按时履行", "an obligation was missed"),
}  # fmt: skip
_N, _F = t.notice.c, t.follower.c
_FOLLOWERS = Prepared(sa.select(_F.person_id).where(_F.case_id == sa.bindparam("b_case")).order_by(_F.person_id))
_UNREAD = (_N.person_id == sa.bindparam("b_person"), _N.read_at.is_(None))
_COUNT = Prepared(sa.select(sa.func.count()).select_from(t.notice).where(*_UNREAD))


class Notices(Repository):
    def add(self, person_id: str, case_id: str, kind: str, seq: int) -> Notice:
        """Tell a person of event `seq` of a case."""
        if kind not in KINDS:
            raise TypeError(f"no such kind of notice: {kind}")
        row = Notice(self.tx.new_id(), person_id, case_id, seq, kind, self.tx.at, None)
        self._insert(t.notice, row)
        return row

    def of(self, person_id: str, only_unread: bool = True, limit: int = 50, offset: int = 0) -> list[Notice]:
        """What a person was told, newest first."""
        where = [_N.person_id == person_id, _N.kind != "read", *([_N.read_at.is_(None)] if only_unread else [])]
        page = select(Notice, t.notice).where(*where).order_by(_N.at.desc(), _N.id)
        return self._all(Notice, page.limit(limit).offset(offset))

    def unread(self, person_id: str) -> int:
        return int(_COUNT.rows(self.tx, {"b_person": person_id})[0][0])

    def of_case(self, case_id: str) -> list[Notice]:
        """Everything anybody was told about a case, oldest first."""
        return self._all(Notice, select(Notice, t.notice).where(_N.case_id == case_id).order_by(_N.at, _N.id))

    def read(self, person_id: str, case_id: str | None = None, notice_id: str | None = None) -> int:
        """Mark as read: one notice, those of a case, or all; how many were unread."""
        where = [_N.person_id == person_id, _N.read_at.is_(None)]
        where += [_N.case_id == case_id] if case_id else []
        where += [_N.id == notice_id] if notice_id else []
        return self._run(sa.update(t.notice).where(*where).values(read_at=self.tx.at)).rowcount

    # -- followers

    def follow(self, person_id: str, case_id: str) -> bool:
        """False when he follows it already."""
        if person_id in self.followers(case_id):
            return False
        self._run(sa.insert(t.follower), {"case_id": case_id, "person_id": person_id, "at": self.tx.at})
        return True

    def unfollow(self, person_id: str, case_id: str) -> bool:
        return bool(self._run(sa.delete(t.follower).where(_F.case_id == case_id, _F.person_id == person_id)).rowcount)

    def followers(self, case_id: str) -> list[str]:
        return [str(row[0]) for row in _FOLLOWERS.rows(self.tx, {"b_case": case_id})]

    def tell(self, written: Sequence[tuple[str, int, str]]) -> None:
        """(case, seq, actor) of the events of a transaction: the last one of each case is told to its followers, except
        to who wrote it and to who was told of it already."""
        last = {case_id: (seq, actor) for case_id, seq, actor in written}
        for case_id, (seq, actor) in last.items():
            for person in self.followers(case_id):
                if person != actor and not self._told(person, case_id, seq):
                    self.add(person, case_id, "acted", seq)

    def _told(self, person_id: str, case_id: str, seq: int) -> bool:
        where = (_N.person_id == person_id, _N.case_id == case_id, _N.seq == seq)
        return bool(self._count(sa.select(sa.func.count()).select_from(t.notice).where(*where)))
