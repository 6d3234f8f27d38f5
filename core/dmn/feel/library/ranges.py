"""Range functions (10.3.4.8): Allen's thirteen relations between points and ranges, and `is`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from siquan.core.dmn.feel.library.signature import FORMS, Form, Param, builtin
from siquan.core.dmn.feel.values import Range, Truth, compare, conjunction, disjunction, equal, same


def _both(*truths: Truth) -> Truth:
    return conjunction(truths)


def _one(*truths: Truth) -> Truth:
    return disjunction(truths)


def _low(op: str, a: Any, b: Any) -> Truth:
    """Compares two low ends; an open one lies below everything."""
    if a is None or b is None:
        return {"<": a is None and b is not None, "=": a is None and b is None, ">": b is None and a is not None}[op]
    return compare(op, a, b)


def _high(op: str, a: Any, b: Any) -> Truth:
    """Compares two high ends; an open one lies above everything."""
    if a is None or b is None:
        return {"<": b is None and a is not None, "=": a is None and b is None, ">": a is None and b is not None}[op]
    return compare(op, a, b)


def _cross(op: str, high: Any, low: Any) -> Truth:
    """Compares the high end of one range with the low end of another; open ends reach past every point."""
    return op == ">" if high is None or low is None else compare(op, high, low)


def before(a: Any, b: Any) -> Truth:
    match isinstance(a, Range), isinstance(b, Range):
        case False, False:
            return compare("<", a, b)
        case False, True:
            return False if b.low is None else compare("<" if b.low_closed else "<=", a, b.low)
        case True, False:
            return False if a.high is None else compare("<" if a.high_closed else "<=", a.high, b)
    touch = a.high_closed and b.low_closed
    return _one(_cross("<", a.high, b.low), _both(not touch, _cross("=", a.high, b.low)))


def after(a: Any, b: Any) -> Truth:
    return before(b, a)


def meets(a: Range, b: Range) -> Truth:
    return _both(a.high_closed, b.low_closed, a.high is not None, _cross("=", a.high, b.low))


def met_by(a: Range, b: Range) -> Truth:
    return meets(b, a)


def overlaps(a: Range, b: Range) -> Truth:
    def reach(x: Range, y: Range) -> Truth:
        return _one(_cross(">", x.high, y.low), _both(x.high_closed, y.low_closed, _cross("=", x.high, y.low)))

    return _both(reach(a, b), reach(b, a))


def overlaps_before(a: Range, b: Range) -> Truth:
    return _both(
        _one(_low("<", a.low, b.low), _both(_low("=", a.low, b.low), a.low_closed, not b.low_closed)),
        _one(_cross(">", a.high, b.low), _both(_cross("=", a.high, b.low), a.high_closed, b.low_closed)),
        _one(_high("<", a.high, b.high), _both(_high("=", a.high, b.high), not a.high_closed or b.high_closed)),
    )


def overlaps_after(a: Range, b: Range) -> Truth:
    return _both(
        _one(_low(">", a.low, b.low), _both(_low("=", a.low, b.low), b.low_closed, not a.low_closed)),
        _one(_cross(">", b.high, a.low), _both(_cross("=", b.high, a.low), b.high_closed, a.low_closed)),
        _one(_high(">", a.high, b.high), _both(_high("=", a.high, b.high), not b.high_closed or a.high_closed)),
    )


def finishes(a: Any, b: Range) -> Truth:
    if not isinstance(a, Range):
        return _both(b.high_closed, equal(a, b.high))
    return _both(
        a.high_closed is b.high_closed,
        _high("=", a.high, b.high),
        _one(_low(">", a.low, b.low), _both(_low("=", a.low, b.low), not a.low_closed or b.low_closed)),
    )


def starts(a: Any, b: Range) -> Truth:
    if not isinstance(a, Range):
        return _both(b.low_closed, equal(a, b.low))
    return _both(
        a.low_closed is b.low_closed,
        _low("=", a.low, b.low),
        _one(_high("<", a.high, b.high), _both(_high("=", a.high, b.high), not a.high_closed or b.high_closed)),
    )


def includes(a: Range, b: Any) -> Truth:
    if not isinstance(b, Range):
        return a.has(b)
    return _both(
        _one(_low("<", a.low, b.low), _both(_low("=", a.low, b.low), a.low_closed or not b.low_closed)),
        _one(_high(">", a.high, b.high), _both(_high("=", a.high, b.high), a.high_closed or not b.high_closed)),
    )


def coincides(a: Any, b: Any) -> Truth:
    if isinstance(a, Range):
        alike = a.low_closed is b.low_closed and a.high_closed is b.high_closed
        return _both(alike, _low("=", a.low, b.low), _high("=", a.high, b.high))
    return equal(a, b)


_POINT = ("number", "string", "date", "time", "date and time", "days and time duration", "years and months duration")
_RANGE = ("range",)


def _declare(name: str, run: Callable[[Any, Any], Truth], *forms: str) -> None:
    """`forms` say what the two arguments are: p a point, r a range."""
    for form in forms:
        words = ["point" if c == "p" else "range" for c in form]
        if words[0] == words[1]:
            words = [words[0] + "1", words[1] + "2"]
        params = tuple(Param(w, _POINT if c == "p" else _RANGE) for w, c in zip(words, form, strict=True))
        FORMS.setdefault(name, []).append(Form(params, run))


_declare("before", before, "pp", "pr", "rp", "rr")
_declare("after", after, "pp", "pr", "rp", "rr")
_declare("meets", meets, "rr")
_declare("met by", met_by, "rr")
_declare("overlaps", overlaps, "rr")
_declare("overlaps before", overlaps_before, "rr")
_declare("overlaps after", overlaps_after, "rr")
_declare("finishes", finishes, "pr", "rr")
_declare("finished by", lambda a, b: finishes(b, a), "rp", "rr")
_declare("includes", includes, "rp", "rr")
_declare("during", lambda a, b: includes(b, a), "pr", "rr")
_declare("starts", starts, "pr", "rr")
_declare("started by", lambda a, b: starts(b, a), "rp", "rr")
_declare("coincides", coincides, "pp", "rr")


@builtin("is", "value1: any", "value2: any")
def is_(a: Any, b: Any) -> bool:
    return same(a, b)
