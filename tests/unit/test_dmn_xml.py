"""A file from outside: what is no DMN, what is unsafe and what is too much is refused, quickly and clearly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from siquan.core.dmn.read import NotDmn, open_model, read_model
from siquan.core.dmn.xml import MOST_BYTES, NotXml, TooMuchXml, UnsafeXml, read_xml
from siquan.core.errors import NotFound, SiquanError

SPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
LAUGHS = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY a{n} "{"&a" + (str(n - 1) if n else "") + ";"}">' for n in range(9)) + "]><d>&a8;</d>"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (LAUGHS, UnsafeXml), ('<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>', UnsafeXml), ('<!DOCTYPE d [<!ENTITY x SYSTEM "http://localhost/">]><d>&x;</d>', UnsafeXml),
        ("<!DOCTYPE html><html/>", UnsafeXml), ("", NotXml), ("hello", NotXml), ("<a><b></a>", NotXml), ("<a>&nbsp;</a>", NotXml), ("<a/><b/>", NotXml), ("<a>\x00</a>", NotXml),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', NotXml), ("PK\x03\x04", NotXml), ("<a>" * 5000 + "</a>" * 5000, TooMuchXml), (f"<a>{'<b/>' * 600_000}</a>", TooMuchXml),
        ("<html/>", NotDmn), ('<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', NotDmn), (f'<decision xmlns="{SPACE}"/>', NotDmn),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, kind: type[SiquanError]) -> None:
    start = time.process_time()
    with pytest.raises(kind) as fault:
        read_model(text.encode(), "m.dmn")
    assert time.process_time() - start < 5
    assert fault.value.where is not None and fault.value.where.file == "m.dmn" and fault.value.text("zh")


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    with pytest.raises(TooMuchXml):
        read_xml(b" " * (MOST_BYTES + 1))
    huge = tmp_path / "huge.dmn"
    with huge.open("wb") as out:
        out.truncate(MOST_BYTES * 50)
    with pytest.raises(TooMuchXml):
        open_model(huge)
    with pytest.raises(NotFound):
        open_model(tmp_path / "none.dmn")


def test_encodings() -> None:
    text = f'<definitions xmlns="{SPACE}" name="模型" namespace="n" id="d"/>'
    assert read_model(('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16")).name == "模型"
    assert read_model(b"\xef\xbb\xbf" + text.encode()).name == "模型"


def test_an_import_stays_in_its_folder(tmp_path: Path) -> None:
    outside = tmp_path / "secret.dmn"
    outside.write_text(f'<definitions xmlns="{SPACE}" name="s" namespace="urn:secret" id="d"/>')
    inside = tmp_path / "models"
    inside.mkdir()
    main = inside / "main.dmn"
    main.write_text(
        f'<definitions xmlns="{SPACE}" name="m" namespace="n" id="d"><import name="s" namespace="urn:secret" locationURI="../secret.dmn" importType="{SPACE}"/></definitions>'
    )
    (inside / "broken.dmn").write_text("<")
    with pytest.raises(SiquanError, match="no model of the namespace"):
        open_model(main)
    (inside / "other.dmn").write_text(outside.read_text())
    assert open_model(main).imported[0][1].name == "s"
