"""How a built-in function is declared, and how a call finds the form that fits its arguments.

A parameter is written `name: kind`, several kinds with `|`; `?` after the kind: may be left out or null; `*` before
the name: any number of them. A function may have several forms. Arguments get the standard's implicit conversions: a
list of one is its item, a single value is a list of one. No form fits: the call is null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from siquan.core.dmn.feel.kinds import BUILT_IN, MISFIT, fit
from siquan.core.dmn.feel.values import Function

F = TypeVar("F", bound=Callable[..., Any])
_SHORT = {"datetime": "date and time", "days": "days and time duration", "months": "years and months duration"}


@dataclass(frozen=True)
class Param:
    name: str
    kinds: tuple[str, ...]
    optional: bool = False
    many: bool = False

    def take(self, value: Any) -> Any:
        """The argument as this parameter wants it, or MISFIT."""
        if self.kinds == ("any",):
            return value
        if value is None:
            return None if self.optional else MISFIT
        for kind in self.kinds:
            wanted = BUILT_IN[kind]
            if kind != "list" and (kind != "date and time" or len(self.kinds) == 1 or type(value).__name__ == "DateTime"):
                found = fit(value, wanted)
                if found is not MISFIT and found is not None and (len(self.kinds) == 1 or not isinstance(value, list) or "list" not in self.kinds):
                    return found
        return fit(value, BUILT_IN["list"]) if "list" in self.kinds else MISFIT


@dataclass(frozen=True)
class Form:
    params: tuple[Param, ...]
    run: Callable[..., Any]

    def take(self, args: Sequence[Any]) -> Any:
        """The result for arguments in order, or MISFIT when they are not those of this form."""
        params = list(self.params)
        if params and params[-1].many:
            params = params[:-1] + [params[-1]] * max(1, len(args) - len(params) + 1)
        needed = sum(not p.optional for p in params)
        if not needed <= len(args) <= len(params):
            return MISFIT
        taken = [p.take(a) for p, a in zip(params, args, strict=False)]
        if any(a is MISFIT for a in taken):
            return MISFIT
        return self.run(*taken)

    def named(self, args: dict[str, Any]) -> Any:
        names = [p.name for p in self.params]
        if not set(args) <= set(names) or any(p.name not in args and not p.optional for p in self.params):
            return MISFIT
        if self.params and self.params[-1].many:
            last = args[names[-1]]
            return self.take([*(args[n] for n in names[:-1]), *(last if isinstance(last, list) else [last])])
        return self.take([args.get(n) for n in names])


FORMS: dict[str, list[Form]] = {}


def builtin(name: str, *params: str) -> Callable[[F], F]:
    """Declares one form of a built-in function; forms are tried in the order they are declared."""
    form = tuple(_param(p) for p in params)

    def declared(run: F) -> F:
        FORMS.setdefault(name, []).append(Form(form, run))
        return run

    return declared


def _param(text: str) -> Param:
    name, _, kinds = text.partition(":")
    words = tuple(_SHORT.get(k, k) for k in kinds.strip().rstrip("?").split("|"))
    return Param(name.strip().lstrip("*"), words, text.endswith("?"), name.startswith("*"))


def as_function(name: str) -> Function:
    """The built-in function as a value of the language."""
    forms = FORMS[name]

    def run(args: Sequence[Any]) -> Any:
        for form in forms:
            found = form.take(args)
            if found is not MISFIT:
                return found
        return None

    def by_name(args: dict[str, Any]) -> Any:
        for form in forms:
            found = form.named(args)
            if found is not MISFIT:
                return found
        return None

    params = tuple((p.name, BUILT_IN.get(p.kinds[0])) for p in forms[0].params)
    return Function(params, run, None, by_name, name)
