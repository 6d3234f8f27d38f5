"""What a case of a plugin may say: a step its state does not have, a case two levels below its first parent."""

from __future__ import annotations

from pathlib import Path

from siquan.core.plugins import Catalogue, discover
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

ROUND = """
process: round
title: 自己的下级
child_of: {process: round, as: rounds}
roles: {clerk: 经办@community}
states:
  open: {title: 在办, end: {title: 办结, by: clerk, to: done}}
  done: {title: 办结, final: true}
cases:
  - {name: 没有开头, steps: [{act: end}], expect: done}
"""


def catalogue_of(tmp_path: Path, **files: str) -> Catalogue:
    folder = tmp_path / "levels"
    (folder / "workflows").mkdir(parents=True)
    for name, text in files.items():
        (folder / "workflows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return discover(bundled=False, only=[folder])


def test_a_step_the_state_lacks_is_refused_and_a_grandchild_has_cases(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, top=TOP, middle=MIDDLE, lowest=LOWEST)
    good, other, untold = catalogue.definition("levels.lowest").spec.cases
    assert run_case(catalogue, good) == []
    assert "SQ412" in "".join(run_case(catalogue, other))
    assert "SQ411" in "".join(run_case(catalogue, untold))


def test_a_process_that_is_its_own_parent_has_no_first_case(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, round=ROUND)
    (case,) = catalogue.definition("levels.round").spec.cases
    assert "只能在所属事项里开办" in "".join(run_case(catalogue, case))
