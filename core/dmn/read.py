"""A DMN file, 1.1 to 1.6, as a Model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import cast

from siquan.core.dmn import model as m
from siquan.core.dmn.feel.names import normal
from siquan.core.dmn.xml import MOST_BYTES, Element, TooMuchXml, read_xml
from siquan.core.errors import NotFound, SiquanError, Where

#: namespace -> version of the standard
VERSIONS = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
    "https://www.omg.org/spec/DMN/20240513/MODEL/": "1.6",
}
_POLICIES = {"UNIQUE": "U", "ANY": "A", "PRIORITY": "P", "FIRST": "F", "RULE ORDER": "R", "OUTPUT ORDER": "O", "COLLECT": "C"}
_TOTALS = {"": "C", "LIST": "C", "SUM": "C+", "MIN": "C<", "MAX": "C>", "COUNT": "C#"}
#: the namespace of our own extension elements
OURS = "urn:siquan:1"
_BOXED = (
    "literalExpression", "decisionTable", "invocation", "context", "list", "relation", "functionDefinition", "conditional", "filter",
    "for", "some", "every",
)  # fmt: skip
#: finds the file of an imported namespace: (namespace, location) -> its bytes and name, or None
Finder = Callable[[str, str], "tuple[bytes, str] | None"]


class NotDmn(SiquanError):
    """the file is no DMN model: its root is `{root}` of the namespace `{space}`"""

    code = "SQ133"
    zh = "文件不是 DMN 模型：根元素是 `{root}`，命名空间是 `{space}`"
    help_en = "DMN 1.1 to 1.6 is read: the root is `definitions` of the namespace of the standard"
    help_zh = "可读 DMN 1.1 至 1.6：根元素应是标准命名空间里的 definitions"


class BrokenModel(SiquanError):
    """`{name}` cannot be used: {why}"""

    code = "SQ136"
    zh = "`{name}` 不能用：{why_zh}"


def read_model(data: bytes, file: str = "model.dmn", finder: Finder | None = None) -> m.Model:
    """The model with everything it imports. Raises NotXml, UnsafeXml, TooMuchXml, NotDmn, BrokenModel."""
    return _read(data, file, finder, ())


def _read(data: bytes, file: str, finder: Finder | None, above: tuple[str, ...]) -> m.Model:
    root = read_xml(data, file)
    if root.tag != "definitions" or root.space not in VERSIONS:
        raise NotDmn(Where(file, root.line), root=root.tag, space=root.space)
    reader = _Reader(root, file)
    found = []
    for one in reader.imports:
        if one.namespace in above or one.namespace == reader.namespace:
            raise reader.broken(one.name, "the models import each other in a circle", "几个模型互相导入，绕成了圈")
        other = finder(one.namespace, one.location) if finder is not None else None
        if other is None:
            raise reader.broken(one.name, f"there is no model of the namespace `{one.namespace}` beside it", f"旁边没有命名空间为 `{one.namespace}` 的模型")
        found.append((one.name, _read(*other, finder, (*above, reader.namespace))))
    return reader.model(hashlib.sha256(data).hexdigest(), tuple(found))


class _Reader:
    def __init__(self, root: Element, file: str) -> None:
        self.root, self.file = root, file
        self.namespace = root.get("namespace")
        self.imports = tuple(
            m.Import(normal(i.get("name")), i.get("namespace"), i.get("locationURI"))
            for i in root.all("import")
            if i.get("importType") in VERSIONS or not i.get("importType")
        )

    def broken(self, name: str, en: str, zh: str, line: int = 0) -> BrokenModel:
        return BrokenModel(Where(self.file, line or self.root.line), name=name, why=en, why_zh=zh)

    def model(self, hash: str, imported: tuple[tuple[str, m.Model], ...]) -> m.Model:
        elements: dict[str, m.Element] = {}
        for child in self.root.children:
            element = self.element(child) if child.space == self.root.space else None
            if element is None:
                continue
            full = self.full("#" + element.id)
            if full in elements:
                raise self.broken(element.id, "the id stands twice in the model", "编号在模型里出现了两次", child.line)
            elements[full] = element
        types = tuple(self.type(t) for t in self.root.all("itemDefinition"))
        known = {*elements, *(k for _, other in imported for k in _all(other))}
        for element in elements.values():
            for reference in _references(element):
                if reference not in known:
                    name = reference.rpartition("#")[2]
                    raise self.broken(element.name, f"it refers to `{name}`, which is not in the model", f"它引用的 `{name}` 不在模型里", element.line)
        return m.Model(
            self.root.get("name"), self.namespace, VERSIONS[self.root.space], self.file, hash, types, elements, self.imports, imported,
            self.root.words("description"),
        )  # fmt: skip

    def full(self, href: str) -> str:
        """A reference as `namespace#id`; without a namespace it is to this file."""
        space, mark, id = href.strip().rpartition("#")
        return f"{space or self.namespace}#{id if mark else href.strip()}"

    # the graph

    def element(self, e: Element) -> m.Element | None:
        if e.tag not in ("inputData", "decision", "businessKnowledgeModel", "decisionService"):
            return None
        name = normal(e.get("name"))
        variable = e.one("variable")
        item = self.item(variable) if variable is not None else m.Item(name)
        common = {"id": e.get("id") or name, "name": name, "variable": item if item.name else m.Item(name, item.type_ref), "line": e.line}
        common["label"] = e.get("label")
        if not name:
            raise self.broken(e.tag, "it has no name", "没有名字", e.line)
        match e.tag:
            case "inputData":
                return m.InputData(**common)  # type: ignore[arg-type]
            case "decision":
                needs = [r for q in e.all("informationRequirement") for r in self.references(q, "requiredInput", "requiredDecision")]
                return m.Decision(
                    **common, logic=self.boxed(e), requires=tuple(needs), knowledge=self.knowledge(e),  # type: ignore[arg-type]
                    description=e.words("description"), question=e.words("question"), extension=_own(e, "ruleset"),
                )  # fmt: skip
            case "businessKnowledgeModel":
                logic = e.one("encapsulatedLogic")
                found = self.function(logic) if logic is not None else None
                if found is None and (body := self.boxed(e)) is not None:  # DMN 1.1: the logic itself, no parameters
                    found = m.Function(line=e.line, body=body)
                return m.KnowledgeModel(**common, logic=found, knowledge=self.knowledge(e))  # type: ignore[arg-type]
        return m.Service(
            **common, outputs=tuple(self.references(e, "outputDecision")),  # type: ignore[arg-type]
            encapsulated=tuple(self.references(e, "encapsulatedDecision")),
            input_decisions=tuple(self.references(e, "inputDecision")), input_data=tuple(self.references(e, "inputData")),
        )  # fmt: skip

    def references(self, e: Element, *tags: str) -> list[str]:
        return [self.full(r.get("href")) for r in e.all(*tags)]

    def knowledge(self, e: Element) -> tuple[str, ...]:
        return tuple(r for q in e.all("knowledgeRequirement") for r in self.references(q, "requiredKnowledge"))

    def item(self, e: Element) -> m.Item:
        return m.Item(normal(e.get("name")), self.type_ref(e))

    def type_ref(self, e: Element) -> str:
        """The type an element names, as attribute or child; a prefix of FEEL's own namespace is dropped."""
        text = normal(e.get("typeRef") or e.words("typeRef"))
        head, mark, tail = text.partition(":")
        return tail if mark and head in ("feel", "xsd", "xs", "sfeel", "dmn", "tns", "kie") else text

    def type(self, e: Element) -> m.ItemDefinition:
        function = e.one("functionItem")
        return m.ItemDefinition(
            normal(e.get("name")), self.type_ref(e), e.get("isCollection") in ("true", "1"),
            tuple(self.type(c) for c in e.all("itemComponent")), self.tests(e, "allowedValues"), self.tests(e, "typeConstraint"),
            tuple(self.item(p) for p in function.all("parameters")) if function is not None else None,
            normal(function.get("outputTypeRef")) if function is not None else "",
        )  # fmt: skip

    def tests(self, e: Element, tag: str) -> str:
        found = e.one(tag)
        return found.words("text") if found is not None else ""

    # boxed expressions

    def boxed(self, e: Element | None) -> m.Expression | None:
        """The expression that stands in an element; None when there is none."""
        found = next(e.all(*_BOXED), None) if e is not None else None
        return self.expression(found) if found is not None else None

    def need(self, e: Element | None) -> m.Expression:
        """The expression that stands in an element; nothing counts as null."""
        return self.boxed(e) or m.Text(line=e.line if e is not None else 0, text="null")

    def expression(self, e: Element) -> m.Expression:
        kind, line = self.type_ref(e), e.line
        match e.tag:
            case "literalExpression":
                return self.text(e)
            case "decisionTable":
                return self.table(e)
            case "invocation":
                callee = next(e.all(*_BOXED), None)
                bindings = ((normal(p.get("name")), self.need(b)) for b in e.all("binding") if (p := b.one("parameter")) is not None)
                return m.Invocation(kind, line, self.expression(callee) if callee is not None else m.Text(text="null"), tuple(bindings))
            case "context":
                entries = ((self.item(v) if (v := c.one("variable")) is not None else None, self.need(c)) for c in e.all("contextEntry"))
                return m.Entries(kind, line, tuple(entries))
            case "list":
                return m.Items(kind, line, tuple(self.expression(c) for c in e.all(*_BOXED)))
            case "relation":
                rows = (tuple(self.expression(c) for c in row.all(*_BOXED)) for row in e.all("row"))
                return m.Relation(kind, line, tuple(self.item(c) for c in e.all("column")), tuple(rows))
            case "functionDefinition":
                return self.function(e)
            case "conditional":
                return m.Conditional(kind, line, self.need(e.one("if")), self.need(e.one("then")), self.need(e.one("else")))
            case "filter":
                return m.Filtered(kind, line, self.need(e.one("in")), self.need(e.one("match")))
        body = e.one("return" if e.tag == "for" else "satisfies")
        return m.Iteration(kind, line, e.tag, normal(e.get("iteratorVariable")), self.need(e.one("in")), self.need(body))

    def text(self, e: Element) -> m.Text:
        language = e.get("expressionLanguage") or self.root.get("expressionLanguage")
        feel = not language or "feel" in language.lower()
        return m.Text(self.type_ref(e), e.line, e.words("text"), "" if feel else language)

    def function(self, e: Element) -> m.Function:
        params = tuple(self.item(p) for p in e.all("formalParameter"))
        return m.Function(self.type_ref(e), e.line, params, self.boxed(e), e.get("kind") or "FEEL")

    def table(self, e: Element) -> m.Table:
        policy = e.get("hitPolicy") or "UNIQUE"
        code = _POLICIES.get(policy, "")
        if code == "C":
            code = _TOTALS.get(e.get("aggregation"), "")
        if not code:
            name = f"{policy} {e.get('aggregation')}".strip()
            raise self.broken(name, "there is no such hit policy", "没有这种命中策略", e.line)
        outputs = tuple(self.output(o) for o in e.all("output"))
        inputs = tuple(self.input(i) for i in e.all("input"))
        if not outputs:
            raise self.broken(e.get("id") or "decisionTable", "the table has no output", "决策表没有输出列", e.line)
        names = [o.name for o in outputs]
        if len(names) > 1 and (len(set(names)) < len(names) or "" in names):
            raise self.broken(e.get("id") or "decisionTable", "several outputs need a name each, all different", "有多个输出列时，每列都要有不同的名字", e.line)
        rows = []
        for n, rule in enumerate(e.all("rule"), 1):
            row = self.row(rule, n)
            if len(row.inputs) != len(inputs) or len(row.outputs) != len(outputs):
                raise self.broken(row.id, "the rule has not as many entries as the table has columns", "这一行的格数和表的列数不一致", rule.line)
            rows.append(row)
        notes = tuple(a.get("name") for a in e.all("annotation"))
        return m.Table(self.type_ref(e), e.line, cast(m.HitPolicy, code), inputs, outputs, tuple(rows), notes)

    def input(self, e: Element) -> m.Input:
        expression = e.one("inputExpression")
        text = self.text(expression) if expression is not None else m.Text(line=e.line, text="null")
        return m.Input(e.get("id"), e.get("label") or text.text, text, self.tests(e, "inputValues"))

    def output(self, e: Element) -> m.Output:
        default = e.one("defaultOutputEntry")
        return m.Output(
            e.get("id"), normal(e.get("name")), e.get("label"), self.type_ref(e), self.tests(e, "outputValues"),
            self.text(default) if default is not None else None,
        )  # fmt: skip

    def row(self, e: Element, n: int) -> m.Row:
        return m.Row(
            e.get("id") or f"{n}", tuple(self.text(i) for i in e.all("inputEntry")), tuple(self.text(o) for o in e.all("outputEntry")),
            tuple(a.words("text") for a in e.all("annotationEntry")), e.words("description"), _own(e, "rule"), e.line,
        )  # fmt: skip


def _own(e: Element, tag: str) -> str:
    """The text of an extension element of ours; empty when there is none."""
    holder = e.one("extensionElements")
    return next((c.text for c in holder.children if c.space == OURS and c.tag == tag), "") if holder is not None else ""


def _all(model: m.Model) -> dict[str, m.Element]:
    """All elements of a model and of those it imports, by full id."""
    out = dict(model.elements)
    for _, other in model.imported:
        out.update(_all(other))
    return out


def _references(element: m.Element) -> tuple[str, ...]:
    match element:
        case m.Decision():
            return element.requires + element.knowledge
        case m.KnowledgeModel():
            return element.knowledge
        case m.Service():
            return element.outputs + element.encapsulated + element.input_decisions + element.input_data
    return ()


def open_model(path: Path) -> m.Model:
    """The model of a file; what it imports is looked for in the same folder. Raises as read_model, and NotFound."""

    def beside(namespace: str, location: str) -> tuple[bytes, str] | None:
        # only the name counts: a model never makes us read another folder
        first = path.parent / PurePath(location.replace("\\", "/")).name
        for other in [*([first] if first.suffix == ".dmn" else []), *sorted(path.parent.glob("*.dmn"))]:
            if other == path or not other.is_file() or other.stat().st_size > MOST_BYTES:
                continue
            data = other.read_bytes()
            try:
                found = read_xml(data, other.name).get("namespace")
            except SiquanError:
                continue  # some other file of the folder
            if found == namespace:
                return data, other.name
        return None

    try:
        if path.stat().st_size > MOST_BYTES:
            raise TooMuchXml(Where(path.name), limit=MOST_BYTES // 1_000_000, what="megabytes", what_zh="MB")
        data = path.read_bytes()
    except OSError as fault:
        raise NotFound(Where(path.name), kind="文件", name=path.name, help=" ") from fault
    return read_model(data, path.name, beside)
