"""What a picture of boxes and arrows leaves out, in words: deadlines with what happens when they are over, steps the clock
takes, who sends work out and who signs, children and where they are opened, obligations that come again with every period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from siquan.core.spec.model import DueSpec, ProcessSpec, Span, StateSpec, TransitionSpec

_WORDS: dict[str, Any] = {
    "zh": {"due": "期限　{0}：{1}，{2}", "remind": "到期提醒", "fire": "到期自动办“{0}”", "child": "子事项　{0}时“{1}”：{2}，可以有多件", "from": "{1}起 {0}", "before": "{1}以前 {0}",
           "on": "{0}当日", "day": "{0} 日", "workday": "{0} 个工作日", "month": "{0} 个月", "name": "{0}（{1}）",
           "sent": "派单　{0}：由{1}派", "claim": "，签收以后办理", "sign": "{2}　{0}：{1}{3}", "all": "会签", "any": "或签", "order": "顺序签", "share": "票签",
           "yes": {"all": "都同意才通过", "any": "第一个签的定", "order": "一个接一个，都同意才通过", "share": "同意达到 {0} 通过"}, "join": "、", "then": "，",
           "duty": "义务　{0}：{1}一次{2}", "warn": "，期满前 {0}提醒", "make_up": "，逾期后 {0}内可以补", "every": {"month": "每月", "two_months": "每两个月", "quarter": "每季度", "half": "每半年", "year": "每年"}},
    "en": {"due": "Deadline — {0}: {1}, {2}", "remind": "then a reminder", "fire": "then the clock takes “{0}”", "child": "Child cases — in {0}, “{1}” opens {2}, any number of them",
           "from": "{0} from {1}", "before": "{0} before {1}", "on": "the day of {0}", "day": "{0} days", "workday": "{0} working days", "month": "{0} months", "name": "{0} ({1})",
           "sent": "Dispatch — {0}: by {1}", "claim": ", taken after it is claimed", "sign": "{2} — {0}: {1}{3}", "all": "All sign", "any": "Any one signs", "order": "Sign in order",
           "share": "Vote", "yes": {"all": "passed when everybody agrees", "any": "whoever signs first decides", "order": "one after the other, passed when everybody agrees",
           "share": "passed with {0} of all"}, "join": ", ", "then": "; ",
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
        out += _tasks(state, titled(state), words, lambda names: words["join"].join(texts.get(f"roles.{r}") or (spec.roles[r].title if r in spec.roles else r) for r in names), number)
        for step in state.transitions:
            if step.opens:
                title = children.get(step.opens, step.opens.rpartition(".")[2])
                out.append(Note(state.name, words["child"].format(titled(state), named(state, step), title), step.opens))
    for duty in spec.obligations:
        rest = "".join(words[k].format(words[x.unit].format(number(x))) for k in ("warn", "make_up") if (x := getattr(duty, k)) is not None)
        title = texts.get(f"obligations.{duty.name}.title") or duty.title or duty.name
        out.append(Note(spec.initial.name, words["duty"].format(title, words["every"][duty.every], rest)))
    return out


def _tasks(state: StateSpec, title: str, words: Mapping[str, Any], named: Callable[[Iterable[str]], str], number: Callable[[DueSpec | Span], str]) -> Iterator[Note]:
    """Who gives the work of a state out, and who signs."""
    if state.task is not None and state.task.dispatcher:
        yield Note(state.name, words["sent"].format(title, named(state.task.dispatcher)) + (words["claim"] if state.task.claim else ""))
    sign = state.sign
    if sign is not None:
        share = sign.share if "/" in sign.share or not sign.share else number(Span(n=sign.share, unit="day"))
        yield Note(state.name, words["sign"].format(title, named(sign.by), words[sign.mode], words["then"] + words["yes"][sign.mode].format(share)))
