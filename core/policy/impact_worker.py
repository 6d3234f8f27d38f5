"""`python -m siquan.core.policy.impact_worker FD`: one worker of an impact run, at the other end of its parent's pipe."""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from siquan.core.policy.impact_crew import work

if __name__ == "__main__":
    work(Connection(int(sys.argv[1])))
