"""The audit: read everything again and say what does not fit. It repairs nothing.

Per case: numbers without gaps, each hash over its content and the one before, every value, opinion, decision
and batch against the commitment in its event, the case row against its last event. Over all: events without a
case, and sealed days. A value that was erased cannot be checked and is no finding. Reads in chunks of cases,
a short transaction each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import sqlalchemy as sa

from siquan.core.store import chain, ledger_audit
from siquan.core.store import tables as t
from siquan.core.store.canonical import instant, parse
from siquan.core.store.database import Store
from siquan.core.store.facts import OPINION, TITLE
from siquan.core.store.layout import Layout, keep
from siquan.core.store.policies import day_lines, event_hash

_CHUNK = 200
#: an event dated before midnight may still be on its way to the database shortly after it
_SETTLED = dt.timedelta(hours=1)

_MESSAGES = {
    "SQA01": ("事件内容与其哈希不符", "the event does not match its hash"),
    "SQA02": ("事件缺号：缺第 {0} 号", "event {0} is missing"),
    "SQA03": ("与上一事件的哈希接不上", "the event does not follow on the one before"),
    "SQA04": ("`{0}` 的值与留存的承诺不符", "the value of `{0}` does not match its commitment"),
    "SQA05": ("`{0}` 的记录与事件所记不一致", "the record of `{0}` is not what the event says"),
    "SQA06": ("决定 `{0}` 与留存的承诺不符", "the decision `{0}` does not match its commitment"),
    "SQA07": ("事项状态为 `{0}`，末次事件为 `{1}`", "the case is in `{0}`, its last event says `{1}`"),
    "SQA08": (
        "事项末号为 {0}，事件末号为 {1}",
        "the case ends at event {0}, the last event there is {1}",
    ),
    "SQA09": ("`{0}` 的名册与留存的承诺不符", "the rows of `{0}` do not match their commitment"),
    "SQA10": ("事件所属事项不存在", "the events belong to a case that does not exist"),
    "SQA11": ("{0} 的日终根哈希不符", "the sealed root of {0} does not match"),
    "SQA12": (
        "事项修订为 {0}，末次事件为 {1}",
        "the case is at revision {0}, its last event says {1}",
    ),
    "SQA15": ("规则集 `{0}` 第 {1} 号变更与其哈希不符", "change {1} of the rule set `{0}` does not match its hash"),
    "SQA16": ("规则集 `{0}` 第 {1} 号变更与上一号接不上", "change {1} of the rule set `{0}` does not follow on the one before"),
    "SQA17": (
        "规则集 `{0}` 的版本 {1} 与发布时的内容不符",
        "version {1} of the rule set `{0}` is not what was published",
    ),
    "SQA18": ("{0} 的日终根哈希与打印的不符", "the sealed root of {0} is not the printed one"),
    "SQA13": ("不认识的哈希算法 `{0}`", "the hash algorithm `{0}` is unknown"),
    **ledger_audit.MESSAGES,
    "SQA14": ("决定 `{0}` 的输入摘录与其记录不符", "the inputs kept of the decision `{0}` are not those of its record"),
}


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """`case_id` empty: not about one case; `seq` 0: not about one event."""

    case_id: str
    seq: int
    code: str
    zh: str
    en: str


def verify(store: Store, case_id: str | None = None) -> list[AuditFinding]:
    """All findings, of one case or of everything; an empty list is a clean audit."""
    return list(findings(store, case_id))


def findings(store: Store, case_id: str | None = None) -> Iterator[AuditFinding]:
    """The same, one by one as they are found."""
    if case_id is not None:
        yield from _cases(store, [case_id])
        return
    after = ""
    while True:
        with store.read() as tx:
            ids = tx.cases.ids(after, _CHUNK)
        if not ids:
            break
        yield from _cases(store, ids)
        after = ids[-1]
    yield from _unowned(store)
    yield from _rules(store)
    with store.read() as tx:
        for case, seq, code, values in ledger_audit.of_accounts(tx.conn):
            yield _finding(code, case, seq, *values)
    yield from _roots(store)


def _finding(code: str, case_id: str, seq: int, *values: object) -> AuditFinding:
    zh, en = _MESSAGES[code]
    return AuditFinding(case_id, seq, code, zh.format(*values), en.format(*values))


@dataclass(slots=True)
class _Said:
    """What the events of one case say, collected while walking along its chain."""

    seq: int = 0
    hash: str = chain.GENESIS
    state: str | None = None
    revision: int | None = None
    values: dict[tuple[int, str], str] = field(default_factory=dict)
    batches: dict[tuple[int, str], str] = field(default_factory=dict)
    decisions: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    postings: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)

    def hear(self, seq: int, data: Any) -> None:
        if not isinstance(data, dict):
            return
        self.state = data.get("to") or self.state
        self.revision = data.get("revision", self.revision)
        for path, commitment in (data.get("facts") or {}).items():
            self.values[seq, path] = commitment
        for path, key in ((OPINION, "opinion"), (TITLE, "titled")):
            if data.get(key):
                self.values[seq, path] = data[key]
        for name, commitment in (data.get("collections") or {}).items():
            self.batches[seq, name] = commitment
        for account, number, digest in data.get("postings") or []:
            self.postings[account, number] = (seq, digest)
        for one in [data.get("decision"), *(data.get("decisions") or [])]:
            if one:
                self.decisions[one["id"]] = (seq, one["commitment"], one["outcome"])


def _raw(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The stored text itself: a hash is over what stands in the table, not over what it parses to."""
    return sa.type_coerce(column, sa.Text)


def _cases(store: Store, ids: Sequence[str]) -> Iterator[AuditFinding]:
    with store.read() as tx:
        conn = tx.conn
        said = {case_id: _Said() for case_id in ids}
        yield from _events(conn, ids, said)
        yield from _values(conn, ids, said)
        yield from _decisions(conn, t.decision.c.case_id.in_(ids), said)
        yield from _inputs(conn, t.decision.c.case_id.in_(ids))
        yield from _batches(conn, ids, said)
        for case, seq, code, values in ledger_audit.of_cases(conn, {id: one.postings for id, one in said.items()}):
            yield _finding(code, case, seq, *values)
        yield from _ends(conn, ids, said)


def _events(conn: sa.Connection, ids: Sequence[str], said: dict[str, _Said]) -> Iterator[AuditFinding]:
    c = t.event.c
    rows = conn.execute(
        sa.select(
            c.case_id,
            c.seq,
            _raw(c.at),
            c.actor,
            c.on_behalf,
            c.kind,
            _raw(c.data),
            c.prev_hash,
            c.hash,
            c.algo,
        )
        .where(c.case_id.in_(ids))
        .order_by(c.case_id, c.seq)
        .execution_options(yield_per=2000)
    )
    for case_id, seq, at, actor, on_behalf, kind, data, prev, digest, algo in rows:
        chained = said[case_id]
        for missing in range(chained.seq + 1, min(seq, chained.seq + 101)):
            yield _finding("SQA02", case_id, missing, missing)
        if algo not in chain.ALGOS:
            yield _finding("SQA13", case_id, seq, algo)
        elif chain.event_hash(algo, case_id, seq, at, actor, on_behalf, kind, data, prev) != digest:
            yield _finding("SQA01", case_id, seq)
        if prev != chained.hash:
            yield _finding("SQA03", case_id, seq)
        chained.seq, chained.hash = seq, digest
        try:
            chained.hear(seq, parse(data))
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # broken data: its hash is off and was reported


def _values(conn: sa.Connection, ids: Sequence[str], said: dict[str, _Said]) -> Iterator[AuditFinding]:
    c = t.fact_value.c
    rows = conn.execute(
        sa.select(
            c.case_id,
            c.path,
            c.seq,
            _raw(c.value),
            _raw(c.as_of),
            c.source,
            c.ref,
            c.stated_by,
            c.complete,
            c.salt,
            c.commitment,
            _raw(c.erased_at),
        )
        .where(c.case_id.in_(ids))
        .execution_options(yield_per=2000)
    )
    for case_id, path, seq, value, as_of, source, ref, by, complete, salt, commitment, erased in rows:
        told = said[case_id].values.pop((seq, path), None)
        if told != commitment:
            yield _finding("SQA05", case_id, seq, path)
        elif erased is None:
            own = (
                ""
                if value is None or salt is None
                else chain.value_commitment(salt, path, value, as_of, source, ref, by, complete)
            )
            if own != commitment:
                yield _finding("SQA04", case_id, seq, path)
    for case_id in ids:
        for seq, path in said[case_id].values:
            yield _finding("SQA05", case_id, seq, path)


def _decisions(
    conn: sa.Connection, where: sa.ColumnElement[bool], said: dict[str, _Said]
) -> Iterator[AuditFinding]:
    c = t.decision.c
    rows = conn.execute(
        sa.select(
            c.id,
            c.case_id,
            c.event_seq,
            c.transition,
            c.ruleset,
            c.version,
            c.hash,
            _raw(c.on_date),
            c.place,
            c.outcome,
            c.refused,
            c.actor,
            _raw(c.record),
            c.salt,
            c.commitment,
            _raw(c.erased_at),
        )
        .where(where)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        id, case_id, seq, *columns, record, salt, commitment, erased = row
        outcome = columns[6]
        told = said[case_id].decisions.pop(id, None) if case_id else None
        told_wrong = told is not None and told != (seq, commitment, outcome)
        # a decision that says it belongs to an event must be named by that event
        if told_wrong or (told is None and case_id and seq is not None):
            yield _finding("SQA05", case_id, seq or 0, id)
        elif erased is None:
            own = (
                ""
                if record is None or salt is None
                else chain.record_commitment(salt, record, [case_id, *columns])
            )
            if own != commitment:
                yield _finding("SQA06", case_id or "", seq or 0, id)
    for case_id, case in said.items():
        for id, (seq, _, _) in case.decisions.items():
            yield _finding("SQA05", case_id, seq, id)


def _inputs(conn: sa.Connection, where: sa.ColumnElement[bool]) -> Iterator[AuditFinding]:
    """What is kept for deciding again, cut out of the records once more: an impact run must not see other inputs."""
    d, i, c = t.decision.c, t.decision_input.c, t.definition.c
    same = (d.case_id, d.event_seq, d.refused, d.ruleset, _raw(d.on_date), d.place, d.outcome)
    copied = (i.case_id, i.event_seq, i.refused, i.ruleset, _raw(i.on_date), i.place, i.outcome)
    joined = t.decision.join(t.decision_input, d.id == i.decision_id).outerjoin(t.definition, c.hash == i.layout)
    columns = (d.id, _raw(d.record), c.document, *same, *copied, i.layout, i.value, i.results, i.inputs, i.lists, i.ages)
    for row in conn.execute(sa.select(*columns).select_from(joined).where(where).execution_options(yield_per=1000)):
        id, record, document, *rest = row
        own, copy, kept = rest[:7], rest[7:14], tuple(rest[14:])
        if own != copy or kept != _cut_again(record, document, kept[0]):
            yield _finding("SQA14", own[0] or "", own[1] or 0, id)


def _cut_again(record: str | None, document: str | None, digest: str) -> tuple[str | None, ...] | None:
    """What should be kept of a record; None when that cannot be told."""
    if record is None:
        return digest, "null", "", None, None, None
    try:
        layout = Layout.read(document or "")
        return astuple(keep(layout, parse(record))) if layout.digest == digest else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _batches(conn: sa.Connection, ids: Sequence[str], said: dict[str, _Said]) -> Iterator[AuditFinding]:
    c, r = t.collection_batch.c, t.collection_row.c
    batches = conn.execute(
        sa.select(
            c.case_id, c.collection, c.seq, c.rows, c.complete, c.salt, c.commitment, c.file_name, c.file_hash
        ).where(c.case_id.in_(ids))
    ).all()
    for case_id, name, seq, count, complete, salt, commitment, file_name, file_hash in batches:
        if said[case_id].batches.pop((seq, name), None) != commitment:
            yield _finding("SQA05", case_id, seq, name)
            continue
        total = chain.BatchSum(salt, name, complete, file_name, file_hash)
        rows = conn.execute(
            sa.select(r.row_no, _raw(r.data), r.salt, r.leaf)
            .where(r.case_id == case_id, r.collection == name, r.batch == seq)
            .order_by(r.row_no)
            .execution_options(yield_per=5000)
        )
        for row_no, data, own, leaf in rows:
            total.add(leaf if leaf is not None else chain.row_leaf(own or "", row_no, data or ""))
        if total.rows != count or total.hexdigest() != commitment:
            yield _finding("SQA09", case_id, seq, name)
    for case_id in ids:
        for seq, name in said[case_id].batches:
            yield _finding("SQA05", case_id, seq, name)


def _ends(conn: sa.Connection, ids: Sequence[str], said: dict[str, _Said]) -> Iterator[AuditFinding]:
    """The case rows against where their chains end."""
    c = t.case_file.c
    rows = conn.execute(
        sa.select(c.id, c.state, c.revision, c.last_seq, c.last_hash).where(c.id.in_(ids)).order_by(c.id)
    )
    found = set()
    for case_id, state, revision, last_seq, last_hash in rows:
        found.add(case_id)
        case = said[case_id]
        if last_seq != case.seq:
            yield _finding("SQA08", case_id, case.seq, last_seq, case.seq)
        elif last_hash != case.hash:
            yield _finding("SQA03", case_id, case.seq)
        if case.state is not None and case.state != state:
            yield _finding("SQA07", case_id, case.seq, state, case.state)
        if case.revision is not None and case.revision != revision:
            yield _finding("SQA12", case_id, case.seq, revision, case.revision)
    for case_id in ids:
        if case_id not in found and said[case_id].seq:
            yield _finding("SQA10", case_id, 0)


def _unowned(store: Store) -> Iterator[AuditFinding]:
    """Events of cases that are gone, and decisions outside any case."""
    e, c = t.event.c, t.case_file.c
    with store.read() as tx:
        there = sa.select(c.id).where(c.id == e.case_id).exists()
        for case_id in tx.conn.execute(sa.select(e.case_id).distinct().where(~there)).scalars():
            yield _finding("SQA10", case_id, 0)
        yield from _decisions(tx.conn, t.decision.c.case_id.is_(None), {})
        yield from _inputs(tx.conn, t.decision.c.case_id.is_(None))
        i = t.decision_input.c
        decided = sa.select(t.decision.c.id).where(t.decision.c.id == i.decision_id).exists()
        for id in tx.conn.execute(sa.select(i.decision_id).where(~decided)).scalars():
            yield _finding("SQA14", "", 0, id)


def _rules(store: Store) -> Iterator[AuditFinding]:
    """The chains of the rule sets, and each version against what was signed when it was published."""
    e, v = t.rule_event.c, t.rule_version.c
    with store.read() as tx:
        found = sa.select(
            e.ruleset, e.seq, e.version_id, _raw(e.at), e.actor, e.kind, _raw(e.data), e.prev_hash, e.hash, e.algo
        ).order_by(e.ruleset, e.seq)
        published: dict[str, str] = {}
        at: tuple[str, int, str] = ("", 0, chain.GENESIS)
        for ruleset, seq, version, when, actor, kind, data, prev, digest, algo in tx.conn.execute(found):
            before = at if at[0] == ruleset else (ruleset, 0, chain.GENESIS)
            if algo not in chain.ALGOS:
                yield _finding("SQA13", "", 0, algo)
            elif event_hash(algo, ruleset, seq, version, when, actor, kind, data, prev) != digest:
                yield _finding("SQA15", "", 0, ruleset, seq)
            if (seq, prev) != (before[1] + 1, before[2]):
                yield _finding("SQA16", "", 0, ruleset, seq)
            at = (ruleset, seq, digest)
            if kind == "published":
                published[version] = str((parse(data) or {}).get("content", ""))
        for version, ruleset, number, content in tx.conn.execute(sa.select(v.id, v.ruleset, v.number, v.content)):
            if version in published and published[version] != chain.digest(content):
                yield _finding("SQA17", "", 0, ruleset, f"v{number}")


# -- daily roots ---------------------------------------------------------------------------------------------
def seal(store: Store) -> list[dt.date]:
    """Seal every finished UTC day that has something to seal; returns the days. Run it daily. Publish or
    print the newest root outside the database: then even someone who can rewrite every table cannot change
    the past."""
    with store.begin() as tx:
        conn, done = tx.conn, []
        end = (tx.at - _SETTLED).date()
        prev, last = _last_root(conn)
        start = dt.date.min if last is None else last + dt.timedelta(days=1)
        for day in _active_days(conn, start, end):
            lines = _lines(conn, day)
            root = chain.day_root(prev, day.isoformat(), lines)
            conn.execute(
                sa.insert(t.audit_root),
                {"day": day, "root": root, "prev_root": prev, "cases": len(lines), "at": tx.at},
            )
            prev = root
            done.append(day)
        return done


def _last_root(conn: sa.Connection) -> tuple[str, dt.date | None]:
    c = t.audit_root.c
    row = conn.execute(sa.select(c.root, c.day).order_by(c.day.desc()).limit(1)).first()
    return (chain.GENESIS, None) if row is None else (str(row.root), row.day)


def _active_days(conn: sa.Connection, start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """Days from `start` up to before `end` that have an event, a refused decision, a change of rules or an entry, found by hopping
    over indexes."""
    day = start
    while True:
        firsts = [
            conn.execute(sa.select(sa.func.min(_raw(column))).where(_raw(column) >= day.isoformat())).scalar()
            for column in (t.event.c.at, t.decision.c.at, t.rule_event.c.at, t.ledger_entry.c.at)
        ]
        known = [str(first)[:10] for first in firsts if first is not None]
        if not known or min(known) >= end.isoformat():
            return
        day = dt.date.fromisoformat(min(known))
        yield day
        day += dt.timedelta(days=1)


def _lines(conn: sa.Connection, day: dt.date) -> list[str]:
    """`case:seq:hash` of each case's last event that day, `decision:id:commitment` of each refusal."""
    e, d = t.event.c, t.decision.c
    low = instant(dt.datetime.combine(day, dt.time(), dt.UTC))
    high = instant(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC))
    last: dict[str, tuple[int, str]] = {}
    events = sa.select(e.case_id, e.seq, e.hash).where(_raw(e.at) >= low, _raw(e.at) < high)
    for case_id, seq, digest in conn.execute(events.execution_options(yield_per=5000)):
        if case_id not in last or last[case_id][0] < seq:
            last[case_id] = (seq, digest)
    refusals = sa.select(d.id, d.commitment).where(
        _raw(d.at) >= low, _raw(d.at) < high, d.refused == sa.true()
    )
    cases = [f"{case_id}:{seq}:{digest}" for case_id, (seq, digest) in last.items()]
    refused = [f"decision:{id}:{commitment}" for id, commitment in conn.execute(refusals)]
    return [*cases, *refused, *day_lines(conn, low, high), *ledger_audit.day_lines(conn, low, high)]


def _roots(store: Store) -> Iterator[AuditFinding]:
    with store.read() as tx:
        c = t.audit_root.c
        prev = chain.GENESIS
        for day, root, prev_root in tx.conn.execute(
            sa.select(c.day, c.root, c.prev_root).order_by(c.day)
        ).all():
            own = chain.day_root(prev, day.isoformat(), _lines(tx.conn, day))
            if prev_root != prev or own != root:
                yield _finding("SQA11", "", 0, day)
            prev = root
