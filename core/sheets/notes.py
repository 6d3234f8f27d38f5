"""What the sheet 说明 says: how to fill the form in, then every column with its type, words, source and evidence."""

from __future__ import annotations

from collections.abc import Mapping

from siquan.core.sheets.columns import NO, UNKNOWN, YES, Column, Layout

_TYPES = {
    "boolean": "是否", "integer": "整数", "decimal": "数字", "text": "文字", "date": "日期", "enum": "选项", "person": "人员",
}  # fmt: skip
_PARTS = {"as_of": "查询日期", "source": "来源", "ref": "依据文号", "by": "查询人"}
_SENSITIVE = {
    "name": "姓名", "phone": "电话", "id": "证件", "address": "住址", "crime": "犯罪记录", "party": "党内情况", "money": "金额",
    "health": "健康",
}  # fmt: skip
HEAD = [
    "列名",
    "内容",
    "怎么填",
    "单位",
    "可填的词",
    "没有时填",
    "谁提供",
    "依据材料",
    "敏感",
    "有效期",
    "说明",
]


def notes(layout: Layout, title: str, example: bool, roles: Mapping[str, str]) -> list[list[str]]:
    """Lines of the sheet; a line of one text is a paragraph, the first longer one is the table's header."""
    lines = [
        [title],
        ["没有查过的留空，或填“未知”：留空的会被要求补证，不会当作没有。"],
        ["列名不要改，列不要删；自己加的列，列名用 # 或“备注”开头，不会读入。"],
        ["不要合并单元格，不要留公式；一行一条。有一处错误就整表不导入，错误会逐格列出。"],
    ]
    if layout.findings:
        lines.append(["填“否”的，同一行要填查询日期；填“是”的，再填旁边的文号、日期等列。"])
    if layout.keys:
        lines.append([f"用 {'、'.join(c.title for c in layout.keys)} 区分各行，不能重复，不能空。"])
    lines += [[""], HEAD + (["例"] if example else [])]
    return lines + [_about(layout, c, roles) + ([sample(c)] if example else []) for c in layout.columns]


def _about(layout: Layout, column: Column, roles: Mapping[str, str]) -> list[str]:
    if column.kind == "envelope":
        how = "日期" if column.part == "as_of" else "文字"
        about = "整行共用，写在会过期的和要依据材料的各项上"
        return [column.title, _PARTS[column.part], how, "", "", "", "", "", "", "", about]
    fact = column.fact
    assert fact is not None
    finding = column.kind == "finding"
    if finding:
        how, words = "有没有", f"{YES}、{NO}、{UNKNOWN}"
    else:
        how = _TYPES[fact.type]
        words = f"{YES}、{NO}、{UNKNOWN}" if fact.type == "boolean" else "、".join(fact.values.values())
    age = f"{fact.max_age} 天" if fact.max_age.isdigit() else f"参数 {fact.max_age}" if fact.max_age else ""
    return [
        column.title,
        f"{layout.schema.title(column.path)}（{column.path}）",
        how + ("，必填" if column.required or column in layout.keys else ""),
        "" if finding else fact.unit,
        words,
        NO if finding else fact.absent,
        roles.get(fact.by, fact.by),
        "、".join(fact.evidence),
        _SENSITIVE.get(fact.sensitive, fact.sensitive),
        age,
        fact.help,
    ]


def sample(column: Column) -> str:
    """An invented value of the right kind; empty for free text."""
    if column.part == "as_of":
        return "2026-11-23"
    if column.kind == "finding":
        return NO
    fact = column.fact
    match fact.type if fact else "":
        case "boolean":
            return YES
        case "date":
            return "2026-11-23"
        case "integer":
            assert fact is not None
            return str(fact.min if fact.min is not None else 3)
        case "decimal":
            return "88.25"
        case "enum":
            assert fact is not None
            return next(iter(fact.values.values()), "")
    return ""
