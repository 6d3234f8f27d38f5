"""The sums of the audit chain: how an event, a value, a decision and a row of a collection are hashed.

Everything is hashed as a canonical JSON list of texts, never as glued strings, so that no two contents share
a form. The algorithm's name is part of the hashed content of an event: an old chain stays readable when a new
one is chosen."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from siquan.core.store.canonical import canonical

ALGO = "sha256"
ALGOS = frozenset({"sha256", "sha512", "sm3"})
#: what stands before the first event of a case
GENESIS = "0" * 64


def digest(text: str, algo: str = ALGO) -> str:
    return hashlib.new(algo, text.encode()).hexdigest()


def event_hash(
    algo: str,
    case_id: str,
    seq: int,
    at: str,
    actor: str,
    on_behalf: str,
    kind: str,
    data: str,
    prev_hash: str,
) -> str:
    """`at` is the stored instant text and `data` the stored canonical JSON: what stands in the table is
    hashed."""
    return digest(canonical([algo, case_id, seq, at, actor, on_behalf, kind, data, prev_hash]), algo)


def value_commitment(
    salt: str,
    path: str,
    value: str,
    as_of: str | None,
    source: str,
    ref: str,
    stated_by: str,
    complete: bool | None,
) -> str:
    """Commitment of one fact value or opinion; `value` is its canonical JSON text, `as_of` an ISO day."""
    return digest(canonical([salt, path, value, as_of, source, ref, stated_by, complete]))


def record_commitment(salt: str, record: str, columns: list[Any]) -> str:
    """Commitment of a decision: the record's JSON text and the columns that repeat the gist of it."""
    return digest(canonical([salt, record, columns]))


def row_salt(seed: str, row_no: int) -> str:
    """A salt per row from one random seed, which is thrown away: each row can be erased without baring
    another."""
    return hmac.new(seed.encode(), str(row_no).encode(), hashlib.sha256).hexdigest()[:32]


def row_leaf(salt: str, row_no: int, data: str) -> str:
    return hashlib.sha256(f"{salt}:{row_no}:{data}".encode()).hexdigest()


class BatchSum:
    """Commitment of a batch of rows, fed row by row so that 100,000 rows never lie in memory for it."""

    def __init__(self, salt: str, collection: str, complete: bool, file_name: str, file_hash: str) -> None:
        head = canonical([salt, collection, complete, file_name, file_hash])
        self._sum = hashlib.sha256(head.encode())
        self.rows = 0

    def add(self, leaf: str) -> None:
        self._sum.update(leaf.encode())
        self.rows += 1

    def hexdigest(self) -> str:
        return hashlib.sha256(f"{self.rows}:{self._sum.hexdigest()}".encode()).hexdigest()


def day_root(prev_root: str, day: str, lines: Iterable[str]) -> str:
    """Root of one day: the last event of each case that day and each refused decision, sorted, after the last
    root."""
    return digest(canonical([ALGO, prev_root, day, sorted(lines)]))
