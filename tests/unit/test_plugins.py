"""Discovery: what is found, and that one broken plugin is reported and never takes the others down."""

from __future__ import annotations

import datetime as dt
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from siquan.core import plugins
from siquan.core.errors import NotFound, SiquanError
from siquan.core.hookspecs import hookimpl
from siquan.core.plugins import Catalogue, Found, PluginBroken, bundled_dirs, candidates, discover
from siquan.core.spec.fragment import UnknownBlank, UnknownFragment, UnmappedExit
from siquan.core.spec.load import DuplicateId
from siquan.core.spec.source import YamlFault

GOOD = """
process: {name}
title: 流程
roles: {{clerk: 经办}}
facts: {{n: {{type: integer}}}}
parameters: {{{name}.limit: {{2026-01-01: {{value: 5}}}}}}
rules: {{check: {{list: [{{id: C1, when: "n > {name}.limit", outcome: WARN}}]}}}}
states:
  start: {{go: {{by: clerk, check: check, to: end}}}}
  end: {{final: true}}
"""
USES = GOOD + "  notice: {{use: {use}, with: {{{blank}: 3}}, exits: {{{exit}: end}}}}\n"
FRAGMENT = "fragment: notice\nwith: {days: {default: 1}}\nexits: [done]\nstates: {up: {go: {by: clerk, to: exit.done}}}\n"
PLUGIN = "from siquan.core.hookspecs import hookimpl\nfrom pathlib import Path\n"


def put(folder: Path, path: str, text: str) -> Path:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    return folder / path


def good(folder: Path, name: str = "good") -> None:
    put(folder, f"{name}/workflows/{name}.yaml", GOOD.format(name=name))


def look(folder: Path) -> tuple[Catalogue, dict[str, Found]]:
    catalogue = discover([folder], bundled=False)
    return catalogue, {f.name: f for f in catalogue.found}


def test_files_and_folders_are_found(tmp_path: Path) -> None:
    good(tmp_path)
    put(tmp_path, "single.yaml", GOOD.format(name="single"))
    put(tmp_path, "hooked/plugin.py", PLUGIN)
    for other in (".hidden/workflows/x.yaml", "_private.yaml", "notes/readme.txt", "readme.md"):
        put(tmp_path, other, "x: 1")
    assert [p.name for p in candidates(tmp_path)] == ["good", "hooked", "single.yaml"]
    catalogue, found = look(tmp_path)
    assert [p.name for p in catalogue.plugins] == ["good", "single"]
    assert found["hooked"].error is not None and found["hooked"].error.code == "SQ042"
    assert set(catalogue.definitions) == {"good.good", "single.single"} and set(catalogue.rulesets) == {"good.check", "single.check"}
    assert catalogue.definition("good") is catalogue.definition("good.good")
    assert {n for b in catalogue.books.values() for n in b.specs} == {"good.limit", "single.limit"} and found["good"].origin == "folder"


def test_what_is_not_there() -> None:
    catalogue = Catalogue([Found("bad", "", None, PluginBroken(name="bad", why="x"))])
    for call in (lambda: catalogue.definition("x.y"), lambda: catalogue.definition("x"), lambda: catalogue.ruleset("x"), lambda: catalogue.plugin("x")):
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == "SQ404"
    with pytest.raises(PluginBroken):
        catalogue.plugin("bad")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise RuntimeError('kaputt')", "kaputt"),
        ("import sys\nsys.exit(3)", "3"),
        ("raise SystemExit", "SystemExit"),
        ("import nowhere_to_be_found", "nowhere_to_be_found"),
        ("def (", "plugin.py"),
        (PLUGIN + "@hookimpl\ndef siquan_fragment_pathz():\n    return []", "siquan_fragment_pathz"),
        (PLUGIN + "@hookimpl\ndef siquan_fragment_paths(nonsense):\n    return []", "nonsense"),
    ],
)
def test_a_plugin_py_that_breaks_is_reported_and_the_others_work(tmp_path: Path, code: str, why: str) -> None:
    good(tmp_path)
    good(tmp_path, "abroken")
    put(tmp_path, "abroken/plugin.py", code)
    catalogue, found = look(tmp_path)
    error = found["abroken"].error
    assert isinstance(error, PluginBroken) and error.code == "SQ044" and why in error.text("zh"), error
    assert found["good"].error is None and "good.good" in catalogue.definitions and "abroken.abroken" not in catalogue.definitions
    assert "siquan_plugin_abroken" not in sys.modules or why in ("siquan_fragment_pathz", "nonsense")


def test_hooks_are_registered_and_fragments_of_any_plugin_are_known_to_all(tmp_path: Path) -> None:
    put(tmp_path, "zz/plugin.py", PLUGIN + "@hookimpl\ndef siquan_fragment_paths():\n    return [Path(__file__).parent / 'parts']")
    put(tmp_path, "zz/parts/notice/fragment.yaml", FRAGMENT)
    good(tmp_path, "zz")
    put(tmp_path, "aa.yaml", USES.format(name="aa", use="notice", blank="days", exit="done"))
    catalogue, found = look(tmp_path)
    assert found["zz"].hooks == ("siquan_fragment_paths",)
    assert found["aa"].error is None and catalogue.definition("aa").spec.state("notice.up") is not None


def test_a_hook_that_fails_and_a_fragment_that_is_broken_are_reported(tmp_path: Path) -> None:
    put(tmp_path, "zz/plugin.py", PLUGIN + "@hookimpl\ndef siquan_fragment_paths():\n    raise ValueError('ach')")
    good(tmp_path, "zz")
    put(tmp_path, "workflows/notice/fragment.yaml", "a: [1")
    good(tmp_path)
    catalogue = discover([tmp_path], bundled=False)
    errors = [f.error for f in catalogue.found if f.error is not None]
    assert any(isinstance(e, YamlFault) and e.where and "fragment.yaml" in e.where.file for e in errors)
    assert any("ach" in e.text("zh") for e in errors)
    assert "good.good" in catalogue.definitions


@pytest.mark.parametrize(
    ("use", "blank", "exit", "error"),
    [("notise", "days", "done", UnknownFragment), ("notice", "dayz", "done", UnknownBlank), ("notice", "days", "dun", UnmappedExit)],
)
def test_a_wrong_use_of_a_fragment(tmp_path: Path, use: str, blank: str, exit: str, error: type[SiquanError]) -> None:
    put(tmp_path, "workflows/notice/fragment.yaml", FRAGMENT)
    put(tmp_path, "aa.yaml", USES.format(name="aa", use=use, blank=blank, exit=exit))
    good(tmp_path)
    catalogue, found = look(tmp_path)
    fault = found["aa"].error
    assert type(fault) is error and fault.where is not None and fault.where.file == "aa.yaml" and fault.where.line == 11
    assert "good.good" in catalogue.definitions


def test_two_plugins_of_one_name(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        good(tmp_path / folder)
    catalogue = discover([tmp_path / "one", tmp_path / "two"], bundled=False)
    first, second = catalogue.found
    assert first.error is None and isinstance(second.error, DuplicateId) and "good" in second.error.text("zh")
    assert second.error.where is not None and second.error.where.file == second.path
    for folder in ("one", "two"):
        put(tmp_path / folder, "good/plugin.py", PLUGIN)
    first, second = discover([tmp_path / "one", tmp_path / "two"], bundled=False).found
    assert first.error is None and isinstance(second.error, PluginBroken)


def test_two_plugins_with_one_parameter(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", GOOD.format(name="a"))
    put(tmp_path, "b.yaml", GOOD.format(name="b").replace("b.limit", "a.limit"))
    put(tmp_path, "b.yaml", (tmp_path / "b.yaml").read_text(encoding="utf-8").replace("value: 5", "value: 7"))
    catalogue, found = look(tmp_path)
    assert found["a"].error is None and found["b"].error is None
    day = dt.date(2026, 11, 23)
    # whoever copies a plugin to start from has its parameter names too: each plugin reads its own
    assert [catalogue.book_of(x).value("a.limit", day) for x in ("a.a", "b.check")] == [5, 7]


def test_whatever_goes_wrong_inside_is_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good(tmp_path)

    def fail(*args: object) -> None:
        raise AssertionError("inside")

    monkeypatch.setattr(plugins, "load_plugin", fail)
    catalogue, found = look(tmp_path)
    assert isinstance(found["good"].error, PluginBroken) and not catalogue.definitions


def wheel(monkeypatch: pytest.MonkeyPatch, name: str, module: object) -> None:
    point = SimpleNamespace(name=name, load=lambda: module() if callable(module) else module)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == "siquan.plugins" else [])
    monkeypatch.setattr(plugins, "bundled_dirs", lambda: [])
    assert EntryPoint is not None


def test_a_wheel_says_where_its_data_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good(tmp_path, "shipped")
    module = ModuleType("shipped")
    module.siquan_plugin_path = hookimpl(lambda: tmp_path / "shipped")  # type: ignore[attr-defined]
    wheel(monkeypatch, "shipped", module)
    catalogue = discover()
    assert [(f.name, f.origin, f.error) for f in catalogue.found] == [("shipped", "wheel", None)]
    assert "shipped.shipped" in catalogue.definitions


def test_a_wheel_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise SystemExit("weg")

    wheel(monkeypatch, "bad", load)
    catalogue = discover()
    assert len(catalogue.found) == 1 and isinstance(catalogue.found[0].error, PluginBroken)


def test_the_bundled_plugins_load() -> None:
    assert [p.name for p in bundled_dirs()] == ["plugins", "workflows"]
    catalogue = discover()
    assert {f.name: f.error.full("zh") for f in catalogue.found if f.error is not None} == {}
    assert "approval.approval" in catalogue.definitions
