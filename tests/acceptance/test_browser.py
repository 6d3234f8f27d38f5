# ruff: noqa: E501 (scripts are kept whole)
"""The pages in a real browser: phones do not scroll sideways, colours can be read, everything works without scripts."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from werkzeug.serving import make_server

from siquan.web.app import create_app

pytestmark = pytest.mark.browser

FAKES = Path(__file__).parents[1] / "integration"
PAGES = """/inbox /inbox?q=zzz /cases/c-0147 /cases/c-0147/steps/supplement /cases/c-0147/steps/statement
/cases/c-0147/steps/remind /cases/c-0147/steps/publish /cases/c-0147/children/candidates
/cases/c-0147/children/candidates/new /cases/c-0147/sheets/candidates /cases/c-0147/recuse /cases/c-0147/facts
/decisions/d-203 /processes /processes/approval /processes/approval/open /me /me/password /-/plugins /-/patterns
/cases/c-0093 /rules /rules/owners_committee.candidate /rules/red_property.level /drafts/v-12 /drafts/v-13 /drafts/v-12/impact /drafts/v-12/upload /nope""".split()

#: Elements sticking out to the right, outside of a box that scrolls by itself.
STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > width + 1 && !e.closest('.scroll,.sq-tabs,.sq-wiz'))
    .slice(0, 5).map(e => e.tagName + '.' + e.className);
}"""

#: Text whose contrast with what lies behind it is under the limit of WCAG AA.
PALE = """() => {
  const rgb = s => (s.match(/[\\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => {
    for (let at = e; at; at = at.parentElement) {
      const c = rgb(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] > .5) return c;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest('.visually-hidden,.skip,option,.sq-sankey,.sq-fig-wide')) continue;
    const style = getComputedStyle(e);
    const colour = rgb(e.namespaceURI.endsWith('svg') ? style.fill : style.color);
    const [a, b] = [light(colour), light(behind(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.5 && style.fontWeight >= 600);
    const ratio = (a + .05) / (b + .05);
    if (ratio < (large ? 3 : 4.5)) found.add(e.className + ' ' + ratio.toFixed(2) + ' ' + walk.currentNode.data.trim().slice(0, 20));
  }
  return [...found];
}"""

#: Buttons and links by themselves that are too small for a finger.
SMALL = """() => [...document.querySelectorAll('button:not(.visually-hidden), a.btn, .sq-tab a, summary')]
  .filter(e => e.checkVisibility() && !e.closest('details:not([open]) > *:not(summary)'))
  .map(e => [e.textContent.trim(), e.getBoundingClientRect()])
  .filter(([, box]) => box.height < 24 && box.height > 0).map(([text, box]) => text + ' ' + box.height)"""


def fakes() -> ModuleType:
    name = "fake_service"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FAKES / f"{name}.py")
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def service() -> Any:
    return fakes().FakeService()


@pytest.fixture
def site(service: Any, tmp_path: Path) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_app(service, secret_key="k" * 32, instance_path=tmp_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def signed_in(chromium: Any, site: str, **context: Any) -> Any:
    page = chromium.new_context(locale="zh-CN", **context).new_page()
    page.complaints = []
    page.on("console", lambda m: page.complaints.append(m.text) if "status of 40" not in m.text else None)
    page.on(
        "request", lambda r: page.complaints.append(r.url) if not r.url.startswith((site, "data:")) else None
    )
    page.goto(site + "/sign-in")
    page.fill("#login", "hejianing")
    page.fill("#password", "demo-password")
    page.click("main button")
    assert page.url == site + "/inbox"
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_phones_do_not_scroll_sideways_and_text_can_be_read(
    chromium: Any, site: str, service: Any, theme: str
) -> None:
    page = signed_in(chromium, site, viewport={"width": 390, "height": 844})
    service.set_preference("he", theme=theme)
    for path in PAGES:
        page.goto(site + path)
        assert page.evaluate(STICKING_OUT) == [], path
        assert page.evaluate(PALE) == [], path
        assert page.evaluate(SMALL) == [], path
    assert page.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_desks_can_read_everything_too(chromium: Any, site: str, service: Any, theme: str) -> None:
    page = signed_in(chromium, site, viewport={"width": 1360, "height": 900})
    service.set_preference("he", theme=theme)
    for path in PAGES:
        page.goto(site + path)
        assert page.evaluate(STICKING_OUT) == [], path
        assert page.evaluate(PALE) == [], path
    assert page.complaints == []


def test_english_fits_phones_as_well(chromium: Any, site: str, service: Any) -> None:
    page = signed_in(chromium, site, viewport={"width": 390, "height": 844})
    service.set_preference("he", lang="en")
    for path in PAGES:
        page.goto(site + path)
        assert page.evaluate(STICKING_OUT) == [], path


def test_a_step_without_scripts_by_hand(chromium: Any, site: str, service: Any) -> None:
    page = signed_in(chromium, site, java_script_enabled=False)
    page.click("text=审查补充材料")
    page.click("#next a.btn-primary")
    page.click("text=下一步：核对")  # nothing filled in yet
    assert page.locator(".sq-errors li").count() == 2
    page.click(".sq-errors a >> nth=1")
    assert page.url.endswith("#f-credit-day")
    page.click("label:has-text('未在列')")
    page.fill("#f-credit-day", "2026-11-20")
    page.click("text=下一步：核对")
    assert page.locator("h1").inner_text().startswith("提交前核对")
    page.click("button[value=submit]")
    assert "/cases/c-0147" in page.url and "已提交" in page.locator(".sq-msg").first.inner_text()
    assert len(service.acts) == 1


def test_the_keyboard_comes_first_to_the_skip_link(chromium: Any, site: str) -> None:
    page = signed_in(chromium, site)
    page.goto(site + "/cases/c-0147")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


def test_errors_get_the_focus(chromium: Any, site: str) -> None:
    page = signed_in(chromium, site)
    page.goto(site + "/cases/c-0147/steps/supplement")
    with page.expect_navigation():
        page.click("text=下一步：核对")
    # focus moves a moment after the page has loaded
    page.wait_for_function("document.activeElement.className.startsWith('sq-errors')", timeout=5000)
    assert page.title().startswith("有 2 处要改：")


def test_print_drops_the_frame(chromium: Any, site: str) -> None:
    page = signed_in(chromium, site)
    page.goto(site + "/decisions/d-203")
    page.emulate_media(media="print")
    assert not page.locator(".sq-bar").is_visible() and page.locator(".p-only").is_visible()
    assert page.locator(".law").first.is_visible() or page.locator("details").count() > 0
