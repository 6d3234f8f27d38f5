"""`task:` and `sign:` of a state: how its work is given out, whose signatures it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from siquan.core.errors import Where
from siquan.core.spec.placed import Placed
from siquan.core.spec.source import Cursor

if TYPE_CHECKING:
    from siquan.core.spec.model import TransitionSpec
    from siquan.core.spec.process import Names


class TaskSpec(Placed):
    """How the work of a state is given out: to whoever takes it (`open`), or by a dispatcher."""

    mode: Literal["open", "dispatch"] = "open"
    claim: bool = False  # nobody takes a step before he has claimed it
    dispatcher: tuple[str, ...] = ()  # roles
    reasons: dict[str, str] = {}  # why a task may be declined, code -> title; empty: it may not
    declines: str = "2"  # how often; a number or a parameter name
    wait: bool = False  # the lead waits for his co-handlers


class SignSpec(Placed):
    """Whose signatures a state asks for, and which transition they come to."""

    by: tuple[str, ...]  # roles, in the order of signing
    mode: Literal["all", "any", "order", "share"] = "all"
    each: Literal["person", "role"] = "person"  # every holder of a role signs, or one for the role
    share: str = ""  # of all signers: `2/3`, or a parameter
    agree: str  # transitions of the state
    refuse: str
    manage: tuple[str, ...] = ()  # roles that may add and remove any signer


def read_task(raw: Any, where: Where, names: Names) -> TaskSpec:
    c = Cursor(raw, "task", where)
    roles = tuple(names.role(r, c.at("dispatcher")) for r in c.words("dispatcher"))
    spec = TaskSpec(
        where=where, mode="dispatch" if roles else "open", claim=c.flag("claim"), dispatcher=roles, reasons=c.table("decline"),
        declines=c.text("declines", "2"), wait=c.flag("wait"),
    )  # fmt: skip
    c.done()
    return spec


def read_sign(raw: Any, where: Where, names: Names, transitions: Iterable[TransitionSpec]) -> SignSpec:
    c = Cursor(raw, "sign", where)
    steps, ends = {t.name: t for t in transitions}, {}
    for key in ("agree", "refuse"):
        ends[key] = names.find(c.text(key, need=True), "", steps, c.at(key), "step", "步骤")
        if (t := steps[ends[key]]).needs or t.asks or t.opens or t.branches or t.auto:
            raise c.wrong(key, "a step without needs, asks, opens, auto or a branching `to`: who signs fills in no form", "不带 needs、asks、opens、auto、分支 to 的步骤：签署的人不填表")
    if ends["agree"] == ends["refuse"]:
        raise c.wrong("refuse", "another step than `agree`", "与 agree 不同的步骤")
    share, mode = c.text("share"), c.choice("mode", ("all", "any", "order", "share"), "all")
    if (mode == "share") != bool(share) or "/" in share and not (re.fullmatch(r"[1-9]\d*/[1-9]\d*", share) and Fraction(share) <= 1):
        raise c.wrong("share", "a share of the signers such as `2/3` or a parameter, with `mode: share`", "签署人的份额，如 2/3 或参数名，并写 mode: share")
    spec = SignSpec(
        where=where, by=tuple(names.role(r, c.at("by")) for r in c.words("by")), mode=mode, each=c.choice("each", ("person", "role"), "person"),
        share=share, manage=tuple(names.role(r, c.at("manage")) for r in c.words("manage")), **ends,
    )  # fmt: skip
    if not spec.by:
        raise c.wrong("by", "the roles that sign", "由哪些角色签署")
    c.done()
    return spec
