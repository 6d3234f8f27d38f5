"""The command line is a contract: what it prints with --json, and the exit status scripts rely on."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siquan.core.home import Home
from siquan.core.plugins import Catalogue
from siquan.core.service import Siquan
from siquan.core.service.context import Context
from siquan.core.sheets import rows_from_titles

ON = "2026-11-20"
APPROVAL = Path(__file__).parents[2] / "plugins" / "approval.yaml"


def wire(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def base(service: Siquan, process: str, name: str, **more: Any) -> dict[str, Any]:
    """Facts of a plugin's own cases."""
    catalogue: Catalogue = service.app.catalogue
    return {**catalogue.definition(process).spec.bases[name], **more}


@pytest.fixture
def clean(demo: Siquan) -> dict[str, Any]:
    return base(demo, "owners_committee.candidate", "clean")


def is_contract(shown: Any) -> None:
    """The shape of `decide --json`, design part 9."""
    assert set(shown) - {"value"} == {"outcome", "findings", "ask", "ruleset"}
    assert shown["outcome"] in ("REJECT", "BLOCK", "EVIDENCE", "WARN", "PASS")
    assert set(shown["ruleset"]) == {"id", "version", "hash"} and len(shown["ruleset"]["hash"]) == 64
    assert shown["findings"]
    for finding in shown["findings"]:
        assert set(finding) == {"rule", "result", "outcome", "basis", "message", "cite"}
        assert finding["result"] in ("hit", "clear", "unknown", "na")
        assert finding["outcome"] in ("REJECT", "BLOCK", "EVIDENCE", "WARN", "PASS", "PRIORITY", "TARGET", "NA")
        assert finding["basis"] in ("STATUTE", "OWNERS", "POLICY", "LOCAL", "")
        assert finding["rule"] and finding["message"]
    for ask in shown["ask"]:
        assert set(ask) == {"fact", "by", "evidence", "blocking"}
        assert isinstance(ask["evidence"], list) and isinstance(ask["blocking"], bool)


def rule(shown: Any, id: str) -> Any:
    return next(f for f in shown["findings"] if f["rule"] == id)


# decide


def test_decide_an_approval(run: Any) -> None:
    done = run("decide", "approval.level", "--facts", "{amount: 6000}", "--json")
    assert (done.status, done.err) == (0, "")
    is_contract(done.json)
    assert (done.json["outcome"], done.json["value"], done.json["ask"]) == ("PASS", "district", [])
    assert rule(done.json, "L1") == {
        "rule": "L1", "result": "hit", "outcome": "PASS", "basis": "", "message": "超过5000元,需区级确认", "cite": "",
    }  # fmt: skip
    assert done.json["ruleset"]["id"] == "approval.level"
    unknown = run("decide", "approval.level", "--json").json
    is_contract(unknown)
    assert unknown["outcome"] == "EVIDENCE" and "value" not in unknown
    assert unknown["ask"] == [{"fact": "amount", "by": "resident", "evidence": [], "blocking": True}]
    words = run("decide", "approval.level", "--facts", "{amount: 6000}")
    assert words.status == 0 and "L1" in words.out and "超过5000元" in words.out and "compiled、durable" in words.out


def test_decide_a_candidate(run: Any, clean: dict[str, Any]) -> None:
    done = run("decide", "owners_committee.candidate", "--facts", wire(clean), "--on", ON, "--json")
    is_contract(done.json)
    assert done.json["outcome"] == "PASS" and done.json["ask"] == []
    built = {**clean, "illegal_build": {"order_no": "云城执改〔2025〕77号", "order_date": "2025-03-12", "rectified_date": "none"}}
    shown = run("decide", "owners_committee.candidate", "--facts", wire(built), "--on", ON, "--json").json
    is_contract(shown)
    assert shown["outcome"] == "REJECT" and rule(shown, "OC-N04")["basis"] == "OWNERS"
    assert "云城执改〔2025〕77号" in rule(shown, "OC-N04")["message"] and rule(shown, "OC-N04")["cite"]
    # a REJECT that stands on guidance is advice
    shown = run("decide", "owners_committee.candidate", "--facts", wire(built), "--on", ON, "--set", "basis.OC-N04=POLICY", "--json").json
    is_contract(shown)
    assert shown["outcome"] == "WARN"
    assert (rule(shown, "OC-N04")["outcome"], rule(shown, "OC-N04")["basis"]) == ("WARN", "POLICY")
    # what is not known is asked for, with who knows it and what proves it
    unknown = {k: v for k, v in clean.items() if not k.startswith("dishonest")}
    shown = run("decide", "owners_committee.candidate", "--facts", wire(unknown), "--on", ON, "--json").json
    is_contract(shown)
    assert shown["outcome"] == "EVIDENCE"
    [ask] = shown["ask"]
    assert ask["fact"].startswith("dishonest") and ask["by"] == "community" and ask["blocking"] and ask["evidence"]


def test_the_date_decides(run: Any, clean: dict[str, Any]) -> None:
    young = {**clean, "birth_date": "2008-11-20", "pledge_signed": "2026-11-01"}
    results = [run("decide", "owners_committee.candidate", "--facts", wire(young), "--on", day, "--json").json for day in ("2026-11-19", "2026-11-20")]
    assert [rule(r, "OC-E02")["result"] for r in results] == ["hit", "clear"]


def test_decide_the_staffing_of_a_committee(run: Any, demo: Siquan) -> None:
    facts = base(demo, "big_party_committee.staffing", "eight")
    done = run("decide", "big_party_committee.staffing", "--facts", wire({"members": facts["members"]}), "--on", ON, "--json")
    is_contract(done.json)
    assert done.json["outcome"] == "PASS"
    bare = {"members": [m for m in facts["members"]["value"] if m["role_source"] != "community_police"]}
    shown = run("decide", "big_party_committee.staffing", "--facts", wire(bare), "--on", ON, "--json").json
    # nobody said that the list is complete: a policeman may still come
    assert (shown["outcome"], rule(shown, "BP-01")["result"]) == ("EVIDENCE", "unknown")
    bare = {"members": {"value": bare["members"], "complete": True}}
    shown = run("decide", "big_party_committee.staffing", "--facts", wire(bare), "--on", ON, "--json").json
    assert (shown["outcome"], rule(shown, "BP-01")["outcome"]) == ("BLOCK", "BLOCK")


def test_facts_come_as_json_yaml_file_and_standard_input(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f.yaml").write_text("amount: {value: 6000, source: 报价单}\n", encoding="utf-8")
    (tmp_path / "f.json").write_text('{"amount": "6000.00"}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO("amount: 6000"))
    given = ["{amount: 6000}", '{"amount": 6000}', "amount: 6000", f"@{tmp_path / 'f.yaml'}", f"@{tmp_path / 'f.json'}", "-"]
    assert {run("decide", "approval.level", "--facts", f, "--json").json["value"] for f in given} == {"district"}
    assert run("decide", APPROVAL, "--facts", "{amount: 1}", "--json").json["value"] == "done"
    assert run("decide", "approval.level", "--facts", "{amount: 6000}", "--set", "district_from=7000", "--json").json["value"] == "done"
    assert run("decide", "approval.level", "--facts", "{amount: 6000}", "--place", "community/wutongli", "--json").json["value"] == "district"
    before = run("decide", "approval.level", "--facts", "{amount: 6000}", "--on", "2025-12-31", "--json").json
    assert before["outcome"] == "EVIDENCE", "before its first value a parameter is unknown"


@pytest.mark.parametrize(
    "argv",
    [
        [], ["forged"], ["decide"], ["decide", "forged"], ["decide", "approval.level", "--forged"],
        ["decide", "approval.level", "--facts", "{amount: x}"], ["decide", "approval.level", "--facts", "{amout: 1}"],
        ["decide", "approval.level", "--facts", "{amount: 1"], ["decide", "approval.level", "--facts", "[1]"],
        ["decide", "approval.level", "--facts", "{amount: 1, amount: 2}"], ["decide", "approval.level", "--facts", "@nowhere.yaml"],
        ["decide", "approval.level", "--on", "2026-02-30"], ["decide", "approval.level", "--set", "district_from"],
        ["decide", "approval.level", "--set", "forged=1"], ["open", "approval"], ["open", "forged", "--by", "wangyue"],
        ["open", "approval", "--by", "wangyue", "--place", "forged"], ["act", "forged", "submit", "--by", "wangyue"],
        ["show", "forged", "--by", "wangyue"], ["explain", "forged", "--by", "wangyue"], ["replay", "forged"],
        ["audit", "forged"], ["audit", "verify", "forged"], ["verify", "forged"], ["test", "forged"], ["draw", "forged"],
        ["import", "AP-2026-0001", "members", "nowhere.xlsx", "--by", "wangyue"], ["export", "AP-2026-0001", "members", "--by", "wangyue"],
    ],
)  # fmt: skip
def test_wrong_usage_and_broken_input_end_with_2(run: Any, argv: list[str]) -> None:
    done = run(*argv)
    assert done.status == 2 and done.err and not done.out, done
    assert "Traceback" not in done.err
    if argv and done.err.partition(" ")[0] != "usage:":
        as_json = run(*argv, "--json")
        assert as_json.status == 2 and set(as_json.json) >= {"error", "message", "help"} and as_json.err == ""


# cases


def opened(run: Any) -> str:
    done = run("open", "approval", "--by", "wangyue", "--facts", "{reason: 换灯}", "--title", "楼道灯", "--json")
    assert done.status == 0, done
    return str(done.json["number"])


def test_a_case_from_the_command_line(run: Any, tmp_path: Path) -> None:
    case = opened(run)
    assert run("open", "approval", "--by", "wangyue", "--key", "k", "--json").json["repeated"] is False
    assert run("open", "approval", "--by", "wangyue", "--key", "k", "--json").json["repeated"] is True
    done = run("act", case, "submit", "--by", "wangyue", "--facts", "{amount: 6000}", "--revision", "2", "--json")
    assert done.status == 0
    assert {k: done.json[k] for k in ("number", "state", "state_title", "outcome", "revision", "repeated")} == {
        "number": case, "state": "community", "state_title": "社区审核", "outcome": "", "revision": 3, "repeated": False,
    }  # fmt: skip
    shown = run("show", case, "--by", "chenyu", "--json").json
    assert (shown["title"], shown["state"], shown["mine"]) == ("楼道灯", "community", True)
    assert [(s["name"], s["allowed"]) for s in shown["steps"]] == [("pass", True), ("reject", True)]
    assert shown["dues"][0]["line"].startswith("3 个工作日")
    assert "可办　同意" in run("show", case, "--by", "chenyu").out and "不可　同意" in run("show", case, "--by", "wangyue").out
    done = run("act", case, "pass", "--by", "chenyu", "--opinion", "同意", "--json")
    is_contract(done.json["decision"])
    assert done.json["state"] == "district"
    [view] = run("explain", case, "--by", "wangyue", "--json").json
    assert (view["replay"], view["refused"], view["decision"]["outcome"]) == ("same", False, "PASS")
    assert "L1" in run("explain", case, "--by", "wangyue").out
    assert run("replay", case, "--json").json == [] and run("replay").status == 0
    assert run("audit", "verify", case, "--json").json == {"ok": True, "findings": []}
    assert run("sweep", "--json").json == {"reminded": 0, "fired": 0, "failed": 0}


def test_refusals_end_with_1(run: Any) -> None:
    case = opened(run)
    submit = ("act", case, "submit", "--facts", "{amount: 1}", "--by")
    for argv, code in (
        ((*submit, "chenyu"), "SQ403"),
        ((*submit, "system"), "SQ403"),
        ((*submit, "wangyue", "--revision", "1"), "SQ409"),
        (("act", case, "pass", "--by", "wangyue"), "SQ411"),
        (("show", case, "--by", "zhouhang"), "SQ403"),
        (("explain", case, "--by", "zhouhang"), "SQ403"),
        (("open", "approval", "--by", "chenyu", "--place", "community/xiaoqiaotou"), "SQ403"),
    ):
        done = run(*argv)
        assert (done.status, done.out) == (1, "") and code in done.err, done
        assert run(*argv, "--json").json["error"] == code
    assert run(*submit, "wangyue", "--key", "k").status == 0
    assert run("act", case, "pass", "--by", "chenyu", "--key", "k").status == 1, "the key belongs to another request"
    missing = run("act", case, "reject", "--by", "chenyu", "--json")
    assert missing.status == 2 and missing.json["error"] == "SQ423"


def test_sheets_from_the_command_line(run: Any, demo: Siquan, tmp_path: Path) -> None:
    with demo.app.store.read() as tx:
        case = next(c for c in tx.cases.open_for(["compound/chenghu"], None) if c.process == "owners_committee.term_change")
    empty, full, junk = (tmp_path / name for name in ("empty.xlsx", "full.xlsx", "junk.xlsx"))
    done = run("export", case.number, "candidates", "--by", "hejianing", "--empty", "-o", empty, "--json")
    assert done.json["file"] == str(empty) and empty.read_bytes()[:2] == b"PK"
    assert run("export", case.number, "candidates", "--by", "hejianing", "-o", full).status == 0
    assert full.stat().st_size > empty.stat().st_size
    junk.write_text("no workbook")
    for file, person, status in ((empty, "hejianing", 2), (junk, "hejianing", 2), (full, "zhouhang", 1)):
        assert run("import", case.number, "candidates", file, "--by", person, "--json").status == status
    with demo.app.store.read() as tx:
        rows = [{"姓名": "新候选人", "房号": "99-1-0101", "楼栋": "99号楼"}]
        sheet, *_ = demo._papers._sheet(Context(demo.app, tx, case), "candidates")
    full.write_bytes(rows_from_titles(sheet, rows))
    done = run("import", case.number, "candidates", full, "--by", "hejianing", "--json")
    assert (done.status, done.json["rows"], done.json["created"], done.json["updated"]) == (0, 1, 1, 0)
    assert run("import", case.number, "owners", empty, "--by", "zhaomin").status in (1, 2), "the roll is closed by now"
    assert run("audit", "verify").status == 0


def test_an_edited_history_is_found(run: Any, demo_home: Home) -> None:
    """`audit verify` and `replay` end with 1 when somebody edited the database."""
    import sqlite3

    opened(run)
    with sqlite3.connect(demo_home.folder / "siquan.db") as db:
        db.execute("update case_file set state = 'approved' where number = (select max(number) from case_file where number like 'AP-%')")
    done = run("audit", "verify", "--json")
    assert done.status == 1 and not done.json["ok"]
    assert [f["code"] for f in done.json["findings"]] == ["SQA07"] and done.json["findings"][0]["case"]
    done = run("replay", "--json")
    assert done.status == 1 and done.json[0]["what"] == "state"


# plugins


def test_plugins_are_listed_verified_and_tested(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {p["name"]: p for p in run("plugins", "--json").json}
    assert {"approval", "owners_committee", "big_party_committee"} <= set(listed)
    assert listed["approval"]["processes"] == ["approval.approval"] and listed["approval"]["error"] is None
    assert run("verify", "approval").status == 0
    for finding in run("verify", "approval", "--json").json:
        assert {"plugin", "code", "severity", "message"} <= set(finding) and finding["severity"] != "error"
    tested = run("test", "approval", "--json")
    assert tested.status == 0 and tested.json["failed"] == [] and tested.json["passed"] >= 2
    assert run("draw", "approval").out.startswith("<svg") and "-->" in run("draw", "approval", "--mermaid").out
    drawn = run("draw", "approval", "--json").json
    assert drawn["process"] == "approval.approval" and drawn["svg"].startswith("<svg")
    # a plugin of one's own, first right, then with a case that does not hold, then broken
    mine = tmp_path / "mine" / "bench.yaml"
    mine.parent.mkdir()
    text = APPROVAL.read_text(encoding="utf-8").replace("process: approval", "process: bench").replace("district_from", "bench_from")
    mine.write_text(text, encoding="utf-8")
    assert run("verify", mine).status == 0 and run("test", mine).status == 0
    mine.write_text(text.replace("expect: district, because", "expect: approved, because"), encoding="utf-8")
    failed = run("test", mine, "--json")
    assert failed.status == 1 and len(failed.json["failed"]) == 1 and "六千元要到区里" in failed.json["failed"][0]["case"]
    monkeypatch.setenv("SIQUAN_PLUGIN_DIRS", str(mine.parent))
    assert run("plugins").status == 0 and "bench" in run("plugins").out
    mine.write_text(text.replace("needs: [amount, reason]", "needs: [amunt]"), encoding="utf-8")
    broken = run("plugins", "--json")
    assert broken.status == 1
    fault = next(p["error"] for p in broken.json if p["name"] == "bench")
    assert "amunt" in fault["message"] and fault["file"].endswith("bench.yaml") and fault["line"]
    # the others work on
    assert run("decide", "approval.level", "--facts", "{amount: 1}").status == 0


def test_the_installed_command(tmp_path: Path) -> None:
    """Once as scripts call it: a process of its own, an empty folder, nothing on standard error."""
    environ = {**os.environ, "SIQUAN_HOME": str(tmp_path)}
    siquan = [sys.executable, "-c", "import sys; from siquan.core.cli import main; sys.exit(main())"]
    done = subprocess.run([*siquan, "decide", "approval.level", "--facts", "-", "--json"], input="amount: 4000", capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    is_contract(json.loads(done.stdout))
    assert list(tmp_path.iterdir()) == [], "a decision without a place leaves nothing behind"
