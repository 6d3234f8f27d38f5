"""A clerk orders from the catalogue for somebody: the case is opened and its first step taken, both or neither."""

from __future__ import annotations

from typing import Any

from siquan.core.errors import BadInput, NoAccess
from siquan.core.service.acts import Acts
from siquan.core.service.app import App
from siquan.core.spec.model import ProcessSpec, TransitionSpec
from siquan.core.views import ActResult


class Orders:
    def __init__(self, app: App, acts: Acts) -> None:
        self.app, self.acts = app, acts

    def order(self, process: str, place: str, gift: str, quantity: Any, owner: str, person: str, key: str | None = None) -> ActResult:
        """The facts are those the ordering step posts by: the catalogue's, the owner's and the quantity's. Nobody orders
        for himself."""
        definition = self.app.definition(process)
        step, post = ordering(definition.spec)
        spec = definition.spec.catalogue
        if spec is None:
            raise BadInput(why=f"“{definition.spec.title}”没有兑换目录")
        if owner == person:
            raise NoAccess(why="自己的积分由别人代为下单")
        if not owner:
            raise BadInput(why="要选一个人")
        facts = {spec.fact: gift, post.amount: quantity, post.to: owner}
        opening = {k: v for k, v in facts.items() if k in definition.spec.opening}
        rest = {k: v for k, v in facts.items() if k not in opening}
        given = self.acts._read(definition, opening)
        request = ["order", process, place, gift, str(quantity), owner, person]
        with self.app.store.begin() as tx:
            seen = self.acts._seen(tx, key, request)
            if seen is not None:
                return seen
            opened = self.acts._open(tx, definition, person, place, given)
            result = self.acts._act(tx, opened.case, step.name, person, rest, "", "", None)
            self.acts._answer(tx, key, result)
            return result


def ordering(spec: ProcessSpec) -> tuple[TransitionSpec, Any]:
    """The first step that orders."""
    for step in spec.initial.transitions:
        for post in step.post:
            if post.kind == "order":
                return step, post
    raise BadInput(why=f"“{spec.title}”的第一步不下单")
