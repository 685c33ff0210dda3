"""Fragments of JSON Schema: what they say in words, and which values they accept.

The keywords are ``type`` with its bounds, ``enum``, ``const``, ``anyOf``, ``items``,
``additionalProperties``, ``x-infinite``, which lets a number be infinite or NaN, and ``pattern``,
which the whole text must match and ``x-told`` says in words. Bounds stand beside a ``type``.
Unlike in JSON Schema, 2.0 is no integer. ``{}`` accepts anything.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from math import isfinite
from numbers import Integral, Real
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

MOST_NAMES = 12


def words(schema: Schema) -> str:
    """Say what a value must be.

    Examples
    --------
    >>> words({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
    'an integer of at least 1, or null'
    >>> words({"type": "number", "exclusiveMinimum": 0, "maximum": 1})
    'a number above 0 and at most 1'
    >>> words({"enum": ["l1", "l2", None]}), words({})
    ('l1, l2 or null', 'anything')
    """
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(words(each) for each in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return _names(schema.get("enum", [schema.get("const")]))
    return _WORDS[schema["type"]](schema) if "type" in schema else "anything"


def accepts(schema: Schema, value: Any) -> bool:
    """Say whether a value is as a schema asks; NumPy's scalars count as numbers.

    Examples
    --------
    >>> rank = {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["full", None]}]}
    >>> [accepts(rank, value) for value in (3, "full", None, 0, 2.0, True, "half")]
    [True, True, True, False, False, False, False]
    >>> [accepts({"type": "number"}, value) for value in (1, 0.5, float("inf"))]
    [True, True, False]
    """
    if "anyOf" in schema and not any(accepts(each, value) for each in schema["anyOf"]):
        return False
    if "enum" in schema and not any(_is_same(each, value) for each in schema["enum"]):
        return False
    if "const" in schema and not _is_same(schema["const"], value):
        return False
    return "type" not in schema or _ACCEPTS[schema["type"]](schema, value)


def names(schema: Schema) -> list[str]:
    """Return the text that a schema names.

    Examples
    --------
    >>> names({"anyOf": [{"enum": ["l1", "l2", None]}, {"type": "number"}]})
    ['l1', 'l2']
    """
    listed = [*schema.get("enum", ()), schema.get("const")]
    own = [name for name in listed if isinstance(name, str)]
    return own + [name for each in schema.get("anyOf", ()) for name in names(each)]


def _names(listed: list[Any]) -> str:
    told = [
        name if isinstance(name, str) and name.strip() else json.dumps(name) for name in listed
    ]
    if len(told) > MOST_NAMES:
        return f"one of {len(told)} names, such as {', '.join(told[:3])}"
    *others, last = told
    return f"{', '.join(others)} or {last}" if others else last


def _number_words(kind: str, schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{kind} from {low} to {high}"
    told = {"of at least": low, "above": schema.get("exclusiveMinimum")}
    told |= {"at most" if any(v is not None for v in told.values()) else "of at most": high}
    told |= {"below": schema.get("exclusiveMaximum")}
    bounds = " and ".join(f"{word} {bound}" for word, bound in told.items() if bound is not None)
    return f"{kind} {bounds}" if bounds else kind


def _real_words(schema: Schema) -> str:
    told = _number_words("a number", schema)
    return "a finite number" if told == "a number" and not schema.get("x-infinite") else told


def _text_words(schema: Schema) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "x-told" in schema:
        return str(schema["x-told"])
    if most is not None:
        return "one character" if least == most == 1 else f"text of {least} to {most} characters"
    if least > 1:
        return f"text of at least {least} characters"
    return "text that is not empty" if least else "text"


def _list_words(schema: Schema) -> str:
    least = schema.get("minItems", 0)
    told = f"a list of at least {least}" if least > 1 else "a list"
    return f"{told}, each item {words(schema['items'])}" if schema.get("items") else told


def _mapping_words(schema: Schema) -> str:
    rule = schema.get("additionalProperties")
    return (
        f"a mapping, each value {words(rule)}"
        if isinstance(rule, Mapping) and rule
        else "a mapping"
    )


def _is_same(one: Any, value: Any) -> bool:
    if not isinstance(value, str | bool | Real | None):
        return False
    return isinstance(one, bool) == isinstance(value, bool) and one == value


def _is_boolean(value: Any) -> bool:
    numpy = sys.modules.get("numpy")  # without it there is none of its values
    return isinstance(value, bool) or (numpy is not None and isinstance(value, numpy.bool_))


def _is_within(schema: Schema, value: Any) -> bool:
    return (
        ("minimum" not in schema or value >= schema["minimum"])
        and ("maximum" not in schema or value <= schema["maximum"])
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )


def _is_integer(schema: Schema, value: Any) -> bool:
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and bool(_is_within(schema, value))


def _is_number(schema: Schema, value: Any) -> bool:
    if isinstance(value, Integral) or not isinstance(value, Real):
        return _is_integer(schema, value)
    return bool((schema.get("x-infinite") or isfinite(value)) and _is_within(schema, value))


def _is_text(schema: Schema, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
    is_shaped = "pattern" not in schema or re.fullmatch(schema["pattern"], value, re.ASCII)
    return bool(least <= len(value) <= most and is_shaped)


def _is_list(schema: Schema, value: Any) -> bool:
    if not isinstance(value, list) or len(value) < schema.get("minItems", 0):
        return False
    return all(accepts(schema.get("items", {}), item) for item in value)


def _is_mapping(schema: Schema, value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    rule = schema.get("additionalProperties", True)
    if isinstance(rule, bool):
        return rule or not value
    return all(accepts(rule, each) for each in value.values())


_WORDS: dict[str, Callable[[Schema], str]] = {
    "integer": lambda schema: _number_words("an integer", schema),
    "number": _real_words,
    "boolean": lambda _: "true or false",
    "null": lambda _: "null",
    "string": _text_words,
    "array": _list_words,
    "object": _mapping_words,
}
_ACCEPTS: dict[str, Callable[[Schema, Any], bool]] = {
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda _, value: _is_boolean(value),
    "null": lambda _, value: value is None,
    "string": _is_text,
    "array": _is_list,
    "object": _is_mapping,
}
