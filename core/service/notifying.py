"""Telling people about a case without moving it: urge 催办, copy 抄送, read 已阅, follow 关注.

Invariant: none of these changes who may act, what the case's state is, or any deadline; only a copy lets somebody see it.
"""

from __future__ import annotations

from collections.abc import Sequence

from siquan.core.errors import BadInput, NoAccess, NotFound, Refused
from siquan.core.service.acts import SYSTEM, Acts
from siquan.core.service.app import ZONE
from siquan.core.service.context import Context
from siquan.core.service.linking import May
from siquan.core.service.telling import doers
from siquan.core.service.words import Words
from siquan.core.store.notices import KINDS
from siquan.core.views import ActResult
from siquan.core.views_verbs import NoticeView

#: persons one copy goes to
MOST = 50


class Notifying:
    def __init__(self, acts: Acts, may: May) -> None:
        self.app, self.acts, self.may = acts.app, acts, may

    def urge(self, context: Context, person: str) -> ActResult:
        """Whoever could act now is told; once a day for each who urges."""
        tx, case, today = context.tx, context.case, context.today.isoformat()
        if not case.is_open or context.story.held:
            raise Refused(why="事项已办结，不用催办" if not case.is_open else "事项已挂起，恢复以后再催")
        if context.story.urged.get(person) == today:
            raise Refused(why="你今天已经催办过，明天再催")
        told = sorted(doers(context) - {person} - set(context.story.recused))
        if not told:
            raise Refused(why="现在没有别人可以办这一步")
        data = {"on": today, "n": len(told), "to": case.state, "revision": case.revision + 1}
        seq = tx.events.next_seq(case.id)
        context.record("urged", person, data)
        for other in told:
            tx.notices.add(other, case.id, "urged", seq)
        tx.cases.update(case.id, case.revision)
        self.acts._touch_parent(context)
        return self.acts._result(context, seq)

    def copy(self, context: Context, persons: Sequence[str], person: str, opinion: str) -> ActResult:
        """They may see the case from now on."""
        tx, case, spec = context.tx, context.case, context.definition.spec
        verb = spec.verb("copy")
        if verb is not None and verb.step.by:
            self.may(context, verb.step.model_copy(update={"reasons": {}}), person, "", opinion)
        elif not (mine := context.part_of(person)):
            raise NoAccess(why="你在这里没有这个流程的岗位，不能抄送")
        else:
            context.way = mine[0]
        ids = list(dict.fromkeys(persons))
        if not ids or len(ids) > MOST:
            raise BadInput(why=f"要选 1 到 {MOST} 个人")
        known = tx.people.get_many(ids)
        for other in ids:
            if other not in known or not known[other].active:
                raise NotFound(kind="人员", name=str(other)[:60])
        new = [p for p in ids if p not in context.story.copied and p != person]
        if not new:
            raise BadInput(why="已经抄送过了")
        seq = tx.events.next_seq(case.id)
        data = {"persons": new, "to": case.state, "revision": case.revision + 1}
        if opinion.strip():
            data["opinion"] = tx.facts.put_opinion(case.id, seq, opinion.strip(), person)
        context.record("copied", person, data)
        for other in new:
            tx.notices.add(other, case.id, "copied", seq)
        tx.cases.update(case.id, case.revision)
        self.acts._touch_parent(context)
        return self.acts._result(context, seq)

    def quiet(self, context: Context, verb: str, person: str) -> ActResult:
        """follow, unfollow, read: no events, nobody's form grows stale by them."""
        tx, case = context.tx, context.case
        if verb == "follow":
            tx.notices.follow(person, case.id)
        elif verb == "unfollow":
            tx.notices.unfollow(person, case.id)
        elif not tx.notices.read(person, case.id) and not any(n.person_id == person and n.seq == case.last_seq for n in tx.notices.of_case(case.id)):
            tx.notices.add(person, case.id, "read", case.last_seq)
            tx.notices.read(person, case.id)
        return self.acts._result(context, case.last_seq)

    # the inbox tab

    def unread(self, person: str, lang: str, page: int = 1, size: int = 50) -> tuple[tuple[NoticeView, ...], int]:
        """What a person has not read, newest first, and how much there is."""
        with self.app.store.read() as tx:
            found = tx.notices.of(person, True, size, (max(page, 1) - 1) * size)
            cases = tx.cases.get_many([n.case_id for n in found])
            out = []
            for n in found:
                case, event = cases[n.case_id], tx.events.get(n.case_id, n.seq)
                words = Words(self.app.catalogue, self.app.definition_of(tx, case).spec, lang)
                who = "" if event is None else "system" if event.actor == SYSTEM and lang != "zh" else self.app.person_name(tx, event.actor)
                out.append(
                    NoticeView(
                        n.id, n.case_id, case.number or "", case.title, KINDS[n.kind][0 if lang == "zh" else 1], n.kind, n.at.astimezone(ZONE),
                        who, words.state_named(case.state), words.title,
                    )
                )  # fmt: skip
            return tuple(out), tx.notices.unread(person)

    def mark(self, person: str, notice: str = "") -> int:
        """One notice as read, or all of them."""
        with self.app.store.begin() as tx:
            return tx.notices.read(person, notice_id=notice or None)


__all__ = ["Notifying"]
