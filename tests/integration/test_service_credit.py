"""A credit score from YAML alone: a start value, deductions by a table, a floor, lapse, and rules that read the score."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from siquan.core.accounts.book import NotReversible
from siquan.core.errors import Errors, SiquanError
from siquan.core.plugins import Catalogue, discover
from siquan.core.service.acts import StepRefused

CREDIT = """
process: credit
title: 信用记扣
roles: {clerk: 经办, chief: 科长}
accounts:
  score: {title: 信用分, unit: 分, owner: organisation, start: rp.base, min: -5, expires: 1 years, statement: yearly, by: [clerk, chief]}
balances:
  now: {account: score, of: company}
facts:
  company: {title: 统一信用代码, type: text, by: clerk}
  company_name: {title: 企业, type: text, by: clerk}
  fault: {title: 事由, type: enum, by: clerk, values: {repair: 维修, power: 停水停电, ruin: 毁约}}
parameters:
  rp.base: {2026-01-01: {value: 10, basis: LOCAL, cite: 本地设定}}
rules:
  points:
    inputs: [fault]
    rows:
      - {id: RP-D01, fault: repair, out: -3, say: 维修不到位}
      - {id: RP-D06, fault: power, out: -5, say: 停水停电}
      - {id: RP-D10, fault: ruin, out: -20, say: 毁约}
  entry:
    list:
      - {id: RP-R10, when: now.balance < 6, outcome: BLOCK, basis: LOCAL, cite: 本地设定, say: "信用分{now.balance}分，不得投标", clear: 可以投标}
states:
  draft:
    title: 告知
    deduct: {title: 扣分生效, by: clerk, needs: [company, company_name, fault], decide: points, to: done, post: [{account: score, to: company, named: company_name, amount: value}]}
    bid: {title: 投标, by: clerk, needs: [company], check: entry, to: done}
  done: {title: 已生效, final: true}
"""


@pytest.fixture
def town(sqlite_url: str, write_plugin: Callable[[str, str], Catalogue], make_town: Callable[..., Any]) -> Any:
    made = make_town(sqlite_url, write_plugin("credit", CREDIT))
    made.settle([("clerk", "wutongli", "clerk"), ("chief", "wutongli", "chief")])
    return made


def deduct(town: Any, fault: str, company: str = "91320") -> str:
    case = town.siquan.open_case("credit.credit", "clerk", "wutongli").case
    town.siquan.act(case, "deduct", "clerk", {"company": company, "company_name": "安居物业", "fault": fault})
    return str(case)


def score(town: Any) -> Any:
    (card,) = town.siquan.ledger("chief").kept
    return town.siquan.ledger_account(card.id, "chief")


def test_deductions_start_from_the_start_value_and_lapse(town: Any) -> None:
    deduct(town, "repair")
    page = score(town)
    assert page.card.owner == "安居物业" and page.closing == "7"
    assert [(e.title, e.amount, e.because) for e in page.entries] == [("起始值", "+10", ""), ("扣减", "-3", "RP-D01")]
    town.clock.move(dt.date(2027, 11, 23))
    town.siquan.sweep()
    assert score(town).card.balance == "7"
    town.clock.move(dt.date(2027, 11, 24))
    assert town.siquan.sweep()["expired"] == 1
    assert [(e.title, e.amount) for e in score(town).entries] == [("到期恢复", "+3")] and score(town).card.balance == "10"
    with pytest.raises(NotReversible):
        town.siquan.ask_reversal(score(town).card.id, 2, "chief", "录错了")
    town.whole()


def test_the_floor_holds_and_a_refused_deduction_leaves_nothing(town: Any) -> None:
    deduct(town, "power")
    with pytest.raises(StepRefused) as refused:
        deduct(town, "ruin")
    assert "需要 20分" in refused.value.text("zh") and score(town).card.balance == "5"
    deduct(town, "power")
    deduct(town, "power")
    assert score(town).card.balance == "-5"
    town.whole()


def test_rules_read_the_score(town: Any) -> None:
    first = town.siquan.open_case("credit.credit", "clerk", "wutongli").case
    town.siquan.act(first, "bid", "clerk", {"company": "91320"})
    deduct(town, "power")
    second = town.siquan.open_case("credit.credit", "clerk", "wutongli").case
    with pytest.raises(StepRefused) as refused:
        town.siquan.act(second, "bid", "clerk", {"company": "91320"})
    assert "信用分5分" in refused.value.text("zh")
    assert town.siquan.form(second, "bid", "clerk", {"company": "91320"}).allowed is False
    town.siquan.act(second, "bid", "clerk", {"company": "91999"})
    with pytest.raises(SiquanError):
        town.siquan.act(second, "bid", "clerk", {"company": "91320", "now.balance": 100})
    town.whole()


def test_a_span_nobody_knows_stops_the_step(sqlite_url: str, write_plugin: Any, make_town: Callable[..., Any]) -> None:
    text = CREDIT.replace("1 years", "rp.valid months").replace("parameters:", "parameters:\n  rp.valid: {2030-01-01: {value: 12}}")
    town = make_town(sqlite_url, write_plugin("credit", text))
    town.settle([("clerk", "wutongli", "clerk")])
    with pytest.raises(StepRefused) as refused:
        deduct(town, "repair")
    assert "rp.valid months" in refused.value.text("zh")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("account: score, to: company,", "account: scores, to: company,", "SQ031"),
        ("to: company, named", "to: companie, named", "SQ102"),
        ("amount: value}]", "}]", "SQ014"),
        ("start: rp.base, min: -5", "min: -5", "SQ014"),
        ("expires: 1 years", "expires: bald", "SQ014"),
        ("owner: organisation", "owner: company", "SQ014"),
        ("unit: 分, owner", "unit: 分, scale: 7, owner", "SQ014"),
        ("start: rp.base", "start: rp.bass", "SQ031"),
        ("expires: 1 years", "expires: rp.valid months", "SQ031"),
        ("by: [clerk, chief]}", "by: [clerk, chef]}", "SQ031"),
        ("[{account: score, to", "[{account: score, hold: score, to", "SQ014"),
        ("{account: score, of: company}", "{account: points, of: company}", "SQ031"),
        ("amount: value}]", "amount: value}, {order: 2, to: company}]", "SQ031"),
    ],
)
def test_what_is_written_wrong_is_said_with_its_line(tmp_path: Any, old: str, new: str, code: str) -> None:
    assert old in CREDIT
    file = tmp_path / "credit.yaml"
    file.write_text(CREDIT.replace(old, new), encoding="utf-8")
    (found,) = discover(bundled=False, only=[file]).found
    assert found.error is not None
    errors = list(found.error) if isinstance(found.error, Errors) else [found.error]
    assert code in {e.code for e in errors} and all(e.where and e.where.line for e in errors), found.error.full("zh")
