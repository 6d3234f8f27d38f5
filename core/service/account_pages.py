"""Pages of accounts: lists, statements, the catalogue, reconciliations. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from siquan.core.accounts.kinds import Kind, before, catalogue_of, shown, stock_of
from siquan.core.accounts.statement import Period, period, period_of
from siquan.core.accounts.views import (
    AccountCard,
    AccountPage,
    Accounts,
    Catalogue,
    CheckLine,
    EntryLine,
    Gift,
    HoldLine,
    LotLine,
    ReversalLine,
)
from siquan.core.engine.access import acting_roles
from siquan.core.errors import NoAccess, NotFound
from siquan.core.service.account_access import every_kind, kept_units, kind_of, must_see_account
from siquan.core.service.app import ZONE, App
from siquan.core.service.ledger import signed
from siquan.core.service.mask import mask
from siquan.core.service.orders import ordering
from siquan.core.store.ledger_rows import LedgerAccount, LedgerCheck, LedgerEntry, LedgerReversal
from siquan.core.store.transaction import Tx

SHOWN = 200
#: what an entry is called; a posting is named by its sign
TITLES = {
    "start": ("起始值", "start value"), "hold": ("冻结", "held"), "capture": ("核销", "used"), "release": ("解冻", "released"),
    "expire": ("到期", "expired"), "notice": ("到期提醒", "notice of expiry"), "reverse": ("冲正", "reversal"),
    "post": ("记入", "added"), "-post": ("扣减", "taken"), "+expire": ("到期恢复", "lapsed"), "late": ("过期解冻", "hold ran out"),
}  # fmt: skip
SIDES = (("issued", "发出", "issued"), ("redeemed", "兑换", "redeemed"), ("expired", "到期", "expired"), ("adjusted", "调整", "adjusted"))
WRONG = {
    "balance": ("余额", "balance"), "held": ("冻结", "held"), "zero": ("借贷合计", "sum of both sides"), "lots": ("各批次", "lots"),
    "holds": ("冻结单", "holds"), "negative": ("可用低于下限", "below the floor"),
}  # fmt: skip


class AccountPages:
    def __init__(self, app: App) -> None:
        self.app = app

    # lists

    def cards(self, person: str, lang: str, kind: str = "", words: str = "", place: str = "") -> Accounts:
        """A person's own accounts, and those he keeps."""
        kinds = every_kind(self.app, lang)
        with self.app.store.read() as tx:
            mine = tx.ledger.accounts(owner=f"person/{person}")
            kept_at = kept_units(self.app, tx, kinds, person)
            wanted = [k for k in kept_at if not kind or k == kind]
            rows: list[LedgerAccount] = []
            for id in wanted:
                places = kept_at[id] & {place} if place else kept_at[id]
                if places:
                    rows += tx.ledger.accounts(kinds=[id], places=places, words=words, limit=SHOWN + 1)
            rows = [r for r in rows if r.owner != f"person/{person}"]
            asked = [r for r in tx.ledger.reversals(status="asked")]
            lines = [x for x in (self._reversal(tx, kinds, r, person, lang) for r in asked) if x is not None]
            titles = tuple((id, k.title) for id, k in kinds.items() if id in kept_at)
            catalogue = any(k.item for id, k in kinds.items() if id in kept_at)
            return Accounts(
                tuple(self._card(tx, kinds, r, person, False) for r in mine), tuple(self._card(tx, kinds, r, person, True) for r in rows[:SHOWN]),
                titles, tuple(lines), bool(kept_at), len(rows) > SHOWN, catalogue,
            )  # fmt: skip

    def _card(self, tx: Tx, kinds: dict[str, Kind], row: LedgerAccount, person: str, keeper: bool) -> AccountCard:
        kind, mine = kind_of(kinds, row), row.owner == f"person/{person}"
        ends = [x for x in tx.ledger.lots(row.id) if x.expires_on is not None and x.remain > 0]
        first = min((x.expires_on for x in ends if x.expires_on), default=None)
        amount = sum(x.remain for x in ends if x.expires_on == first)
        unit = tx.people.find_unit(row.place)
        owner = row.title if keeper or mine or not row.owner.startswith("person/") else mask("name", row.title)
        return AccountCard(
            row.id, row.kind, kind.title, owner, unit.name if unit else "", kind.unit, kind.text(row.balance), kind.text(row.held),
            kind.text(row.balance - row.held), first, kind.text(amount) if first else "", mine, bool(kind.item),
        )  # fmt: skip

    # one account

    def page(self, account_id: str, person: str, lang: str, text: str = "") -> AccountPage:
        kinds = every_kind(self.app, lang)
        with self.app.store.read() as tx:
            row = tx.ledger.get(account_id)
            kind = kind_of(kinds, row)
            keeper = must_see_account(self.app, tx, kind, row, person)
            today = self.app.today()
            when = period(text) if text else period_of(today, kind.statement)
            opening = tx.ledger.sum_before(row.id, when.first)
            all_entries = tx.ledger.entries(row.id)
            asked = {r.seq for r in tx.ledger.reversals(row.id, "asked")}
            entries = self._entries(tx, kind, all_entries, when, opening, asked, lang)
            soon = before(kind.notice, today, self._plain)
            edge = today + (today - soon if soon else dt.timedelta(30))
            lots = tuple(
                LotLine(x.got_on, x.expires_on, kind.text(x.remain), x.seq, x.expires_on is not None and x.expires_on <= edge)
                for x in sorted(tx.ledger.lots(row.id), key=lambda x: (x.expires_on or dt.date.max, x.got_on))
            )
            reversals = (self._reversal(tx, kinds, r, person, lang) for r in tx.ledger.reversals(row.id, "asked"))
            closing = opening + sum(e.amount for e in all_entries if when.first <= e.on_date <= when.last)
            return AccountPage(
                self._card(tx, kinds, row, person, keeper), when.text, when.first, when.last, when.previous().text,
                when.next().text if when.last < today else "", kind.text(opening), kind.text(closing), entries, lots,
                self._holds(tx, kind, row), tuple(x for x in reversals if x is not None), keeper, row.last_hash,
            )  # fmt: skip

    @staticmethod
    def _plain(text: str) -> int | None:
        return int(text) if text.isdigit() else None

    def _entries(
        self, tx: Tx, kind: Kind, entries: Iterable[LedgerEntry], when: Period, opening: int, asked: set[int], lang: str
    ) -> tuple[EntryLine, ...]:
        entries = list(entries)
        undone = {e.reverses: e.seq for e in entries if e.reverses}
        chosen = [e for e in entries if when.first <= e.on_date <= when.last]
        cases = tx.cases.get_many({e.case_id for e in chosen if e.case_id})
        after_, out = opening, []
        for e in chosen:
            after_ += e.amount
            case = cases.get(e.case_id or "")
            can = e.what in ("start", "post", "capture", "expire") and e.seq not in undone and bool(e.amount)
            out.append(
                EntryLine(
                    e.seq, e.at.astimezone(ZONE), e.on_date, e.what, self._title(kind, e, lang), signed(kind, e.amount) if e.amount else self._moved(kind, e),
                    kind.text(after_), self._because(e, lang), case.id if case else "", case.number or "" if case else "", e.decision_id or "",
                    self.app.person_name(tx, e.actor), self.app.person_name(tx, e.second) if e.second else "", e.note or "", e.reverses or 0,
                    undone.get(e.seq, 0), can, e.seq in asked,
                )
            )  # fmt: skip
        return tuple(out)

    def _title(self, kind: Kind, e: LedgerEntry, lang: str) -> str:
        key = e.what
        if key == "post" and e.amount < 0:
            key = "-post"
        elif key == "expire" and e.amount > 0:
            key = "+expire"
        elif key == "release" and e.because == "expired":
            key = "late"
        return TITLES[key][0 if lang == "zh" else 1] if key in TITLES else key

    def _moved(self, kind: Kind, e: LedgerEntry) -> str:
        """What an entry without a change of balance is about: what was held or freed, what will lapse."""
        if e.what == "notice":
            return kind.text(int(e.data.get("amount", 0)))
        return kind.text(next((abs(int(n)) for part, n in e.data.get("lines", []) if part == "held"), 0))

    def _because(self, e: LedgerEntry, lang: str) -> str:
        if e.what == "notice":
            return (f"{e.data.get('on')} 到期" if lang == "zh" else f"lapses after {e.data.get('on')}")
        if e.what == "expire":
            return (f"最后一日 {e.data.get('on')}" if lang == "zh" else f"last day {e.data.get('on')}")
        return "" if e.because in ("start", "expired") else e.because

    def _holds(self, tx: Tx, kind: Kind, row: LedgerAccount) -> tuple[HoldLine, ...]:
        holds = tx.ledger.holds(row.id)
        cases = tx.cases.get_many({h.case_id for h in holds if h.case_id})
        return tuple(
            HoldLine(
                h.name, kind.text(h.amount), tx.ledger.entry(row.id, h.seq).on_date, h.until_on, h.case_id or "",
                cases[h.case_id].number or "" if h.case_id in cases else "",
            )
            for h in holds
        )  # fmt: skip

    def _reversal(self, tx: Tx, kinds: dict[str, Kind], asked: LedgerReversal, person: str, lang: str) -> ReversalLine | None:
        """None for who has nothing to do with the account."""
        row = tx.ledger.get(asked.account_id)
        kind = kind_of(kinds, row)
        try:
            keeper = must_see_account(self.app, tx, kind, row, person)
        except NoAccess:
            return None
        entry = tx.ledger.entry(row.id, asked.seq)
        own = asked.asked_by == person
        why = ("由另一个人复核" if lang == "zh" else "somebody else decides") if own else ""
        return ReversalLine(
            asked.id, row.id, asked.seq, row.title, kind.title, signed(kind, -entry.amount), asked.reason,
            self.app.person_name(tx, asked.asked_by), asked.asked_at.astimezone(ZONE), keeper and not own, why,
        )  # fmt: skip

    # the catalogue

    def catalogue(self, person: str, place: str = "") -> tuple[Catalogue, ...]:
        """What may be ordered where the person is a clerk; one per plugin with a catalogue."""
        out = []
        kinds, today = every_kind(self.app), self.app.today()
        with self.app.store.read() as tx:
            kept_at = kept_units(self.app, tx, kinds, person)
            for plugin in self.app.catalogue.plugins:
                found = catalogue_of(plugin)
                process = next((p for p in plugin.processes if p.catalogue is not None), None)
                if found is None or process is None:
                    continue
                spec, titles = found
                kind = kinds[spec.account]
                units = [u for u in tx.people.units() if u.id in kept_at.get(kind.id, ()) and (not process.place or u.kind == process.place)]
                if not units:
                    continue
                at = next((u for u in units if u.id == place), units[0])
                book = self.app.in_force(tx, process.id).book
                chain = self.app.chain(tx, at.id)
                gifts = []
                for code, price in spec.prices.items():
                    stock = tx.ledger.find(stock_of(plugin.name, code), f"unit/{at.id}")
                    left = stock.balance - stock.held if stock else 0
                    value = int(price) if price.isdigit() else book.value(price, today, chain.ids)
                    line = next((x for p in plugin.parameters if p.name == price for x in reversed(p.lines) if x.since <= today and not x.place), None)
                    text = kind.text(kind.minor(value)) if value is not None else ""
                    gifts.append(
                        Gift(code, titles.get(code, code), text, spec.units.get(code, "件"), str(left), left, line.since if line else None, line.basis if line else "", line.cite if line else "")
                    )  # fmt: skip
                rows = tx.ledger.accounts(kinds=[kind.id], places=kept_at[kind.id], limit=SHOWN)
                people = tuple(
                    (r.owner.partition("/")[2], r.title, shown(r.balance - r.held, r.scale)) for r in rows
                    if r.balance > r.held and r.owner.startswith("person/") and r.owner != f"person/{person}"
                )  # fmt: skip
                places = tuple((u.id, u.name) for u in units)
                roles = acting_roles(process, process.initial, ordering(process)[0])
                may = any(p.person == person and p.role in roles for p in self.app.posts(tx, chain))
                out.append(Catalogue(plugin.name, process.id, kind.title, kind.unit, at.id, places, tuple(gifts), people, may))
        return tuple(out)

    # reconciliation

    def checks(self, person: str, lang: str) -> tuple[CheckLine, ...]:
        """The records of the kinds a person keeps; names are masked where the account is not under him."""
        kinds = every_kind(self.app, lang)
        with self.app.store.read() as tx:
            kept_at = kept_units(self.app, tx, kinds, person)
            if not kept_at:
                raise NoAccess(why="对账由管账的人看")
            return tuple(self._check(tx, kinds, c, kept_at, lang) for c in tx.ledger.checks() if c.kind in kept_at)

    def every_check(self, lang: str) -> tuple[CheckLine, ...]:
        """For the command line, where nobody is signed in and no name is shown."""
        with self.app.store.read() as tx:
            return tuple(self._check(tx, every_kind(self.app, lang), c, {}, lang) for c in tx.ledger.checks())

    def _check(self, tx: Tx, kinds: dict[str, Kind], check: LedgerCheck, kept_at: dict[str, set[str]], lang: str) -> CheckLine:
        zh = lang == "zh"
        kind = kinds.get(check.kind) or Kind(check.kind, check.kind, "", "")
        totals = [(("余额合计" if zh else "balances"), kind.text(int(check.totals.get("balance", 0)))), (("其中冻结" if zh else "of it held"), kind.text(int(check.totals.get("held", 0))))]
        totals += [(a if zh else b, kind.text(abs(int(check.totals.get(name, 0))))) for name, a, b in SIDES]
        texts = []
        for one in check.differences:
            try:
                row = tx.ledger.get(str(one["account"]))
                seen = row.place in kept_at.get(check.kind, ()) or not row.owner.startswith("person/")
                name = row.title if seen else mask("name", row.title)
            except NotFound:
                name = str(one["account"])
            word = WRONG.get(str(one["what"]), (str(one["what"]),) * 2)[0 if zh else 1]
            kept, found = kind.text(int(one["kept"])), kind.text(int(one["found"]))
            texts.append(f"{name}：{word}记为 {kept}，各笔合计 {found}" if zh else f"{name}: {word} kept as {kept}, entries sum to {found}")
        return CheckLine(
            check.id, check.kind, kind.title, check.period, check.at.astimezone(ZONE), self.app.person_name(tx, check.made_by),
            int(check.totals.get("accounts", 0)), tuple(totals), tuple(texts),
        )  # fmt: skip

    def must_reconcile(self, person: str) -> list[str]:
        """The kinds a person may have reconciled: those he keeps somewhere. Raises NoAccess."""
        kinds = every_kind(self.app)
        with self.app.store.read() as tx:
            kept_at = kept_units(self.app, tx, kinds, person)
            if not kept_at:
                raise NoAccess(why="对账由管账的人办")
            return [k for k in tx.ledger.kinds() if k in kept_at]
