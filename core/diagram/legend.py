"""What a picture of boxes and arrows leaves out, in words: deadlines with what happens when they are over, steps the clock
takes, children and where they are opened, obligations that come again with every period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from siquan.core.spec.model import DueSpec, ProcessSpec, Span, StateSpec, TransitionSpec

_WORDS: dict[str, Any] = {
    "zh": {"due": "期限　{0}：{1}，{2}", "remind": "到期提醒", "fire": "到期自动办“{0}”", "child": "子事项　{0}时“{1}”：{2}，可以有多件", "from": "{1}起 {0}", "before": "{1}以前 {0}",
           "on": "{0}当日", "day": "{0} 日", "workday": "{0} 个工作日", "month": "{0} 个月", "name": "{0}（{1}）",
           "duty": "义务　{0}：{1}一次{2}", "warn": "，期满前 {0}提醒", "make_up": "，逾期后 {0}内可以补", "every": {"month": "每月", "two_months": "每两个月", "quarter": "每季度", "half": "每半年", "year": "每年"}},
    "en": {"due": "Deadline — {0}: {1}, {2}", "remind": "then a reminder", "fire": "then the clock takes “{0}”", "child": "Child cases — in {0}, “{1}” opens {2}, any number of them",
           "from": "{0} from {1}", "before": "{0} before {1}", "on": "the day of {0}", "day": "{0} days", "workday": "{0} working days", "month": "{0} months", "name": "{0} ({1})",
           "duty": "Obligation — {0}: once {1}{2}", "warn": ", a reminder {0} before its end", "make_up": ", may be made up within {0} after it",
           "every": {"month": "a month", "two_months": "every two months", "quarter": "a quarter", "half": "every half-year", "year": "a year"}},
}  # fmt: skip


@dataclass(frozen=True)
class Note:
    """One line about a state; `child` is the process it tells of."""

    state: str
    text: str
    child: str = ""


def notes(
    spec: ProcessSpec, lang: str, titled: Callable[[StateSpec], str], named: Callable[[StateSpec | None, TransitionSpec], str],
    children: Mapping[str, str], number: Callable[[DueSpec | Span], str], texts: Mapping[str, str],
) -> list[Note]:  # fmt: skip
    """`titled` and `named` speak the language; `texts` are its words by path, for the titles of deadlines, facts and duties."""
    words = _WORDS["zh" if lang.startswith("zh") else "en"]
    facts = {f.name: texts.get(f"facts.{f.name}.title") or f.title for f in spec.facts}
    out: list[Note] = []
    for state in spec.states:
        steps = {t.name: t for t in (*state.transitions, *spec.anywhere)}
        for due in () if state.final else state.dues:
            n, anchor = number(due), due.start or due.before
            span = words[due.unit].format(n)
            if anchor:
                shown = facts.get(f"{due.prefix}.{anchor}") or facts.get(anchor, anchor)
                span = words["on"].format(shown) if n == "0" else words["before" if due.before else "from"].format(span, shown)
            then = words["remind"] if due.then == "remind" or due.then not in steps else words["fire"].format(named(state, steps[due.then]))
            own = due.title and (texts.get(f"states.{state.name}.due.title") if due.name == "due" else texts.get(f"states.{state.name}.dues.{due.name}.title")) or due.title
            title = titled(state) if not due.title or due.title == state.title else words["name"].format(titled(state), own)
            out.append(Note(state.name, words["due"].format(title, span, then)))
        for step in state.transitions:
            if step.opens:
                title = children.get(step.opens, step.opens.rpartition(".")[2])
                out.append(Note(state.name, words["child"].format(titled(state), named(state, step), title), step.opens))
    for duty in spec.obligations:
        rest = "".join(words[k].format(words[x.unit].format(number(x))) for k in ("warn", "make_up") if (x := getattr(duty, k)) is not None)
        title = texts.get(f"obligations.{duty.name}.title") or duty.title or duty.name
        out.append(Note(spec.initial.name, words["duty"].format(title, words["every"][duty.every], rest)))
    return out
