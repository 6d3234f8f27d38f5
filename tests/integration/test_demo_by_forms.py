"""The demo once more, but every act by the pages: what a script states, a form or a sheet must take."""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from siquan.core.calendar import shipped
from siquan.core.demo import load, load_demo
from siquan.core.plugins import discover
from siquan.core.service import Siquan
from siquan.core.store.database import Store
from siquan.web.app import create_app

TODAY = dt.date(2026, 11, 23)
PASSWORD = "Demo-2026"


def beside(name: str) -> ModuleType:
    """A module of this folder; the test folders are no packages."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Pages:
    """A service to a script; its acts go through the browser of whoever acts."""

    def __init__(self, service: Siquan, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.app = service.app
        self.web = create_app(service, secret_key="k" * 32, instance_path=folder)  # type: ignore[arg-type]
        self.browsers: dict[str, Any] = {}
        self.steps: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)

    def browser(self, login: str) -> Any:
        if login not in self.browsers:
            client = self.web.test_client()
            # the sign-in is limited by address, and each of them sits at a desk of their own
            client.environ_base["REMOTE_ADDR"] = f"10.0.0.{len(self.browsers) + 1}"
            browser = beside("fake_browser").Browser(client)
            browser.get("/sign-in")
            assert browser.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 302
            self.browsers[login] = browser
        return self.browsers[login]

    def open_case(self, process: str, by: str, place: str, facts: Mapping[str, Any], title: str = "") -> Any:
        browser, url = self.browser(by), f"/processes/{process}/open"
        browser.get(url)
        done = browser.post(url, {"key": browser.hidden("key"), "place": place, **fields(facts)})
        assert done.status_code == 302, done.text
        return SimpleNamespace(case=done.location.rpartition("/")[2])

    def act(self, case: str, name: str, by: str, facts: Mapping[str, Any], opinion: str = "", reason: str = "") -> None:
        browser, url = self.browser(by), f"/cases/{case}/steps/{name}"
        page = browser.get(url)
        given = fields(facts)
        offered = {n for n in given if f'name="{n}"' in page.text}
        assert offered == set(given), f"{name}: the form does not offer {set(given) - offered}"
        stamp = {"key": browser.hidden("key"), "revision": browser.hidden("revision"), "opinion": opinion, "reason": reason}
        checked = browser.post(url, {**stamp, **given, "step": "check"})
        assert checked.status_code == 200, f"{name}: {checked.text}"
        done = browser.post(url, {**stamp, **given, "step": "submit", "wire": browser.hidden("wire")})
        assert done.status_code == 302, f"{name}: {done.text}"
        self.steps[name] += 1

    def recuse(self, case: str, by: str, reason: str) -> None:
        browser = self.browser(by)
        browser.get(f"/cases/{case}/recuse")
        done = browser.post(f"/cases/{case}/recuse", {"reason": reason, "key": browser.hidden("key")})
        assert done.status_code == 302, done.text

    def import_sheet(self, case: str, target: str, by: str, name: str, data: bytes) -> None:
        browser, url = self.browser(by), f"/cases/{case}/sheets/{target}"
        page = browser.get(f"/cases/{case}").text
        assert f"/sheets/{target}" in page, f"the page of the case offers no sheet for {target}"
        browser.get(url)
        given = {"key": browser.hidden("key"), "revision": browser.hidden("revision"), "file": (io.BytesIO(data), name)}
        done = browser.post(url, given, content_type="multipart/form-data")
        assert done.status_code == 302, done.text


def fields(facts: Mapping[str, Any], head: str = "fact.") -> dict[str, str]:
    out: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            out |= fields(value, f"{head}{name}.")
        else:
            text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
            out[head + name] = "__absent__" if text == "none" else text
    return out


def test_the_demo_by_the_pages_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = dt.datetime.combine(TODAY, dt.time(10), dt.timezone(dt.timedelta(hours=8)))
    ids = iter(range(10**9))
    store = Store(f"sqlite:///{tmp_path / 'siquan.db'}", lambda: at, lambda: f"id{next(ids):08d}")
    service = Siquan(store, discover(), lambda: at)
    with store.begin() as tx:
        for year in shipped().values():
            tx.calendars.publish(year.year, dict(year.holidays), year.workdays, year.source, "system")
    made: list[Pages] = []

    def pages(*given: Any) -> Pages:
        made.append(Pages(Siquan(*given), tmp_path))
        return made[-1]

    monkeypatch.setattr(load, "Siquan", pages)
    load_demo(service, tmp_path, today=TODAY, password=PASSWORD)
    with store.read() as tx:
        cases = [tx.cases.get(i) for i in tx.cases.ids("", 1000)]
    states = Counter((c.process.partition(".")[2], c.state) for c in cases)
    for process, state in (
        ("term_change", "screening"), ("term_change", "candidate_publicity.posted"), ("term_change", "filing"),
        ("staffing", "appoint.select"), ("staffing", "active"),
    ):  # fmt: skip
        assert states[process, state] == 1, states
    assert states["candidate", "need_evidence"] == 4 and states["candidate", "told"] == 2
    assert made[0].steps["screen"] == 13 + 7 + 6
    assert service.audit_verify() == [] and service.replay() == []
