"""`siquan verify`: what a designer forgot. One check per file, each a function `check(plugin, catalogue)`.

Unknown names, types, fragment exits and twice-defined ids are load errors and never come here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from siquan.core.plugins import Catalogue
from siquan.core.spec.model import PluginSpec
from siquan.core.verify import (
    branch,
    case_names,
    caseless,
    choice,
    clock_step,
    dead_end,
    dead_rule,
    deadline_action,
    demo,
    duty,
    endless,
    idle_task,
    intent,
    livelock,
    never_taken,
    nobody,
    one_person,
    parameter_source,
    parameter_start,
    present_guard,
    readme,
    rule_source,
    same_day,
    sensitive,
    sheet,
    shut_state,
    sign_apart,
    signer_leaves,
    stand_in,
    superfluous,
    supplied_late,
    table_gap,
    table_overlap,
    task_number,
    trap,
    unconfirmed,
    uncovered,
    unexplored,
    unknown_safety,
    unmapped,
    unreachable,
    unsupplied,
    untranslated,
    unused,
    waiting,
)
from siquan.core.verify.finding import Finding

Check = Callable[[PluginSpec, Catalogue], Iterator[Finding]]

#: code, what holds when the check finds nothing (Chinese, English), the check; in the order they run
CHECKS: list[tuple[str, str, str, Check]] = [
    (unreachable.CODE, "每个状态都走得到", "every state can be reached", unreachable.check),
    (trap.CODE, "走到哪里都能办结", "every state has a way to an end", trap.check),
    (endless.CODE, "流程有终点", "there is a final state", endless.check),
    (nobody.CODE, "每一步都有人能办", "somebody may take every step", nobody.check),
    (unsupplied.CODE, "规则和时限要的事实都有人填", "every fact that is read is supplied", unsupplied.check),
    (unmapped.CODE, "每种结论都有去向", "every outcome leads somewhere", unmapped.check),
    (branch.CODE, "每条分路都走得到", "every branch can be taken", branch.check),
    (parameter_start.CODE, "用到的参数都有值", "every parameter in use has a value", parameter_start.check),
    (parameter_source.CODE, "用到的参数都写了依据", "every parameter in use says on what it stands", parameter_source.check),
    (unused.CODE, "没有用不到的定义", "nothing is defined that nothing uses", unused.check),
    (rule_source.CODE, "规则都写了依据和条款", "every rule has a basis and a clause", rule_source.check),
    (unconfirmed.CODE, "“不通过”都由具名的人确认", "a named person confirms every rejection", unconfirmed.check),
    (present_guard.CODE, "可能为“无”的事实先问有无", "what may not exist is guarded by present", present_guard.check),
    (deadline_action.CODE, "时限到期都有动作", "every deadline acts", deadline_action.check),
    (waiting.CODE, "等待的时限都存在", "every deadline waited for exists", waiting.check),
    (stand_in.CODE, "法定步骤写了无人担任时怎么办", "steps of law say who stands in", stand_in.check),
    (caseless.CODE, "每个流程都有用例", "every process has cases", caseless.check),
    (uncovered.CODE, "步骤和规则都有用例", "cases cover every step and rule", uncovered.check),
    (case_names.CODE, "用例里的名字都存在", "every name in a case exists", case_names.check),
    (untranslated.CODE, "文字都有英文", "every text has English", untranslated.check),
    (sensitive.CODE, "敏感事实的种类都认识", "every kind of sensitive fact is known", sensitive.check),
    (readme.CODE, "有 README", "there is a README", readme.check),
    (demo.CODE, "有演示数据", "there is demo data", demo.check),
    (table_gap.CODE, "决策表没有空档", "no decision table has a gap", table_gap.check),
    (table_overlap.CODE, "决策表没有重叠", "no decision table has an overlap", table_overlap.check),
    (sheet.CODE, "Excel 表都能用", "every sheet can be used", sheet.check),
    (clock_step.CODE, "到期自动办的步骤不缺事实", "what the clock fires needs no form", clock_step.check),
    (intent.CODE, "声明的意图都守住了", "every declared intent holds", intent.check),
    (dead_rule.CODE, "每条规则都可能成立", "every rule can be true", dead_rule.check),
    (superfluous.CODE, "没有多余的规则", "no rule is superfluous", superfluous.check),
    (unknown_safety.CODE, "缺事实时不会先放行", "nothing passes that a missing fact could refuse", unknown_safety.check),
    (shut_state.CODE, "图上走得到的状态，实际都走得到", "every state the drawing reaches can be reached", shut_state.check),
    (dead_end.CODE, "不论前面填了什么，都有路办结", "whatever was filled in before, there is a way to an end", dead_end.check),
    (never_taken.CODE, "每一步、每一路都有成立的时候", "every step and branch can happen", never_taken.check),
    (supplied_late.CODE, "要用的事实，用到之前都有人填", "every fact is asked for before it is read", supplied_late.check),
    (livelock.CODE, "时限不会自己转个不停", "deadlines do not fire one another for ever", livelock.check),
    (same_day.CODE, "没有两个时限同时到期、各办各的", "no two deadlines end on one day and disagree", same_day.check),
    (one_person.CODE, "走到哪里都有人能办", "on every way somebody may act", one_person.check),
    (unexplored.CODE, "全部情形都走遍了", "every situation was explored", unexplored.check),
    (choice.CODE, "要选的人在用到以前都选好", "whoever is to be chosen is chosen in time", choice.check),
    (task_number.CODE, "签署的份额、退单的次数都有数", "shares of signers and numbers of declines have values", task_number.check),
    (sign_apart.CODE, "签署的人办得了签出来的步骤", "who signs may take the step it comes to", sign_apart.check),
    (idle_task.CODE, "派了、签收了的工作有事可办", "there is a step for work that is given out", idle_task.check),
    (signer_leaves.CODE, "签署人离开了也签得完", "signing ends though a signer leaves", signer_leaves.check),
    (duty.CODE, "每项周期义务都履行得了", "every obligation can be met", duty.check),
]


def verify(catalogue: Catalogue, plugin: str) -> list[Finding]:
    """All findings of a plugin in the order of the checks. Raises the load error of a broken plugin, and NotFound."""
    spec = catalogue.plugin(plugin)
    return [finding for _, _, _, check in CHECKS for finding in check(spec, catalogue)]


__all__ = ["CHECKS", "Check", "Finding", "verify"]
