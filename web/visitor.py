"""Who is looking: the signed-in account, the language and theme of the request, the way to the service."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, session
from flask_login import current_user

from siquan.core.views import Account
from siquan.web.catalogue import LANGUAGES
from siquan.web.door import Door

THEMES = ("light", "dark")


class Visitor:
    """An account as Flask-Login wants it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, account: Account) -> None:
        self.account = account

    def get_id(self) -> str:
        return self.account.person


def service() -> Door:
    return cast(Door, current_app.extensions["siquan"])


def account() -> Account | None:
    """The signed-in account, None for a stranger."""
    return current_user.account if current_user.is_authenticated else None


def person() -> str:
    """Id of the signed-in person; the guard lets nobody else come this far."""
    return str(current_user.account.person)


def choose() -> None:
    """Language and theme of this request: the account's, else a stranger's choice, else Chinese and light."""
    who = account()
    lang = who.lang if who else session.get("lang", "zh")
    theme = who.theme if who else session.get("theme", "light")
    g.lang = lang if lang in LANGUAGES else "zh"
    g.theme = theme if theme in THEMES else "light"


def lang() -> str:
    return str(getattr(g, "lang", "zh"))
