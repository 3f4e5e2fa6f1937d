"""BIDS's language of conditions, as far as JSON Schema can say it.

BIDS writes its conditions in a small language of expressions. They are evaluated here as far as
the kind of file decides them; what is left is about the content of its JSON and becomes JSON
Schema, or about something beside it (an entity of the name, that the dataset is a derivative) and
becomes :class:`Given`. What is about anything else cannot be expressed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bidsschematools import expressions

Schema = dict[str, Any]

DERIVATIVE = "derivative"

_DATASET_TYPE = "dataset.dataset_description.DatasetType"
_NULL = {"type": "null"}
_BOUNDS = {
    "<=": "maximum",
    "<": "exclusiveMaximum",
    ">=": "minimum",
    ">": "exclusiveMinimum",
}
_LENGTHS = {
    "==": lambda length: {"minItems": length, "maxItems": length},
    ">=": lambda length: {"minItems": length},
    ">": lambda length: {"minItems": length + 1},
    "<=": lambda length: {"maxItems": length},
    "<": lambda length: {"maxItems": length - 1},
}


class NotExpressibleError(Exception):
    """The expression is about something that the schema of a JSON file cannot see."""


@dataclass(frozen=True)
class Given:
    """A condition on what stands beside the JSON, as a schema's ``$defs`` name it.

    ``entity:echo``: the name has that entity. ``entity:part=phase``: with that value.
    ``derivative``: the dataset is one.
    """

    asked: str


Condition = bool | Schema | Given


@dataclass(frozen=True)
class Kind:
    """A kind of file: what the conditions of BIDS are evaluated for.

    Attributes
    ----------
    datatype
        The folder ("anat"); empty for files at a dataset's root.
    suffix
        The name's last part ("T1w").
    modality
        "mri"; empty where it has none.
    extensions
        Those that data of this kind have; the first one is what conditions see.
    path
        The file, where BIDS names it by its whole path.
    alone
        Whether the JSON is a file of its own and describes no other.
    """

    datatype: str = ""
    suffix: str = ""
    modality: str = ""
    extensions: tuple[str, ...] = (".json",)
    path: str = ""
    alone: bool = False

    @property
    def name(self) -> str:
        """What its schema is called."""
        return "_".join(filter(None, [self.datatype, self.suffix]))

    @property
    def content(self) -> str:
        """What expressions call the content of its JSON."""
        return "json" if self.alone else "sidecar"

    def constant(self, name: str) -> object:
        """Return what a name in an expression is for this kind of file.

        Raises
        ------
        KeyError
            If that is not for the kind to say.
        """
        known: dict[str, object] = {
            "datatype": self.datatype,
            "suffix": self.suffix,
            "modality": self.modality,
            "extension": self.extensions[0],
            "path": self.path,
            "null": None,
            "true": True,
            "false": False,
        }
        return known[name]


class Translator:
    """Turns BIDS's expressions into constants, what is given beside the JSON, or JSON Schema.

    Parameters
    ----------
    kind
        The kind of file that the expressions are evaluated for.
    entity_names
        Each entity as file names write it ("acq"), by its name in the standard ("acquisition").
    """

    def __init__(self, kind: Kind, entity_names: Mapping[str, str]) -> None:
        self._kind = kind
        self._entity_names = entity_names

    def condition(self, expression: str) -> Condition:
        """Translate one expression.

        Raises
        ------
        NotExpressibleError
            If it is about more than the kind, the name, the dataset's type and the JSON.
        """
        return self._truth(_parse(expression))

    def _truth(self, node: object) -> Condition:
        if isinstance(node, expressions.RightOp):
            return _negate(self._truth(node.rh))
        if isinstance(node, expressions.BinOp):
            return self._comparison(node)
        if isinstance(node, expressions.Function):
            return self._call(str(node.name), node.args)
        key = self._key(node)
        if key:
            return _has(key, {"not": {"enum": [None, False, 0, ""]}})
        entity = self._entity(node)
        if entity:
            return Given(f"entity:{entity}")
        return bool(self._value(node))

    def _comparison(self, node: expressions.BinOp) -> Condition:
        left, operator, right = node.lh, str(node.op), node.rh
        if operator in {"||", "&&"}:
            return _join(operator, self._truth(left), self._truth(right))
        if operator == "in":
            return self._membership(str(self._value(left)), right)
        length = self._length(left, operator, right)
        if length is not None:
            return length
        if operator in _BOUNDS:
            return self._bound(left, operator, self._value(right))
        return self._sameness(left, operator, right)

    def _sameness(self, left: object, operator: str, right: object) -> Condition:
        entity = self._entity(left)
        if operator == "!=" and entity and self._value(right) is None:
            return Given(f"entity:{entity}")
        if operator in {"==", "!="}:
            same = self._equality(left, right)
            return same if operator == "==" else _negate(same)
        raise NotExpressibleError(operator)

    def _membership(self, name: str, container: object) -> Condition:
        if str(container) == self._kind.content:
            return {"required": [name]}
        if str(container) == "entities":
            return Given(f"entity:{self._entity_names.get(name, name)}")
        key = self._key(container)
        if key:
            return _has(key, {"required": [name]})
        raise NotExpressibleError(str(container))

    def _equality(self, left: object, right: object) -> Condition:
        value = self._value(right)
        if isinstance(left, expressions.Function) and str(left.name) == "type":
            return self._type_is(left.args[0], str(value))
        key, entity = self._key(left), self._entity(left)
        if key:
            return _lacks(key) if value is None else _has(key, {"const": value})
        if entity:
            return _lacks_entity(entity) if value is None else Given(f"entity:{entity}={value}")
        if _plain(left) == _DATASET_TYPE:
            return Given(DERIVATIVE) if value == DERIVATIVE else False
        return self._value(left) == value

    def _type_is(self, node: object, kind: str) -> Condition:
        key, entity = self._key(node), self._entity(node)
        if key:
            return _lacks(key) if kind == "null" else _has(key, {"type": kind})
        if entity and kind == "null":
            return _lacks_entity(entity)
        raise NotExpressibleError(str(node))

    def _length(self, left: object, operator: str, right: object) -> Schema | None:
        """Translate a comparison of a list's length; None where it is another comparison."""
        if not isinstance(left, expressions.Function) or str(left.name) != "length":
            return None
        key = self._key(left.args[0])
        if not key or not isinstance(right, int) or operator not in _LENGTHS:
            raise NotExpressibleError(str(left))
        return _has(key, _LENGTHS[operator](right))

    def _bound(self, left: object, operator: str, limit: object) -> Condition:
        largest = False
        if isinstance(left, expressions.Function) and str(left.name) == "max":
            largest, left = True, left.args[0]
        key = self._key(left)
        if not key or not isinstance(limit, int | float):
            raise NotExpressibleError(str(left))
        bound: Schema = {_BOUNDS[operator]: limit}
        return _has(key, bound | {"items": bound} if largest else bound)

    def _call(self, name: str, arguments: list[object]) -> Condition:
        if name == "match":
            return self._match(arguments[0], str(self._value(arguments[1])))
        if name == "intersects":
            return self._intersects(arguments[0], self._value(arguments[1]))
        raise NotExpressibleError(name)

    def _match(self, node: object, pattern: str) -> Condition:
        key = self._key(node)
        if key:
            return _has(key, {"pattern": pattern})
        return bool(re.search(pattern, str(self._value(node))))

    def _intersects(self, node: object, allowed: object) -> Condition:
        if not isinstance(allowed, list):
            raise NotExpressibleError(str(node))
        single = node.elements[0] if isinstance(node, expressions.Array) else None
        key_of_item, key_of_list = self._key(single), self._key(node)
        if key_of_item:
            return _has(key_of_item, {"enum": allowed})
        if key_of_list:
            one_of = {"enum": allowed}
            return _has(key_of_list, {"anyOf": [one_of, {"type": "array", "contains": one_of}]})
        value = self._value(node)
        return bool(set(value if isinstance(value, list) else [value]) & set(allowed))

    def _key(self, node: object) -> tuple[str, ...]:
        """Return which key of the JSON an expression names, from the outside; empty if none."""
        if not isinstance(node, expressions.Property):
            return ()
        if str(node.name) == self._kind.content:
            return (str(node.field),)
        outer = self._key(node.name)
        return (*outer, str(node.field)) if outer else ()

    def _entity(self, node: object) -> str | None:
        if isinstance(node, expressions.Property) and str(node.name) == "entities":
            name = str(node.field)
            return self._entity_names.get(name, name)
        return None

    def _value(self, node: object) -> object:
        if isinstance(node, expressions.Array):
            return [self._value(element) for element in node.elements]
        if isinstance(node, int | float):
            return node
        if not isinstance(node, str | expressions.Property):
            raise NotExpressibleError(str(node))
        text = _plain(node)
        if text[:1] in {"'", '"'}:
            return text[1:-1].replace("\\\\", "\\")
        try:
            return self._kind.constant(text)
        except KeyError:
            raise NotExpressibleError(text) from None


@cache
def _parse(expression: str) -> Any:
    return expressions.parse(expression)


def _plain(node: object) -> str:
    return node if isinstance(node, str) else str(node).replace("(", "").replace(")", "")


def _has(key: tuple[str, ...], value: Schema) -> Schema:
    """Say that the JSON has a key, at whatever depth, with such a value."""
    name, *inner = key
    part = _has(tuple(inner), value) if inner else value
    return {"required": [name], "properties": {name: part}}


def _lacks(key: tuple[str, ...]) -> Schema:
    """Say that the JSON does not have a key: where it is null, BIDS takes it for absent."""
    return {"not": _has(key, {"not": _NULL})}


def _lacks_entity(entity: str) -> Condition:
    """Refuse: a schema's ``$defs`` name only what is asked for."""
    raise NotExpressibleError(f"that the name lacks {entity}")


def _negate(condition: Condition) -> Condition:
    if isinstance(condition, bool):
        return not condition
    if isinstance(condition, Given):
        return _lacks_entity(condition.asked)
    return condition["not"] if set(condition) == {"not"} else {"not": condition}


def _join(operator: str, left: Condition, right: Condition) -> Condition:
    dominant = operator == "||"
    if isinstance(left, bool):
        return dominant if left is dominant else right
    if isinstance(right, bool):
        return dominant if right is dominant else left
    if isinstance(left, Given) or isinstance(right, Given):
        raise NotExpressibleError("a choice that depends on what stands beside the JSON")
    return {"anyOf" if dominant else "allOf": [left, right]}
