"""Loads the demo. A plugin's `demo/cases.yaml` is a script of acts with dates relative to today; each act goes through
the service as a person would do it, so the history, deadlines and decisions are real. The acts of all scripts are
taken in the order of their days, and the clock sweeps every day between, as it would have."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siquan.core.demo.days import Days
from siquan.core.demo.policy import play_policy
from siquan.core.demo.rows import read_rows
from siquan.core.errors import NotFound, SiquanError
from siquan.core.plugins import Catalogue
from siquan.core.service import Siquan
from siquan.core.service.app import ZONE
from siquan.core.service.context import Context
from siquan.core.sheets import rows_from_titles
from siquan.core.spec.read import plain
from siquan.core.spec.source import Map, read_yaml
from siquan.core.store import audit

HERE = Path(__file__).parent


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
    """Walks through the past: each reading is a second after the one before, each act some minutes."""

    def __init__(self) -> None:
        self.at = dt.datetime.now(ZONE)

    def __call__(self) -> dt.datetime:
        self.at += dt.timedelta(seconds=1)
        return self.at

    def move(self, day: dt.date, hour: int, minute: int) -> None:
        self.at = dt.datetime.combine(day, dt.time(hour, minute), ZONE)

    def pause(self, n: int) -> None:
        """Between two acts of a day: eight to twenty minutes, the same on every loading."""
        self.at += dt.timedelta(minutes=8 + n * 5 % 13)


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
        calendar = service.app.calendar(tx)
    day = today or service.app.today()
    raw = read_yaml(HERE / "org.yaml", "demo/org.yaml")
    # one random word per installation: no password is the same on two machines
    word = password or f"Siquan-{secrets.token_hex(3)}"
    accounts = _organisation(service, raw, word)
    days, clock = Days(day, calendar), _Clock()
    past = Siquan(service.app.store, service.app.catalogue, clock)
    kept, service.app.store.now = service.app.store.now, clock
    try:
        scripts = [_Script(past, clock, plugin, path, days, raw) for plugin, path, raw in _scripts(service.app.catalogue)]
        _play(scripts, clock, past)
    finally:
        service.app.store.now = kept
    service.sweep()
    for entry in raw.get("substitutions") or ():
        since, until = (max(days.day(entry[k]) or day, service.app.today()) for k in ("since", "until"))
        service.substitute(entry["person"], entry["substitute"], since, until, entry["by"], str(entry.get("reason") or ""))
    play_policy(service, read_yaml(HERE / "policy.yaml", "demo/policy.yaml") or [], days)
    audit.seal(service.app.store)  # what the nightly job would have done on all these days
    file = _accounts_file(folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([a.__dict__ for a in accounts], ensure_ascii=False, indent=1), encoding="utf-8")
    file.chmod(0o600)
    return accounts


def _play(scripts: list[_Script], clock: _Clock, service: Siquan) -> None:
    """All acts of all scripts, day by day. What falls on today is done before the office opens, never in the future."""
    acts = sorted(((day, i, n) for i, s in enumerate(scripts) for n, day in enumerate(s.days())), key=lambda a: a[0])
    at = acts[0][0] if acts else None
    for k, (day, i, n) in enumerate(acts):
        while at is not None and at < day:
            at += dt.timedelta(days=1)
            clock.move(at, 0, 10)
            service.sweep()
        if k == 0 or acts[k - 1][0] < day:
            clock.move(day, *((9, 2) if day < scripts[i].when.today else (0, 12)))
        scripts[i].take(n)
        clock.pause(k)


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
    """One case: opening it is act 0, then its steps."""

    def __init__(self, service: Siquan, clock: _Clock, plugin: str, folder: Path, when: Days, script: Map) -> None:
        self.service, self.clock, self.plugin, self.folder, self.when, self.script = service, clock, plugin, folder, when, script
        self.name = str(script.get("name") or script["process"])
        self.steps: list[Any] = list(script.get("steps") or [])
        self.case = ""

    def days(self) -> list[dt.date]:
        """The day of each act; one without `on` is on the day of the act before, and none goes back before it."""
        out = [self._day(0, self.script.get("on", "T-30"))]
        for n, step in enumerate(self.steps, 1):
            out.append(max(out[-1], self._day(n, step["on"])) if step.get("on") else out[-1])
        if out[-1] > self.when.today:
            raise DemoBroken(plugin=self.plugin, case=self.name, step=len(out) - 1, why=f"`{out[-1]}` 还没有到")
        return out

    def _day(self, n: int, text: Any) -> dt.date:
        found = self.when.day(text)
        if found is None:
            raise DemoBroken(plugin=self.plugin, case=self.name, step=n, why=f"`{text}` 不是日期")
        return found

    def take(self, n: int) -> None:
        try:
            if n:
                self._step(self.steps[n - 1])
            else:
                self._open()
        except SiquanError as fault:
            raise DemoBroken(plugin=self.plugin, case=self.name, step=n, why=fault.full("zh")) from fault
        except KeyError as fault:
            raise DemoBroken(plugin=self.plugin, case=self.name, step=n, why=f"没有写 `{fault.args[0]}`") from fault

    def _open(self) -> None:
        script = self.script
        facts = self.facts(script.get("facts"))
        opened = self.service.open_case(script["process"], script["by"], script.get("place"), facts, title=script.get("title", ""))
        self.case = opened.case

    def facts(self, given: Any) -> Any:
        return self.when.dated(plain(given or {}), self.clock.at.date())

    def _step(self, step: Map) -> None:
        if "import" in step:
            self._import(step)
            return
        facts = self.facts(step.get("facts"))
        for target in self._targets(step):
            if "supply" in step:
                self.service.supply(target, step["by"], self.facts(step["supply"]))
            elif "verb" in step:
                self._verb(target, step)
            elif "recuse" in step:
                self.service.recuse(target, step["by"], step["recuse"])
            else:
                self.service.act(target, step["act"], step["by"], facts, step.get("opinion", ""), step.get("reason", ""))

    def _verb(self, target: str, step: Map) -> None:
        """`cases` names other cases of the process by their titles."""
        with self.service.app.store.read() as tx:
            near = {c.title: c.id for c in tx.cases.of_process(str(self.script["process"]))}
        others = [near.get(str(t), str(t)) for t in step.get("cases") or ()] + [str(p) for p in step.get("persons") or ()]
        self.service.verb(
            target, step["verb"], step["by"], to=step.get("to", ""), reason=step.get("reason", ""), opinion=step.get("opinion", ""), others=others,
            result=step.get("result", ""),
        )  # fmt: skip

    def _targets(self, step: Map) -> list[str]:
        """`child: candidates` is every child that can take the step, `candidates/3` the third, `candidates/叶承志` by title."""
        child = str(step.get("child") or "")
        if not child:
            return [self.case]
        name, _, which = child.partition("/")
        with self.service.app.store.read() as tx:
            children = tx.cases.children(self.case, name)
            if which:
                out = [c.id for c in children if str(c.ordinal) == which or c.title == which]
            else:
                out = [c.id for c in children if any(s.name == step.get("act") for s in self._next(tx, c))]
        if not out:
            raise NotFound(kind="子事项", name=child)
        return out

    def _next(self, tx: Any, case: Any) -> Any:
        return Context(self.service.app, tx, case).definition.machine.steps(case.state)

    def _import(self, step: Map) -> None:
        raw: Mapping[str, Any] = read_yaml(self.folder / step["file"], f"{self.plugin}/demo/{step['file']}")
        on = self.clock.at.date()
        rows = read_rows(self.when.dated(plain(raw), on), on)
        with self.service.app.store.read() as tx:
            sheet, _, _ = self.service._papers._sheet(Context(self.service.app, tx, tx.cases.get(self.case)), step["import"])
        data = rows_from_titles(sheet, rows)
        self.service.import_sheet(self.case, step["import"], step["by"], f"{sheet.name}.xlsx", data)
