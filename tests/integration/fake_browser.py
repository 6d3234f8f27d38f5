"""A browser without a browser, and the fixtures of the page tests."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from siquan.web.app import create_app


class Browser:
    """A client that takes the token from the page it has seen last, as a browser does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page = ""

    def get(self, url: str) -> Any:
        answer = self.client.get(url)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            self.page = answer.text
        return answer

    def hidden(self, name: str) -> str:
        found = re.findall(rf'name="{name}" value="([^"]*)"', self.page)
        return html.unescape(found[-1]) if found else ""

    def post(self, url: str, data: dict[str, Any], **more: Any) -> Any:
        answer = self.client.post(url, data={"csrf_token": self.hidden("csrf_token"), **data}, **more)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            self.page = answer.text
        return answer

    def sign_in(self, login: str = "hejianing") -> Browser:
        self.get("/sign-in")
        assert self.post("/sign-in", {"login": login, "password": "demo-password"}).status_code == 302
        self.get("/me")
        return self


def fixtures(fakes: Any) -> tuple[Any, Any, Any, Any]:
    """The fixtures service, app, stranger and browser over the fake service of the module `fakes`."""

    @pytest.fixture
    def service() -> Any:
        return fakes.FakeService()

    @pytest.fixture
    def app(service: Any, tmp_path: Path) -> Flask:
        return create_app(
            service,
            secret_key="k" * 32,
            instance_path=tmp_path,
            demo_accounts=[("何佳宁", "梧桐里社区 · 经办", "hejianing", "demo-password")],
        )

    @pytest.fixture
    def stranger(app: Flask) -> Browser:
        return Browser(app.test_client())

    @pytest.fixture
    def browser(stranger: Browser) -> Browser:
        return stranger.sign_in()

    return service, app, stranger, browser


STEP = "/cases/c-0147/steps/supplement"
GOOD = {"fact.credit.listed": "false", "fact.credit.day": "2026-11-20"}


def checked(browser: Browser, **more: str) -> dict[str, str]:
    """Fill in and check the form; the fields the check page would post."""
    browser.get(STEP)
    data = {
        "step": "check",
        "key": browser.hidden("key"),
        "revision": browser.hidden("revision"),
        **GOOD,
        **more,
    }
    assert browser.post(STEP, data).status_code == 200
    return {**data, "step": "submit", "wire": browser.hidden("wire"), "revision": browser.hidden("revision")}
