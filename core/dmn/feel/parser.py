"""Tokens to tree, by recursive descent over the standard's grammar, with the names of the scope at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from siquan.core.dmn.feel import tree as t
from siquan.core.dmn.feel.kinds import ANY, BUILT_IN, SYNONYMS, Kind
from siquan.core.dmn.feel.lexer import FeelFault, Token, tokens, unquoted
from siquan.core.dmn.feel.names import Names, normal
from siquan.core.dmn.feel.temporal import parse_temporal
from siquan.core.dmn.feel.values import NUMBERS, number

KEYWORDS = frozenset(
    "for return if then else some every satisfies in and or between instance of function external true false null".split()
)
_COMPARE = ("<", "<=", ">", ">=", "=", "!=")
#: brackets, signs and branches an expression may nest, and levels of its tree (a sum of n terms has n); the readings
#: walk it recursively
DEEPEST, LEVELS = 50, 150
#: the properties of built-in values that are of several words
PROPERTIES = ("time offset", "start included", "end included")
#: what may follow a range that closes with `[`, so that this `[` is no filter
_AFTER_RANGE = frozenset([*", ) ] } < > = != <= >= .. +".split(), "", *KEYWORDS - {"true", "false", "null", "not", "if", "for", "some", "every"}])


class _Parser:
    def __init__(self, text: str, names: Names, members: Names, kinds: Mapping[str, Kind]) -> None:
        self.text, self.found, self.at = text, tokens(text), 0
        self.names, self.members, self.kinds = names, Names(PROPERTIES, members), kinds
        self.types = Names([k for k in kinds if " " in k or not k.isidentifier()])
        self.depth = 0
        self.ending = False  # at the high end of a range, where `[` may close it

    # tokens

    @property
    def now(self) -> Token:
        return self.found[self.at]

    def ahead(self, n: int = 1) -> str:
        return self.found[min(self.at + n, len(self.found) - 1)].text

    def fault(self, token: Token | None = None) -> FeelFault:
        token = token or self.now
        return FeelFault(text=self.text.strip()[:200], found=token.text or "…", at=token.start + 1)

    def take(self, text: str) -> bool:
        if self.now.text == text and self.now.kind in ("sign", "word"):
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.fault()

    @contextmanager
    def deeper(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault()
        try:
            yield
        finally:
            self.depth -= 1

    # names

    def known(self) -> str:
        """A known name at this place, taken; "" when there is none."""
        name, length = self.names.longest(self.found, self.at)
        if length == 1 and name in KEYWORDS:
            return ""
        self.at += length
        return name

    def fresh(self, *stops: str) -> str:
        """A name that is being introduced: everything up to one of `stops`."""
        start = self.at
        while self.now.text not in stops and (self.now.kind in ("word", "number") or self.now.text in ("-", "+", "*", "/", ".", "'", "?")):
            self.at += 1
        if start == self.at or self.found[start].kind == "number":
            raise self.fault()
        return normal(self.text[self.found[start].start : self.found[self.at - 1].end])

    # expressions, the loosest binding first

    def expression(self) -> t.Node:
        with self.deeper():
            word = self.now.text if self.now.kind == "word" else ""
            if word in ("for", "if", "some", "every") and self.names.longest(self.found, self.at)[1] < 2:
                return self.for_() if word == "for" else self.if_() if word == "if" else self.quantified()
            return self.or_()

    def if_(self) -> t.Node:
        self.need("if")
        test = self.expression()
        self.need("then")
        then = self.expression()
        self.need("else")
        return t.If(test, then, self.expression())

    def iterators(self, last: str) -> tuple[tuple[str, t.Node], ...]:
        out = []
        while True:
            name = self.fresh("in")
            self.need("in")
            source = self.expression()
            if self.take(".."):
                source = t.Steps(source, self.expression())
            out.append((name, source))
            self.names = self.names.inside([name])
            if not self.take(","):
                self.need(last)
                return tuple(out)

    def for_(self) -> t.Node:
        outer = self.names
        self.need("for")
        found = self.iterators("return")
        self.names = self.names.inside(["partial"])
        node = t.For(found, self.expression())
        self.names = outer
        return node

    def quantified(self) -> t.Node:
        outer = self.names
        kind = self.now.text
        self.at += 1
        found = self.iterators("satisfies")
        node = t.Quantified(kind, found, self.expression())
        self.names = outer
        return node

    def or_(self) -> t.Node:
        items = [self.and_()]
        while self.take("or"):
            items.append(self.and_())
        return items[0] if len(items) == 1 else t.Or(tuple(items))

    def and_(self) -> t.Node:
        items = [self.comparison()]
        while self.take("and"):
            items.append(self.comparison())
        return items[0] if len(items) == 1 else t.And(tuple(items))

    def comparison(self) -> t.Node:
        left = self.sum()
        while True:
            op = self.now.text if self.now.kind in ("sign", "word") else ""
            if op in _COMPARE:
                self.at += 1
                left = t.Compare(op, left, self.sum())
            elif op == "between":
                self.at += 1
                low = self.sum()
                self.need("and")
                left = t.Between(left, low, self.sum())
            elif op == "in":
                self.at += 1
                left = t.In(left, self.grouped() if self.now.text == "(" else (self.sum(),))
            else:
                return left

    def grouped(self) -> tuple[t.Node, ...]:
        """`(test, test)` or the range `(1..5]` after `in`."""
        with self.deeper(), self.inside():
            self.need("(")
            found = self.tests()
            if self.now.text != "..":
                self.need(")")
                return (self.postfix(found[0]),) if len(found) == 1 else found
        return (self.interval(found[0], "("),)

    def sum(self) -> t.Node:
        left = self.product()
        while self.now.kind == "sign" and self.now.text in ("+", "-"):
            op = self.now.text
            self.at += 1
            left = t.Arith(op, left, self.product())
        return left

    def product(self) -> t.Node:
        left = self.power()
        while self.now.kind == "sign" and self.now.text in ("*", "/"):
            op = self.now.text
            self.at += 1
            left = t.Arith(op, left, self.power())
        return left

    def power(self) -> t.Node:
        left = self.signed()
        while self.take("**"):
            left = t.Arith("**", left, self.signed())
        return left

    def signed(self) -> t.Node:
        if self.now.text == "-" and self.now.kind == "sign":
            with self.deeper():
                self.at += 1
                item = self.signed()
                if isinstance(item, t.Literal) and item.value is not None and self.found[self.at - 1].kind == "number":
                    return t.Literal(NUMBERS.minus(item.value))
                return t.Neg(item)
        node = self.postfix(self.primary())
        while self.now.text == "instance" and self.ahead() == "of":
            self.at += 2
            node = t.InstanceOf(node, self.kind())
        return node

    def postfix(self, node: t.Node) -> t.Node:
        while self.now.kind == "sign":
            if self.now.text == "." and self.found[self.at + 1].kind == "word":
                self.at += 1
                name, length = self.members.longest(self.found, self.at)
                if length < 2:
                    name, length = self.now.text, 1
                self.at += length
                node = t.Path(node, name)
            elif self.now.text == "[" and not (self.ending and self.ahead() in _AFTER_RANGE):
                node = self.filter(node)
            elif self.now.text == "(":
                node = self.call(node)
            else:
                break
        return node

    def filter(self, source: t.Node) -> t.Node:
        outer = self.names
        self.need("[")
        # inside, the members of an item are names as well
        self.names = Names(["item"], outer, self.members)
        with self.inside():
            cond = self.expression()
        self.need("]")
        self.names = outer
        return t.Filter(source, cond)

    def call(self, func: t.Node) -> t.Node:
        self.need("(")
        args: list[t.Node] = []
        names: list[str] = []
        with self.inside():
            while not self.take(")"):
                if args:
                    self.need(",")
                name = self.argument_name()
                if bool(name) is not bool(names) and args:
                    raise self.fault()
                names += [name] if name else []
                args.append(self.expression())
        return t.Call(func, tuple(args), tuple(names))

    def argument_name(self) -> str:
        """`name:` before a named argument, taken; "" when the argument is positional."""
        end = self.at
        while self.found[end].kind in ("word", "number") or self.found[end].text in ("-", "'"):
            end += 1
        if end == self.at or self.found[end].text != ":" or self.found[self.at].kind != "word":
            return ""
        name = normal(self.text[self.now.start : self.found[end - 1].end])
        self.at = end + 1
        return name

    def primary(self) -> t.Node:
        token = self.now
        match token.kind:
            case "number":
                self.at += 1
                value = number(NUMBERS.create_decimal(token.text))
                return t.Literal(value)
            case "string":
                self.at += 1
                return t.Literal(unquoted(token.text))
            case "word":
                return self.word()
            case "sign":
                return self.sign(token.text)
        raise self.fault()

    def word(self) -> t.Node:
        if self.now.text == "function" and self.ahead() == "(":
            return self.function()
        name = self.known()
        if name:
            return t.Name(name)
        word = self.now.text
        if word in ("true", "false", "null"):
            self.at += 1
            return t.Literal({"true": True, "false": False, "null": None}[word])
        if word in ("for", "if", "some", "every"):
            return self.expression()  # `1 + if a then b else c`
        if word in KEYWORDS:
            raise self.fault()
        self.at += 1
        return t.Name(word)

    def sign(self, text: str) -> t.Node:
        match text:
            case "?":
                self.at += 1
                return t.Subject()
            case "@":
                self.at += 1
                if self.now.kind != "string":
                    raise self.fault()
                self.at += 1
                return t.Literal(parse_temporal(unquoted(self.found[self.at - 1].text)))
            case "{":
                return self.context()
            case "(" | "[" | "]":
                with self.deeper():
                    return self.bracket(text)
            case _ if text in _COMPARE:
                self.at += 1
                return t.Unary(text, self.sum())
        raise self.fault()

    def bracket(self, opens: str) -> t.Node:
        self.at += 1
        with self.inside():
            if opens == "[" and self.take("]"):
                return t.ListOf(())
            items = [self.expression()]
            if self.now.text != "..":
                while opens == "[" and self.take(","):
                    items.append(self.expression())
                self.need({"(": ")", "[": "]", "]": ".."}[opens])
                return items[0] if opens == "(" else t.ListOf(tuple(items))
        return self.interval(items[0], opens)

    def interval(self, low: t.Node, opens: str) -> t.Node:
        self.need("..")
        with self.inside(True):
            high = self.expression()
        close = self.now.text
        if close not in (")", "]", "["):
            raise self.fault()
        self.at += 1
        return t.Interval(low, high, opens == "[", close == "]")

    @contextmanager
    def inside(self, ending: bool = False) -> Iterator[None]:
        """Between brackets, where a `[` is a filter again, or at the high end of a range."""
        outer, self.ending = self.ending, ending
        try:
            yield
        finally:
            self.ending = outer

    def context(self) -> t.Node:
        outer = self.names
        self.need("{")
        self.names = self.names.inside()
        entries: list[tuple[str, t.Node]] = []
        with self.deeper(), self.inside():
            while not self.take("}"):
                if entries:
                    self.need(",")
                if self.now.kind == "string":
                    key = unquoted(self.now.text)
                    self.at += 1
                else:
                    key = self.fresh(":")
                self.need(":")
                entries.append((key, self.expression()))
                self.names.add(key)
                if len(key.split()) > 1 or not key.isidentifier():
                    self.members.add(key)
        self.names = outer
        return t.Context(tuple(entries))

    def function(self) -> t.Node:
        outer = self.names
        self.need("function")
        self.need("(")
        params: list[tuple[str, Kind | None]] = []
        while not self.take(")"):
            if params:
                self.need(",")
            name = self.fresh(":", ",", ")")
            params.append((name, self.kind() if self.take(":") else None))
        self.names = self.names.inside([name for name, _ in params])
        external = self.take("external")
        body = self.expression()
        self.names = outer
        return t.Function(tuple(params), None if external else body)

    # types

    def kind(self) -> Kind:
        name, length = self.types.longest(self.found, self.at)
        built = Names([k for k in BUILT_IN if " " in k]).longest(self.found, self.at)
        if max(length, built[1]) > 1:
            self.at += max(length, built[1])
            return self.kinds[name] if length >= built[1] else BUILT_IN[built[0]]
        if self.now.kind != "word":
            raise self.fault()
        word = self.now.text
        self.at += 1
        if word in self.kinds:
            return self.kinds[word]
        found = BUILT_IN.get(SYNONYMS.get(word, word))
        if found is None:
            raise self.fault(self.found[self.at - 1])
        return self.parts(found) if self.now.text == "<" and found.name in ("list", "range", "context", "function") else found

    def parts(self, outer: Kind) -> Kind:
        """`<...>` after list, range, context and function."""
        self.need("<")
        if outer.name in ("list", "range"):
            item = self.kind()
            self.need(">")
            return Kind(outer.name, item=item)
        if outer.name == "context":
            fields: dict[str, Kind] = {}
            while not self.take(">"):
                if fields:
                    self.need(",")
                key = self.fresh(":")
                self.need(":")
                fields[key] = self.kind()
            return Kind("context", fields=fields)
        params: list[Kind] = []
        while not self.take(">"):
            if params:
                self.need(",")
            params.append(self.kind())
        return Kind("function", params=tuple(params), item=self.kind() if self.take("->") else ANY)

    # unary tests

    def tests(self) -> tuple[t.Node, ...]:
        items = [self.expression()]
        while self.take(","):
            items.append(self.expression())
        return tuple(items)

    def cell(self) -> t.Node:
        if self.now.kind == "end" or (self.now.text == "-" and self.found[self.at + 1].kind == "end"):
            self.at = len(self.found) - 1
            return t.Tests(())
        if self.now.text == "not" and self.ahead() == "(":
            start = self.at
            try:
                self.at += 2
                found = self.tests()
                self.need(")")
                return self.whole(t.Tests(found, True))
            except FeelFault:
                self.at = start  # `not(a) and b`
        return self.whole(t.Tests(self.tests()))

    def whole(self, node: t.Node) -> t.Node:
        if self.now.kind != "end":
            raise self.fault()
        return node


def parse(text: str, names: Names, members: Names | None = None, kinds: Mapping[str, Kind] | None = None) -> t.Node:
    """One expression. `names` are those of the scope, `members` the names of components that are of several words,
    `kinds` the model's types. Raises FeelFault."""
    parser = _Parser(text, names, members or Names(), kinds or {})
    return _shallow(parser, lambda: parser.whole(parser.expression()))


def parse_tests(text: str, names: Names, members: Names | None = None, kinds: Mapping[str, Kind] | None = None) -> t.Node:
    """The unary tests of a cell, as Tests. Raises FeelFault."""
    parser = _Parser(text, names, members or Names(), kinds or {})
    return _shallow(parser, parser.cell)


def _shallow(parser: _Parser, read: Callable[[], t.Node]) -> t.Node:
    try:
        node = read()
    except RecursionError:
        raise parser.fault() from None
    level: list[t.Node] = [node]
    for _ in range(LEVELS):
        level = [part for one in level for part in t.parts(one)]
        if not level:
            return node
    raise parser.fault(parser.found[0])
