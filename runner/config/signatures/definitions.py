"""JSON Schema, as editors read it, of what options and targets take."""

from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from sys import float_info
from typing import Any

import yaml

from runner.config.reading.scan import entries, scanned
from runner.config.signatures.signature import TARGET, Signature, signature_of
from runner.errors import ConfigError

DEEPEST = 4
BUILT = {"$ref": "#/$defs/built"}
OPEN = {"$ref": "#/$defs/interpolation"}
INTERPOLATION = {
    "type": "string",
    "pattern": r"\$\{|^\?\?\?$",
    "description": "Another value of the file, ${key}; or ??? for one that is given later.",
}

Schema = dict[str, Any]


class Definitions:
    """The schemas of targets and of options, which refer to each other.

    Attributes
    ----------
    schemas : dict of str to dict
        By what stands after ``#/$defs/``.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {"interpolation": INTERPOLATION}
        self._targets: dict[str, Signature | None] = {}

    def option(self, group: str, path: Path) -> Schema:
        """Return the schema of the section that an option fills."""
        return self._node(f"{group}.{path.stem}", _read(path))

    def options(self, group: str, path: Path) -> dict[str, Schema]:
        """Return the schemas of the names that an option brings into its section."""
        return {
            name: self._node(f"{group}.{name}", node)
            for name, node in _read(path).items()
            if isinstance(node, dict)
        }

    def target_of(self, path: Path) -> str:
        """Return the target that an option names, "" if it names none."""
        return str(_read(path).get(TARGET, ""))

    def signature(self, dotted: str) -> Signature | None:
        """Return what a target takes, None if it is none that can be built."""
        if dotted not in self._targets:
            try:
                self._targets[dotted] = signature_of(TARGET, dotted)
            except ConfigError:
                self._targets[dotted] = None
        return self._targets[dotted]

    def finished(self) -> dict[str, Schema]:
        """Return all schemas, with that of what is built from any known target."""
        known = [dotted for dotted, signature in self._targets.items() if signature]
        cases = [
            {
                "if": {"properties": {TARGET: {"const": dotted}}, "required": [TARGET]},
                "then": self._target(dotted),
            }
            for dotted in sorted(known)
        ]
        target = {"type": "string", "description": "The class that is built."}
        built: Schema = {"type": "object", "properties": {TARGET: target}}
        return self.schemas | {"built": built | ({"allOf": cases} if cases else {})}

    def _node(self, name: str, node: Mapping[str, Any]) -> Schema:
        """Return the schema of what is written over a node that an option brings."""
        dotted = node.get(TARGET)
        signature = self.signature(dotted) if isinstance(dotted, str) else None
        if signature is None or not isinstance(dotted, str):
            return BUILT
        nested = {
            key: self._node(f"{name}.{key}", value)
            for key, value in node.items()
            if isinstance(value, dict) and TARGET in value
        }
        plain = _section(signature, nested) if nested else self._target(dotted)
        self.schemas[name] = {"if": {"required": [TARGET]}, "then": BUILT, "else": plain}
        return {"$ref": f"#/$defs/{name}"}

    def _target(self, dotted: str) -> Schema:
        signature = self.signature(dotted)
        if signature and dotted not in self.schemas:
            self.schemas[dotted] = _section(signature, {})
        return {"$ref": f"#/$defs/{dotted}"}


def value_schema(schema: Mapping[str, Any], **said: Any) -> Schema:
    """Return the schema of a value as it is written: it may also be an interpolation.

    Parameters
    ----------
    schema : mapping
        What the value must be, with a ``description`` or not.
    **said : object
        Further keywords, such as ``default``.

    Examples
    --------
    >>> value_schema({"type": "integer", "description": "Passes."}, default=1)["anyOf"]
    [{'type': 'integer'}, {'$ref': '#/$defs/interpolation'}]
    """
    told = {key: value for key, value in schema.items() if key == "description"} | said
    rest = {key: value for key, value in schema.items() if key != "description"}
    parts = [_json(part) for part in rest.get("anyOf", [rest])]
    if {} in parts or {"type": "string"} in parts:
        return told if {} in parts else {"anyOf": parts} | told
    return {"anyOf": [*parts, OPEN]} | told


def _section(signature: Signature, nested: Mapping[str, Schema]) -> Schema:
    defaults = {name: {"default": default} for name, default in signature.defaults.items()}
    properties = {
        name: nested.get(name) or value_schema(schema, **defaults.get(name, {}))
        for name, schema in signature.parameters.items()
    }
    return {
        "title": signature.name,
        "type": "object",
        "properties": properties | {TARGET: {"type": "string"}},
        "additionalProperties": signature.is_open,
    }


def _json(schema: Mapping[str, Any]) -> Schema:
    """Return a fragment in the words of JSON Schema alone, which has no infinite numbers."""
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        return BUILT
    found = {key: value for key, value in schema.items() if not key.startswith("x-")}
    for key in ("items", "additionalProperties"):
        if key in found:
            found[key] = _json(found[key])
    if "anyOf" in found:
        found["anyOf"] = [_json(part) for part in found["anyOf"]]
    if "enum" in found and not all(map(_is_finite, found["enum"])):
        return {"anyOf": list(_with_infinity(found["enum"]))}
    return found


def _with_infinity(names: list[Any]) -> Iterator[Schema]:
    finite = [name for name in names if _is_finite(name)]
    if finite:
        yield {"enum": finite}
    for name in names:
        if not _is_finite(name):
            bound = "exclusiveMinimum" if name > 0 else "exclusiveMaximum"
            yield {"type": "number", bound: float_info.max if name > 0 else -float_info.max}


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or isfinite(value)


def _read(path: Path) -> dict[str, Any]:
    """Return what an option's file names as targets, at any depth that makes sense."""
    try:
        return _targets(scanned(path), DEEPEST)
    except ConfigError:
        return {}


def _targets(node: yaml.Node | None, deepest: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in entries(node):
        if isinstance(value, yaml.MappingNode) and deepest:
            found[key.value] = _targets(value, deepest - 1)
        elif key.value == TARGET and isinstance(value, yaml.ScalarNode):
            found[TARGET] = value.value
    return found
