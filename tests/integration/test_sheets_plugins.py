"""Sheets of the bundled plugins: every one fits its facts, the demo candidates come in whole, and 100,000 owners do."""

from __future__ import annotations

import datetime as dt
import io
import time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from ruamel.yaml import YAML

import siquan.plugins
from siquan.core.plugins import Catalogue, discover
from siquan.core.rules.facts import Reader, Schema
from siquan.core.sheets import read_sheet, rows_from_titles, write_sheet
from siquan.core.spec.model import ProcessSpec, SheetSpec

ON = dt.date(2026, 11, 20)
PLUGINS = Path(next(iter(siquan.plugins.__path__)))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return discover()


def schema_of(process: ProcessSpec, sheet: SheetSpec) -> Schema:
    """The facts of a row: a collection's fields, or the facts of the process itself for children."""
    spec = next((f for f in process.facts if f.name == sheet.target), None)
    return Schema(spec.fields if spec else process.facts)


def sheet_of(catalogue: Catalogue, process: str, target: str) -> tuple[SheetSpec, Schema]:
    spec = catalogue.definition(process).spec
    sheet = next(s for s in spec.sheets if s.target == target)
    return sheet, schema_of(spec, sheet)


def test_every_form_of_every_plugin_can_be_made_and_read(catalogue: Catalogue) -> None:
    forms = [(d.spec, s) for d in catalogue.definitions.values() for s in d.spec.sheets]
    assert forms
    for process, sheet in forms:
        schema = schema_of(process, sheet)
        data = write_sheet(
            sheet,
            schema,
            title=process.title,
            example=True,
            roles={r: s.title for r, s in process.roles.items()},
        )
        assert load_workbook(io.BytesIO(data)).sheetnames[:2] == [sheet.name, "说明"]
        assert read_sheet(data, "空表.xlsx", sheet, schema, ON) == []


def demo() -> list[dict[str, Any]]:
    path = PLUGINS / "owners_committee" / "demo" / "candidates.yaml"
    if not path.exists():
        pytest.skip("no demo candidates")
    rows: list[dict[str, Any]] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["rows"]
    return rows


def test_the_demo_candidates(catalogue: Catalogue) -> None:
    sheet, schema = sheet_of(catalogue, "owners_committee.candidate", "candidates")
    rows = demo()
    read = read_sheet(rows_from_titles(sheet, rows), "候选人.xlsx", sheet, schema, ON)
    assert [r.key for r in read] == [(r["姓名"], r["房号"]) for r in rows]
    for row in read:
        stated = Reader(schema, ON).read(row.facts)
        assert all(s.as_of for p, s in stated.items() if (f := schema.get(p)) and f.max_age)
    by_name = {r.key[0]: r.facts for r in read}
    ye = by_name["叶承志"]
    assert (
        ye["illegal_build.order_no"]["value"] == "云城执改〔2025〕77号"
        and ye["illegal_build.rectified_date"]["value"] == "none"
    )
    assert ye["illegal_build.order_no"]["ref"] == "城管中队书面回函 11-13" and "illegal_build" not in ye
    assert (
        by_name["冯建中"]["fee.amount"]["value"] == 1920
        and by_name["冯建中"]["fee.judgment_no"]["value"] == "none"
    )
    assert "dishonest" not in by_name["孙学礼"], "未知 stays unknown"
    assert by_name["吴静怡"]["pledge_signed"]["value"] == "none"
    assert by_name["丁卫东"]["illegal_build"] == {
        "value": "none",
        "as_of": "2026-11-16",
        "source": "联审核查单",
        "by": "何佳宁",
    }
    again = read_sheet(write_sheet(sheet, schema, [r.facts for r in read]), "a.xlsx", sheet, schema, ON)
    assert [r.facts for r in again] == [r.facts for r in read]


@pytest.mark.slow
def test_a_hundred_thousand_owners(catalogue: Catalogue) -> None:
    sheet, schema = sheet_of(catalogue, "owners_committee.term_change", "owners")
    rows = [
        {"unit": f"{n // 400 + 1}-{n // 20 % 20 + 1}-{n % 20:04d}", "unit_no": f"{n:06d}", "owner": f"业主{n}", "area": f"{80 + n % 60}.25",
         "area_basis": "registry", "owner_key": "none", "counts": True, "contact": f"138{n:08d}"}
        for n in range(100_000)
    ]  # fmt: skip
    start = time.process_time()  # what this takes of a processor, whatever else runs beside it
    data = write_sheet(sheet, schema, rows)
    written = time.process_time()
    got = read_sheet(data, "业主名册.xlsx", sheet, schema, ON)
    done = time.process_time()
    print(
        f"\n100,000 rows of 8 columns: written in {written - start:.1f} s, read in {done - written:.1f} s, {len(data) / 2**20:.1f} MB"
    )
    assert [r.values for r in got] == rows
    assert written - start < 30 and done - written < 60
