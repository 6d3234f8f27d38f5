"""From a process as written to its picture. The main line is found, not drawn by hand: the longest way
from the first state to the end that is written first; whatever else there is stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from siquan.core.diagram import lettering
from siquan.core.diagram.graph import Edge, EdgeKind, Group, Node, NodeKind, Step
from siquan.core.diagram.legend import Note, notes
from siquan.core.diagram.markup import mermaid
from siquan.core.diagram.picture import draw
from siquan.core.diagram.place import NODE, SUB
from siquan.core.diagram.progress import strip
from siquan.core.spec.model import DueSpec, ProcessSpec, Span, StateSpec, TransitionSpec

_WORDS = {
    "zh": {
        "fragment": "片段 {0}",
        "cases": "{0} 件",
        "anywhere": "未办结时随时可以：{0}",
        "to": "{0}（到 {1}）",
        "diagram": "{0}：{1} 个状态的图，下方有表",
        "progress": "{0}共 {1} 步，当前第 {2} 步：{3}",
        "over": "{0}共 {1} 步，已走完",
        "stays": "本步可办：{0}",
        "day": "{0} 日",
        "workday": "{0} 个工作日",
        "month": "{0} 个月",
        "clock": "到期：{0}",
        "PASS": "通过",
        "WARN": "有提示",
        "EVIDENCE": "待补证",
        "BLOCK": "不得进行",
        "REJECT": "不通过",
        "join": "、",
        "open": "（",
        "close": "）",
        "dispatch": "派单",
        "all": "会签",
        "any": "或签",
        "order": "顺序签",
        "share": "票签",
    },
    "en": {
        "fragment": "fragment {0}",
        "cases": "{0} open",
        "anywhere": "at any time while open: {0}",
        "to": "{0} (to {1})",
        "diagram": "{0}: a diagram of {1} states, with a table below",
        "progress": "{0} has {1} steps; now at step {2}: {3}",
        "over": "{0} has {1} steps, all done",
        "stays": "in this step: {0}",
        "day": "{0} days",
        "workday": "{0} working days",
        "month": "{0} months",
        "clock": "on expiry: {0}",
        "PASS": "pass",
        "WARN": "warning",
        "EVIDENCE": "evidence missing",
        "BLOCK": "blocked",
        "REJECT": "not passed",
        "join": ", ",
        "open": " (",
        "close": ")",
        "dispatch": "dispatch",
        "all": "all sign",
        "any": "any signs",
        "order": "in order",
        "share": "vote",
    },
}


@dataclass(frozen=True)
class Graph:
    """A process as nodes and edges, ready to be drawn. `note` says what may happen at any time."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...] = ()
    note: str = ""
    name: str = ""  # of the process alone
    words: Mapping[str, str] = field(default_factory=lambda: _WORDS["zh"], repr=False)
    legend: tuple[Note, ...] = ()  # deadlines, steps of the clock, children

    def svg(self, *, width: float = 1290, full: bool = False) -> str:
        """`full` says below the picture what boxes and arrows leave out, for a picture that stands alone."""
        lines = tuple(n.text for n in self.legend) if full else ()
        return draw(self.nodes, self.edges, self.groups, title=self.title, note=self.note, width=width, legend=lines)

    def mermaid(self) -> str:
        return mermaid(self.nodes, self.edges, self.legend, self.note)

    def progress(
        self,
        now: str | None = None,
        *,
        dates: Mapping[str, str] | None = None,
        done: Collection[str] = (),
        href: Callable[[str], str] | None = None,
    ) -> str:
        """The progress strip of the main line. `now` may be a state beside it: then the furthest step that
        is `done` (or leads to it) carries the mark, and the state's title stands above. None: everything
        is done."""
        line = [n for n in self.nodes if n.main]
        dates = dates or {}
        titles = {n.id: n.title for n in self.nodes}
        ids = [n.id for n in line]
        at, aside = now, ""
        if ids and now == ids[-1]:
            at = None  # arrived: nothing is left to do
        elif now is not None and now not in ids:
            aside = titles.get(now, now)
            before = [i for i in ids if i in done] or [e.source for e in self.edges if e.target == now]
            at = next((i for i in reversed(ids) if i in before), ids[0] if ids else None)
        steps = [
            Step(
                n.id,
                n.title,
                dates.get(n.id, ""),
                None if not done else n.id in done and n.id != at,
                href(n.id) if href else "",
            )
            for n in line
        ]
        if at is None:
            title = self.words["over"].format(self.name, len(steps))
        else:
            title = self.words["progress"].format(
                self.name, len(steps), ids.index(at) + 1, aside or titles[at]
            )
        return strip(steps, at, title=title, aside=aside)


def from_process(
    spec: ProcessSpec,
    *,
    lang: str = "zh",
    now: str | None = None,
    done: Collection[str] = (),
    counts: Mapping[str, int | str] | None = None,
    href: Callable[[str], str] | None = None,
    bad: Collection[str] = (),
    texts: Mapping[str, str] | None = None,
    children: Mapping[str, str] | None = None,
    amounts: Callable[[str], object] | None = None,
) -> Graph:
    """`now` and `done` are states of a case; `counts` open cases per state (a number or ready words);
    `href` gives the address of a state's rules; `bad` are states with a finding; `texts` are translations
    by path (`states.draft.title`, `states.draft.submit.title`); `children` are titles of child processes by id;
    `amounts` gives the value of a parameter of the plugin."""
    words = _WORDS["zh" if lang.startswith("zh") else "en"]
    texts = texts or {}
    line = main_line(spec)
    order = {s.name: i for i, s in enumerate(spec.states)}

    def titled(state: StateSpec) -> str:
        return texts.get(f"states.{state.name}.title") or state.title or state.name

    def named(state: StateSpec | None, way: TransitionSpec) -> str:
        place = f"states.{state.name}.{way.name}" if state else f"anywhere.{way.name}"
        return texts.get(f"{place}.title") or way.title or way.name

    titles = {s.name: titled(s) for s in spec.states}
    edges = _edges(spec, line, order, now, done, named, words)
    nodes = []
    for state in spec.states:
        stays = [e for e in edges if e.source == e.target == state.name]
        note = words["stays"].format(words["join"].join(e.label for e in stays)) if stays else ""
        sub = _sub(spec, state, counts, words)
        nodes.append(
            Node(
                state.name,
                titles[state.name],
                sub,
                _kind(state, spec, now, done, bad),
                group=state.name.rpartition(".")[0] if state.fragment else "",
                href=href(state.name) if href else "",
                main=state.name in line,
                note="；".join(s for s in (state.hint, note) if s),
                mark=" · ".join(words[w] for w in _marks(state)),
            )
        )
    groups: dict[str, Group] = {}
    for state, node in zip(spec.states, nodes, strict=True):
        if node.group:
            groups.setdefault(node.group, Group(node.group, words["fragment"].format(state.fragment)))
    always = []
    for way in spec.anywhere:
        ends = [titles.get(t, t) for t in dict.fromkeys(_targets(way)) if t]
        said = named(None, way)
        always.append(words["to"].format(said, words["join"].join(ends)) if ends else said)
    name = texts.get("title") or spec.title
    return Graph(
        words["diagram"].format(name, len(nodes)),
        tuple(sorted(nodes, key=lambda n: (line.index(n.id) if n.id in line else len(line), order[n.id]))),
        tuple(e for e in edges if e.source != e.target),
        tuple(groups.values()),
        words["anywhere"].format(words["join"].join(always)) if always else "",
        name,
        words,
        tuple(notes(spec, lang, titled, named, children or {}, lambda due: _amount(due, spec) or str((amounts(due.n) if amounts else None) or due.n), texts)),
    )


def _marks(state: StateSpec) -> list[str]:
    """How the work of a state is given out and signed."""
    sent = ["dispatch"] if state.task is not None and state.task.dispatcher else []
    return [*sent, *([state.sign.mode] if state.sign is not None else [])]


def _targets(way: TransitionSpec) -> list[str]:
    return list(way.branches.values()) if way.branches else [way.to]


def main_line(spec: ProcessSpec) -> list[str]:
    """The states of the main line: the longest way forwards, over states marked `main`, to the first end
    written."""
    order = {s.name: i for i, s in enumerate(spec.states)}
    states = [s for s in spec.states if s.main or s is spec.states[0]]
    may = {s.name for s in states}
    follow: dict[str, list[str]] = {
        s.name: sorted(
            {t for way in s.transitions for t in _targets(way) if t in may and order[t] > order[s.name]},
            key=order.__getitem__,
        )
        for s in states
    }
    ends = [s.name for s in states if s.final]
    for end in [*ends, None]:  # the end written first is the good one; None: no end can be reached forwards
        best: dict[str, list[str]] = {}
        for state in reversed(states):
            rests = [best[t] for t in follow[state.name] if t in best]
            if end is None or state.name == end or rests:
                best[state.name] = [state.name, *max(rests, key=len, default=[])]
        if spec.states and spec.states[0].name in best:
            return best[spec.states[0].name]
    return []


def _kind(
    state: StateSpec, spec: ProcessSpec, now: str | None, done: Collection[str], bad: Collection[str]
) -> NodeKind:
    if state.name == now:
        return "now"
    if state.name in bad:
        return "bad"
    if state.final:
        return "end"
    if state.name in done:
        return "done"
    return "start" if state is spec.states[0] else ""


def _sub(
    spec: ProcessSpec, state: StateSpec, counts: Mapping[str, int | str] | None, words: Mapping[str, str]
) -> str:
    """Open cases and the time allowed; without counts who acts and the time allowed."""
    due = next((_due(d, spec, words) for d in state.dues if not d.before), "")
    first = ""
    if counts is not None:
        count = counts.get(state.name, 0)
        first = count if isinstance(count, str) else words["cases"].format(count)
    elif not state.final:
        roles = dict.fromkeys(r for way in state.transitions if not way.auto for r in way.by)
        named = [spec.roles[r].title for r in roles if r in spec.roles]
        first = named[0] + ("…" if len(named) > 1 else "") if named else ""
    both = " · ".join(s for s in (first, due) if s)
    return both if lettering.width(both, SUB) <= NODE - 12 else due if counts is None and due else first


def _due(due: DueSpec, spec: ProcessSpec, words: Mapping[str, str]) -> str:
    """The time allowed, as a number; a parameter is shown by its newest shipped value."""
    n = _amount(due, spec)
    if n in ("", "0"):  # the day itself, not a span
        return ""
    return words[due.unit].format(n)


def _amount(due: DueSpec | Span, spec: ProcessSpec) -> str:
    """The number of a deadline; of a parameter its newest shipped value."""
    n = due.n
    if not n.replace(".", "", 1).isdigit():
        lines = [
            line
            for p in spec.parameters
            if p.name in (n, f"{getattr(due, 'prefix', '')}.{n}")
            for line in p.lines
            if not line.place and line.value is not None
        ]
        if not lines:
            return ""
        n = str(max(lines, key=lambda line: line.since).value)
    return n


def _edges(
    spec: ProcessSpec,
    line: Sequence[str],
    order: Mapping[str, int],
    now: str | None,
    done: Collection[str],
    named: Callable[[StateSpec | None, TransitionSpec], str],
    words: Mapping[str, str],
) -> list[Edge]:
    """One edge per pair of states; several transitions between the same two share it."""
    after = set(zip(line, line[1:], strict=False))
    rows = {
        (rules.id, str(rule.out)): rule.title
        for rules in spec.rulesets
        for rule in rules.rules
        if rule.title and rule.out is not None
    }
    said: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for state in spec.states:
        for way in state.transitions:
            title = named(state, way)
            if way.auto:
                title = words["clock"].format(title)
            if not way.branches:
                said.setdefault((state.name, way.to or state.name), []).append((title, title))
                continue
            ends: dict[str, list[str]] = {}
            for value, target in way.branches.items():
                ends.setdefault(target or state.name, []).append(value)
            for target, values in ends.items():
                why = [words.get(v) or rows.get((way.decide, v), "") for v in values]
                shown = words["join"].join(dict.fromkeys(w for w in why if w))
                full = words["join"].join(w or v for w, v in zip(why, values, strict=True))
                said.setdefault((state.name, target), []).append(
                    (
                        title + (words["open"] + shown + words["close"] if shown and len(ends) > 1 else ""),
                        title + words["open"] + full + words["close"],
                    )
                )
    out = []
    for (source, target), both in said.items():
        if target not in order:
            continue
        label = words["join"].join(dict.fromkeys(short for short, _ in both))
        title = words["join"].join(dict.fromkeys(full for _, full in both))
        out.append(Edge(source, target, label, _way(source, target, line, after, order, now, done), title))
    return out


def _way(
    source: str,
    target: str,
    line: Sequence[str],
    after: Collection[tuple[str, str]],
    order: Mapping[str, int],
    now: str | None,
    done: Collection[str],
) -> EdgeKind:
    if (source, target) in after:
        if source == now:
            return "hot"
        if source in done and (target in done or target == now):
            return "done"
        return ""
    forward = source in line and target in line and order[source] < order[target]
    return "" if forward else "back"
