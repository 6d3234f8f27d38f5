"""A workbook that comes back, all or nothing: either a content, or every wrong cell by its address.

Rows are known by their id, columns by their title; both may stand in another order. A cell that still shows what was
written into it is taken for unchanged. Reading knows what the workbook was made from, because it carries that.
"""

from __future__ import annotations

import datetime as dt

from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.exchange.caseread import CaseReader
from siquan.core.exchange.content import Content
from siquan.core.exchange.display import Typed
from siquan.core.exchange.grid import Problems, read_grid
from siquan.core.exchange.lineread import LineReader
from siquan.core.exchange.made import Made, OtherBase, OtherRuleSet, made_from, read_made
from siquan.core.exchange.merge import Merged, merge
from siquan.core.exchange.ruleread import RuleReader, read_settings
from siquan.core.exchange.sheetplan import plans
from siquan.core.exchange.words import Words
from siquan.core.rules.check import Scope
from siquan.core.rules.facts import Schema
from siquan.core.rules.parameters import ParameterBook
from siquan.core.sheets.cells import Cells
from siquan.core.sheets.workbook import Workbook, open_workbook
from siquan.core.spec.table import check_table

__all__ = ["Made", "made_from", "read_workbook", "take_workbook"]


def read_workbook(
    data: bytes, filename: str, base: Content, schema: Schema, book: ParameterBook, *, scope: Scope | None = None
) -> Content:
    """The content of a workbook that was made from `base`. `book` holds the published lines. Raises Errors with at most 200
    problems, each at its cell; OtherRuleSet, OtherBase, NotOurs; NotWorkbook, Locked, TooBig, Unsafe; NoSheet."""
    with open_workbook(data, filename) as workbook:
        made = read_made(workbook, filename)
        if made.ruleset != base.ruleset.id:
            raise OtherRuleSet(name=filename, found=made.ruleset, wanted=base.ruleset.id)
        if made.content.digest != base.digest:
            raise OtherBase(name=filename, found=made.version or "—")
        return _read(workbook, filename, made, schema, book, scope)


def take_workbook(
    data: bytes, filename: str, current: Content, schema: Schema, book: ParameterBook, *, scope: Scope | None = None
) -> Merged:
    """As `read_workbook`, whatever `current` has become since the download: both changes are merged, and where they clash
    `current` stands and a conflict says so. Without a change in between there are no conflicts."""
    with open_workbook(data, filename) as workbook:
        made = read_made(workbook, filename)
        if made.ruleset != current.ruleset.id:
            raise OtherRuleSet(name=filename, found=made.ruleset, wanted=current.ruleset.id)
        theirs = _read(workbook, filename, made, schema, book, scope)
    return Merged(theirs) if made.content == current else merge(made.content, current, theirs)


def _read(workbook: Workbook, filename: str, made: Made, schema: Schema, book: ParameterBook, scope: Scope | None) -> Content:
    base, problems = made.content, Problems()
    sheets = {key: read_grid(workbook, plan, filename, problems) for key, plan in plans(base.ruleset, schema).items()}
    problems.stop(filename)
    typed = Typed(Cells(schema, dt.date.max))
    words = Words(base.ruleset, schema, book, "zh", scope)
    settings, notes = read_settings(sheets["settings"], base, typed)
    rules = RuleReader(sheets["rules"], base, words, typed)
    lines = LineReader(sheets["parameters"], made, words, typed)
    cases = CaseReader(sheets["cases"], base, words, typed)
    ruleset = base.ruleset.model_copy(update={**settings, "rules": rules.read()})
    content = Content(ruleset=ruleset, lines=lines.read(), cases=cases.read(), notes={**rules.notes, **lines.notes, **cases.notes, **notes})
    problems.stop(filename)
    if content.ruleset != base.ruleset:
        try:
            check_table(ruleset, lambda key: Where(sheets["settings"].name))
        except SiquanError as fault:
            raise Errors([fault]) from None
    return content
