"""Pages hold together: links lead somewhere, names are real, nothing points at this machine or at a registry."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docpages import DOCS, ROOT, blocks, named, pages, renewed

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HOST = re.compile(r"https?://([^/\s:`\"')）]+)")
HOSTS = {"127.0.0.1", "localhost", "json-schema.org"}
#: folders of whoever wrote the page
PLACE = re.compile(r"(?<![\w.])/(?:work|tmp|root|home|Users|usr/local|mnt)/|\b[A-Z]:\\")


def prose(page: Path) -> str:
    """The page without its code."""
    text = page.read_text(encoding="utf-8")
    for block in reversed(blocks(page)):
        text = text[: block.start] + text[block.end :]
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """The fragments a page's headings give."""
    heads = re.findall(r"^#+ +(.+?)\s*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.replace("`", "").lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", pages(), ids=named)
def test_links_resolve(page: Path) -> None:
    lost = []
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (fragment and file.suffix == ".md" and fragment not in anchors(file)):
            lost.append(target)
    assert not lost


@pytest.mark.parametrize("page", pages(), ids=named)
def test_no_page_names_another_host_or_this_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not {h for h in HOST.findall(text) if h not in HOSTS}
    assert not PLACE.findall(text)


@pytest.mark.parametrize("page", pages(), ids=named)
def test_generated_parts_are_current(page: Path) -> None:
    assert renewed(page) == page.read_text(encoding="utf-8"), "run python tests/docs/docpages.py"


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_page_begins_with_its_one_title(page: Path) -> None:
    bare = page.read_text(encoding="utf-8")
    for block in reversed(blocks(page)):
        bare = bare[: block.start] + bare[block.end :]
    heads = re.findall(r"^# .+$", bare, re.MULTILINE)
    assert bare.startswith("# ") and len(heads) == 1


def test_every_page_is_reached_from_the_readme() -> None:
    seen, todo = {ROOT / "README.md"}, [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        for target in LINK.findall(prose(page)):
            file = (page.parent / target.partition("#")[0]).resolve()
            for found in [file] if file.suffix == ".md" else sorted(file.glob("*.md")) if file.is_dir() else []:
                if found.is_file() and found not in seen:
                    seen.add(found)
                    todo.append(found)
    assert not set(DOCS.rglob("*.md")) - seen


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    wanted = {t for page in pages() for t in re.findall(r"`(?:[A-Z]+=\S+ )*make ([a-z-]+)", page.read_text(encoding="utf-8"))}
    wanted |= {t for page in pages() for b in blocks(page, "sh") for t in re.findall(r"^make ([a-z-]+)", b.text, re.MULTILINE)}
    assert {"run", "test"} <= wanted <= targets


def test_the_readme_names_the_versions_that_are_pinned() -> None:
    pins = "".join((ROOT / "requirements" / f).read_text(encoding="utf-8") for f in ("lock.txt", "durable.txt")).lower()
    rows = re.findall(r"^\| ([\w.]+) \| ([\d.]+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 5
    assert not [row for row in rows if not re.search(rf"^{re.escape(row[0].lower())}=={re.escape(row[1])}$", pins, re.MULTILINE)]


def test_pictures_are_small_and_sound() -> None:
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size < 300_000, picture.name
        if picture.suffix == ".svg":
            root = ElementTree.parse(picture).getroot()
            assert root.find("{http://www.w3.org/2000/svg}title") is not None
        else:
            assert picture.read_bytes().startswith(b"\x89PNG")


def test_every_environment_variable_is_explained() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    files = [p for room in ("core", "web") for p in (ROOT / room).rglob("*.py")]
    read = {n for p in files for n in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", p.read_text(encoding="utf-8"))}
    ours = {n for n in read if n.startswith("SIQUAN_")} | {"PORT", "HOST"}
    assert {"SIQUAN_HOME", "SIQUAN_DATABASE_URL", "SIQUAN_PLUGIN_DIRS", "SIQUAN_LANG"} <= ours
    assert not {n for n in ours if f"| `{n}` |" not in page}
    told = set(re.findall(r"\bSIQUAN_[A-Z_]+\b", "".join(p.read_text(encoding="utf-8") for p in pages())))
    assert told <= ours


def test_decisions_are_numbered_and_short() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [r.name[:3] for r in records] == [f"{n:03}" for n in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {record.name[:3]} ")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences"))
        assert len(text.splitlines()) < 40


def test_plugin_readmes_name_their_processes_and_rule_sets() -> None:
    from siquan.core.plugins import discover

    missing = []
    for plugin in discover().plugins:
        page = ROOT / "plugins" / plugin.name / "README.md"
        if not page.is_file():
            continue
        text = page.read_text(encoding="utf-8")
        own = [r for r in plugin.rulesets if r.id.count(".") == 1]
        names = [p.id.partition(".")[2] for p in plugin.processes] + [r.id.partition(".")[2] for r in own]
        missing += [f"{plugin.name}: {n}" for n in names if f"`{n}`" not in text]
    assert not missing
