"""Loads the demo. A plugin's `demo/cases.yaml` is a script of acts with dates relative to today (`T-20`); each act
goes through the service as a person would do it, so the history, deadlines and decisions are real."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siquan.core.errors import SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service import Siquan
from siquan.core.service.app import ZONE
from siquan.core.service.context import Context
from siquan.core.sheets import rows_from_titles
from siquan.core.spec.read import plain
from siquan.core.spec.source import Map, read_yaml

HERE = Path(__file__).parent
_DAY = re.compile(r"T([+-]\d+)?")


class DemoBroken(SiquanError):
    """the demo of `{plugin}` stops at step {step} of `{case}`: {why}"""

    code = "SQ610"
    zh = "`{plugin}` 的演示数据在“{case}”第 {step} 步走不下去：{why}"


@dataclass(frozen=True)
class DemoAccount:
    login: str
    password: str
    name: str
    post: str
    about: str = ""


class _Clock:
    """Walks through the past: each reading is a minute after the one before, on the day of the script."""

    def __init__(self) -> None:
        self.at = dt.datetime.now(ZONE)

    def __call__(self) -> dt.datetime:
        self.at += dt.timedelta(seconds=37)
        return self.at

    def move(self, day: dt.date, hour: int = 9) -> None:
        self.at = max(dt.datetime.combine(day, dt.time(hour), ZONE), self.at if self.at.date() == day else dt.datetime.min.replace(tzinfo=ZONE))


def _accounts_file(folder: Path) -> Path:
    return folder / "demo_accounts.json"


def demo_accounts(folder: Path) -> tuple[DemoAccount, ...]:
    """The accounts of a demo installation with their passwords; empty where no demo was loaded."""
    file = _accounts_file(folder)
    if not file.exists():
        return ()
    return tuple(DemoAccount(**a) for a in json.loads(file.read_text(encoding="utf-8")))


def load_demo(service: Siquan, folder: Path, *, today: dt.date | None = None, password: str = "") -> tuple[DemoAccount, ...]:
    """Fills an empty installation. Raises DemoBroken when a script does not go through; nothing is half loaded then
    that a second call would repeat: the organisation is only written when there is none."""
    with service.app.store.read() as tx:
        if tx.people.units():
            return demo_accounts(folder)
    day = today or service.app.today()
    raw = read_yaml(HERE / "org.yaml", "demo/org.yaml")
    # one random word per installation: no password is the same on two machines
    word = password or f"Siquan-{secrets.token_hex(3)}"
    accounts = _organisation(service, raw, word)
    clock = _Clock()
    past = Siquan(service.app.store, service.app.catalogue, clock)
    kept, service.app.store.now = service.app.store.now, clock
    try:
        for plugin, path, script in _scripts(service.app.catalogue):
            _Script(past, clock, plugin, path, day).run(script)
    finally:
        service.app.store.now = kept
    service.sweep()
    file = _accounts_file(folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([a.__dict__ for a in accounts], ensure_ascii=False, indent=1), encoding="utf-8")
    file.chmod(0o600)
    return accounts


def _organisation(service: Siquan, raw: Map, word: str) -> tuple[DemoAccount, ...]:
    accounts = []
    hashed = service._accounts.hash(word)
    with service.app.store.begin() as tx:
        for unit in raw["units"]:
            tx.people.add_unit(unit["id"], unit["kind"], unit["name"], unit.get("under"))
        for p in raw["people"]:
            # the login is the id too, so that scripts and the command line can name people
            tx.people.add(p["name"], unit_id=p["unit"], login=p["login"], password_hash=hashed, person_id=p["login"])
            for role in p["roles"]:
                name, _, at = str(role).partition("@")
                tx.people.grant(p["login"], name, at or p["unit"], dt.date(2020, 1, 1))
            unit = next(u["name"] for u in raw["units"] if u["id"] == p["unit"])
            accounts.append(DemoAccount(p["login"], word, p["name"], f"{unit} · {p['post']}", p.get("about", "")))
    return tuple(accounts)


def _scripts(catalogue: Catalogue) -> Iterator[tuple[str, Path, Any]]:
    """(plugin, its demo folder, one scripted case) of every plugin that is loaded."""
    names = {f.name for f in catalogue.found if f.spec is not None}
    own = read_yaml(HERE / "cases.yaml", "demo/cases.yaml") or []
    for script in own:
        if str(script["process"]).partition(".")[0] in names:
            yield "demo", HERE, script
    for found in catalogue.found:
        file = Path(found.path) / "demo" / "cases.yaml"
        if found.spec is not None and file.is_file():
            for script in read_yaml(file, f"{found.name}/demo/cases.yaml") or []:
                yield found.name, file.parent, script


class _Script:
    def __init__(self, service: Siquan, clock: _Clock, plugin: str, folder: Path, today: dt.date) -> None:
        self.service, self.clock, self.plugin, self.folder, self.today = service, clock, plugin, folder, today

    def day(self, text: Any) -> dt.date:
        found = _DAY.fullmatch(str(text))
        if found is None:
            return dt.date.fromisoformat(str(text))
        return self.today + dt.timedelta(days=int(found.group(1) or 0))

    def facts(self, value: Any) -> Any:
        """`T-20` anywhere in a script becomes a date."""
        if isinstance(value, dict):
            return {k: self.facts(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.facts(v) for v in value]
        return self.day(value).isoformat() if isinstance(value, str) and _DAY.fullmatch(value) else value

    def run(self, script: Map) -> None:
        name = str(script.get("name") or script["process"])
        n = 0
        try:
            self._move(script.get("on", "T-30"))
            opened = self.service.open_case(
                script["process"], script["by"], script.get("place"), self.facts(plain(script.get("facts") or {})), title=script.get("title", "")
            )
            for n, step in enumerate(script.get("steps") or [], 1):
                self._move(step.get("on", ""))
                self._step(opened.case, step)
        except SiquanError as fault:
            raise DemoBroken(plugin=self.plugin, case=name, step=n, why=fault.full("zh")) from fault

    def _move(self, on: Any) -> None:
        if on:
            self.clock.move(self.day(on))
            self.service.sweep()

    def _step(self, case: str, step: Map) -> None:
        if "import" in step:
            self._import(case, step)
            return
        facts = self.facts(plain(step.get("facts") or {}))
        for target in self._targets(case, step):
            if "supply" in step:
                self.service.supply(target, step["by"], self.facts(plain(step["supply"])))
            elif "recuse" in step:
                self.service.recuse(target, step["by"], step["recuse"])
            else:
                self.service.act(target, step["act"], step["by"], facts, step.get("opinion", ""), step.get("reason", ""))

    def _targets(self, case: str, step: Map) -> list[str]:
        """`child: candidates` is every child that can take the step, `candidates/3` the third, `candidates/叶承志` by title."""
        child = str(step.get("child") or "")
        if not child:
            return [case]
        name, _, which = child.partition("/")
        with self.service.app.store.read() as tx:
            children = tx.cases.children(case, name)
            if which:
                return [c.id for c in children if str(c.ordinal) == which or c.title == which]
            out = []
            for c in children:
                steps = Context(self.service.app, tx, c).definition.machine.steps(c.state)
                if any(s.name == step.get("act") for s in steps):
                    out.append(c.id)
            return out

    def _import(self, case: str, step: Map) -> None:
        raw = read_yaml(self.folder / step["file"], f"{self.plugin}/demo/{step['file']}")
        shift = self.clock.at.date() - raw["written_for"] if raw.get("written_for") else dt.timedelta()
        keep = set(raw.get("fixed") or ["出生日期"])
        rows = [{k: self._shifted(v, shift) if k not in keep else v for k, v in plain(r).items()} for r in raw["rows"]]
        with self.service.app.store.read() as tx:
            sheet, _, _ = self.service._papers._sheet(Context(self.service.app, tx, tx.cases.get(case)), step["import"])
        data = rows_from_titles(sheet, rows)
        self.service.import_sheet(case, step["import"], step["by"], f"{sheet.name}.xlsx", data)

    def _shifted(self, value: Any, shift: dt.timedelta) -> Any:
        text = value.isoformat() if isinstance(value, dt.date) else value
        if isinstance(text, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return (dt.date.fromisoformat(text) + shift).isoformat()
        return text
