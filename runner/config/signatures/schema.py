"""Models of what may be written under a ``_target_``, and what is wrong with what was written."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)

from runner.config.signatures.hidden import shown
from runner.config.signatures.signature import Signature
from runner.config.written import unquoted, written
from runner.errors import Problem
from runner.schemas import accepts, names, words
from runner.spelling import asked, meant, similar

Schema = Mapping[str, Any]
Ignore = Callable[[Any], bool]


@lru_cache(maxsize=256)
def model_of(signature: Signature) -> type[BaseModel]:
    """Return the model of what may be written under a target: unknown keys are forbidden.

    Its fields are found by their aliases, which are the names of the parameters.
    """
    fields: dict[str, Any] = {}
    for number, (name, schema) in enumerate(signature.parameters.items()):
        kind = Annotated[Any, PlainValidator(partial(_judged, schema)), WithJsonSchema({**schema})]
        if name in signature.required:
            field = Field(alias=name)
        elif name in signature.defaults:
            field = Field(alias=name, default=signature.defaults[name])
        else:
            field = Field(alias=name, default_factory=_unsaid)
        fields[f"parameter_{number}"] = (kind, field)
    return create_model(
        signature.name,
        __config__=ConfigDict(extra="allow" if signature.is_open else "forbid"),
        **fields,
    )


def problems_of(
    signature: Signature, node: Mapping[str, Any], ignore: Ignore
) -> Iterator[Problem]:
    """Yield what is wrong with the arguments of a target, each under the parameter's name.

    Parameters
    ----------
    signature : Signature
        Of the target.
    node : mapping of str to object
        Its arguments, without keys such as ``_target_``.
    ignore : callable
        Says which values are not judged, also inside lists and mappings.
    """
    try:
        model_of(signature).model_validate(dict(node), context=ignore)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
    else:
        found = []
    unknown = [str(each["loc"][0]) for each in found if each["type"] == "extra_forbidden"]
    for each in found:
        name = str(each["loc"][0])
        if each["type"] == "missing" and any(similar(other, [name]) for other in unknown):
            continue  # it is misspelt, and this is told
        match each["type"]:
            case "missing":
                yield unset(name)
            case "extra_forbidden":
                said = f"{signature.name} has no parameter {name!r}"
                yield Problem(name, said, _meant(name, signature))
            case _:
                yield from _wrong(signature, name, node[name])


def _meant(name: str, signature: Signature) -> str:
    if not signature.parameters:
        return "it has no keys; choose another option, as `runner list` shows them"
    return meant(name, signature.parameters)


def unset(key: str) -> Problem:
    """Return what is said of a key without a value, whose whole name ``under`` tells."""
    return Problem(key, "must be set; got nothing", "write it in the file, or KEY=... here")


def under(section: str, problem: Problem) -> Problem:
    """Return a problem of an argument as that of its whole key.

    Examples
    --------
    >>> print(under("estimator", unset("estimator")))
    estimator.estimator: must be set; got nothing
        write it in the file, or estimator.estimator=... here
    """
    key = f"{section}.{problem.key}" if section else problem.key
    return replace(problem, key=key, remedy=problem.remedy.replace("KEY", key))


def holds(value: Any, is_open: Ignore) -> bool:
    """Say whether a value, or anything in it, is of a kind.

    Examples
    --------
    >>> holds({"a": [1, None]}, lambda value: value is None), holds([], lambda value: True)
    (True, True)
    """
    if is_open(value):
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return isinstance(value, Mapping | list) and any(holds(each, is_open) for each in inner)


def _judged(schema: Schema, value: Any, info: ValidationInfo) -> Any:
    is_known = info.context is None or not holds(value, info.context)
    if (is_known and not accepts(schema, value)) or not (is_known or _can_hold(schema, value)):
        raise ValueError(words(schema))
    return value


def _can_hold(schema: Schema, value: Any) -> bool:
    """Say whether what is to be built, or a list or section of it, may stand here at all."""
    if not holds(value, _is_built):
        return True
    parts = schema.get("anyOf", [schema])
    kind = "object" if isinstance(value, Mapping) else "array"
    return any(
        part.get("type") == kind or not part.keys() & {"type", "enum", "const", "anyOf"}
        for part in parts
    )


def _is_built(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def _unsaid() -> None:
    """Stand for a default that YAML cannot say."""


def _wrong(signature: Signature, name: str, value: Any) -> Iterator[Problem]:
    schema = shown(signature.parameters[name])
    items = _items(schema)
    if items and isinstance(value, list) and value:
        bad = [index for index, item in enumerate(value) if not accepts(items, item)]
        for index in bad:
            remedy = _similar(items, value[index])
            yield Problem(f"{name}.{index}", _refused(items, value[index]), remedy)
        if bad:
            return
    remedy = _similar(schema, value)
    default = signature.defaults.get(name)
    if not remedy and isinstance(value, str) and accepts(schema, unquoted(value)):
        meant_value = unquoted(value)
        told = written(meant_value) if isinstance(meant_value, bool) else value
        remedy = f"write {told} without quotes"
    if not remedy and name in signature.defaults and accepts(schema, default):
        remedy = f"leave it out for the default, {json.dumps(default)}"
    yield Problem(name, _refused(schema, value), remedy)


def _refused(schema: Schema, value: Any) -> str:
    return f"must be {words(schema)}; got {written(value)}"


def _items(schema: Schema) -> Schema | None:
    """Return what each item of a list must be, None if a list may hold anything or is refused."""
    parts = [schema, *schema.get("anyOf", ())]
    return next((part["items"] for part in parts if "items" in part), None)


def _similar(schema: Schema, value: Any) -> str:
    """Ask whether a name was meant that is like the one that was written, or like an item."""
    known = names(schema)
    for each in value if isinstance(value, list) else [value]:
        near = similar(each, known) if isinstance(each, str) and each not in known else []
        if near:
            return asked(near)
    return ""
