"""The second reading: durable_rules matches the conjunctions of every condition. Only this module touches it.

durable_rules 2.0.28 is C code with sharp edges. What keeps it safe here, and why:

- one `Host`, whose `_run` does nothing: otherwise two timer threads run for ever;
- one live session at a time under a lock, deleted at once: session names are hashed, and 1,025 of them crash;
- a rule that always fires in every rule set: deleting a session in which nothing fired frees garbage. After a
  failure before the first firing a session is left alone, not deleted, and its id is never used again;
- facts, never events: an event is used up by the first rule that fires;
- no absence tests and no `$or`: `$nex` loops on the state fact, `$or` fires twice. A flag beside a value says
  that it is known, and every rule carries one conjunction;
- at most 58 conjunctions per rule set, because of 64 that hold at once none fires, and at most 240 fields;
- short field names, checked free of collisions: the engine knows names by a 32-bit hash only;
- integers only, made by `atoms.Scale`: the engine compares `"5"` and 18 as text.

Derived booleans are chained: the conjunctions of a derived fact are rules like any other, and what they prove is
asserted as a known fact for the rules that read it. This goes stage by stage, in the order of dependency, a session
each. To assert it into the session that proved it is safe, too, and no faster (rules that join two facts, measured);
but the limits split the rules, and what one rule set proves has to reach the others in any case.

Rules are named by what they prove (`3T0`: rule 3 is true, by its conjunction 0), and the engine hands the
name back with each firing. It is read off the engine's answer, without actions: an action would be told
nothing, and what it raises would end up in the session's state.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import weakref
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.rules.atoms import HIGH, LOW, Atom, Atoms, Conjunction, Conjunctions, scales
from siquan.core.rules.tree import Fact, Node, walk
from siquan.core.rules.values import ABSENT, Span

try:
    from durable import engine
except ImportError:  # not built here, or built without PyEval_CallObject on Python 3.13 and later
    engine = None

CONJUNCTIONS = 58
FIELDS = 240
#: Sessions left alone after failures; the engine has room for 1,024 and crashes beyond.
SESSIONS = 1000
#: Atoms in one conjunction, three fields each at most; beyond it the condition is computed as a whole.
WIDTH = FIELDS // 3
#: Names the engine gives a meaning to; a field may not share a hash with any of them.
RESERVED = (
    "sid id c m all any pri count cap dist run name $s $time $timerName $baseTime $pulse $forward $m $i $l "
    "$r $lt $lte $gt $gte $eq $neq $mt $imt $iall $iany $ex $nex $or $and $not $all $any $add $sub $mul $div "
    "chart_context label chart running exception"
).split()

_NEGATED = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "!="}
_OPERATOR = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte", "!=": "$neq"}
_UNKNOWN = 2

#: A field: k known flag, v value with "absent" as LOW, h the same with HIGH, a computed atom; and whose.
Slot = tuple[str, str | int]
#: `slot op integer`.
Match = tuple[int, str, int]


class DurableMissing(SiquanError):
    """durable_rules is not installed"""

    code = "SQ471"
    zh = "没有安装 durable_rules"
    help_en = "install it with a C compiler and the Python headers, or let the compiled reading decide alone"
    help_zh = "安装它需要 C 编译器与 Python 头文件；不装则只由编译读法判定"
    http = 500


class DurableFault(SiquanError):
    """durable_rules failed: {why}"""

    code = "SQ472"
    zh = "durable_rules 出错：{why}"
    http = 500


class DurableContradiction(SiquanError):
    """durable_rules found `{rule}` both true and false"""

    code = "SQ473"
    zh = "durable_rules 判定 `{rule}` 既成立又不成立"
    http = 500


def available() -> bool:
    """Whether the second reading can be had here."""
    return engine is not None


def fnv(name: str) -> int:
    """The 32-bit hash by which the engine knows a name."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def names(wanted: Iterable[str], taken: Iterable[str] = RESERVED) -> list[str]:
    """The wanted names, each lengthened until its hash is its own."""
    seen = {fnv(n) for n in taken}
    out = []
    for name in wanted:
        while fnv(name) in seen:
            name += "x"
        seen.add(fnv(name))
        out.append(name)
    return out


if engine is not None:

    class Host(engine.Host):  # type: ignore[misc]
        """The engine's host without its never-ending timer threads."""

        def _run(self) -> None:
            """No background threads: there are no timers and no queued actions to dispatch."""


class RuleSet:
    """A registered rule set of at most 58 conjunctions; `fire` says which of them hold."""

    def __init__(self, name: str, definition: dict[str, Any], fields: Sequence[str]) -> None:
        rules = {rule: {**body, "run": _nothing} for rule, body in definition.items()}
        rules["seen"] = {"all": [{"m": {"c": 1}}], "run": _nothing}
        host = _host()
        try:
            host.register_rulesets({name: rules})
        except Exception as e:
            raise DurableFault(why=f"{name}: {e}") from e
        # The host would keep it for ever, 12 KB per conjunction; here it lives as long as a reading uses it.
        own = host._ruleset_directory.pop(name)
        host._ruleset_list.remove(own)
        self.name = name
        self._handle = own._handle
        self._engine = engine.durable_rules_engine
        weakref.finalize(self, self._engine.delete_ruleset, self._handle).atexit = False
        self._session = 1
        # One fact per session: its id is fixed, which saves the engine the hash over all its properties.
        slots = "".join(f',"{f}":%d' for f in fields)
        self._fact = '{"sid":"%d","id":"1","c":1' + slots + "}"

    def fire(self, values: Sequence[int]) -> list[str]:
        """Names of the rules that hold; the caller has the lock. Raises DurableFault."""
        call, handle, sid = self._engine, self._handle, self._session
        if sid > SESSIONS:
            raise DurableFault(why=f"{self.name}: too many failures, restart the process")
        fired: list[str] = []
        started = False
        try:
            code, state = call.assert_fact(handle, self._fact % (sid, *values))
            first = None if code else call.start_action_for_state(handle, state)
            started = first is not None
            answer = first[1] if first else None
            while answer:  # {"3T0":{"m":{...}}}
                fired.append(answer[2 : answer.index('"', 2)])
                answer = call.complete_and_start_action(handle, state)
        except Exception as e:
            raise DurableFault(why=f"{self.name}: {e}") from e
        finally:
            if started:
                call.delete_state(handle, str(sid))
            else:
                self._session += 1
        if "seen" not in fired:
            raise DurableFault(why=f"{self.name}: the rule that always fires did not, code {code}")
        fired.remove("seen")
        return fired


def _nothing(c: Any) -> None:
    """The engine demands an action per rule; firings are read off its answers instead."""


_lock = threading.RLock()
_hosts: list[Any] = []
_sets: weakref.WeakValueDictionary[str, RuleSet] = weakref.WeakValueDictionary()


def _host() -> Any:
    if not _hosts:
        _hosts.append(Host())
    return _hosts[0]


def _forked() -> None:
    # Another thread of the parent may have held the lock; in the child nobody does.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def registered() -> int:
    """How many rule sets this process holds."""
    return len(_sets)


def _register(name: str, definition: dict[str, Any], fields: Sequence[str]) -> RuleSet:
    """The rule set of this content, registered once in the process, whatever its name."""
    digest = hashlib.sha256(json.dumps([definition, list(fields)]).encode()).hexdigest()
    with _lock:
        known = _sets.get(digest)
        if known is None:
            # `$state` and `$flow` at the end of a name mean something to the engine.
            known = _sets[digest] = RuleSet(f"{name.replace('$', '_')}@{digest[:16]}", definition, fields)
        return known


@dataclass(frozen=True, slots=True)
class Stage:
    """Rule sets that fire together, each with the slots it is given; `ends` are the derived facts they prove."""

    chunks: tuple[tuple[RuleSet, tuple[int, ...]], ...]
    ends: tuple[str, ...]


class DurableReading:
    """The conditions of a rule set as durable_rules reads them.

    `name` should carry the rule set's version. `params` are baked in: other values, another reading. Facts in
    `computed` are left to Python. `derived` gives the trees of derived facts, of which those that are boolean and
    that a condition reads, directly or through others, are chained. Raises DurableMissing, DurableFault.
    """

    def __init__(
        self,
        name: str,
        conditions: Sequence[tuple[str, Node]],
        params: Mapping[str, Any],
        computed: Iterable[str] = (),
        derived: Mapping[str, Node] | None = None,
    ) -> None:
        if not available():
            raise DurableMissing
        self.name = name
        self._conditions, self._params, self._derived = tuple(conditions), params, derived or {}
        self._computed_paths = frozenset(computed)
        self._others: dict[frozenset[str], DurableReading] = {}
        self._atoms = Atoms(params, self._computed_paths)
        chained = chain((node for _, node in self._conditions), self._derived)
        #: derived fact -> where it stands behind the rules
        self._chained = {path: len(self._conditions) + n for n, path in enumerate(chained)}
        self._heads = [rule for rule, _ in self._conditions] + chained
        sides = [self._sides(node) for _, node in self._conditions] + [self._sides(self._derived[p]) for p in chained]
        self._scales = scales(self._atoms.atoms)
        self._slots: dict[Slot, int] = {}
        proofs = [
            [
                (f"{i}{'TF'[s]}{n}", self._matches(conjunction))
                for s, side in enumerate(both)
                for n, conjunction in enumerate(side)
            ]
            for i, both in enumerate(sides)
        ]
        self._stages = self._staged(proofs)
        at = self._slots.get
        self._reads = [
            (path, scale, known, at(("v", path)), at(("h", path)))
            for path, scale in self._scales.items()
            if (known := at(("k", path))) is not None
        ]
        self._asserts = {read[0]: read[1:] for read in self._reads if read[0] in self._chained}
        slots = self._slots.items()
        self._asks = [(self._atoms[key].node, i) for (_, key), i in slots if isinstance(key, int)]

    @property
    def scalar_atoms(self) -> tuple[Atom, ...]:
        """The atoms the engine matches itself."""
        return tuple(a for i, a in enumerate(self._atoms.atoms) if self._scalar(i))

    @property
    def computed_atoms(self) -> tuple[Atom, ...]:
        """The atoms Python hands over as true, false or unknown."""
        return tuple(a for i, a in enumerate(self._atoms.atoms) if not self._scalar(i))

    @property
    def chained(self) -> tuple[str, ...]:
        """The derived facts the engine derives itself."""
        return tuple(self._chained)

    def decide(
        self, scalar: Callable[[str], Any], computed: Callable[[Node], bool | None]
    ) -> dict[str, bool | None]:
        """Rule id -> true, false or None (unknown), no derived fact being stated; see `read`."""
        return self.read(scalar, computed)[0]

    def read(
        self, scalar: Callable[[str], Any], computed: Callable[[Node], bool | None], stated: Container[str] = ()
    ) -> tuple[dict[str, bool | None], dict[str, bool | None]]:
        """The truth, or None (unknown), of every rule by its id, and of every chained fact that was not stated.

        `scalar(path)` is the fact's value, None (unknown) or ABSENT; `computed(node)` evaluates an atom in
        Python; a derived fact in `stated` is taken from `scalar`. Raises WrongValue, DurableFault,
        DurableContradiction.
        """
        values = [0] * len(self._slots)
        spans = []
        for path, scale, known, low, high in self._reads:
            if path in self._chained and path not in stated:
                continue
            value = scalar(path)
            if value is None:
                continue
            if isinstance(value, Span):
                spans.append(path)
                continue
            values[known] = 1
            code = None if value is ABSENT else scale.encode(value)
            if low is not None:
                values[low] = LOW if code is None else code
            if high is not None:
                values[high] = HIGH if code is None else code
        if spans:
            # A number known only within bounds is no integer: Python computes what reads it.
            return self._without(spans).read(scalar, computed, stated)
        for node, at in self._asks:
            truth = computed(node)
            values[at] = _UNKNOWN if truth is None else int(truth)
        truths: list[bool | None] = [None] * len(self._heads)
        with _lock:
            for stage in self._stages:
                for name in [n for rules, pick in stage.chunks for n in rules.fire([values[i] for i in pick])]:
                    self._prove(truths, name)
                for path in stage.ends:
                    if path not in stated:
                        self._assert(values, path, truths[self._chained[path]])
        count = len(self._conditions)
        found = {path: truths[at] for path, at in self._chained.items() if path not in stated}
        return dict(zip(self._heads[:count], truths[:count], strict=True)), found

    def _prove(self, truths: list[bool | None], name: str) -> None:
        truth = "T" in name
        at = int(name[: name.index("T" if truth else "F")])
        if truths[at] is not None and truths[at] is not truth:
            raise DurableContradiction(rule=self._heads[at])
        truths[at] = truth

    def _assert(self, values: list[int], path: str, truth: bool | None) -> None:
        """What was proved of a derived fact, as a fact for the stages to come."""
        slots = self._asserts.get(path)
        if truth is None or slots is None:
            return
        scale, known, low, high = slots
        values[known] = 1
        for slot in (low, high):
            if slot is not None:
                values[slot] = scale.encode(truth)

    def _without(self, paths: Iterable[str]) -> DurableReading:
        away = self._computed_paths | frozenset(paths)
        if away not in self._others:
            self._others[away] = DurableReading(self.name, self._conditions, self._params, away, self._derived)
        return self._others[away]

    # From conditions to rule sets

    def _sides(self, node: Node) -> tuple[Conjunctions, Conjunctions]:
        true, false = self._atoms.sides(node)
        if any(len(c) > WIDTH for c in (*true, *false)):
            whole = self._atoms.computed(node)
            return (frozenset({(whole, True)}),), (frozenset({(whole, False)}),)
        return true, false

    def _scalar(self, index: int) -> bool:
        test = self._atoms[index].test
        return test is not None and (test.op == "present" or self._scales[test.path].fits(test.value))

    def _matches(self, conjunction: Conjunction) -> list[Match]:
        """The field comparisons that together say it, one fact's side by side, its known flag first."""
        out: dict[Match, None] = {}
        for index, truth in sorted(conjunction):
            for slot, op, constant in self._literal(index, truth):
                out[(self._slots.setdefault(slot, len(self._slots)), op, constant)] = None
        return sorted(out)

    def _literal(self, index: int, truth: bool) -> list[tuple[Slot, str, int]]:
        test = self._atoms[index].test
        if test is None or not self._scalar(index):
            return [(("a", index), "=", int(truth))]
        known: tuple[Slot, str, int] = (("k", test.path), "=", 1)
        v, h = ("v", test.path), ("h", test.path)
        if test.op == "present":
            return [known, (v, "!=" if truth else "=", LOW)]
        c = self._scales[test.path].encode(test.value)
        # What is known to be absent compares false: it is LOW where a comparison wants more, HIGH where less.
        if test.op == "!=":
            return [known, (v, "!=", c), (v, "!=", LOW)] if truth else [known, (v, "<=", c), (h, ">=", c)]
        slot = h if test.op in ("<", "<=") else v
        return [known, (slot, test.op if truth else _NEGATED[test.op], c)]

    def _staged(self, proofs: Sequence[Sequence[tuple[str, list[Match]]]]) -> tuple[Stage, ...]:
        """Rule sets by stage: what reads a chained fact comes after what proves it."""
        at = {slot: self._chained[path] for (_, path), slot in self._slots.items() if path in self._chained}
        reads = [{at[slot] for _, matches in own for slot, _, _ in matches if slot in at} for own in proofs]
        order = [0] * len(proofs)
        for _ in proofs:  # no longer than the longest chain
            later = [max((order[head] + 1 for head in own), default=0) for own in reads]
            if later == order:
                break
            order = later
        stages = []
        for number in range(max(order, default=-1) + 1):
            heads = [head for head, n in enumerate(order) if n == number]
            ends = tuple(self._heads[head] for head in heads if head >= len(self._conditions))
            stages.append(Stage(tuple(self._register([proof for head in heads for proof in proofs[head]])), ends))
        return tuple(stages)

    def _register(self, proofs: list[tuple[str, list[Match]]]) -> list[tuple[RuleSet, tuple[int, ...]]]:
        """Rule sets within the engine's limits, each with the slots it is given."""
        letters = [letter for letter, _ in self._slots]
        chunks: list[tuple[RuleSet, tuple[int, ...]]] = []
        batch: dict[str, list[Match]] = {}
        used: set[int] = set()

        def close() -> None:
            if batch:
                # Fields are numbered afresh in each rule set, so that equal content is registered once.
                order = sorted(used)
                fields = names(f"{letters[slot]}{n}" for n, slot in enumerate(order))
                tokens = dict(zip(order, fields, strict=True))
                definition = {name: _rule(matches, tokens) for name, matches in batch.items()}
                chunks.append((_register(self.name, definition, fields), tuple(order)))
                batch.clear()
                used.clear()

        for name, matches in proofs:
            slots = {slot for slot, _, _ in matches}
            if len(batch) == CONJUNCTIONS or len(used | slots) > FIELDS:
                close()
            batch[name] = matches
            used |= slots
        close()
        return chunks


def chain(conditions: Iterable[Node], derived: Mapping[str, Node]) -> list[str]:
    """The boolean derived facts that conditions read, directly or through other derived facts."""
    todo, seen = list(conditions), dict[str, bool]()
    while todo:
        for node in walk(todo.pop()):
            if isinstance(node, Fact) and node.path in derived and node.path not in seen:
                tree = derived[node.path]
                seen[node.path] = node.type.kind == tree.type.kind == "boolean"
                todo.append(tree)
    return [path for path, boolean in seen.items() if boolean]


def _rule(matches: list[Match], tokens: Mapping[int, str]) -> dict[str, Any]:
    """A durable rule; one that needs nothing hangs on the constant field."""
    tests: list[dict[str, Any]] = [{"c": 1}] if not matches else []
    for slot, op, value in matches:
        equal = {tokens[slot]: value}
        tests.append(equal if op == "=" else {_OPERATOR[op]: equal})
    return {"all": [{"m": tests[0] if len(tests) == 1 else {"$and": tests}}]}
