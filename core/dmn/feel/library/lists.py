"""List functions (10.3.4.4) and sort (10.3.4.9)."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel.kinds import MISFIT
from siquan.core.dmn.feel.library.signature import builtin
from siquan.core.dmn.feel.operators import arith
from siquan.core.dmn.feel.values import (
    NUMBERS,
    Function,
    compare,
    conjunction,
    contains,
    disjunction,
    distinct,
    equal,
    number,
)


def numbers(items: Sequence[Any]) -> list[Decimal] | None:
    """The items when all are numbers and there is one at least."""
    return list(items) if items and all(isinstance(i, Decimal) for i in items) else None


def place(index: Decimal, length: int) -> int | None:
    """A FEEL position (from 1, or from the end when negative) as an offset."""
    if index != index.to_integral_value() or not 1 <= abs(index) <= length:
        return None
    return int(index) - 1 if index > 0 else length + int(index)


@builtin("list contains", "list: list", "element: any")
def list_contains(items: list[Any], element: Any) -> bool:
    return contains(items, element)


@builtin("count", "list: list")
def count(items: list[Any]) -> Decimal:
    return Decimal(len(items))


def edge(op: str, items: Sequence[Any]) -> Any:
    """The least or greatest item; null of nothing, or when two have no order."""
    best = items[0] if items else None
    for item in items[1:]:
        better = compare(op, item, best)
        if better is None:
            return None
        best = item if better else best
    return best if compare("<=", best, best) else None


@builtin("min", "list: list")
def least(items: list[Any]) -> Any:
    return edge("<", items)


@builtin("min", "*c: any")
def least_of(*items: Any) -> Any:
    return edge("<", items)


@builtin("max", "list: list")
def greatest(items: list[Any]) -> Any:
    return edge(">", items)


@builtin("max", "*c: any")
def greatest_of(*items: Any) -> Any:
    return edge(">", items)


@builtin("sum", "list: list")
def total(items: list[Any]) -> Any:
    """Of numbers or of durations of one kind."""
    if not items or arith("-", items[0], items[0]) is None or type(arith("-", items[0], items[0])) is not type(items[0]):
        return None
    return functools.reduce(lambda a, b: arith("+", a, b), items)


@builtin("sum", "*n: any")
def total_of(*items: Any) -> Any:
    return total(list(items))


@builtin("mean", "list: list")
def mean(items: list[Any]) -> Any:
    whole = total(items)
    return None if whole is None else arith("/", whole, Decimal(len(items)))


@builtin("mean", "*n: any")
def mean_of(*items: Any) -> Any:
    return mean(list(items))


@builtin("product", "list: list")
def product(items: list[Any]) -> Decimal | None:
    found = numbers(items)
    return number(functools.reduce(NUMBERS.multiply, found)) if found else None


@builtin("product", "*n: any")
def product_of(*items: Any) -> Decimal | None:
    return product(list(items))


@builtin("median", "list: list")
def median(items: list[Any]) -> Decimal | None:
    found = numbers(items)
    if not found:
        return None
    found.sort()
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else number(NUMBERS.divide(NUMBERS.add(found[middle - 1], found[middle]), Decimal(2)))


@builtin("median", "*n: any")
def median_of(*items: Any) -> Decimal | None:
    return median(list(items))


@builtin("stddev", "list: list")
def stddev(items: list[Any]) -> Decimal | None:
    """Of a sample: null of a single number."""
    found = numbers(items)
    if not found or len(found) < 2:
        return None
    middle = mean(items)
    squares = [NUMBERS.power(NUMBERS.subtract(n, middle), Decimal(2)) for n in found]
    spread = NUMBERS.divide(functools.reduce(NUMBERS.add, squares), Decimal(len(found) - 1))
    return number(NUMBERS.sqrt(spread))


@builtin("stddev", "*n: any")
def stddev_of(*items: Any) -> Decimal | None:
    return stddev(list(items))


@builtin("mode", "list: list")
def mode(items: list[Any]) -> list[Decimal] | None:
    if not items:
        return []
    found = numbers(items)
    if not found:
        return None
    times = Counter(found)
    most = max(times.values())
    return sorted(n for n, k in times.items() if k == most)


@builtin("mode", "*n: any")
def mode_of(*items: Any) -> list[Decimal] | None:
    return mode(list(items))


@builtin("all", "list: list")
def all_of(items: list[Any]) -> bool | None:
    return conjunction(items)


@builtin("all", "*b: any")
def every_one(*items: Any) -> bool | None:
    return conjunction(items)


@builtin("any", "list: list")
def any_of(items: list[Any]) -> bool | None:
    return disjunction(items)


@builtin("any", "*b: any")
def one_of(*items: Any) -> bool | None:
    return disjunction(items)


@builtin("sublist", "list: list", "start position: number", "length: number?")
def sublist(items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any] | None:
    first = place(start, len(items))
    if first is None or (length is not None and (length < 1 or first + int(length) > len(items))):
        return None
    return items[first:] if length is None else items[first : first + int(length)]


@builtin("append", "list: list", "*item: any")
def append(items: list[Any], *more: Any) -> list[Any]:
    return [*items, *more]


@builtin("concatenate", "*list: list")
def concatenate(*lists: list[Any]) -> list[Any]:
    return [item for items in lists for item in items]


@builtin("union", "*list: list")
def union(*lists: list[Any]) -> list[Any]:
    return distinct(concatenate(*lists))


@builtin("insert before", "list: list", "position: number", "newItem: any")
def insert_before(items: list[Any], position: Decimal, item: Any) -> list[Any] | None:
    at = place(position, len(items))
    return None if at is None else [*items[:at], item, *items[at:]]


@builtin("remove", "list: list", "position: number")
def remove(items: list[Any], position: Decimal) -> list[Any] | None:
    at = place(position, len(items))
    return None if at is None else items[:at] + items[at + 1 :]


@builtin("list replace", "list: list", "position: number", "newItem: any")
def replace_at(items: list[Any], position: Decimal, item: Any) -> list[Any] | None:
    at = place(position, len(items))
    return None if at is None else [*items[:at], item, *items[at + 1 :]]


@builtin("list replace", "list: list", "match: function", "newItem: any")
def replace_where(items: list[Any], match: Function, item: Any) -> Any:
    """`match(item, newItem)` says which items are replaced."""
    if len(match.params) != 2:
        return MISFIT
    chosen = [match.run([old, item]) for old in items]
    if any(not isinstance(c, bool) for c in chosen):
        return None
    return [item if c else old for c, old in zip(chosen, items, strict=True)]


@builtin("reverse", "list: list")
def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


@builtin("index of", "list: list", "match: any")
def index_of(items: list[Any], match: Any) -> list[Decimal]:
    return [Decimal(n) for n, item in enumerate(items, 1) if equal(item, match) is True]


@builtin("distinct values", "list: list")
def distinct_values(items: list[Any]) -> list[Any]:
    return distinct(items)


@builtin("flatten", "list: list")
def flatten(items: list[Any]) -> list[Any]:
    out: list[Any] = []
    for item in items:
        out.extend(flatten(item) if isinstance(item, list) else [item])
    return out


@builtin("sort", "list: list", "precedes: function?")
def sort(items: list[Any], precedes: Function | None = None) -> list[Any] | None:
    """Stable; null when the function does not say true or false of each pair it is asked about."""
    unsure = []

    def order(a: Any, b: Any) -> int:
        before = precedes.run([a, b]) if precedes is not None else compare("<", a, b)
        if not isinstance(before, bool):
            unsure.append(a)
        if before is True:
            return -1
        return 1 if (precedes.run([b, a]) if precedes is not None else compare("<", b, a)) is True else 0

    done = sorted(items, key=functools.cmp_to_key(order))
    return None if unsure else done
