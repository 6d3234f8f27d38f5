"""What a case of a plugin may say: a step its state does not have, a case two levels below its first parent."""

from __future__ import annotations

from pathlib import Path

from siquan.core.plugins import discover
from siquan.core.testing.runner import run_case

TOP = """
process: top
title: 上级
roles: {clerk: 经办@community}
states:
  open: {title: 在办, add: {title: 加一件, by: clerk, opens: middle}, end: {title: 办结, by: clerk, to: done}}
  done: {title: 办结, final: true}
"""
MIDDLE = """
process: middle
title: 中间
child_of: {process: top, as: middles}
roles: {clerk: 经办@community}
states:
  open: {title: 在办, add: {title: 加一件, by: clerk, opens: lowest}, end: {title: 办结, by: clerk, to: done}}
  done: {title: 办结, final: true}
"""
LOWEST = """
process: lowest
title: 最下
child_of: {process: middle, as: lowests}
roles: {clerk: 经办@community}
states:
  open: {title: 在办, next: {title: 往下, by: clerk, to: last}}
  last: {title: 最后, end: {title: 办结, by: clerk, to: done}}
  done: {title: 办结, final: true}
cases:
  - {name: 没有的一步, steps: [{act: end, refused: SQ411}, {act: next}, {act: end}], expect: done}
  - {name: 说错了代码, steps: [{act: end, refused: SQ412}], expect: open}
  - {name: 没有说会被拦下, steps: [{act: end}], expect: open}
"""


def test_a_step_the_state_lacks_is_refused_and_a_grandchild_has_cases(tmp_path: Path) -> None:
    folder = tmp_path / "levels"
    (folder / "workflows").mkdir(parents=True)
    for name, text in (("top", TOP), ("middle", MIDDLE), ("lowest", LOWEST)):
        (folder / "workflows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    catalogue = discover(bundled=False, only=[folder])
    good, other, untold = catalogue.definition("levels.lowest").spec.cases
    assert run_case(catalogue, good) == []
    assert "SQ412" in "".join(run_case(catalogue, other))
    assert "SQ411" in "".join(run_case(catalogue, untold))
