"""The verbs of an administrator: versions, migrations, repairs, roots and the event log, as a shell calls them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siquan.core.cli import main
from siquan.core.home import Home
from siquan.core.plugins import discover
from siquan.core.store import audit

TEXT = """
process: lamp
title: 换灯
roles: {staff: 经办, boss: 主管}
facts:
  why: {title: 事由, type: text, by: staff}
states:
  draft: {title: 起草, send: {title: 提交, by: staff, needs: [why], to: look}}
  look: {title: 审核, due: {after: 3 workdays, then: remind}, pass: {title: 同意, by: boss, to: done}}
  done: {title: 办结, final: true}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "lamp.yaml").write_text(TEXT, encoding="utf-8")
    for name, value in {"SIQUAN_HOME": str(tmp_path / "var"), "SIQUAN_PLUGIN_DIRS": str(plugins), "SIQUAN_LANG": "zh"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SIQUAN_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    # the bundled plugins take a second to load, each time
    monkeypatch.setattr(Home, "catalogue", lambda self: discover(self.plugin_dirs, bundled=False))
    with Home.of().store() as store, store.begin() as tx:
        tx.people.add_unit("d", "district", "区")
        for person, role in (("s", "staff"), ("b", "boss"), ("author", "policy_author"), ("boss", "admin"), ("chief", "admin")):
            tx.people.add(person, unit_id="d", person_id=person)
            tx.people.grant(person, role, "d", dt.date(2020, 1, 1))

    def call(*args: str) -> tuple[int, str]:
        status = main(args)
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return call


def read(run: Any, *args: str) -> Any:
    status, text = run(*args, "--json")
    assert status == 0, text
    return json.loads(text)


def test_a_process_is_changed_from_the_shell(run: Any, tmp_path: Path) -> None:
    case = read(run, "open", "lamp", "--by", "s", "--place", "d")["number"]
    read(run, "act", case, "send", "--by", "s", "--facts", "{why: 坏了}")
    file = tmp_path / "plugins" / "lamp.yaml"
    new = TEXT.replace("  look: {title: 审核", "  check: {title: 核查").replace("to: look}", "to: check}").replace("3 workdays", "6 workdays")
    ahead = tmp_path / "lamp.yaml"
    ahead.write_text(new, encoding="utf-8")
    assert "去掉状态“审核”" in run("process", "diff", "lamp", str(ahead))[1]
    file.write_text(new, encoding="utf-8")
    versions = read(run, "process", "versions", "lamp")
    assert [(v["current"], v["open"]) for v in versions] == [(True, 0), (False, 1)]
    assert "审核（look）1 件" in run("process", "versions", "lamp")[1]
    assert "涉及 1 件" in run("process", "diff", "lamp", versions[1]["hash"][:10])[1]
    status, text = run("process", "plan", "lamp")
    assert status == 0 and "要对应 1" in text and "--map look=新状态" in text
    assert run("process", "migrate", "lamp", "--by", "author", "--reason", "改名")[0] == 1
    status, text = run("process", "migrate", "lamp", "--by", "author", "--map", "look=check", "--dry-run")
    assert status == 0 and "1 件能迁，0 件失败" in text and read(run, "process", "migrations", "--by", "author") == []
    assert run("process", "plan", "lamp", "--map", "look")[0] == 2
    row = read(run, "process", "migrate", "lamp", "--by", "author", "--reason", "改名", "--map", "look=check")
    assert run("process", "confirm", row["id"], "--by", "author")[0] == 1
    status, text = run("process", "confirm", row["id"][:8], "--by", "boss")
    assert status == 0 and "已迁　" in text and "核查" in text
    assert read(run, "show", case, "--by", "b")["state"] == "check"
    assert run("process", "migration", row["id"], "--by", "boss")[1] == text
    assert "1 次迁移" in run("process", "migrations", "lamp", "--by", "boss")[1]
    status, text = run("process", "undo", row["id"], "--by", "boss", "--reason", "改回")
    assert status == 0 and "已撤回" in text and read(run, "show", case, "--by", "b")["state"] == "look"
    again = read(run, "process", "migrate", "lamp", "--by", "author", "--reason", "再来", "--map", "look=check")
    assert "已撤回计划" in run("process", "withdraw", again["id"], "--by", "author")[1]
    assert run("process", "confirm", "nonsense", "--by", "boss")[0] == 2
    assert run("replay") == (0, "0 处不符\n") and run("audit", "verify")[0] == 0


def test_a_stuck_case_from_the_shell(run: Any) -> None:
    case = read(run, "open", "lamp", "--by", "s", "--place", "d")["number"]
    read(run, "act", case, "send", "--by", "s", "--facts", "{why: 坏了}")
    assert run("stuck") == (0, "0 件卡住\n")
    with Home.of().store() as store, store.begin() as tx:
        for grant in tx.people.grants("b"):
            tx.people.end_grant(grant.id, dt.date(2020, 2, 1))
    status, text = run("stuck")
    assert status == 1 and case in text and "没有人能办" in text
    assert run("repair", case, "--by", "boss")[0] == 2 and run("repair", case, "--confirm", "--by", "boss")[0] == 1
    assert run("repair", case, "--confirm", "--to", "draft", "--by", "boss")[0] == 2
    assert "提出修复：审核 → 起草" in run("repair", case, "--to", "draft", "--by", "boss", "--reason", "没有主管")[1]
    assert run("repair", case, "--confirm", "--by", "boss")[0] == 1
    status, text = run("repair", case, "--confirm", "--by", "chief")
    assert status == 0 and "已修复到“起草”" in text
    assert run("stuck")[0] == 0 and run("replay")[0] == 0


def test_roots_and_the_log_from_the_shell(run: Any, tmp_path: Path) -> None:
    read(run, "open", "lamp", "--by", "s", "--place", "d")
    assert run("audit", "root")[0] == 2
    with Home.of().store() as store:
        now = store.now
        store.now = lambda: now() + dt.timedelta(days=2)
        audit.seal(store)
    root = read(run, "audit", "root")
    assert root["root"] in run("audit", "root", root["day"])[1]
    assert run("audit", "verify", "--since", root["day"], "--root", root["root"]) == (0, "历史完整，没有发现改动\n")
    status, text = run("audit", "verify", "--since", root["day"], "--root", "0" * 64)
    assert status == 1 and "SQA18" in text
    for wrong in (("audit", "verify", "--root", "0"), ("audit", "verify", "--since", "gestern"), ("audit", "root", "x")):
        assert run(*wrong)[0] == 2
    assert read(run, "export", "events", "--by", "s", "--format", "xes", "--out", "log.xes") == {"file": "log.xes", "cases": 1, "events": 1}
    assert (tmp_path / "log.xes").read_text(encoding="utf-8").startswith("<?xml")
    assert run("export", "events", "--by", "s", "--names")[0] == 1 and run("export", "LA-1", "--by", "s")[0] == 2
    assert run("export", "events", "--by", "boss", "--names", "--since", "2020-01-01")[0] == 0
