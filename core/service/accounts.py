"""Signing in: login names, Argon2 passwords, lock after failures, personal settings."""

from __future__ import annotations

import datetime as dt

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from siquan.core.errors import BadInput, SiquanError
from siquan.core.service.app import ADMIN, App
from siquan.core.store.repository import storable
from siquan.core.store.transaction import Tx
from siquan.core.views import Account

FAILURES, LOCK_MINUTES, SHORTEST = 5, 10, 8


class BadLogin(SiquanError):
    """the login name or the password is wrong"""

    code = "SQ401"
    zh = "账号或密码不对"
    exit = 1
    http = 401


class Locked(SiquanError):
    """too many failures; try again after {until}"""

    code = "SQ429"
    zh = "连续输错次数太多，请在 {until} 后再试"
    exit = 1
    http = 429


class Accounts:
    def __init__(self, app: App) -> None:
        self.app = app
        # OWASP's second Argon2id profile: 19 MiB, 2 passes
        self.hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    def hash(self, password: str) -> str:
        return self.hasher.hash(password)

    def authenticate(self, login: str, password: str, ip: str = "") -> Account:
        """Raises BadLogin, Locked. Every attempt is on the access log."""
        failure: SiquanError | None = None
        typed = (login if storable(login) else ascii(login))[:100]
        with self.app.store.begin() as tx:
            person = tx.people.by_login(typed)
            if person is None or not person.serves(self.app.today()) or not person.password_hash:
                # as slow as a real check, so that names cannot be told apart
                self._check(_DUMMY, password)
                tx.access.add("", "login.failed", typed, origin=ip)
                failure = BadLogin()
            elif person.locked_until is not None and person.locked_until > tx.at:
                failure = Locked(until=person.locked_until.astimezone().strftime("%H:%M"))
            elif not self._check(person.password_hash, password):
                count = person.failed_count + 1
                until = tx.at + dt.timedelta(minutes=LOCK_MINUTES) if count >= FAILURES else None
                tx.people.change(person.id, failed_count=0 if until else count, locked_until=until)
                tx.access.add(person.id, "login.failed", typed, origin=ip)
                failure = BadLogin()
            else:
                tx.people.change(person.id, failed_count=0, locked_until=None)
                tx.access.add(person.id, "login", typed, origin=ip)
                account = self._account(tx, person.id)
        if failure is not None:
            raise failure
        return account

    def _check(self, hashed: str, password: str) -> bool:
        try:
            return self.hasher.verify(hashed, password[:200])
        except (VerifyMismatchError, InvalidHashError, UnicodeEncodeError):
            return False

    def account(self, person: str) -> Account | None:
        with self.app.store.read() as tx:
            found = tx.people.find(person)
            return self._account(tx, person) if found is not None and found.serves(self.app.today()) and found.login else None

    def _account(self, tx: Tx, person: str) -> Account:
        p = tx.people.get(person)
        unit = tx.people.find_unit(p.unit_id) if p.unit_id else None
        grants = tx.people.grants(person, self.app.today())
        roles = tuple(dict.fromkeys(self.app.post_title(g.role) for g in grants))
        return Account(
            p.id, p.login or "", p.name, p.unit_id or "", unit.name if unit else "", roles, p.lang, p.theme, p.must_change,
            any(g.role == ADMIN for g in grants),
        )  # fmt: skip

    def set_preference(self, person: str, lang: str | None = None, theme: str | None = None) -> None:
        changes = {}
        if lang is not None:
            if lang not in ("zh", "en"):
                raise BadInput(why=f"没有语言 `{lang}`")
            changes["lang"] = lang
        if theme is not None:
            if theme not in ("light", "dark"):
                raise BadInput(why=f"没有外观 `{theme}`")
            changes["theme"] = theme
        if changes:
            with self.app.store.begin() as tx:
                tx.people.change(person, **changes)

    def change_password(self, person: str, old: str, new: str) -> None:
        """At least eight characters of three kinds; the old one must be right. Raises BadLogin, BadInput."""
        kinds = sum(any(test(c) for c in new) for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()))
        if len(new) < SHORTEST or kinds < 3 or len(new) > 200:
            raise BadInput(why=f"新密码至少 {SHORTEST} 位，含大写、小写、数字、符号中的三类")
        with self.app.store.begin() as tx:
            p = tx.people.get(person)
            if not self._check(p.password_hash, old):
                raise BadLogin()
            tx.people.change(person, password_hash=self.hash(new), must_change=False)
            tx.access.add(person, "password", p.login or "")


_DUMMY = "$argon2id$v=19$m=19456,t=2,p=1$c2lxdWFuc2lxdWFuMDA$Yb3uC1v1d3g1lT0m0Y0xq3p3m0b8cG1sZ0pXb3l4R1o"
