"""A joint order from dispatch to the last signature, in a real browser, by the persons of the demo, without scripts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from siquan.core.service import Siquan
from siquan.web.app import create_app

pytestmark = pytest.mark.browser

#: the buttons of the box that says who has the work
BOX = "section[aria-labelledby=work] footer"


@pytest.fixture
def site(demo: Siquan, tmp_path: Path) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_app(demo, secret_key="k" * 32, instance_path=tmp_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def desk(chromium: Any, site: str) -> Callable[[str], Any]:
    """The browser of a person who has signed in; one for each."""
    pages: dict[str, Any] = {}

    def of(login: str) -> Any:
        if login not in pages:
            page = chromium.new_context(locale="zh-CN", java_script_enabled=False, base_url=site).new_page()
            page.goto("/sign-in")
            page.fill("#login", login)
            page.fill("#password", "Demo-2026")
            page.click("main button")
            pages[login] = page
        return pages[login]

    return of


def said(page: Any) -> str:
    return str(page.inner_text("main"))


def do(page: Any, path: str, button: str, **fields: str) -> str:
    """Opens the form behind a button of the case page, fills it in, sends it; what the next page says."""
    page.goto(path)
    page.click(f"{BOX} >> text={button}")
    for name, value in fields.items():
        if name in ("choice", "helper", "reason", "task"):
            for one in value.split():
                page.check(f"input[name={name}][value='{one}']")
        else:
            page.fill(f"[name='{name}']", value)
    if page.locator("form.sq-card button.btn-primary").count():
        page.click("form.sq-card button.btn-primary")
    return said(page)


def test_a_joint_order_goes_from_hand_to_hand(desk: Callable[[str], Any], demo: Siquan) -> None:
    case = demo.case_id("联-2026-0005")
    path = f"/cases/{case}"
    street, he, chen, wang, ma = (desk(p) for p in ("gaoyifan", "hejianing", "chenyu", "wanghaitang", "machao"))

    he.goto(path)
    assert "待派单" in said(he) and "等街道派单员派单" in said(he) and not he.locator(f"{BOX} >> text=签收").count()
    he.goto("/inbox")
    assert "南门非机动车棚堆物" not in said(he)
    street.goto("/inbox")
    assert "南门非机动车棚堆物" in said(street)

    assert "已派单" in do(street, path, "派单…", choice="chenyu", helper="machao", opinion="请先核实权属")
    assert "已退单" in do(chen, path, "退单…", reason="not_ours", opinion="车棚属物业管理")
    assert "退单，待派" in said(chen)
    assert "已派单" in do(street, path, "派单…", choice="hejianing")
    he.goto("/inbox")
    assert "南门非机动车棚堆物" in said(he)
    he.goto(path)
    assert "要先签收" in said(he)
    assert "已签收，由你承办" in do(he, path, "签收")
    assert "协办还没有办完" in said(he)
    assert "已办完" in do(ma, path, "协办办完…", opinion="已清理，现场留了照片")

    assert "已委派" in do(he, path, "委派…", choice="wanghaitang")
    assert "已委派给汪海棠" in said(he)
    assert "已交回" in do(wang, path, "交回…", opinion="物业答应三天内清完")
    he.goto(path)
    he.click("#next >> text=办理…")
    he.fill("[name$=result]", "已清理并装了围栏")
    for _ in range(2):  # the form, then what it comes to
        he.click("main form button.btn-primary")
    assert demo.case(case, "gaoyifan").state == "confer"

    assert "签署" not in [a.title for a in demo.case(case, "hejianing").work.actions]
    assert "意见" in do(chen, path, "签署…", choice="refuse", reason="half_done")
    assert "已签署" in do(chen, path, "签署…", choice="refuse", reason="half_done", opinion="围栏挡了消防通道")
    assert "不同意" in said(chen)
    for page in (wang, ma):
        assert "已签署" in do(page, path, "签署…", choice="agree")
    assert demo.case(case, "gaoyifan").state == "issue"

    lu = desk("luwen")
    lu.goto(path)
    assert "还没有人" in said(lu) or "待签" in said(lu)
    assert "已签署" in do(chen, path, "签署…", choice="agree")
    assert "已签署" in do(lu, path, "签署…", choice="agree")
    done = demo.case(case, "gaoyifan")
    assert done.final and done.state == "issued" and done.events[0].who == "陆文"
    assert demo.replay(case) == [] and demo.audit_verify(case) == []
