"""What can be wrong in a sheet. Each error stands at its cell: `Where("候选人!C5")`."""

from __future__ import annotations

from siquan.core.errors import SiquanError


class NoSheet(SiquanError):
    """there is no sheet called `{sheet}`; the file has {have}"""

    code = "SQ805"
    zh = "没有叫 `{sheet}` 的工作表，文件里有 {have}"
    help_en = "rename the sheet to `{sheet}`, or leave only that one in the file"
    help_zh = "把工作表改名为 `{sheet}`，或者文件里只留这一张"
    http = 422


class NoColumn(SiquanError):
    """columns are missing: {names}"""

    code = "SQ806"
    zh = "缺列：{names}"
    help_en = "{near}take the empty form again and fill that; a column with nothing to say stays empty"
    help_zh = "{near_zh}请下载空表重填；没有内容的列留空，不要删"
    http = 422


class UnknownColumn(SiquanError):
    """there is no column `{title}`"""

    code = "SQ807"
    zh = "没有 `{title}` 这一列"
    help_en = "{near}a column of your own may stay when its title starts with `#` or 备注; it is not read"
    help_zh = "{near_zh}自己加的列，列名用 `#` 或“备注”开头就可以保留，不会读入"
    http = 422


class TwiceColumn(SiquanError):
    """the column `{title}` stands twice, first in {first}"""

    code = "SQ808"
    zh = "`{title}` 有两列，第一列在 {first}"
    help_en = "delete or rename one of them"
    help_zh = "删掉或改名其中一列"
    http = 422


class Merged(SiquanError):
    """the cells {range} are merged"""

    code = "SQ809"
    zh = "单元格 {range} 是合并的"
    help_en = "unmerge them and write the value into every row"
    help_zh = "取消合并，每一行都填上内容"
    http = 422


class BadCell(SiquanError):
    """`{title}` cannot take `{value}`: {why}"""

    code = "SQ810"
    zh = "`{title}` 不能填 `{value}`：{why_zh}"
    help_en = "{do}"
    help_zh = "{do_zh}"
    http = 422


class Contradiction(SiquanError):
    """`{title}` says {said}, but `{other}` in {cell} says `{value}`"""

    code = "SQ811"
    zh = "`{title}` 填了“{said}”，{cell} 的 `{other}` 却填了 `{value}`"
    help_en = "keep one of the two"
    help_zh = "两处只能有一处对，改掉另一处"
    http = 422


class NoDate(SiquanError):
    """{titles} says 否, but the row has no date of the check in `{column}`"""

    code = "SQ812"
    zh = "{titles} 填了“否”，这一行却没有 `{column}`"
    help_en = "“no” counts only with the day it was looked up; fill in the day, or leave the cell empty"
    help_zh = "“否”要有查询那天的日期才算数：填上日期；没有查就留空或填“未知”"
    http = 422


class TwiceRow(SiquanError):
    """row {row} has the same {titles} as row {first}: `{value}`"""

    code = "SQ813"
    zh = "第 {row} 行与第 {first} 行的{titles}相同：`{value}`"
    help_en = "delete one of the two rows, or correct what identifies it"
    help_zh = "删掉重复的一行，或改正{titles}"
    http = 422


class MoreProblems(SiquanError):
    """{more} more problems are not listed"""

    code = "SQ814"
    zh = "还有 {more} 处问题没有列出"
    help_en = "put these right first, then import again"
    help_zh = "先改这些，再导入一次"
    http = 422


class EmptyCell(SiquanError):
    """`{title}` is empty"""

    code = "SQ816"
    zh = "`{title}` 没有填"
    help_en = "fill it in, or delete the whole row"
    help_zh = "填上内容；这一行不要的话，整行删掉"
    http = 422
