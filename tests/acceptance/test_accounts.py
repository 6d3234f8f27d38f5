"""`siquan accounts` on the demo: what a clerk and an administrator see, prove and put right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_accounts_on_the_command_line(run: Callable[..., Any], tmp_path: Path) -> None:
    listed = run("accounts", "list", "--by", "chenyu", "--kind", "volunteer_points.points", "--json").json
    (card,) = [c for c in listed["kept"] if c["owner"] == "王月"]
    assert (card["balance"], card["held"], card["available"]) == ("85", "30", "55")
    mine = run("accounts", "list", "--by", "wangyue", "--json").json
    assert {c["title"] for c in mine["mine"]} == {"锋彩积分", "储存时间"} and mine["kept"] == []
    year = run("accounts", "show", card["id"], "--by", "wangyue", "--period", "2026", "--json")
    assert year.status == 0 and [e["seq"] for e in year.json["entries"]] == [1, 2, 3]
    assert run("accounts", "show", card["id"], "--by", "zhouhang").status == 1
    assert run("accounts", "show", card["id"], "--by", "wangyue", "--period", "2026-13").status == 2
    file = tmp_path / "statement.xlsx"
    assert run("accounts", "show", card["id"], "--by", "chenyu", "-o", file).status == 0 and file.read_bytes()[:2] == b"PK"

    alone = ("accounts", "reverse", card["id"], 1, "--by", "chenyu", "--second", "chenyu", "--reason", "录错", "--json")
    assert run(*alone).json["error"] == "SQ403"
    waiting = run("accounts", "list", "--by", "wanghaitang", "--json").json["asked"]
    assert [r["seq"] for r in waiting] == [1]
    done = run("accounts", "reverse", card["id"], 2, "--by", "chenyu", "--second", "wanghaitang", "--reason", "录错", "--json")
    assert done.status == 0 and done.json["entry"] == 4
    again = run("accounts", "reverse", card["id"], 2, "--by", "chenyu", "--second", "wanghaitang", "--reason", "录错")
    assert again.status == 1 and "已经冲正过" in again.err

    proved = run("accounts", "reconcile", "--json")
    assert proved.status == 0 and proved.json["ok"] and len(proved.json["checks"]) == 4
    assert run("audit", "verify").status == 0 and run("replay").status == 0
