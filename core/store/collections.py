"""Collections: typed rows inside a case, owners or ballots, up to 100,000 at once from a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from siquan.core.store import tables as t
from siquan.core.store.canonical import canonical
from siquan.core.store.chain import BatchSum, row_leaf, row_salt
from siquan.core.store.repository import Repository, chunks, select
from siquan.core.store.rows import Batch, Row

_R, _B = t.collection_row.c, t.collection_batch.c
#: rows per executemany
_SLICE = 5000
# the texts are made here, so the column's own encoder is bypassed
_RAW = sa.table(
    "collection_row", *(sa.column(c) for c in (
        "case_id", "collection", "batch", "row_no", "row_key", "data", "salt", "leaf", "is_current"
    )),
)  # fmt: skip
_INSERT = sa.insert(_RAW)


class Collections(Repository):
    def add(
        self,
        case_id: str,
        collection: str,
        seq: int,
        rows: Iterable[Mapping[str, Any]],
        *,
        complete: bool,
        key: Sequence[str] = (),
        replace: bool = True,
        file_name: str = "",
        file_hash: str = "",
    ) -> Batch:
        """Store rows brought by event `seq`; put `batch.commitment` into the event's "collections". With
        `replace` they are the whole collection from now on; without, they add to it, and a row whose `key`
        fields equal an earlier row's takes its place (without `key` nothing is replaced)."""
        if replace:
            self._retire(case_id, collection, None)
        salt, seed = self.tx.new_salt(), self.tx.new_salt()
        total = BatchSum(salt, collection, complete, file_name, file_hash)
        fixed = {"case_id": case_id, "collection": collection, "batch": seq, "leaf": None, "is_current": True}
        page: list[dict[str, Any]] = []
        for no, data in enumerate(rows, start=1):
            text, own = canonical(data), row_salt(seed, no)
            total.add(row_leaf(own, no, text))
            name = _key(data, key)
            page.append({**fixed, "row_no": no, "row_key": name, "data": text, "salt": own})
            if len(page) == _SLICE:
                self._store(case_id, collection, page, bool(key) and not replace)
                page = []
        self._store(case_id, collection, page, bool(key) and not replace)
        row = Batch(
            case_id,
            collection,
            seq,
            total.rows,
            complete,
            salt,
            total.hexdigest(),
            file_name,
            file_hash,
            self.tx.at,
        )
        self._insert(t.collection_batch, row)
        return row

    def _store(self, case_id: str, collection: str, page: list[dict[str, Any]], merge: bool) -> None:
        if merge:
            self._retire(case_id, collection, {row["row_key"] for row in page})
        if page:
            self._run(_INSERT, page)

    def _retire(self, case_id: str, collection: str, keys: set[str] | None) -> None:
        where = [_R.case_id == case_id, _R.collection == collection, _R.is_current == sa.true()]
        update = sa.update(t.collection_row).values(is_current=False)
        if keys is None:
            self._run(update.where(*where))
        else:
            for part in chunks(sorted(keys)):
                self._run(update.where(*where, _R.row_key.in_(part)))

    def rows(self, case_id: str, collection: str, limit: int | None = None, offset: int = 0) -> list[Row]:
        """Current rows in the order they came, erased ones left out."""
        query = self._current(case_id, collection).limit(limit).offset(offset)
        return self._all(Row, query)

    def of_batch(self, case_id: str, collection: str, batch: int) -> list[Row]:
        """The rows event `batch` brought, replaced since or not; erased ones left out."""
        where = (_R.case_id == case_id, _R.collection == collection, _R.batch == batch, _R.data.is_not(sa.null()))
        return self._all(Row, select(Row, t.collection_row).where(*where).order_by(_R.row_no))

    def each(self, case_id: str, collection: str) -> Iterator[dict[str, Any]]:
        """The data of every current row, streamed."""
        for row in self._run(self._current(case_id, collection).execution_options(yield_per=5000)):
            yield row[3]

    @staticmethod
    def _current(case_id: str, collection: str) -> sa.Select[Any]:
        where = (_R.case_id == case_id, _R.collection == collection, _R.is_current == sa.true())
        return (
            select(Row, t.collection_row)
            .where(*where, _R.data.is_not(sa.null()))
            .order_by(_R.batch, _R.row_no)
        )

    def count(self, case_id: str, collection: str) -> int:
        where = (_R.case_id == case_id, _R.collection == collection, _R.is_current == sa.true())
        return self._count(sa.select(sa.func.count()).select_from(t.collection_row).where(*where))

    def batches(self, case_id: str, collection: str | None = None) -> list[Batch]:
        """What was imported when, oldest first."""
        where = [_B.case_id == case_id] + ([_B.collection == collection] if collection else [])
        return self._all(
            Batch, select(Batch, t.collection_batch).where(*where).order_by(_B.seq, _B.collection)
        )

    def last(self, case_id: str) -> dict[str, Batch]:
        """{collection: its newest batch}; `complete` of it says whether the collection is."""
        return {b.collection: b for b in self.batches(case_id)}

    def find(self, case_id: str, collection: str, key: Mapping[str, Any]) -> Row | None:
        """The current row with these values in the key fields, in the order the fields were declared."""
        query = self._current(case_id, collection).where(_R.row_key == _key(key, tuple(key)))
        return self._one(Row, query)

    def erase_row(self, case_id: str, collection: str, batch: int, row_no: int) -> bool:
        """Forget one row for good. Its leaf stays, so the batch's commitment still checks."""
        where = (
            _R.case_id == case_id, _R.collection == collection, _R.batch == batch, _R.row_no == row_no,
        )  # fmt: skip
        found = self._run(
            sa.select(_R.salt, sa.type_coerce(_R.data, sa.Text)).where(*where, _R.leaf.is_(None))
        ).first()
        if found is None:
            return False
        gone = {"data": sa.null(), "salt": None, "row_key": "", "leaf": row_leaf(found[0], row_no, found[1])}
        self._run(sa.update(t.collection_row).where(*where).values(gone))
        return True


def _key(data: Mapping[str, Any], fields: Sequence[str]) -> str:
    if not fields:
        return ""
    return (
        canonical([data.get(name) for name in fields]) if len(fields) > 1 else str(data.get(fields[0]) or "")
    )
