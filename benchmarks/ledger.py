"""What one posting costs an act: the same step with and without it, and fifty accounts' entries proved."""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
import time
from pathlib import Path

from siquan.core.home import new_id, now
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.store.database import Store

ACTS = 200
ROUNDS = 5
_names = itertools.count()
_PLUGIN = """process: bench_ledger
title: 记分
roles: {{clerk: 经办}}
facts: {{who: {{title: 谁, type: text, by: clerk}}}}
accounts: {{points: {{title: 积分, unit: 分, expires: 2 years}}}}
states:
  draft:
    title: 登记
    go: {{title: 记, by: clerk, needs: [who], to: same{post}}}
"""


def catalogue(folder: Path, post: str) -> Catalogue:
    path = folder / post[:4].strip(", ") / "bench_ledger.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_PLUGIN.format(post=post), encoding="utf-8")
    return discover(bundled=False, only=[path])


def acts_per_second(url: str, found: Catalogue) -> float:
    store = Store(url, now, new_id)
    service = Siquan(store, found, now)
    with store.begin() as tx:
        unit = tx.people.add_unit(f"community/ledger{next(_names)}", "community", "测试社区").id
        person = tx.people.add("测试人员", unit_id=unit).id
        tx.people.grant(person, "clerk", unit, dt.date(2020, 1, 1))
    cases = [service.open_case("bench_ledger.bench_ledger", person, unit).case for _ in range(ACTS)]
    start = time.perf_counter()
    for n, case in enumerate(cases):
        service.act(case, "go", person, {"who": f"p{n % 50}"})
    rate = ACTS / (time.perf_counter() - start)
    store.close()
    return rate


def prove(url: str, found: Catalogue) -> float:
    store = Store(url, now, new_id)
    service = Siquan(store, found, now)
    start = time.perf_counter()
    kinds = service.ledger_kinds()
    wrong = [d for k in kinds if (c := service._ledger_time.reconcile(k, "2026-01", "bench")) for d in c.differences]
    assert kinds and not wrong
    took = time.perf_counter() - start
    store.close()
    return took


def main() -> None:
    from benchmarks.__main__ import databases, rounds

    with tempfile.TemporaryDirectory() as folder, databases() as found:
        bare, posting = (catalogue(Path(folder), p) for p in ("", ", post: [{account: points, to: who, amount: 1}]"))
        for name, url in found:
            without, with_ = rounds(lambda u=url: acts_per_second(u, bare), lambda u=url: acts_per_second(u, posting))  # type: ignore[misc]
            cost = 1000 / with_ - 1000 / without
            print(f"{name:<11} act {1000 / without:5.2f} ms   with one posting {1000 / with_:5.2f} ms   a posting costs {cost:5.2f} ms   reconcile {prove(url, posting) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
