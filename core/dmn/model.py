"""A decision model as frozen data: what stands in the file, names and references as written, FEEL still as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Item:
    """A name and its type: a variable, a parameter, a component."""

    name: str
    type_ref: str = ""


# boxed expressions


@dataclass(frozen=True)
class Expression:
    """Base of all boxed expressions; `type_ref` is the declared type of the result, `line` stands in the file."""

    type_ref: str = ""
    line: int = 0


@dataclass(frozen=True)
class Text(Expression):
    """A literal expression. `language` is empty for FEEL."""

    text: str = ""
    language: str = ""


@dataclass(frozen=True)
class Invocation(Expression):
    function: Expression = Expression()
    bindings: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True)
class Entries(Expression):
    """A boxed context; an entry without a name gives its result."""

    entries: tuple[tuple[Item | None, Expression], ...] = ()


@dataclass(frozen=True)
class Items(Expression):
    """A boxed list."""

    items: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Relation(Expression):
    columns: tuple[Item, ...] = ()
    rows: tuple[tuple[Expression, ...], ...] = ()


@dataclass(frozen=True)
class Function(Expression):
    """`kind` other than FEEL is never run."""

    params: tuple[Item, ...] = ()
    body: Expression | None = None
    kind: str = "FEEL"


@dataclass(frozen=True)
class Conditional(Expression):
    test: Expression = Expression()
    then: Expression = Expression()
    other: Expression = Expression()


@dataclass(frozen=True)
class Filtered(Expression):
    source: Expression = Expression()
    match: Expression = Expression()


@dataclass(frozen=True)
class Iteration(Expression):
    """`kind` is for, some or every."""

    kind: str = "for"
    variable: str = ""
    source: Expression = Expression()
    body: Expression = Expression()


HitPolicy = Literal["U", "A", "P", "F", "R", "O", "C", "C+", "C<", "C>", "C#"]


@dataclass(frozen=True)
class Input:
    """A column of conditions. `values` are unary tests on the input, empty for none."""

    id: str
    label: str
    expression: Text
    values: str = ""


@dataclass(frozen=True)
class Output:
    id: str
    name: str
    label: str = ""
    type_ref: str = ""
    values: str = ""
    default: Text | None = None


@dataclass(frozen=True)
class Row:
    id: str
    inputs: tuple[Text, ...]
    outputs: tuple[Text, ...]
    annotations: tuple[str, ...] = ()
    description: str = ""
    #: what stands in our own extension element, and the line of the row
    extension: str = ""
    line: int = 0


@dataclass(frozen=True)
class Table(Expression):
    policy: HitPolicy = "U"
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    rows: tuple[Row, ...] = ()
    annotations: tuple[str, ...] = ()


# the decision requirements graph


@dataclass(frozen=True)
class Element:
    """`requires` are references to what it needs, as full ids `namespace#id`; `variable` is its name and type."""

    id: str
    name: str
    variable: Item
    line: int = 0
    label: str = ""


@dataclass(frozen=True)
class InputData(Element):
    pass


@dataclass(frozen=True)
class Decision(Element):
    logic: Expression | None = None
    requires: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()
    description: str = ""
    question: str = ""
    extension: str = ""


@dataclass(frozen=True)
class KnowledgeModel(Element):
    """A business knowledge model: a named function."""

    logic: Function | None = None
    knowledge: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service(Element):
    """A decision service: decisions as a function of input data and of other decisions."""

    outputs: tuple[str, ...] = ()
    encapsulated: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemDefinition:
    """A type of the model. `allowed` and `constraint` are unary tests: on a value (of a collection: on each item), and
    on the value as a whole."""

    name: str
    type_ref: str = ""
    collection: bool = False
    components: tuple[ItemDefinition, ...] = ()
    allowed: str = ""
    constraint: str = ""
    #: of a function type: its parameters and result
    params: tuple[Item, ...] | None = None
    result: str = ""


@dataclass(frozen=True)
class Import:
    name: str
    namespace: str
    location: str = ""


@dataclass(frozen=True)
class Model:
    """One file. `version` is that of the standard. Elements by full id `namespace#id`, in the order of the file."""

    name: str
    namespace: str
    version: str
    file: str
    hash: str
    types: tuple[ItemDefinition, ...]
    elements: dict[str, Element]
    imports: tuple[Import, ...] = ()
    #: models that were imported, by the name they go under; "" is the model's own names
    imported: tuple[tuple[str, Model], ...] = ()
    description: str = ""

    def decisions(self) -> list[Decision]:
        return [e for e in self.elements.values() if isinstance(e, Decision)]
