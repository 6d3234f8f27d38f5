"""What an act writes into accounts: the `post:` of its step, in its transaction, with the decision it stands on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from siquan.core.accounts.book import TooLittle
from siquan.core.accounts.kinds import Kind, after, before, catalogue_of, kinds_of, stock_of
from siquan.core.errors import SiquanError
from siquan.core.policy.force import Bound
from siquan.core.rules.decision import Decision, Piece
from siquan.core.rules.facts import Stated
from siquan.core.service.balances import Owner, owner_of
from siquan.core.service.context import Context
from siquan.core.service.desk import Desk, Open
from siquan.core.service.refusal import StepRefused
from siquan.core.spec.model import PostSpec, TransitionSpec
from siquan.core.store.ledger_rows import LedgerHold
from siquan.core.views import Block

#: what a preview says of an amount; a posting says it by its sign
WORDS = {
    "post": ("", ""), "stock": ("", ""), "hold": ("冻结", "held"), "order": ("冻结", "held"), "capture": ("核销", "used"),
    "release": ("解冻", "released"),
}  # fmt: skip


def signed(kind: Kind, amount: int) -> str:
    return ("+" if amount > 0 else "") + kind.text(amount)


@dataclass
class Task:
    """One thing to do to one account."""

    post: PostSpec
    kind: Kind
    owner: Owner
    amount: int = 0
    hold: LedgerHold | None = None
    start: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.kind.id, self.owner.ref)


def blocked(message: str, outcome: str = "BLOCK", rule: str = "", cure: str = "") -> Block:
    return Block("account", outcome, (Piece(message),), rule, cure=cure)


class Posting:
    """The postings of one step of one case. Raises StepRefused with every account that cannot bear its part."""

    def __init__(self, context: Context, transition: TransitionSpec, decisions: Sequence[Decision], more: Mapping[str, Stated] | None = None) -> None:
        self.context, self.transition, self.decisions = context, transition, decisions
        self.bound: Bound = context.app.bound(context.tx, context.case)
        self.kinds = kinds_of(self.bound.spec)
        if more:
            context.given = {**context.given, **more}
        self.blocks: list[Block] = []

    def write(self, actor: str, seq: int, decision_id: str) -> list[list[Any]]:
        """Writes the entries; [account, number, hash] each, for the act's event."""
        desk = Desk(self.context.tx, self.context.today)
        self.do(desk, actor, seq, decision_id)
        if self.blocks:
            raise StepRefused(self.blocks, list(self.decisions))
        # what lapsed on the way, and a start value, are the account's own and not this case's
        return [[e.account_id, e.seq, e.hash] for e in desk.written if e.case_id]

    def preview(self, lang: str) -> tuple[list[Block], list[str]]:
        """What would stop it, and what would be written, in words. Nothing is."""
        done = self.do(Desk(self.context.tx, self.context.today, write=False), "", None, "")
        if self.blocks:
            return self.blocks, []
        words = [(t, WORDS[t.post.kind][0 if lang == "zh" else 1]) for t in done if t.amount]
        return [], [
            f"{t.owner.title} · {t.kind.title} {word} {t.kind.text(t.amount) if word else signed(t.kind, t.amount)} {t.kind.unit}".replace("  ", " ").strip()
            for t, word in words
        ]

    def do(self, desk: Desk, actor: str, seq: int | None, decision_id: str) -> list[Task]:
        tasks = [t for post in self.transition.post for t in self._tasks(post)]
        if self.blocks:
            return []
        accounts = {}
        # in one order in every act, so that two never wait for each other
        for task in sorted(tasks, key=lambda t: t.key):
            accounts[task.key] = desk.open(task.kind, task.owner, task.start)
        for task in tasks:
            try:
                self._one(desk, accounts[task.key], task, actor, seq, decision_id)
            except TooLittle as short:
                self.blocks.append(blocked(short.text("zh"), rule=task.post.because, cure=short.help("zh")))
        return tasks

    def _one(self, desk: Desk, account: Open, task: Task, actor: str, seq: int | None, decision_id: str) -> None:
        post, sheet, tx, case = task.post, account.sheet, self.context.tx, self.context.case
        told: dict[str, Any] = {
            "actor": actor, "case_id": case.id, "event_seq": seq, "decision_id": decision_id or None,
            "because": post.because or self._because(post), "more": {"step": self.transition.name},
        }  # fmt: skip
        if post.kind in ("capture", "release"):
            hold = task.hold
            assert hold is not None
            if desk.write and not any(h.id == hold.id for h in tx.ledger.held_by(case.id, hold.name)):
                self.blocks.append(blocked(f"{account.row.title}的{task.kind.title}已不再冻结"))
                return
            change = sheet.capture(hold.amount, task.amount) if post.kind == "capture" else sheet.release(hold.amount)
            number = desk.do(account, change, **told)
            if desk.write:
                tx.ledger.close_hold(hold.id, "captured" if post.kind == "capture" else "released", number)
        elif post.kind in ("hold", "order"):
            number = desk.do(account, sheet.hold(task.amount), **told)
            if desk.write:
                until = self._ends(post.until)
                tx.ledger.add_hold(account.row.id, post.name, task.amount, number, case.id, until)
        elif task.amount:
            expires = self._ends(task.kind.expires)
            notice = before(task.kind.notice, expires, self._number)
            desk.do(account, sheet.post(task.amount, post.counter, expires, notice), **told)

    def _ends(self, span: str) -> dt.date | None:
        """The last day of a span; one whose parameter has no value stops the step, or points would be good for ever."""
        end = after(span, self.context.today, self._number)
        if span and end is None:
            self.blocks.append(blocked(f"还不知道期限 `{span}` 是多久", "EVIDENCE"))
        return end

    # what a post asks for

    def _tasks(self, post: PostSpec) -> list[Task]:
        try:
            if post.kind in ("capture", "release"):
                return self._settle(post)
            if post.kind in ("order", "stock"):
                return self._items(post)
            kind = self.kinds[post.account]
            owner, amount = self._owner(post, kind), self._amount(post, kind)
            if owner is None or amount is None:
                return []
            if post.kind == "hold" and amount < 0:
                self.blocks.append(blocked(f"{kind.title}不能冻结负数"))
                return []
            return [Task(post, kind, owner, amount, start=self._start(kind))] if amount else []
        except SiquanError as fault:
            self.blocks.append(blocked(fault.text("zh"), rule=post.because))
            return []

    def _settle(self, post: PostSpec) -> list[Task]:
        out = []
        for hold in self.context.tx.ledger.held_by(self.context.case.id, post.name):
            row = self.context.tx.ledger.get(hold.account_id)
            kind = self.kinds.get(row.kind)
            if kind is not None:
                used = self._amount(post, kind) if post.amount and not kind.item else hold.amount
                if used is not None:
                    out.append(Task(post, kind, Owner(row.owner, row.title, row.place), min(max(used, 0), hold.amount), hold))
        if not out and not self.blocks:
            self.blocks.append(blocked("没有冻结着的：已经发放、退回，或过期释放", cure="需要时重新下单"))
        return out

    def _items(self, post: PostSpec) -> list[Task]:
        """An order holds the price on the owner's account and the goods in the stock of the place; `stock` receives."""
        found = catalogue_of(self.bound.spec)
        assert found is not None  # the loader saw to it
        catalogue, titles = found
        item = self.context.facts().value(catalogue.fact)
        if not isinstance(item, str) or item not in catalogue.prices:
            self.blocks.append(blocked("还不知道是哪一种礼品", "EVIDENCE"))
            return []
        stock = self.kinds[stock_of(self.bound.spec.name, item)]
        n = self._amount(post, stock)
        if n is None:
            return []
        goods = Task(post, stock, self._place(), n)
        if post.kind == "stock":
            return [goods] if n else []
        kind = self.kinds[catalogue.account]
        price, owner = self._number(catalogue.prices[item]), self._owner(post, kind)
        if price is None:
            self.blocks.append(blocked(f"{titles.get(item, item)}今天没有标价", "EVIDENCE"))
        if n <= 0:
            self.blocks.append(blocked("数量至少是 1"))
        if price is None or n <= 0 or owner is None:
            return []
        return [Task(post, kind, owner, kind.minor(price) * n), goods]

    def _owner(self, post: PostSpec, kind: Kind) -> Owner | None:
        if not post.to:
            return self._place(kind.owner if kind.owner in ("unit", "compound") else "unit")
        value = self.context.evaluate(post.to, self.transition.prefix)
        if not isinstance(value, str) or not value.strip():
            self.blocks.append(blocked(f"还不知道{kind.title}记在谁名下", "EVIDENCE"))
            return None
        named = self.context.evaluate(post.named, self.transition.prefix) if post.named else None
        return owner_of(self.context, kind.owner, value.strip(), named if isinstance(named, str) else "")

    def _place(self, kind: str = "unit") -> Owner:
        return owner_of(self.context, kind, self.context.case.place)

    def _amount(self, post: PostSpec, kind: Kind) -> int | None:
        text = post.amount
        value: Any
        if text == "value" or text.startswith("value."):
            decision = next((d for d in reversed(self.decisions) if d.ruleset == self.transition.decide), None)
            value = decision.value if decision else None
            if text != "value" and isinstance(value, Mapping):
                value = value.get(text[6:])
            value = _decided(value)
        else:
            value = self.context.evaluate(text, self.transition.prefix)
        if value is None:
            self.blocks.append(blocked(f"还算不出应记多少{kind.title}", "EVIDENCE", post.because))
            return None
        return kind.minor(value)

    def _start(self, kind: Kind) -> int | None:
        value = self._number(kind.start) if kind.start else None
        if kind.start and value is None:
            self.blocks.append(blocked(f"还不知道{kind.title}的起始值", "EVIDENCE"))
        return kind.minor(value) if value is not None else None

    def _number(self, text: str) -> Any:
        """A number as written, or the value of a parameter today and here."""
        found = _decided(text)
        return found if found is not None else self.context.book.value(text, self.context.today, self.context.chain.ids)

    def _because(self, post: PostSpec) -> str:
        """The rules that hit in the decision the amount comes from, else the step."""
        if post.amount.startswith("value"):
            decision = next((d for d in reversed(self.decisions) if d.ruleset == self.transition.decide), None)
            hits = [f.rule for f in decision.hits()] if decision else []
            if hits:
                return "、".join(hits)[:200]
        return self.transition.title[:200]


def _decided(value: Any) -> Any:
    """A table's output or a written number: exact; None for what is no number."""
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
