"""V021: a kind of sensitive fact that no mask knows. It is masked whole, where part of it might be shown, and it does
not count among the kinds that stay masked until asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import FactSpec, PluginSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V021"
#: the kinds of domain 0.5(4); `service.mask` says what each shows
KINDS = ("name", "phone", "id", "address", "crime", "party", "money", "health")


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """A warning per fact."""
    for process in plugin.processes:
        for name, spec in _all(process.facts):
            if spec.sensitive and spec.sensitive not in KINDS:
                yield Finding(
                    CODE, "warning", spec.where, f"`{process.id}` 的事实 `{name}` 标的敏感种类 `{spec.sensitive}` 没有这一种",
                    f"`{spec.sensitive}` of the fact `{name}` of `{process.id}` is no known kind of sensitive fact",
                    f"可用 {listed(KINDS)}", f"known: {listed(KINDS, 'en')}",
                )  # fmt: skip


def _all(facts: Iterable[FactSpec], head: str = "") -> Iterator[tuple[str, FactSpec]]:
    for spec in facts:
        yield f"{head}{spec.name}", spec
        yield from _all(spec.fields, f"{head}{spec.name}.")
