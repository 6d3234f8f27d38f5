"""What `siquan verify` says about a plugin: one finding per fault, with its place and the shortest story that shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from siquan.core.errors import Where

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
WORDS = {"error": "错误", "warning": "提醒", "note": "说明"}


@dataclass(frozen=True)
class WayStep:
    """One step of a way: `clock`: its deadline fires it; `given`: values its form needs; `key`: the branch it takes."""

    step: str
    clock: bool = False
    given: dict[str, Any] = field(default_factory=dict, hash=False)
    key: str = ""


@dataclass(frozen=True)
class Way:
    """A story as data, so that it can be run and kept as a test case. `barred` is a step that cannot be taken at its end,
    `kind` and `rule` say why."""

    process: str
    steps: tuple[WayStep, ...]
    state: str
    barred: str = ""
    kind: str = ""
    rule: str = ""
    opening: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Finding:
    """`story` is an example: the steps that lead there by their titles, or the values that show it; `way` is the same as
    data, where the story is one of steps."""

    code: str
    severity: Severity
    where: Where | None
    zh: str
    en: str
    help_zh: str = ""
    help_en: str = ""
    story: tuple[str, ...] = ()
    way: Way | None = None

    def text(self, lang: str = "zh") -> str:
        return self.zh if lang.startswith("zh") else self.en

    def help(self, lang: str = "zh") -> str:
        return self.help_zh if lang.startswith("zh") else self.help_en

    def full(self, lang: str = "zh") -> str:
        """`file:line: severity V001: message`, the example and the help on lines of their own, as the command line prints it."""
        zh = lang.startswith("zh")
        place = f"{self.where}: " if self.where else ""
        lines = [f"{place}{WORDS[self.severity] if zh else self.severity} {self.code}: {self.text(lang)}"]
        if self.story:
            lines.append(("  例：" if zh else "  example: ") + " → ".join(self.story))
        if self.help(lang):
            lines.append(("  办法：" if zh else "  help: ") + self.help(lang))
        return "\n".join(lines)

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.where.file if self.where else None,
            "line": self.where.line if self.where else None,
            "message": self.text(lang),
            "help": self.help(lang),
            "story": list(self.story),
        }


def listed(names: list[str] | tuple[str, ...], lang: str = "zh", most: int = 12) -> str:
    """Names in backticks, the first few of them."""
    shown = ("、" if lang == "zh" else ", ").join(f"`{n}`" for n in names[:most])
    rest = len(names) - most
    if rest > 0:
        shown += f" 等 {len(names)} 项" if lang == "zh" else f" and {rest} more"
    return shown
