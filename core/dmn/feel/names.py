"""Which names an expression may use. FEEL names hold spaces and signs (`Applicant's income`, `a+b`), so that text can
only be read with the names of its scope at hand: the longest known name wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from siquan.core.dmn.feel.lexer import Token, tokens

#: the words of a name, each with whether white space stands before it
Spelling = tuple[tuple[str, bool], ...]


def spelling(name: str) -> Spelling:
    return tuple((t.text, t.spaced) for t in tokens(name)[:-1])


def normal(name: str) -> str:
    """The name with each run of white space as one blank."""
    return " ".join(name.split())


class Names:
    """Known names, by the word they begin with; `around` are asked as well."""

    def __init__(self, names: Iterable[str] = (), *around: Names) -> None:
        self._around = around
        self._known: dict[str, list[tuple[Spelling, str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        parts = spelling(name)
        if parts:
            self._known.setdefault(parts[0][0], []).append((parts, normal(name)))

    def inside(self, names: Iterable[str] = ()) -> Names:
        return Names(names, self)

    def longest(self, found: Sequence[Token], at: int) -> tuple[str, int]:
        """The longest known name that stands at token `at`, and of how many tokens it is; ("", 0) when none does."""
        best, length = "", 0
        for parts, name in self._known.get(found[at].text, ()):
            if len(parts) > length and at + len(parts) < len(found) and _stands(parts, found, at):
                best, length = name, len(parts)
        for scope in self._around:
            outer = scope.longest(found, at)
            if outer[1] > length:
                best, length = outer
        return best, length


def _stands(parts: Spelling, found: Sequence[Token], at: int) -> bool:
    if any(found[at + n].text != text for n, (text, _) in enumerate(parts)):
        return False
    return all(found[at + n].spaced is spaced for n, (_, spaced) in enumerate(parts) if n)
