"""How the events of verbs read in the story of a case, in Chinese and English."""

from __future__ import annotations

from siquan.core.service.context import Context
from siquan.core.service.words import Words
from siquan.core.spec.model import ProcessSpec
from siquan.core.store.rows import Event

#: event kind -> (Chinese, English, the verb whose reasons it may bear)
VERB_EVENTS = {
    "returned": ("驳回", "returned", "return"), "taken_back": ("拿回“{step}”", "took back “{step}”", "take_back"),
    "suspended": ("挂起", "suspended", "suspend"), "resumed": ("恢复办理", "resumed", "resume"), "reopened": ("重新办理", "reopened", "reopen"),
    "ended": ("随上级事项办结", "closed with the case above", ""), "merged": ("并入 {cases}", "merged into {cases}", "merge"),
    "absorbed": ("并入了 {cases}", "took in {cases}", ""), "unmerged": ("从 {cases} 分出，继续办理", "taken out of {cases} again", ""),
    "released": ("把 {cases} 分出", "gave back {cases}", ""), "linked": ("{tie}：{cases}", "{tie}: {cases}", ""),
    "unlinked": ("解除关联：{cases}", "no longer related: {cases}", ""), "urged": ("催办，通知 {n} 人", "urged: {n} persons told", ""),
    "copied": ("抄送 {names}", "copied to {names}", ""),
}  # fmt: skip
#: verb of a task -> (Chinese, English); {who} gets it, {others} help, {left} is removed
TASK_EVENTS = {
    "claim": ("签收", "claimed"), "release": ("退回待领", "released"), "transfer": ("转办给 {who}", "transferred to {who}"),
    "delegate": ("委派给 {who}", "delegated to {who}"), "hand_back": ("交回委派的事", "handed back what was delegated"),
    "recall": ("收回委派", "recalled what was delegated"), "dispatch": ("派单给 {who}{others}", "dispatched to {who}{others}"),
    "decline": ("退单", "declined"), "assist_done": ("协办办完", "reported a part done"), "add_signer": ("加签：{who}", "added a signer: {who}"),
    "remove_signer": ("减签：{left}", "removed a signer: {left}"), "agree": ("签署：同意", "signed: agrees"), "refuse": ("签署：不同意", "signed: does not agree"),
}  # fmt: skip
TIES = {"split": ("拆单", "split"), "derived": ("转建单", "derived"), "related": ("关联", "related"), "merged": ("并单", "merged")}


def task_title(context: Context, event: Event, words: Words) -> str:
    """What was done with a task, without the person who did it."""
    data, zh = event.data, words.lang == "zh"

    def name(person: str) -> str:
        return context.name_of(person) if person else ""

    others = ("、" if zh else ", ").join(name(p) for p in data.get("assist", ()))
    text = TASK_EVENTS[data.get("result") or data["verb"]][0 if zh else 1]
    helped = (f"，协办 {others}" if zh else f", helped by {others}") if others else ""
    return text.format(who=name(data.get("to_person", "")), others=helped, left=name(data.get("left", "")) or ("一个空缺" if zh else "one that was open"))


def verb_title(context: Context, event: Event, words: Words) -> str:
    """A sentence without the person."""
    data, zh = event.data, words.lang == "zh"
    text = VERB_EVENTS[event.kind][0 if zh else 1]
    others = [data[k] for k in ("into", "of", "from_case", "other") if data.get(k)]
    if event.kind in ("suspended", "resumed", "reopened") and data.get("with"):
        text += "（随上级事项）" if zh else " (with the case above)"
    if data.get("until") and data.get("moved"):
        text += "，期限顺延" if zh else ", deadlines moved"
    names = ("、" if zh else ", ").join(context.app.person_name(context.tx, p) for p in data.get("persons", ()))
    found = context.tx.cases.get_many(others) if others else {}
    cases = ("、" if zh else ", ").join(found[c].number or found[c].title for c in others if c in found)
    tie = TIES.get(data.get("tie", ""), ("", ""))[0 if zh else 1]
    step = words.step_named(str(data.get("transition_undone", "")))
    return text.format(step=step, cases=cases, n=data.get("n", 0), names=names, tie=tie)


def verb_reason(spec: ProcessSpec, event: Event) -> str:
    """The title of a coded reason given with a verb."""
    if event.kind == "task":
        tasks = [s.task.reasons for s in spec.states if s.task is not None] + [t.reasons for s in spec.states for t in s.transitions]
        return next((r[event.data["reason"]] for r in tasks if event.data.get("reason") in r), "")
    verb = spec.verb(VERB_EVENTS.get(event.kind, ("", "", ""))[2])
    return verb.step.reasons.get(event.data.get("reason", ""), "") if verb is not None else ""
