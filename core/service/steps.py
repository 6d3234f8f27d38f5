"""What may be done next, and why not: every transition of the state assessed for one person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from siquan.core.engine.access import Post, able, acting_roles, ways
from siquan.core.engine.deadlines import Due
from siquan.core.rules.decision import Decision, Finding, Piece
from siquan.core.service.assigning import barred, holders, narrowed, separated, signers
from siquan.core.service.context import Context
from siquan.core.spec.model import FactSpec, TransitionSpec
from siquan.core.tasks.task import Task
from siquan.core.views import Block

STOPS = ("REJECT", "BLOCK", "EVIDENCE")


@dataclass
class Assessment:
    """Blocks that no form can lift come in `blocks`; `missing` are needed facts not yet known."""

    transition: TransitionSpec
    blocks: list[Block]
    warnings: list[Block]
    decisions: list[Decision]
    missing: list[str]
    able: set[str]  # persons who may act by post
    way: Post | None = None  # by which post the person may act; of several the first that nothing bars
    lent: dict[str, str] | None = None  # of those who are able, who only stands in for whom


def words(text: str) -> tuple[Piece, ...]:
    return (Piece(text),)


def form_facts(context: Context, transition: TransitionSpec) -> list[FactSpec]:
    """The leaf facts of a step's form: what it needs, then what it asks besides."""
    schema = context.definition.schema
    out: dict[str, FactSpec] = {}
    for name in (*transition.needs, *transition.asks):
        for leaf in schema.leaves(name):
            out[leaf.name] = leaf
    return [f for f in out.values() if not f.collection]


def missing_facts(context: Context, transition: TransitionSpec) -> list[str]:
    """Needed facts that are still unknown; a record is known when it exists or is known not to."""
    facts = context.facts()
    out = []
    for name in transition.needs:
        spec = context.definition.schema.top.get(name)
        if spec is not None and spec.collection:
            if not context.lists[name].items:
                out.append(name)
        elif facts.value(name) is None and context.situation().fact(name) is None:
            out.append(name)
    return out


def import_block(context: Context, name: str, person: str) -> str:
    """Why a person may not import a collection now; empty when he may. Where steps ask for the collection, only the
    states of those steps take it, from whoever may take the step: a roll is not exchanged in the middle of a vote."""
    spec, machine = context.definition.spec, context.definition.machine
    if not context.case.is_open:
        return "事项已办结，不能再导入"
    asking = [t for t in machine.steps(context.case.state) if name in (*t.needs, *t.asks)]
    claimed = any(name in (*t.needs, *t.asks) for s in spec.states for t in s.transitions)
    if claimed and not asking:
        return f"“{context.state.title}”阶段不收“{context.definition.schema.title(name)}”"
    if asking and not any(_able(context, t, person) for t in asking):
        return f"“{context.definition.schema.title(name)}”不由你的岗位导入"
    return ""


def _able(context: Context, transition: TransitionSpec, person: str) -> bool:
    cast = context.cast()
    return any(w.person == person and w.of not in cast.barred for w in ways(context.definition.spec, context.state, transition, cast))


def may_work(context: Context, person: str, own: bool = False) -> bool:
    """Whether a person could take a step of the state, whoever has its task; with `own` by a post of his own."""
    for step in context.state.transitions:
        if not step.auto:
            cast = context.cast(barred(context, step))
            found = [w for w in ways(context.definition.spec, context.state, step, cast) if w.person == person and not (own and w.of)]
            if able(found, cast):
                return True
    return False


def may_take(context: Context, task: Task, person: str) -> bool:
    """Whether a task could be given to a person, by a post of his own: work to who could take a step, a signature to who
    holds its role and has none yet, a part in it to who has a part in the process here."""
    if person in context.story.recused or not context.app.serves(context.tx, person):
        return False
    if task.kind == "work":
        return may_work(context, person, own=True)
    if task.kind == "sign" and (person in signers(context.story.tasks) or person in _may_not_agree(context)):
        return False
    if task.role:
        return any(p.person == person and not p.of for p in holders(context, task.role))
    return any(not p.of for p in context.part_of(person)) or person in context.named.values()


def _may_not_agree(context: Context) -> set[str]:
    """Whose signature would be refused, as the step it comes to asks for another person."""
    sign = context.state.sign
    return set() if sign is None else {p for t in context.state.transitions if t.name == sign.agree for p in barred(context, t)}


def lent(found: Iterable[Post]) -> dict[str, str]:
    """Who may act only for somebody else: the substitute, and for whom."""
    own = {w.person for w in found if not w.of}
    return {w.person: w.of for w in found if w.of and w.person not in own}


def finding_block(finding: Finding) -> Block:
    outcome = finding.outcome if finding.outcome in (*STOPS, "WARN") else "BLOCK"
    # the way out of a hit is no advice for what is not known yet: there the sentence itself says what to bring
    cure = finding.cure if finding.result == "hit" else ""
    return Block("rule", outcome, finding.pieces, finding.rule, finding.basis, finding.basis_cite or finding.cite, finding.law, cure)


def _person_blocks(context: Context, transition: TransitionSpec, person: str, who: str = "你") -> list[Block]:
    story, out = context.story, []
    if person in story.recused:
        out.append(Block("person", "BLOCK", words(f"{who}已对这件事申报回避"), cite="流程规定的回避"))
    for state in transition.not_same_as:
        if person in story.acted.get(state, ()):
            title = found.title if (found := context.definition.spec.state(state)) else state
            out.append(Block("person", "BLOCK", words(f"{who}办过“{title}”，这一步须由另一个人办"), cite="流程规定的分工"))
    for other, done in separated(context, transition):
        if person in done:
            what = "录入过事实" if other == "facts" else f"办过“{_title(context, other)}”"
            out.append(Block("person", "BLOCK", words(f"{who}{what}，按分工不能再办这一步"), cite="流程规定的分工"))
    return out


def _title(context: Context, transition: str) -> str:
    spec = context.definition.spec
    for t in [*(t for s in spec.states for t in s.transitions), *spec.anywhere]:
        if t.name == transition:
            return t.title
    return transition


def _time_block(context: Context, transition: TransitionSpec) -> Block | None:
    if not transition.not_before:
        return None
    rows = [
        d for d in context.tx.deadlines.live(context.case.id)
        if d.state == context.case.state and d.name == transition.not_before
    ]  # fmt: skip
    if not rows:
        # a time nobody can work out has not passed
        spec = next((d for d in context.state.dues if d.name == transition.not_before), None)
        title = (spec.title if spec else "") or context.state.title
        return Block("time", "BLOCK", words(f"{title}：起算日或日数还不知道，算不出期满日"), cure="先登记起算日")
    due = Due.from_json(max(rows, key=lambda d: d.created_at).record)
    if due.passed(context.today):
        return None
    return Block("time", "BLOCK", (Piece("时限未满："), Piece(due.lines[0])), basis=due.basis, cite=due.cite, cure="期满自动解除，不需要操作")


def state_block(context: Context) -> Block | None:
    """Why nothing at all can be done with a case: it is suspended, or was closed together with another."""
    story, case = context.story, context.case
    if story.held:
        since = f"{story.pauses[-1][0]} 起" if story.pauses and not story.pauses[-1][1] else ""
        what = "随上级事项挂起" if "" not in story.held else "已挂起"
        return Block("state", "BLOCK", words(f"{since}{what}，暂停办理"), cure="恢复以后再办")
    if not case.is_open and not context.state.final:
        return Block("state", "BLOCK", words("这件事已经并入别的事项" if case.outcome == "merged" else "这件事已随上级事项办结"))
    return None


def assess(
    context: Context, transition: TransitionSpec, person: str, *, both: bool, strict: bool, lang: str = "zh"
) -> Assessment:
    """`strict` judges the act as given; otherwise what a form may still supply is not held against it."""
    spec, state = context.definition.spec, context.state
    cast = context.cast(barred(context, transition))
    found, blocks = narrowed(context, transition, person, ways(spec, state, transition, cast))
    mine = [w for w in found if w.person == person]
    way = next((w for w in mine if w.of not in cast.barred), None)
    if not mine and not any(b.kind == "role" for b in blocks):
        blocks.append(_role_block(context, transition, able(found, cast)))
    blocks += _person_blocks(context, transition, person)
    if mine and way is None:
        absent = mine[0].of
        blocks += _person_blocks(context, transition, absent, f"你代{context.app.person_name(context.tx, absent)}办理，而他")
    if (stop := state_block(context)) is not None:
        blocks.append(stop)
    late = _time_block(context, transition)
    if late is not None:
        blocks.append(late)
    # a collection comes in by a sheet, not by the step's form, so what hangs on one does lock the step
    tables = {s.name for s in context.definition.schema.top.values() if s.collection}
    offered = ({f.name for f in form_facts(context, transition)} | set(transition.asks) | set(transition.needs)) - tables
    missing = missing_facts(context, transition) if not transition.opens else []
    out = Assessment(transition, blocks, [], [], missing, able(found, cast), way, lent(found))
    rulesets: Sequence[str] = [*transition.check, *([transition.decide] if transition.decide and not transition.branches else [])]
    for name in rulesets:
        decision = context.decide(name, both=both, lang=lang)
        out.decisions.append(decision)
        _read(out, decision, set() if strict else offered)
    return out


def _read(out: Assessment, decision: Decision, offered: set[str]) -> None:
    """A step is refused by a decision that is REJECT, BLOCK or EVIDENCE; its findings say why."""
    for finding in decision.findings:
        if finding.result not in ("hit", "unknown"):
            continue
        block = finding_block(finding)
        if finding.outcome == "WARN":
            out.warnings.append(block)
        elif finding.outcome in STOPS:
            touched = set(finding.unknown if finding.result == "unknown" else finding.facts)
            can_change = touched and (touched <= offered if finding.result == "unknown" else touched & offered)
            if can_change:
                # the form itself can answer this, so it does not lock the form
                if finding.result == "hit":
                    out.warnings.append(block)
            else:
                out.blocks.append(block)
    if decision.outcome == "BLOCK" and not any(f.result == "hit" and f.outcome in STOPS for f in decision.findings):
        out.blocks.append(Block("rule", "BLOCK", words(f"{decision.title or decision.ruleset}：没有一行适用"), rule=decision.ruleset))


def _role_block(context: Context, transition: TransitionSpec, able: set[str]) -> Block:
    spec = context.definition.spec
    roles = acting_roles(spec, context.state, transition)
    titles = "、".join(dict.fromkeys(spec.role(r).title for r in roles)) or "开办人"
    if not able:
        return Block("nobody", "BLOCK", words(f"须由{titles}办理，现在没有人担任"), rule="if_nobody", cure="请管理员指定人员")
    return Block("role", "BLOCK", words(f"须由{titles}办理"))
