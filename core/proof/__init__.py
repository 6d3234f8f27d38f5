"""The Z3 reading of rules: what two versions of a rule set do to every case there could be, whether a table has gaps or
useless rows, whether declared intents hold, and what a person would have to change to pass.

Whatever a solver finds is replayed in the compiled reading before it is shown; what it cannot settle in time is not
proved, never fine."""

from siquan.core.proof.compare import Comparison, Witness, compare
from siquan.core.proof.intents import BadIntent, IntentResult, check_intents
from siquan.core.proof.issues import TableIssue, table_issues
from siquan.core.proof.lasting import Lasting, lasting
from siquan.core.proof.safety import Safety, unknown_safe
from siquan.core.proof.search import TIMEOUT
from siquan.core.proof.wayout import Change, NoWayOut, WayOut, smallest_change

__all__ = [
    "TIMEOUT",
    "BadIntent",
    "Change",
    "Comparison",
    "IntentResult",
    "Lasting",
    "NoWayOut",
    "Safety",
    "TableIssue",
    "WayOut",
    "Witness",
    "check_intents",
    "compare",
    "lasting",
    "smallest_change",
    "table_issues",
    "unknown_safe",
]
