"""kill -9 at every point inside an act: what was acknowledged is there, the rest whole or not at all."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import uuid

import pytest

from siquan.core.store import audit
from siquan.core.store.database import Store

POINTS = ("event.before", "event.after", "decision.after", "before.commit", "after.commit")
CHILD = """
import datetime as dt, os, signal, sys, uuid
from siquan.core.store.database import Store

url, point, nth = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0

def fault(name):
    global seen
    if name == point:
        seen += 1
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

store = Store(url, lambda: dt.datetime.now(dt.UTC), lambda: uuid.uuid4().hex, fault=fault)
with store.begin() as tx:
    case = tx.cases.add(process="p.a", definition_hash="h", title="t", place="c", state="s", opened_by="z")
    tx.events.append(case.id, "opened", "z", {"to": "s"})
print(case.id, 1, flush=True)
for revision in range(1, 50):
    with store.begin() as tx:
        tx.cases.lock(case.id)
        tx.idempotency.claim(f"{case.id}/{revision}", {"n": revision})
        seq = tx.events.next_seq(case.id)
        told = tx.facts.put(case.id, seq, {"n": {"value": revision}})
        row = tx.decisions.add(ruleset="p.r", version="1", hash="h", on_date=dt.date(2026, 1, 1),
                               outcome="PASS", record={"n": revision}, actor="z",
                               case_id=case.id, event_seq=seq)
        tx.events.append(case.id, "acted", "z", {"facts": told, "decision": tx.decisions.reference(row)})
        tx.counters.next("act")
        tx.cases.update(case.id, revision, state="s")
        tx.idempotency.answer(f"{case.id}/{revision}", {"revision": revision + 1})
    print(case.id, revision + 1, flush=True)
"""


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_loses_no_acknowledged_act(database: str, point: str) -> None:
    nth = 9
    child = subprocess.run(
        [sys.executable, "-c", CHILD, database, point, str(nth)], capture_output=True, text=True, timeout=120
    )
    assert child.returncode == -9, child.stderr
    case_id, acknowledged = child.stdout.split("\n")[-2].split()
    with Store(database, lambda: dt.datetime.now(dt.UTC), lambda: uuid.uuid4().hex) as store:
        with store.read() as tx:
            case = tx.cases.get(case_id)
            # the act that was cut off after its commit is there too, though nobody was told
            assert case.revision == int(acknowledged) + (point == "after.commit")
            assert tx.events.count(case_id) == case.revision == case.last_seq
            assert len(tx.facts.history(case_id)) == case.revision - 1
            assert len(tx.decisions.of(case_id)) == case.revision - 1
            assert tx.counters.current("act") == case.revision - 1
        assert audit.verify(store) == []
        # whoever repeats the act with its key learns that it was done, or does it now
        key = f"{case_id}/{case.revision - 1}"
        with store.begin() as tx:
            assert tx.idempotency.claim(key, {"n": case.revision - 1}) == {"revision": case.revision}
        with store.begin() as tx:
            assert tx.idempotency.claim(f"{case_id}/{case.revision}", {"n": case.revision}) is None
            tx.idempotency.answer(f"{case_id}/{case.revision}", {})
            tx.events.append(case_id, "acted", "z", {})
            tx.cases.update(case_id, case.revision, state="s")
        assert audit.verify(store) == []
