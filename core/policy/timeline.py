"""Which version of a rule set applies on which day.

Shipped rules apply from the beginning of time; a published version from its effective date until the next one takes
over or it is withdrawn, when the one before it applies again. So every day has exactly one version: there are neither
gaps nor overlaps. Two dates are kept apart: the day a version is valid from, and the moment it became known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from siquan.core.store.rows import RuleVersion


@dataclass(frozen=True)
class Span:
    """A version in force from `since` (None: always) up to but not including `until` (None: for good). `version` None is
    the shipped rule set."""

    version: RuleVersion | None
    since: dt.date | None
    until: dt.date | None

    def holds(self, day: dt.date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


def known_by(versions: Iterable[RuleVersion], known: dt.datetime | None = None) -> list[RuleVersion]:
    """What had been published by a moment (None: by now), withdrawals that came later taken back."""
    out = []
    for v in versions:
        if v.published_at is None or v.effective is None or (known is not None and v.published_at > known):
            continue
        out.append(v)
    return sorted(out, key=lambda v: (v.effective or dt.date.min, v.published_at, v.number))


def _gone(version: RuleVersion, known: dt.datetime | None) -> dt.date | None:
    """The first day a version no longer applies because it was withdrawn, as far as one knew."""
    late = known is not None and version.withdrawn_at is not None and version.withdrawn_at > known
    return None if late else version.withdrawn_on


def applies(version: RuleVersion, on: dt.date, known: dt.datetime | None = None) -> bool:
    """Whether a published version has taken effect by a day and is not withdrawn, whatever follows on it."""
    gone = _gone(version, known)
    return version.effective is not None and version.effective <= on and (gone is None or on < gone)


def in_force(versions: Iterable[RuleVersion], on: dt.date, known: dt.datetime | None = None) -> RuleVersion | None:
    """The version that applies on a day; None is the shipped rule set. `known` asks what one would have answered then."""
    found = None
    for version in known_by(versions, known):
        if applies(version, on, known):
            found = version
    return found


def spans(versions: Sequence[RuleVersion], known: dt.datetime | None = None) -> list[Span]:
    """The whole of time, oldest first, without gaps or overlaps."""
    published = known_by(versions, known)
    edges = {e for v in published for e in (v.effective, _gone(v, known)) if e is not None}
    out = [Span(in_force(published, dt.date.min, known), None, None)]
    for day in sorted(edges):
        now = in_force(published, day, known)
        last = out[-1]
        if (now.id if now else None) == (last.version.id if last.version else None):
            continue
        out[-1] = Span(last.version, last.since, day)
        out.append(Span(now, day, None))
    return out
