"""A plugin from disk: what is read, and every mistake with its file and line, all of them together."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import siquan.core.rules
from siquan.core.engine.definition import Binder, UnknownProcess
from siquan.core.errors import Errors, SiquanError
from siquan.core.plugins import discover
from siquan.core.rules.check import UnknownName
from siquan.core.rules.decide import decide
from siquan.core.rules.facts import FactSet, Reader
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.load import DuplicateId, NoProcess, load_fragments, load_plugin
from siquan.core.spec.model import PluginSpec
from siquan.core.spec.process import BadDue, UnknownReference
from siquan.core.spec.read import BadDate, ReservedName
from siquan.core.spec.source import DuplicateKey, MissingKey, UnknownKey, WrongShape, YamlFault
from siquan.core.spec.version import content_hash

SHARED = Path(__file__).resolve().parents[3] / "shared" / "examples" / "approval.yaml"
BUNDLED = Path(__file__).resolve().parents[2] / "plugins" / "approval.yaml"
Write = Callable[..., Path]

SMALL = """
process: small
title: 小事
roles: {clerk: 经办@community, boss: {title: 主任, at: street}, who: {title: 本人, who: fact person}}
facts:
  person: {type: person}
  n: {type: integer, by: clerk}
  rec: {type: record, fields: {no: {type: text}}}
derived: {big: n > limit}
parameters: {limit: {2026-01-01: {value: 5}}}
rules:
  level:
    inputs: [n]
    rows: [{id: T1, n: "> limit", out: up}, {id: T2, n: "<= limit", out: done}]
states:
  draft: {title: 起草, send: {title: 送, by: clerk, needs: [n, rec.no], to: check}}
  check:
    due: {after: 3 workdays}
    pass: {by: [clerk, boss], decide: level, to: {up: up, "done": ok}, not_same_as: draft}
    back: {to: same, set: {n: n + 1}}
  up: {do: {title: {by: boss, to: ok}}, dues: {a: {after: limit days, start: today, before: today + days(3)}}}
  ok: {final: true}
cases:
  - {name: 小, given: {n: 1}, act: [send, pass], expect: ok}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(files: dict[str, str] | str, name: str = "demo") -> Path:
        if isinstance(files, str):
            (tmp_path / f"{name}.yaml").write_text(files, encoding="utf-8")
            return tmp_path / f"{name}.yaml"
        for path, text in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def bind(spec: PluginSpec) -> Binder:
    binder = Binder(spec.processes, spec.rulesets, ParameterBook(spec.parameters).types())
    binder.bind()
    return binder


def test_one_file_is_a_plugin(write: Write) -> None:
    spec = load_plugin(write(SMALL), {})
    process = spec.processes[0]
    assert (spec.name, spec.title, process.id, process.initial.name) == ("demo", "小事", "demo.small", "draft")
    assert [r.id for r in spec.rulesets] == ["demo.level"] and [p.name for p in spec.parameters] == ["limit"]
    assert (process.roles["clerk"].level, process.roles["boss"].level, process.roles["who"].fact) == ("community", "street", "person")
    check = process.state("check")
    assert check is not None and check.dues[0].unit == "workday" and check.dues[0].n == "3"
    done, back = check.transitions
    assert (done.branches, done.by, done.decide, done.not_same_as) == ({"up": "up", "done": "ok"}, ("clerk", "boss"), "demo.level", ("draft",))
    assert (back.to, back.set) == ("", {"n": "n + 1"})
    up, ok = process.state("up"), process.state("ok")
    assert up is not None and up.transitions[0].name == "title" and up.dues[0].n == "limit"
    assert ok is not None and ok.final == "ok"
    assert len(process.hash) == 64 and process.cases[0].steps[1].act == "pass" and process.cases[0].process == "demo.small"
    bind(spec)


def test_a_folder_is_a_plugin(write: Write) -> None:
    folder = write(
        {
            "plugin.yaml": "title: 四圈\nsources: {S1: 民法典}",
            "workflows/small.yaml": SMALL.split("cases:")[0].replace("decide: level", "decide: other"),
            "rules/other.yaml": "ruleset: other\nprocess: small\ninputs: [n]\nrows: [{id: O1, n: '> own', out: up}]\nparameters: {own: {2026-01-01: {value: 1}}}",
            "parameters/p.yaml": "free: {title: 自由, unit: 日, values: [{from: 2026-01-01, value: 3}]}",
            "cases/small.yaml": "process: small\nbases: {b: {n: 1}}\ncases:\n  - {name: 一, base: b, on: 2026-02-01, decide: other, expect: BLOCK, because: [], ask: [n]}",
            "locales/en.yaml": "states: {draft: {title: Draft}}\ntitle: Small",
        }
    )
    spec = load_plugin(folder, {})
    assert (spec.title, spec.sources, spec.locales["en"]) == ("四圈", {"S1": "民法典"}, {"states.draft.title": "Draft", "title": "Small"})
    assert {r.id for r in spec.rulesets} == {"demo.level", "demo.other"} and {p.name for p in spec.parameters} == {"own", "free", "limit"}
    case = spec.processes[0].cases[0]
    assert (case.on, case.because, case.ask, spec.processes[0].bases) == (dt.date(2026, 2, 1), (), ("n",), {"b": {"n": 1}})
    bind(spec)


def test_a_file_with_a_rule_set_alone(write: Write) -> None:
    spec = load_plugin(write("ruleset: alone\nfacts: {n: {type: integer}}\nparameters: {limit: {2026-01-01: {value: 5}}}\nlist: [{id: A, when: n > limit, outcome: WARN}]"), {})
    book = ParameterBook(spec.parameters)
    _, rulesets = Binder([], spec.rulesets, book.types()).bind()
    rules, on = rulesets["demo.alone"], dt.date(2026, 2, 1)
    assert decide(rules, FactSet(rules.schema, Reader(rules.schema, on).read({"n": 6}), on), book, on).outcome == "WARN"


@pytest.mark.parametrize("path", [BUNDLED, SHARED])
def test_the_example_loads_and_its_cases_decide(path: Path) -> None:
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    catalogue = discover(bundled=False, only=[path])
    assert [f.error for f in catalogue.found] == [None]
    process = catalogue.definition("approval").spec
    rules, on = catalogue.ruleset("approval.level"), catalogue.book_of("approval").newest()
    told = [case for case in process.cases if case.because]
    assert on is not None and len(told) == 2
    for case in told:
        stated = Reader(rules.schema, on).read(case.given)
        decision = decide(rules, FactSet(rules.schema, stated, on), catalogue.book_of("approval"), on)
        transition = next(x for s in process.states for x in s.transitions if x.decide)
        assert transition.branches[decision.value] == case.expect
        assert tuple(f.rule for f in decision.hits()) == case.because
    assert "超过5000元" in decide(rules, FactSet(rules.schema, Reader(rules.schema, on).read({"amount": 6000}), on), catalogue.book_of("approval"), on).hits()[0].message


def broken(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "error", "line"),
    [
        ("title: 小事", "titel: 小事", UnknownKey, 3),
        ("process: small", "proces: small", MissingKey, 2),
        ("经办@community", "经办@commune", WrongShape, 4),
        ("{title: 主任, at: street}", "{title: 主任, at: streets}", WrongShape, 4),
        ("{type: person}", "{type: persn}", WrongShape, 6),
        ("{type: person}", "{typ: person}", UnknownKey, 6),
        ("{type: person}", "{type: enum}", WrongShape, 6),
        ("{type: person}", "{type: record}", WrongShape, 6),
        ("{type: person}", "{type: integer, min: x}", WrongShape, 6),
        ("{type: person}", "person", WrongShape, 6),
        ("person: {type: person}", "value: {type: person}", ReservedName, 6),
        ("person: {type: person}", "today: {type: date}", ReservedName, 6),
        ("person: {type: person}", "n: {type: person}", DuplicateKey, 7),
        ("inputs: [n]", "inputs: [id]", ReservedName, 14),
        ("inputs: [n]", "inputs: [n]\n    hit_policy: X", WrongShape, 14),
        ("inputs: [n]", "inputs: [n]\n    listt: []", UnknownKey, 14),
        ("id: T2", "id: T1", WrongShape, 14),
        ("id: T2, n", "n", MissingKey, 14),
        ("{id: T2, n", "{id: T2, m: 1, n", UnknownKey, 14),
        ("needs: [n, rec.no]", "needs: [n, rec.nr]", UnknownReference, 16),
        ("needs: [n, rec.no]", "needs: [{n: 1}]", WrongShape, 16),
        ("by: clerk, needs", "by: clark, needs", UnknownReference, 16),
        ("to: check}", "to: chek}", UnknownReference, 16),
        ("{title: 起草, send", "{titel: 起草, send", WrongShape, 16),
        ("{title: 送,", "{titel: 送,", UnknownKey, 16),
        ("3 workdays", "soon", BadDue, 18),
        ("3 workdays", "3 weeks", BadDue, 18),
        ("due: {after: 3 workdays}", "due: {}", MissingKey, 18),
        ("decide: level", "decide: levl", UnknownReference, 19),
        ("not_same_as: draft", "not_same_as: drft", UnknownReference, 19),
        ("up: up,", "up: upp,", UnknownReference, 19),
        ("set: {n: n + 1}", "set: {m: n + 1}", UnknownReference, 20),
        ("back: {to: same", "back: {opinion: must, to: same", WrongShape, 20),
        ("back: {to: same", "back: {opens: nothing, to: same", UnknownReference, 20),
        ("back: {to: same", "back: {auto: yes, to: same", WrongShape, 20),
        ("{name: 小,", "{nam: 小,", MissingKey, 24),
        ("given: {n: 1}", "on: 2026-31-01, given: {n: 1}", BadDate, 24),
        ("expect: ok}", "expct: ok}", UnknownKey, 24),
    ],
)
def test_every_mistake_has_a_file_and_a_line(write: Write, old: str, new: str, error: type[SiquanError], line: int) -> None:
    with pytest.raises(SiquanError) as caught:
        load_plugin(write(broken(old, new)), {})
    faults = list(caught.value) if isinstance(caught.value, Errors) else [caught.value]
    fault = faults[0]
    assert type(fault) is error and fault.where is not None
    assert fault.where.file == "demo.yaml" and abs(fault.where.line - line) <= 1, str(fault.where)
    assert fault.code.startswith("SQ0") and "{" not in fault.text("zh").replace("{'", "")


@pytest.mark.parametrize(
    ("old", "new", "error", "line"),
    [
        ("big: n > limit", "big: m > limit", UnknownName, 9),
        ("big: n > limit", "big: n > big", UnknownName, 9),
        ('n: "> limit"', 'n: "> limits"', UnknownName, 14),
        ("set: {n: n + 1}", "set: {n: m + 1}", UnknownName, 20),
        ("start: today", "start: todya", UnknownName, 21),
        ("after: limit days", "after: limits days", UnknownName, 21),
        ("n: {type: integer, by: clerk}", "n: {type: integer, by: clerk, max_age: limits}", UnknownName, 7),
    ],
)
def test_names_in_expressions_are_checked_when_bound(write: Write, old: str, new: str, error: type[SiquanError], line: int) -> None:
    with pytest.raises(SiquanError) as caught:
        bind(load_plugin(write(broken(old, new)), {}))
    faults = list(caught.value) if isinstance(caught.value, Errors) else [caught.value]
    where = faults[0].where
    assert where is not None and where.file == "demo.yaml" and where.line == line, faults[0].full()
    assert len(faults) == 1


def test_expressions_of_transitions_from_anywhere_are_checked(write: Write) -> None:
    spec = load_plugin(write(SMALL + "anywhere: {stop: {to: ok, set: {n: nn}}}\n"), {})
    with pytest.raises(UnknownName):
        bind(spec)


def test_all_problems_of_a_folder_come_together(write: Write) -> None:
    folder = write(
        {
            "workflows/a.yaml": "process: a\nstates: {}",
            "workflows/b.yaml": "a: [1",
            "rules/c.yaml": "ruleset: c\nprocess: a\nlist: [{id: A, when: x}]",
            "rules/d.yaml": "list: []",
            "parameters/e.yaml": "p: 5",
            "cases/f.yaml": "- {nam: x}",
            "cases/g.yaml": "bases: []\ncases: []",
            "plugin.yaml": "titel: x",
        }
    )
    with pytest.raises(Errors) as caught:
        load_plugin(folder, {})
    files = sorted({e.where.file for e in caught.value if e.where})
    assert files == [f"demo/{x}" for x in ("cases/f.yaml", "cases/g.yaml", "parameters/e.yaml", "plugin.yaml", "rules/c.yaml", "rules/d.yaml", "workflows/a.yaml", "workflows/b.yaml")]
    assert len(caught.value.errors) == 8
    assert caught.value.to_json()["errors"][0]["error"].startswith("SQ")


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"plugin.yaml": "title: x"}, NoProcess),
        ({"rules/a.yaml": "ruleset: a\nfacts: {n: {}}\nlist: []", "rules/b.yaml": "ruleset: a\nlist: []"}, DuplicateId),
        ({"workflows/a.yaml": SMALL, "workflows/b.yaml": SMALL}, DuplicateId),
        ({"workflows/a.yaml": SMALL, "cases/c.yaml": "process: smal\ncases: [{name: x}]"}, UnknownReference),
        ({"workflows/a.yaml": SMALL, "cases/c.yaml": "cases: x"}, WrongShape),
        ({"rules/a.yaml": "ruleset: a\nlist: [{id: A, outcome: WARN}]"}, WrongShape),
        ({"rules/a.yaml": "ruleset: a\nlist: [{id: A, when: 'true'}]"}, WrongShape),
        ({"rules/a.yaml": "ruleset: a\nlist: []\ncases: []"}, UnknownKey),
    ],
)
def test_plugins_that_do_not_hold_together(write: Write, files: dict[str, str], error: type[SiquanError]) -> None:
    with pytest.raises(SiquanError) as caught:
        load_plugin(write(files), {})
    faults = list(caught.value) if isinstance(caught.value, Errors) else [caught.value]
    assert type(faults[0]) is error and faults[0].where is not None


def test_a_rule_set_of_no_process(write: Write) -> None:
    spec = load_plugin(write({"rules/a.yaml": "ruleset: a\nprocess: nowhere\nlist: []"}), {})
    with pytest.raises(UnknownProcess) as caught:
        bind(spec)
    assert caught.value.where is not None and caught.value.where.file == "demo/rules/a.yaml"


def test_an_empty_file(write: Write) -> None:
    for text in ("", "# nothing\n"):
        with pytest.raises(NoProcess):
            load_plugin(write(text), {})
    for text in ("- 1", "small", "process：small"):
        with pytest.raises(WrongShape):
            load_plugin(write(text), {})
    path = write("x")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(YamlFault):
        load_plugin(path, {})


def test_the_hash_is_of_the_meaning(write: Write) -> None:
    one = load_plugin(write(SMALL), {}).processes[0]
    titles = load_plugin(write("\n\n" + broken("title: 小事", "title: 大事")), {}).processes[0]
    other = load_plugin(write(broken("after: 3 workdays", "after: 4 workdays")), {}).processes[0]
    assert content_hash(one) == one.hash == titles.hash != other.hash


def test_fragments_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "notice").mkdir()
    (tmp_path / "notice" / "fragment.yaml").write_text("fragment: public\nstates: {}", encoding="utf-8")
    assert list(load_fragments(tmp_path)) == ["public"]
    assert load_fragments(tmp_path / "nowhere") == {}


def errors_of(base: type[SiquanError]) -> set[type[SiquanError]]:
    return {x for sub in base.__subclasses__() for x in (sub, *errors_of(sub)) if x.__module__.startswith("siquan.core.")}


def test_every_error_has_a_code_of_its_own_and_says_the_same_in_both_languages() -> None:
    for module in pkgutil.walk_packages(siquan.core.rules.__path__, "siquan.core.rules."):
        importlib.import_module(module.name)
    found = errors_of(SiquanError)
    # a subclass may keep its parent's code: it is the same thing to the one who reads it
    own = [e for e in found if not any(e is not other and issubclass(e, other) and e.code == other.code for other in found)]
    codes = [e.code for e in own]
    assert len(found) > 30 and sorted({c for c in codes if codes.count(c) > 1}) == []
    for error in found:
        zh, en = ({n for _, n, _, _ in Formatter().parse(text) if n} for text in (error.zh, error.__doc__ or ""))
        assert {re.sub("_(zh|title)$", "", n) for n in zh} == {re.sub("_(zh|title)$", "", n) for n in en}, error
        assert (error.__doc__ or "") and not (error.__doc__ or "").rstrip().endswith(".") and re.search("[\u4e00-\u9fff]", error.zh), error


TOKEN = re.compile(r"(?<=: )[^,{}\[\]\n]+|[\w.]+(?=:)|\{[^{}]*\}|\[[^\[\]]*\]")
ODD = ["null", "5", "1.5", "true", "[]", "{}", "[x]", "[{a: 1}]", "{a: {b: 1}}", "''", "2026-01-01", "'a b'", "'> 5'", "$x", "parent.n", "'not('", "self", "", "'a,b'"]


@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(ODD)), min_size=1, max_size=3))
def test_whatever_is_written_loads_or_is_an_error_with_its_place(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]) -> None:
    text = SMALL
    for where, odd in changes:
        spans = [found.span() for found in TOKEN.finditer(text)]
        start, end = spans[where % len(spans)]
        text = text[:start] + odd + text[end:]
    path = tmp_path_factory.getbasetemp() / "demo.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        bind(load_plugin(path, {}))
    except SiquanError as fault:
        for one in fault if isinstance(fault, Errors) else [fault]:
            assert one.where is not None and one.where.file == "demo.yaml", one.full()
