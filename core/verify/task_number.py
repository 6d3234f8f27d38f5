"""V041: how many signatures agree, how often work may be declined: a parameter that does not exist, or never has a value that
says it. Nobody could sign or decline, and would be told so only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from siquan.core.plugins import Catalogue
from siquan.core.rules.parameters import plain
from siquan.core.spec.model import ParamSpec, PluginSpec, StateSpec
from siquan.core.verify.finding import Finding, listed

CODE = "V041"


def _share(value: Any) -> bool:
    return _number(value) and 0 < value <= 1


def _times(value: Any) -> bool:
    return _number(value) and value >= 0 and value == int(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def numbers(state: StateSpec) -> Iterator[tuple[str, str, str, str, Callable[[Any], bool]]]:
    """(key, parameter, what it has to be in Chinese and English, whether a value is)."""
    if state.sign is not None and state.sign.share and "/" not in state.sign.share:
        yield "share", state.sign.share, "大于 0、不大于 1 的数", "a number above 0 and not above 1", _share
    if state.task is not None and state.task.reasons and not state.task.declines.isdigit():
        yield "declines", state.task.declines, "不小于 0 的整数", "a whole number", _times


def check(plugin: PluginSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An error where no value will do, a warning for a line that will not."""
    for process in plugin.processes:
        book = catalogue.book_of(process.id)
        for state in process.states:
            spec = {"share": state.sign, "declines": state.task}
            for key, name, zh, en, fits in numbers(state):
                where, param = spec[key].where or state.where, book.specs.get(name)  # type: ignore[union-attr]
                if param is None:
                    yield Finding(
                        CODE, "error", where, f"`{process.id}`“{state.title}”的 {key} 写着 `{name}`，没有这个参数",
                        f"`{key}` of the state `{state.name}` of `{process.id}` names `{name}`, which is no parameter",
                        f"写{'份额，如 2/3，' if key == 'share' else '次数，如 2，'}或者写 parameters 里有的名字", f"write {'a share such as 2/3' if key == 'share' else 'a number such as 2'}, or a name from `parameters`",
                    )  # fmt: skip
                    continue
                bad = _wrong(param, fits)
                if bad:
                    never = len(bad) == len(param.lines)
                    days = [str(day) for day in bad]
                    yield Finding(
                        CODE, "error" if never else "warning", param.where or where, f"参数 `{name}` 自 {listed(days)} 的值不是{zh}，`{process.id}`“{state.title}”的 {key} 用不了它",
                        f"the value of `{name}` from {listed(days, 'en')} is not {en}, so `{key}` of the state `{state.name}` of `{process.id}` cannot use it",
                        f"改成{zh}", f"make it {en}",
                    )  # fmt: skip


def _wrong(param: ParamSpec, fits: Callable[[Any], bool]) -> list[Any]:
    return [line.since for line in param.lines if line.value is None or not fits(plain(line.value))]
