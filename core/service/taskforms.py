"""The task box of a case page: whom the work is with, who has signed, what you may do with it; and the form of each verb."""

from __future__ import annotations

from collections.abc import Iterable

from siquan.core.engine.access import holding
from siquan.core.service.assigning import declines_of, share_of
from siquan.core.service.context import Context
from siquan.core.service.steps import may_take
from siquan.core.service.tasks import SAID, TaskVerbs, no
from siquan.core.service.words import Words
from siquan.core.spec.verbs import TASKS
from siquan.core.tasks.task import AGREE, REFUSE, Task, signatures
from siquan.core.views import TaskBox, TaskView, VerbView
from siquan.core.views_verbs import Choice

ICONS = {
    "claim": "hand-index-thumb", "release": "box-arrow-in-down", "transfer": "arrow-left-right", "delegate": "person-up", "hand_back": "reply",
    "recall": "arrow-counterclockwise", "dispatch": "signpost-2", "decline": "reply-all", "assist_done": "check2", "add_signer": "person-plus",
    "remove_signer": "person-dash", "sign": "pen",
}  # fmt: skip
#: done by their button, with nothing to fill in
QUIET = ("claim", "release", "recall")
MODES = {
    "all": ("会签：每个人都同意才通过", "all sign: it passes when everybody agrees"),
    "any": ("或签：第一个签的人决定", "any: whoever signs first decides"),
    "order": ("顺序签：一个签完下一个才能签", "in order: each after the one before"),
    "share": ("票签：同意达到 {share} 通过", "vote: it passes with {share} of all"),
}
#: persons offered to choose from
SHOWN = 100


class TaskForms:
    def __init__(self, verbs: TaskVerbs) -> None:
        self.app, self.verbs = verbs.app, verbs

    def actions(self, context: Context, person: str, words: Words, only: Task | None = None) -> list[VerbView]:
        """What the person may do with the tasks, each verb once, or with one of them."""
        zh, out = words.lang == "zh", []
        for verb, titles in TASKS.items():
            fit = [t for t in self.verbs.of(context, verb) if (only is None or t.key == only.key) and self.verbs.why_not(context, verb, t, person) is None]
            if fit and not (verb == "release" and context.state.sign is not None):
                out.append(VerbView(verb, titles[0 if zh else 1], True, icon=ICONS[verb], quiet=verb in QUIET, task=fit[0].key))
        return out

    def box(self, context: Context, person: str, words: Words) -> TaskBox:
        """What the case page shows of the tasks. Work that is with whoever may, in a state that says nothing of tasks, needs no box."""
        tasks, zh = list(context.story.tasks.values()), words.lang == "zh"
        actions = self.actions(context, person, words)
        plain = context.state.task is None and context.state.sign is None and not any(t.person for t in tasks)
        if not context.case.is_open or not tasks or plain:
            return TaskBox((), tuple(actions), False, "")
        lines = tuple(self._line(context, t, person, words) for t in sorted(tasks, key=lambda t: ("work", "sign", "assist").index(t.kind)))
        sign, how = context.state.sign, ""
        if sign is not None:
            given = signatures(context.story.tasks)
            share = share_of(context)
            text = MODES[sign.mode][0 if zh else 1].format(share=share if share is not None else ("（未设定）" if zh else "(not set)"))
            yes, done = sum(t.result == AGREE for t in given), sum(not t.open for t in given)
            how = f"{text}；{len(given)} 人中 {done} 人已签，{yes} 人同意" if zh else f"{text}; {done} of {len(given)} signed, {yes} agree"
        return TaskBox(lines, tuple(actions), True, how, self._limit(context, zh))

    def _limit(self, context: Context, zh: bool) -> str:
        """What is said of declining."""
        spec = context.state.task
        if spec is None or not spec.reasons:
            return ""
        most = declines_of(context)
        return (f"最多退单 {most} 次" if most is not None else "退单次数没有设定") if zh else f"may be declined {most if most is not None else '?'} times"

    def _line(self, context: Context, task: Task, person: str, words: Words) -> TaskView:
        zh, spec = words.lang == "zh", context.state.task
        who = context.name_of(task.person) if task.person else words.role(task.role) if task.role else ""
        kind = {"work": ("承办", "Lead"), "sign": ("签署", "Signer"), "assist": ("协办", "Co-handler")}[task.kind][0 if zh else 1]
        role = words.role(task.role) if task.role and task.person else ""
        result = ""
        if task.kind == "sign":
            result = {AGREE: ("同意", "agrees"), REFUSE: ("不同意", "does not agree"), "": ("待签", "to sign")}[task.result][0 if zh else 1]
            if task.signer and task.signer != task.person:
                result += f"（{context.name_of(task.signer)}代）" if zh else f" (by {context.name_of(task.signer)})"
        elif task.result:
            result = "已办完" if zh else "done"
        elif task.lent:
            lender = context.name_of(task.lenders[-1])
            result = f"{lender}委派，办完交回" if zh else f"delegated by {lender}"
        elif task.claimed:
            result = "已签收" if zh else "claimed"
        elif not task.person and spec is not None and spec.dispatcher:
            result = ("退单，待派" if task.declined else "待派单") if zh else ("declined, to dispatch" if task.declined else "to dispatch")
        elif not task.person and task.kind == "work":
            result = "待签收" if zh else "to claim"
        elif spec is not None and spec.claim and task.kind == "work":
            result = "未签收" if zh else "not claimed yet"
        turn = task.open and (task.kind != "sign" or self.verbs.why_not(context, "sign", task, task.person or person) is None)
        state = "done" if not task.open else "now" if turn else "next"
        return TaskView(task.key, task.kind, kind, who, role, result, {AGREE: "PASS", REFUSE: "REJECT"}.get(task.result, ""), state, task.person == person)

    # forms

    def entry(self, context: Context, verb: str, person: str, words: Words, key: str) -> tuple[VerbView, Task]:
        """The verb and the task it is about. Raises NoSuchVerb."""
        if key and key not in context.story.tasks:
            raise no(verb, "这个任务已经不在了", "the task is gone")
        candidates = [t for t in self.verbs.of(context, verb) if key in ("", t.key)]
        why = None
        for task in candidates:
            why = self.verbs.why_not(context, verb, task, person)
            if why is None:
                return VerbView(verb, TASKS[verb][0 if words.lang == "zh" else 1], True, icon=ICONS[verb], quiet=verb in QUIET, task=task.key), task
        raise no(verb, *(why or ("这一步没有这样的任务", "the step has no such task")))

    def opinion(self, context: Context, verb: str) -> str:
        if verb == "sign" and context.state.sign is not None:
            return "required" if self.verbs.step(context, AGREE).opinion == "required" else "optional"
        return "required" if verb in (*SAID, "decline") else "none" if verb in QUIET else "optional"

    def reasons(self, context: Context, verb: str) -> tuple[tuple[str, str], ...]:
        if verb == "decline" and context.state.task is not None:
            return tuple(context.state.task.reasons.items())
        if verb == "sign" and context.state.sign is not None:
            return tuple({**self.verbs.step(context, AGREE).reasons, **self.verbs.step(context, REFUSE).reasons}.items())
        return ()

    def choices(self, context: Context, verb: str, task: Task, person: str, words: Words) -> tuple[str, str, tuple[Choice, ...]]:
        zh = words.lang == "zh"
        if verb == "sign":
            return "to", "签署" if zh else "Signature", (Choice(AGREE, "同意" if zh else "I agree"), Choice(REFUSE, "不同意" if zh else "I do not agree", "要写意见" if zh else "say why"))
        if verb == "remove_signer":
            open_ = [t for t in signatures(context.story.tasks) if self.verbs.why_not(context, verb, t, person) is None]
            return "task", "减去谁" if zh else "Whom to remove", tuple(Choice(t.key, context.name_of(t.person) if t.person else words.role(t.role)) for t in open_)
        if verb in ("transfer", "delegate", "dispatch", "add_signer"):
            about = Task("", "sign") if verb == "add_signer" else Task("", "assist") if verb == "delegate" else task
            label = {"transfer": ("转给谁", "To whom"), "delegate": ("委派给谁", "To whom"), "dispatch": ("派给谁承办", "Who leads"), "add_signer": ("请谁加签", "Who shall sign")}[verb][0 if zh else 1]
            out = {person, task.person} if verb != "dispatch" else set()
            return "to", label, tuple(self._people(context, about, out, words))
        return "", "", ()

    def helpers(self, context: Context, verb: str, words: Words) -> tuple[Choice, ...]:
        """Who may be asked to help with what is dispatched."""
        had = {t.person for t in context.story.tasks.values() if t.kind == "assist"}
        return tuple(self._people(context, Task("", "assist"), had, words)) if verb == "dispatch" else ()

    def _people(self, context: Context, task: Task, out: Iterable[str], words: Words) -> list[Choice]:
        """Those around the case who could take it, the nearest posts first, each with what he has in hand."""
        spec, found = context.definition.spec, list[Choice]()
        units = {u: context.tx.people.find_unit(u) for u in context.chain.ids}
        by_person: dict[str, list[str]] = {}
        for post in sorted((p for p in context.posts if not p.of), key=lambda p: context.chain.ids.index(p.unit) if p.unit in context.chain.ids else 99):
            by_person.setdefault(post.person, []).append(post.unit)
        for person in (*by_person, *(p for p in context.named.values() if p and p not in by_person)):
            if person in out or len(found) >= SHOWN or not may_take(context, task, person):
                continue
            titles = [words.role(r.name) for r in spec.roles.values() if any(p.person == person for p in holding(r, context.posts, context.chain))]
            unit = units.get(by_person.get(person, [""])[0])
            found.append(Choice(person, context.name_of(person), " · ".join(dict.fromkeys([*([unit.name] if unit else []), *titles]))))
        return found

    def consequences(self, context: Context, verb: str, lang: str) -> tuple[str, ...]:
        zh = 0 if lang == "zh" else 1
        texts = {
            "claim": ("这件事由你承办，别人不再能办这一步", "it is yours; nobody else takes this step"),
            "release": ("退回给本岗位的人，谁都可以签收", "whoever may can claim it again"),
            "transfer": ("由他承办，你不再办这一步；他会收到通知", "it is his to do, no longer yours; he is told"),
            "delegate": ("他办完要交回给你；交回以前谁都不能办这一步", "he hands it back to you; until then nobody takes the step"),
            "hand_back": ("交回给委派的人，由他接着办", "who delegated it goes on"),
            "recall": ("收回给你，由你接着办", "you go on with it"),
            "dispatch": ("承办人办这一步，协办人各自报办理情况；他们会收到通知", "the lead takes the step, each co-handler reports his part; they are told"),
            "decline": ("退回派单的人重新派；退单有次数限制", "who dispatched it sends it out again; that is limited in number"),
            "assist_done": ("你的协办办完；这一步仍由承办人办", "your part is done; the lead takes the step"),
            "add_signer": ("多一个人签署；他签之前不会有结果，除非已经够了", "there is one more to sign"),
            "remove_signer": ("少一个人签署；减签不会直接定出结果", "there is one less to sign; that alone decides nothing"),
            "sign": ("签了不能改；最后一个起作用的签署会当场办成这一步", "it cannot be changed; the signature that decides takes the step at once"),
        }
        return (texts[verb][zh],)
