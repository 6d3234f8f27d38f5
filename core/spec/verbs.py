"""What may be done with a case besides its own steps: `verbs:` of a process, each off until the workflow names it.

Those that end a case are steps like any other, offered in the states of `from`; the rest are acts of the kernel, whose
`step` says who may do them, with which reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from siquan.core.errors import SiquanError, Where
from siquan.core.spec.model import STARTING, DueSpec, ProcessSpec, StateSpec, TransitionSpec, VerbSpec
from siquan.core.spec.source import Map, Seq

#: verb -> its title in Chinese and English
TITLES = {
    "withdraw": ("撤销", "Withdraw"), "terminate": ("终止", "Terminate"), "close_early": ("特殊办结", "Close early"),
    "return": ("驳回", "Return"), "take_back": ("拿回", "Take back"), "suspend": ("挂起", "Suspend"), "resume": ("恢复", "Resume"),
    "reopen": ("重新办理", "Reopen"), "merge": ("并单", "Merge"), "split": ("拆单", "Split"), "derive": ("转建单", "Derive"),
    "copy": ("抄送", "Copy"),
}  # fmt: skip
#: what is done with a task -> its title in Chinese and English
TASKS = {
    "claim": ("签收", "Claim"), "release": ("退回待领", "Release"), "transfer": ("转办", "Transfer"), "delegate": ("委派", "Delegate"),
    "hand_back": ("交回", "Hand back"), "recall": ("收回委派", "Recall"), "dispatch": ("派单", "Dispatch"), "decline": ("退单", "Decline"),
    "assist_done": ("协办办完", "Report my part"), "add_signer": ("加签", "Add a signer"), "remove_signer": ("减签", "Remove a signer"),
    "sign": ("签署", "Sign"),
}  # fmt: skip
ENDING = ("withdraw", "terminate", "close_early")
#: verbs that change where a case stands or whether its clocks run; a case of a plugin can use them like steps
MOVING = ("return", "take_back", "reopen", "suspend", "resume")
STARTER = STARTING.name
_COMMON = {"title", "by", "from", "reasons", "opinion", "hint", "not_same_as"}
#: keys of a verb besides the common ones; those that end a case take every key of a step
OWN = {
    "return": {"to"}, "take_back": {"within"}, "suspend": {"clocks", "at_most"}, "resume": set(), "reopen": {"to", "within"},
    "merge": set(), "split": {"facts"}, "derive": {"to"}, "copy": set(),
}  # fmt: skip
NO_REASON = ("take_back", "resume", "merge", "split", "derive", "copy")


class BadVerb(SiquanError):
    """the verb `{verb}` cannot be declared so: {why}"""

    code = "SQ033"
    zh = "办理动作 `{verb}` 不能这样写：{why_zh}"


def read_verbs(
    raw: Map, states: Iterable[StateSpec], anywhere: Iterable[TransitionSpec], fact: Callable[[str, Where], str],
    transition: Callable[[str, Map, Where], TransitionSpec], due: Callable[[str, str, Where], DueSpec],
) -> tuple[tuple[TransitionSpec, ...], tuple[VerbSpec, ...]]:  # fmt: skip
    """(the steps that end a case, the other verbs). `transition` and `due` read a step and a length of time."""
    known = {s.name: s for s in states}
    taken = {t.name for s in known.values() for t in s.transitions} | {t.name for t in anywhere}
    ending: list[TransitionSpec] = []
    verbs: list[VerbSpec] = []
    for name, entry in raw.items():
        where = raw.at[name]

        def bad(why: str, why_zh: str, name: str = name, where: Where = where) -> BadVerb:
            return BadVerb(where, verb=name, why=why, why_zh=why_zh)

        if name not in TITLES:
            raise bad(f"known are {', '.join(TITLES)}", f"已有 {'、'.join(TITLES)}")
        if name in taken or (name == "suspend" and "resume" in taken):
            raise bad("a step has the same name", "有一步也叫这个名字")
        if not isinstance(entry, Map):
            raise bad("write a mapping, `{}` if there is nothing to say", "要写成一组键和值，没有要说的写 {}")
        unknown = sorted(entry.keys() - _COMMON - OWN.get(name, entry.keys()))
        if unknown:
            raise bad(f"it has no key `{unknown[0]}`", f"没有 `{unknown[0]}` 这个键")
        own = {"from", "facts", "clocks", "within", "at_most"} | (set() if name in ENDING else {"to"})
        rest = Map({k: v for k, v in entry.items() if k not in own} | ({} if "title" in entry else {"title": TITLES[name][0]}))
        rest.where, rest.at = entry.where, entry.at
        step = transition(name, rest, where).model_copy(update={"only": _words(entry, "from"), "verb": name})
        wrong = [s for s in step.only if s not in known]
        if wrong:
            raise bad(f"`{wrong[0]}` is not a state", f"没有 `{wrong[0]}` 这个状态")
        if not step.by and name not in ("take_back", "resume", "copy"):
            raise bad("say under `by` who may", "by 里要写由谁办")
        if not step.reasons and name not in NO_REASON:
            raise bad("give it coded reasons", "要写 reasons，办的时候选一个原因")
        if name in ENDING:
            if step.branches or not step.to or not known[step.to].final:
                raise bad("`to` has to be a final state", "to 要写一个办结的状态")
            ending.append(step)
            continue
        goals = _words(entry, "to")
        if name in ("return", "reopen") and goals != ("any",):
            if not goals or any(g not in known or known[g].final for g in goals) or (name == "reopen" and len(goals) != 1):
                raise bad("`to` has to be a state that is not final", "to 要写没有办结的状态")
        if name == "reopen" and (goals == ("any",) or any(not known[s].final for s in step.only)):
            raise bad("it leads from final states to one state", "只能从办结的状态回到一个写明的状态")
        clocks = str(entry.get("clocks", "stop"))
        if clocks not in ("stop", "run"):
            raise bad("`clocks` is stop or run", "clocks 写 stop 或 run")
        lengths = {k: due(k, str(entry[k]), entry.at[k]) for k in ("within", "at_most") if k in entry}
        verbs.append(
            VerbSpec(
                where=where, name=name, step=step, to=goals, clocks=clocks, within=lengths.get("within"), at_most=lengths.get("at_most"),
                facts=tuple(fact(f, entry.at["facts"]) for f in _words(entry, "facts")),
            )
        )  # fmt: skip
    names = {v.name for v in verbs}
    if "resume" in names and "suspend" not in names:
        raise BadVerb(raw.at["resume"], verb="resume", why="there is no `suspend`", why_zh="没有 suspend")
    return tuple(ending), tuple(verbs)


def moving(spec: ProcessSpec) -> list[str]:
    """The verbs of a process that its cases can use; who names `suspend` has `resume`."""
    names = [v.name for v in spec.verbs if v.name in MOVING]
    return names if "suspend" not in names or "resume" in names else [*names, "resume"]


def _words(entry: Map, key: str) -> tuple[str, ...]:
    value: Any = entry.get(key)
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, Seq | list) else (str(value),)
