"""The menu of verbs on a case page, the form of each with what follows in words, and what many cases have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from siquan.core.engine.deadlines import Due
from siquan.core.service.app import ZONE, App
from siquan.core.service.context import Context
from siquan.core.service.linking import MERGED, derivable, splittable
from siquan.core.service.pages import CasePage, may_see, must_see
from siquan.core.service.steps import assess, state_block
from siquan.core.service.taskforms import TaskForms
from siquan.core.service.timing import length_of
from siquan.core.service.told import TIES
from siquan.core.service.verbs import Verbs, declared, refuse, way_back
from siquan.core.service.words import Words
from siquan.core.spec.model import VerbSpec
from siquan.core.spec.verbs import TASKS, TITLES
from siquan.core.store.notices import KINDS
from siquan.core.views import CaseView, LinkView, VerbView
from siquan.core.views_verbs import BulkForm, Choice, VerbForm

ICONS = {
    "withdraw": "x-circle", "terminate": "stop-circle", "close_early": "check2-square", "return": "arrow-return-left",
    "take_back": "arrow-counterclockwise", "suspend": "pause-circle", "resume": "play-circle", "reopen": "folder2-open", "merge": "union",
    "unmerge": "box-arrow-up-right", "split": "scissors", "derive": "signpost-split", "link": "link-45deg", "urge": "bell", "copy": "send",
    "follow": "star", "unfollow": "star-fill", "read": "check2-all",
}  # fmt: skip
OTHER = {
    "unmerge": ("取消并单", "Undo the merge"), "link": ("关联", "Relate"), "urge": ("催办", "Urge"), "follow": ("关注", "Follow"),
    "unfollow": ("取消关注", "Unfollow"), "read": ("已阅", "Mark as read"),
}  # fmt: skip
#: cases and persons offered to choose from
SHOWN = 100


class VerbForms:
    def __init__(self, app: App, pages: Iterable[CasePage], verbs: Verbs, tasks: TaskForms) -> None:
        """Every page object that builds case views shows the menu."""
        self.app, self.verbs, self.tasks = app, verbs, tasks
        for page in pages:
            self.pages = page
            page.beside = self.decorate

    # the menu

    def menu(self, context: Context, person: str, words: Words) -> tuple[VerbView, ...]:
        """What the person may do besides the steps; what his post allows but the case does not now comes with the reason."""
        zh = words.lang == "zh"
        out: list[VerbView] = []
        open_here = context.case.is_open or bool(context.state.final)
        for step in context.definition.machine.steps(context.case.state) if open_here else ():
            if step.verb:
                blocks = assess(context, step, person, both=False, strict=False, lang=words.lang).blocks
                if not any(b.kind in ("role", "nobody") for b in blocks):
                    title = words.step(step, context.case.state)
                    why = "；".join(b.message for b in blocks)
                    out.append(VerbView(step.name, title, not blocks, why, step.hint, ICONS[step.verb], True))
        names = [v.name for v in context.definition.spec.verbs if v.name != "copy"]
        if "suspend" in names and "resume" not in names:
            names.append("resume")
        for name in names:
            entry = self._entry(context, name, person, words)
            if entry is not None:
                out.append(entry)
        out += [VerbView(n, OTHER[n][0 if zh else 1], True, icon=ICONS[n], quiet=n in ("follow", "unfollow", "read")) for n in self._always(context, person)]
        if self._may_copy(context, person):
            out.append(VerbView("copy", self._title(context, "copy", words), True, icon=ICONS["copy"]))
        return tuple(out)

    def _entry(self, context: Context, name: str, person: str, words: Words) -> VerbView | None:
        verb = declared(context, name)
        if name == "take_back":
            why = self.verbs.why_not(context, verb, person)
            # of interest to him alone whose step was the last
            if context.story.undo.get("by") != person or not context.case.is_open:
                return None
        else:
            blocks = assess(context, verb.step, person, both=False, strict=False, lang=words.lang).blocks
            if any(b.kind in ("role", "nobody", "person") for b in blocks):
                return None
            if name in ("merge", "split", "derive"):
                why = None if context.case.is_open or name == "derive" else ("事项已办结", "the case is closed")
                why = ("事项已挂起", "the case is suspended") if context.story.held and name == "merge" else why
            else:
                why = self.verbs.why_not(context, verb, person)
                # a verb of another stage of life is no news
                held = bool(context.story.held)
                if why and ((name == "reopen") != bool(context.state.final) or (name == "resume") != held or not context.case.is_open and name != "reopen"):
                    return None
        text = why[0 if words.lang == "zh" else 1] if why else ""
        return VerbView(name, self._title(context, name, words), not why, text, verb.step.hint, ICONS[name])

    def _title(self, context: Context, name: str, words: Words) -> str:
        zh, en = TITLES.get(name) or OTHER[name]
        verb = context.definition.spec.verb(name)
        title = verb.step.title if verb is not None else zh
        return words.text(f"verbs.{name}.title", title if words.lang == "zh" or title != zh else en)

    def _always(self, context: Context, person: str) -> list[str]:
        tx, case = context.tx, context.case
        out = []
        post = any(p.person == person for p in context.posts)
        if case.is_open and not context.story.held:
            out.append("urge")
        if case.outcome == MERGED and not case.is_open:
            verb = context.definition.spec.verb("merge")
            step = verb.step if verb is not None else None
            if step is not None and not any(b.kind in ("role", "nobody") for b in assess(context, step, person, both=False, strict=False).blocks):
                out.append("unmerge")
        if post or person == case.opened_by:
            out.append("link")
        out.append("unfollow" if person in tx.notices.followers(case.id) else "follow")
        out.append("read")
        return out

    def _may_copy(self, context: Context, person: str) -> bool:
        verb = context.definition.spec.verb("copy")
        if verb is not None and verb.step.by:
            blocks = assess(context, verb.step, person, both=False, strict=False).blocks
            return not any(b.kind in ("role", "nobody", "person") for b in blocks)
        return bool(context.part_of(person))

    # cards of the case page

    def links(self, context: Context, person: str, words: Words) -> tuple[LinkView, ...]:
        out = []
        zh = words.lang == "zh"
        for link in context.tx.links.of(context.case.id):
            ours = link.case_id == context.case.id
            other = Context(self.app, context.tx, context.tx.cases.get(link.other_id if ours else link.case_id))
            text = {
                ("merged", True): ("已并入", "merged into"), ("merged", False): ("并入这件", "merged into this"),
                ("split", True): ("从这件拆出", "split off"), ("split", False): ("拆自", "split from"),
                ("derived", True): ("转建", "derived to"), ("derived", False): ("转自", "derived from"),
            }.get((link.kind, ours), TIES["related"])[0 if zh else 1]  # fmt: skip
            seen = may_see(other, person)
            title = other.case.title if seen else other.definition.spec.title
            state = Words(self.app.catalogue, other.definition.spec, words.lang).state_named(other.case.state)
            if other.case.outcome == MERGED:
                state = "已并单" if zh else "merged"
            out.append(LinkView(other.case.id, other.case.number or "", title, text, state, seen, link.kind, ours))
        return tuple(out)

    def decorate(self, context: Context, person: str, words: Words) -> dict[str, Any]:
        """What the case page shows besides the steps."""
        tx, zh = context.tx, words.lang == "zh"
        stop = state_block(context)
        readers = tuple(
            (self.app.person_name(tx, n.person_id), KINDS[n.kind][0 if zh else 1], n.read_at.astimezone(ZONE))
            for n in tx.notices.of_case(context.case.id) if n.read_at is not None
        )  # fmt: skip
        return {
            "verbs": self.menu(context, person, words), "links": self.links(context, person, words), "halt": stop.message if stop else "",
            "readers": readers, "following": person in tx.notices.followers(context.case.id), "work": self.tasks.box(context, person, words),
        }  # fmt: skip

    # forms

    def form(self, case_id: str, name: str, person: str, lang: str, task: str = "") -> VerbForm:
        with self.app.store.read() as tx:
            context = Context(self.app, tx, tx.cases.get(case_id))
            must_see(context, person)
            view = self.pages.build(context, person, lang)
            words = Words(self.app.catalogue, context.definition.spec, lang)
            if name in TASKS:
                return self._task_form(context, view, name, person, words, task)
            entry = next((v for v in view.verbs if v.name == name), None)
            if entry is None or not entry.allowed:
                zh = entry.why if entry else "不由你的岗位办理，或者没有开放"
                raise refuse(name, zh, entry.why if entry else "not yours to do, or not declared")
            verb = declared(context, name) if context.definition.spec.verb(name) or name == "resume" else None
            what, label, choices = self._choices(context, name, verb, person, words)
            reasons = tuple(verb.step.reasons.items()) if verb else ()
            opinion = verb.step.opinion if verb else "none" if name in ("urge", "link", "follow", "unfollow", "read") else "optional"
            if name == "take_back":
                opinion = "none"
            goal = words.state_named(verb.to[0]) if verb and name == "reopen" else ""
            return VerbForm(view, entry, reasons, opinion, self._consequences(context, name, verb, view, lang), what, choices, label, name in ("split", "derive"), goal)

    def _task_form(self, context: Context, view: CaseView, name: str, person: str, words: Words, key: str) -> VerbForm:
        entry, task = self.tasks.entry(context, name, person, words, key)
        what, label, choices = self.tasks.choices(context, name, task, person, words)
        sign = context.state.sign
        return VerbForm(
            view, entry, self.tasks.reasons(context, name), self.tasks.opinion(context, name), self.tasks.consequences(context, name, words.lang), what,
            choices, label, more=self.tasks.helpers(context, name, words), before=name == "add_signer" and sign is not None and sign.mode == "order",
        )  # fmt: skip

    def _choices(self, context: Context, name: str, verb: VerbSpec | None, person: str, words: Words) -> tuple[str, str, tuple[Choice, ...]]:
        tx, zh = context.tx, words.lang == "zh"
        if name == "return" and verb is not None:
            back = [Choice(s, words.state_named(s), context.story.entered[s].astimezone(ZONE).strftime("%m-%d")) for s in way_back(context, verb)]
            return "to", "退回到哪一步" if zh else "Back to which step", tuple(back)
        if name == "split" and verb is not None:
            schema = context.definition.schema
            facts = [Choice(p, words.fact(schema, p)) for p in splittable(context, verb)]
            return "facts", "带到新事项的事实" if zh else "Facts to take over", tuple(facts)
        if name == "derive" and verb is not None:
            processes = [(i, self.app.definition(i).spec) for i in derivable(context, verb)]
            return "to", "转建为哪个流程" if zh else "As which process", tuple(Choice(i, Words(self.app.catalogue, s, words.lang).title) for i, s in processes)
        if name in ("merge", "link"):
            label = ("并入这件的事项" if name == "merge" else "与哪件事项关联") if zh else ("Cases to merge into this one" if name == "merge" else "Related with")
            return "others" if name == "merge" else "other", label, tuple(self._near(context, person, name == "merge", words))
        if name == "copy":
            people = [p for p in tx.people.all() if p.id != person and p.id not in context.story.copied]
            units = {u.id: u.name for u in tx.people.units()}
            return "others", "抄送给谁" if zh else "Copy to", tuple(Choice(p.id, p.name, units.get(p.unit_id or "", "")) for p in people[: SHOWN * 3])
        return "", "", ()

    def _near(self, context: Context, person: str, same: bool, words: Words) -> list[Choice]:
        """Open cases near by: of the same process, at the same place or below the places of the person's posts."""
        tx, case = context.tx, context.case
        places = {u.id for p in context.posts if p.person == person for u in tx.people.under(p.unit)} | {case.place}
        found = tx.cases.open_for(places, {case.process: frozenset()} if same else None, limit=SHOWN)
        tied = {x for link in tx.links.of(case.id) for x in (link.case_id, link.other_id)}
        out = []
        for other in found:
            if other.id != case.id and other.id not in tied and (not same or other.parent_id == case.parent_id):
                sub = " · ".join(x for x in (other.number or "", words.state_named(other.state) if same else "") if x)
                out.append(Choice(other.id, other.title, sub))
        return out

    def _consequences(self, context: Context, name: str, verb: VerbSpec | None, view: CaseView, lang: str) -> tuple[str, ...]:
        """What follows, in words, before it is confirmed."""
        zh = lang == "zh"
        spec, out = context.definition.spec, list[str]()
        dues = [Due.from_json(d.record) for d in context.tx.deadlines.of(context.case.id) if d.status in ("open", "paused")]
        titles = ("、" if zh else ", ").join(f"{d.title} {d.end:%m-%d}" for d in dues)
        kids = sum(c.is_open for cs in context._children.values() for c in cs)
        if name == "return":
            out.append("那一步重新有待办，它的各项期限从今天重新起算" if zh else "that step has its task again; its deadlines are counted from today")
            if titles:
                out.append(f"现在这一步的期限取消：{titles}" if zh else f"deadlines of the present step are cancelled: {titles}")
        elif name == "take_back":
            back = Words(self.app.catalogue, spec, lang).state_named(context.story.undo["from"])
            out.append(f"回到“{back}”，期限按原来的起算日接着走" if zh else f"back to “{back}”; its deadlines go on from where they started")
            out.append("你填过的事实留在记录里" if zh else "the facts you stated stay on record")
        elif name == "suspend" and verb is not None:
            out.append("挂起期间不能办理任何一步" if zh else "no step can be taken while it is suspended")
            if verb.clocks == "stop":
                out.append((f"停止计时：{titles}；恢复以后按停了多久顺延多久" if titles else "停止计时") if zh else f"clocks stop: {titles or '-'}; they move on by the time stopped")
            else:
                out.append("期限照常计算，只是不自动办理" if zh else "deadlines run on; nothing is done by the clock")
            due = length_of(context, verb.at_most, context.today) if verb.at_most else None
            if due is not None:
                out.append(f"最迟 {due.end} 自动恢复" if zh else f"resumed by the clock after {due.end}")
            if kids:
                out.append(f"{kids} 件子事项一起挂起" if zh else f"{kids} child cases are suspended with it")
        elif name == "resume":
            out.append(f"继续计时，期限顺延：{titles}" if zh and titles else "继续办理" if zh else f"clocks go on: {titles or '-'}")
        elif name == "reopen" and verb is not None:
            goal = Words(self.app.catalogue, spec, lang).state_named(verb.to[0])
            out.append(f"回到“{goal}”，有待办，期限从今天起算" if zh else f"back to “{goal}”, with its task and deadlines from today")
        elif name == "merge":
            out.append("选中的事项以“已并单”办结；同名期限按较早的算；这件办结时，各件的申请人都会收到答复" if zh else "the chosen cases close as merged; the earlier of same-named deadlines counts; their openers are told when this one closes")
        elif name == "unmerge":
            out.append("这件恢复到并入以前的步骤，期限按原来的起算日" if zh else "the case stands where it stood, its deadlines as before")
        elif name in ("split", "derive"):
            out.append("开办一件新事项，两边都记下关联；这件照常办理" if zh else "a new case is opened and tied to this one; this one goes on")
        elif name == "urge":
            out.append("现在能办这一步的人会收到一条催办；每人每天催一次" if zh else "whoever can act now is told; once a day")
        elif name == "copy":
            out.append("收到的人从此可以看这件事，不能办理；撤不回来" if zh else "they may see the case from now on, not act on it; it cannot be undone")
        me = next((p.name for p in view.people if p.you), "")
        if me and name in ("return", "take_back", "suspend", "resume", "reopen", "merge"):
            out.append(f"记入经过，署名{me}" if zh else f"recorded under the name of {me}")
        return tuple(out)

    # many cases

    def bulk(self, cases: Sequence[str], person: str, lang: str) -> BulkForm:
        """The steps without a form, and the verbs, that the person may do with at least one of the cases."""
        rows: list[tuple[str, str, str, str, int]] = []
        actions: dict[str, list[str]] = {}
        reasons: dict[str, tuple[tuple[str, str], ...]] = {}
        with self.app.store.read() as tx:
            for id in list(dict.fromkeys(cases))[:200]:
                found = tx.cases.find(id)
                if found is None:
                    continue
                context = Context(self.app, tx, found)
                must_see(context, person)
                words = Words(self.app.catalogue, context.definition.spec, lang)
                rows.append((id, found.number or "", found.title, words.state_named(found.state), found.revision))
                for step in context.definition.machine.steps(found.state) if found.is_open else ():
                    plain = not (step.needs or step.auto or step.opens)
                    if plain and not assess(context, step, person, both=False, strict=True).blocks:
                        actions.setdefault(step.name, []).append(words.step(step, found.state))
                        reasons[step.name] = tuple(step.reasons.items())
                for verb in self.tasks.actions(context, person, words):
                    if verb.quiet or verb.name == "sign":
                        agree = "：同意" if lang == "zh" else ": I agree"
                        actions.setdefault(verb.name, []).append(verb.title + (agree if verb.name == "sign" else ""))
                        reasons.setdefault(verb.name, self.tasks.reasons(context, verb.name))
                for verb in self.menu(context, person, words):
                    if verb.allowed and not verb.step and verb.name in ("suspend", "resume", "reopen", "take_back", "urge", "follow", "read"):
                        actions.setdefault(verb.name, []).append(verb.title)
                        spec = context.definition.spec.verb(verb.name)
                        reasons.setdefault(verb.name, tuple(spec.step.reasons.items()) if spec and verb.name != "resume" else ())
        offered = tuple((name, " / ".join(dict.fromkeys(titles)), len(titles)) for name, titles in actions.items())
        return BulkForm(tuple(rows), tuple(sorted(offered, key=lambda a: -a[2])), reasons)

