"""The tree as nested closures: each node becomes one function of the scope. Nothing here raises for what a model says;
only work without end is stopped with an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.kinds import MISFIT, Kind, fit, instance
from siquan.core.dmn.feel.operators import arith, member, negate, passes
from siquan.core.dmn.feel.temporal import Date, DateTime
from siquan.core.dmn.feel.values import Function, Range, Unequal, compare, conjunction, disjunction
from siquan.core.errors import SiquanError

Run = Callable[["Scope"], Any]
#: turns of loops and invocations one evaluation may take
WORK = 1_000_000
#: invocations within invocations
NESTED = 150


class EndlessWork(SiquanError):
    """evaluating `{name}` was stopped after {count} steps"""

    code = "SQ135"
    zh = "`{name}` 的计算在 {count} 步之后仍未结束，已停止"
    help_en = "look for a loop over a very long list, or a function that invokes itself without end"
    help_zh = "检查是否对很长的列表循环，或函数无休止地调用自己"
    exit = 1


class Ground:
    """What all scopes of one evaluation share: the built-in functions, the moment, and what was noticed."""

    def __init__(self, functions: Mapping[str, Function], moment: DateTime | None = None, name: str = "") -> None:
        self.functions, self.moment, self.name = functions, moment, name
        self.notes: list[str] = []
        #: name of a decision -> its table's rows in order, with whether each was hit
        self.rows: dict[str, list[tuple[str, bool]]] = {}
        self.work, self.nested = WORK, 0

    def step(self, count: int = 1) -> None:
        self.work -= count
        if self.work < 0:
            raise EndlessWork(name=self.name, count=WORK)

    def note(self, text: str) -> None:
        if len(self.notes) < 50 and text not in self.notes:
            self.notes.append(text)


class Scope:
    """Names and their values, with the scope around."""

    __slots__ = ("ground", "names", "outer")

    def __init__(self, ground: Ground, names: Mapping[str, Any], outer: Scope | None = None) -> None:
        self.ground, self.names, self.outer = ground, names, outer

    def inside(self, names: Mapping[str, Any]) -> Scope:
        return Scope(self.ground, names, self)

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        found = self.ground.functions.get(name)
        if found is None:
            if name == "today" or name == "now":
                return _clock(name, self.ground)
            self.ground.note(f"没有名为 `{name}` 的值 · there is nothing called `{name}`")
        return found


def _clock(name: str, ground: Ground) -> Function:
    moment = ground.moment
    return Function((), lambda args: moment.date if moment and name == "today" else moment, label=name)


def build(node: t.Node) -> Run:
    """A function giving the node's value in a scope."""
    match node:
        case t.Literal(value=value):
            return lambda scope: value
        case t.Name(name=name):
            return lambda scope: scope.find(name)
        case t.Subject():
            return lambda scope: scope.find("?")
        case t.Path(source=source, name=name):
            of = build(source)
            return lambda scope: member(of(scope), name)
        case t.Filter(source=source, cond=cond):
            return filtered(build(source), build(cond))
        case t.Call(func=func, args=args, names=names):
            return _call(build(func), [build(a) for a in args], names)
        case t.ListOf(items=items):
            runs = [build(i) for i in items]
            return lambda scope: [run(scope) for run in runs]
        case t.Context(entries=entries):
            return _context([(k, build(v)) for k, v in entries])
        case t.Function(params=params, body=body):
            return _function(params, build(body) if body is not None else None)
        case t.If(test=test, then=then, other=other):
            check, yes, no = build(test), build(then), build(other)
            return lambda scope: yes(scope) if check(scope) is True else no(scope)
        case t.For(iterators=iterators, body=body):
            return _for(_iterators(iterators), body)
        case t.Quantified(kind=kind, iterators=iterators, cond=cond):
            turns, holds = _iterators(iterators), build(cond)
            join = disjunction if kind == "some" else conjunction
            return lambda scope: None if (found := turns(scope)) is None else join([holds(inner) for inner in found])
        case t.Interval() | t.Unary():
            return _range(node)
        case t.Tests():
            return build_tests(node)
    return _operator(node)


def _operator(node: t.Node) -> Run:
    match node:
        case t.And(items=items) | t.Or(items=items):
            runs = [build(i) for i in items]
            join = conjunction if isinstance(node, t.And) else disjunction
            return lambda scope: join([run(scope) for run in runs])
        case t.Compare(op=op, left=left, right=right):
            a, b = build(left), build(right)
            return lambda scope: compare(op, a(scope), b(scope))
        case t.Between(value=value, low=low, high=high):
            v, a, b = build(value), build(low), build(high)

            def between(scope: Scope) -> Any:
                found = v(scope)
                return conjunction([compare(">=", found, a(scope)), compare("<=", found, b(scope))])

            return between
        case t.In(value=value, tests=tests):
            v, checks = build(value), [_test(i) for i in tests]

            def in_(scope: Scope) -> Any:
                found = v(scope)
                return disjunction([check(scope, found) for check in checks])

            return in_
        case t.InstanceOf(value=value, kind=kind):
            v, wanted = build(value), kind
            return lambda scope: instance(v(scope), wanted)
        case t.Arith(op=op, left=left, right=right):
            a, b = build(left), build(right)
            return lambda scope: arith(op, a(scope), b(scope))
        case t.Neg(item=item):
            v = build(item)
            return lambda scope: negate(v(scope))
        case t.Steps(low=low, high=high):
            a, b = build(low), build(high)
            return lambda scope: _steps(scope, a(scope), b(scope))
    raise AssertionError(f"no reading for {type(node).__name__}")


def filtered(source: Run, cond: Run) -> Run:
    """`source[cond]`: an item by its number, or the items for which the condition is true."""

    def run(scope: Scope) -> Any:
        found = source(scope)
        if found is None:
            return None
        items = found if isinstance(found, list) else [found]
        scope.ground.step(len(items))
        if not items:
            return None if isinstance(cond(scope), Decimal) else []
        first = cond(_item(scope, items[0]))
        if isinstance(first, Decimal):
            return _nth(items, first)
        return [item for n, item in enumerate(items) if (first if n == 0 else cond(_item(scope, item))) is True]

    return run


def _item(scope: Scope, item: Any) -> Scope:
    return scope.inside({"item": item, **item} if isinstance(item, dict) else {"item": item})


def _nth(items: list[Any], index: Decimal) -> Any:
    """Counting from 1; from the end when negative."""
    if index != index.to_integral_value() or not 1 <= abs(index) <= len(items):
        return None
    n = int(index)
    return items[n - 1] if n > 0 else items[n]


def _call(func: Run, args: Sequence[Run], names: Sequence[str]) -> Run:
    def run(scope: Scope) -> Any:
        target = func(scope)
        if not isinstance(target, Function):
            return None
        values = [a(scope) for a in args]
        return invoke(scope.ground, target, dict(zip(names, values, strict=True)) if names else values)

    return run


def invoke(ground: Ground, target: Function, args: Sequence[Any] | dict[str, Any]) -> Any:
    """The function's value; null when the arguments are not those it takes."""
    ground.step()
    if ground.nested >= NESTED:
        ground.note(f"函数 `{target.label}` 一层层调用得太深，得 null · `{target.label}` invokes itself too deeply")
        return None
    ground.nested += 1
    try:
        if isinstance(args, dict):
            if target.by_name is not None:
                return target.by_name(args)
            known = [name for name, _ in target.params]
            return target.run([args.get(name) for name in known]) if set(args) <= set(known) else None
        return target.run(args)
    except RecursionError:
        ground.note(f"函数 `{target.label}` 一层层调用得太深，得 null · `{target.label}` invokes itself too deeply")
        return None
    finally:
        ground.nested -= 1


def function(scope: Scope, params: tuple[tuple[str, Kind | None], ...], body: Run, label: str = "function", result: Kind | None = None) -> Function:
    """A function of the model: arguments are converted to the types of the parameters, null when they cannot be."""

    def run(args: Sequence[Any]) -> Any:
        if len(args) != len(params):
            return None
        given = {}
        for (name, kind), arg in zip(params, args, strict=True):
            found = fit(arg, kind)
            given[name] = None if found is MISFIT else found
        value = fit(body(scope.inside(given)), result)
        return None if value is MISFIT else value

    return Function(params, run, result, label=label)


def _function(params: tuple[tuple[str, Kind | None], ...], body: Run | None) -> Run:
    if body is None or len({name for name, _ in params}) < len(params):
        return lambda scope: None
    return lambda scope: function(scope, params, body)


def _context(entries: Sequence[tuple[str, Run]]) -> Run:
    if len({key for key, _ in entries}) < len(entries):
        return lambda scope: None

    def run(scope: Scope) -> Any:
        out: dict[str, Any] = {}
        inner = scope.inside(out)  # each entry sees those before it
        for key, value in entries:
            out[key] = value(inner)
        return out

    return run


def turn_over(source: Any) -> Iterable[Any] | None:
    """What a loop over a value runs through; None when it runs through nothing at all."""
    if isinstance(source, list):
        return source
    if isinstance(source, Range):
        ends = [source.low, source.high]
        if all(isinstance(e, Decimal) and e == e.to_integral_value() for e in ends):
            low, high = int(source.low) + (not source.low_closed), int(source.high) - (not source.high_closed)
            return (Decimal(n) for n in range(low, high + 1))
        if all(isinstance(e, Date) for e in ends):
            low, high = source.low.days + (not source.low_closed), source.high.days - (not source.high_closed)
            return (Date.at(n) for n in range(low, high + 1))
        return None
    return None if source is None else [source]


def _steps(scope: Scope, low: Any, high: Any) -> Any:
    if isinstance(low, Date) and isinstance(high, Date):
        step = 1 if high.days >= low.days else -1
        return _counted(scope, (Date.at(n) for n in range(low.days, high.days + step, step)))
    if not (isinstance(low, Decimal) and isinstance(high, Decimal)) or low != low.to_integral_value() or high != high.to_integral_value():
        return None
    if abs(high - low) > WORK:
        raise EndlessWork(name=scope.ground.name, count=WORK)
    step = 1 if high >= low else -1
    return _counted(scope, (Decimal(n) for n in range(int(low), int(high) + step, step)))


def _counted(scope: Scope, values: Iterable[Any]) -> list[Any]:
    out = []
    for value in values:
        scope.ground.step()
        out.append(value)
    return out


def _iterators(iterators: Sequence[tuple[str, t.Node]]) -> Callable[[Scope], list[Scope] | None]:
    runs = [(name, build(source)) for name, source in iterators]
    return lambda scope: turns(scope, runs)


def turns(scope: Scope, iterators: Sequence[tuple[str, Run]]) -> list[Scope] | None:
    """A scope per turn, the last iterator running fastest; None when one has nothing to run over."""
    out = [scope]
    for name, source in iterators:
        inner: list[Scope] = []
        for outer in out:
            found = turn_over(source(outer))
            if found is None:
                return None
            for value in found:
                scope.ground.step()
                inner.append(outer.inside({name: value}))
        out = inner
    return out


def _for(found: Callable[[Scope], list[Scope] | None], node: t.Node) -> Run:
    body, partial = build(node), any(isinstance(n, t.Name) and n.name == "partial" for n in t.walk(node))

    def run(scope: Scope) -> Any:
        inner = found(scope)
        return None if inner is None else collect(inner, body, partial)

    return run


def collect(scopes: Iterable[Scope], body: Run, partial: bool) -> list[Any]:
    """The body's value in each scope; `partial` is the list so far, as it stands in that turn."""
    out: list[Any] = []
    for scope in scopes:
        out.append(body(scope.inside({"partial": list(out)}) if partial else scope))
    return out


def _range(node: t.Interval | t.Unary) -> Run:
    if isinstance(node, t.Interval):
        low, high, closed = build(node.low), build(node.high), (node.low_closed, node.high_closed)
        return lambda scope: interval(low(scope), high(scope), *closed)
    end, op = build(node.end), node.op
    return lambda scope: _one_sided(op, end(scope))


def interval(low: Any, high: Any, low_closed: bool, high_closed: bool) -> Range | None:
    """A range, null when its ends have no order between them."""
    ends = [v for v in (low, high) if v is not None]
    if not ends or any(compare("<=", a, b) is None for a in ends for b in ends):
        return None
    return Range(low, high, low_closed and low is not None, high_closed and high is not None)


def _one_sided(op: str, end: Any) -> Any:
    match op:
        case "=":
            return Range(end, end) if compare("<=", end, end) else [end]
        case "!=":
            return Unequal(end)
        case "<" | "<=":
            return interval(None, end, False, op == "<=")
    return interval(end, None, op == ">=", False)


def build_tests(node: t.Tests) -> Run:
    """The unary tests of a cell: whether the subject `?` passes one of them. Null counts as no."""
    if not node.tests:
        return lambda scope: True
    tests = [_test(test) for test in node.tests]

    def run(scope: Scope) -> bool:
        value = scope.find("?")
        return any(test(scope, value) is True for test in tests)

    def negated(scope: Scope) -> bool:
        value = scope.find("?")
        return disjunction([test(scope, value) for test in tests]) is False

    return negated if node.negated else run


def _test(node: t.Node) -> Callable[[Scope, Any], Any]:
    """A test of a value. One that speaks of `?` itself is true or it is not; another counts when it is a true condition
    and the value no boolean, or when the value is in it or equal to it. A range that cannot be is null."""
    run, ranged = build(node), isinstance(node, t.Interval | t.Unary)
    asks = any(isinstance(n, t.Subject) for n in t.walk(node))

    def test(scope: Scope, value: Any) -> Any:
        found = run(scope)
        if isinstance(found, bool) and (asks or not isinstance(value, bool)):
            return found
        return None if found is None and (asks or ranged) else passes(found, value)

    return test
