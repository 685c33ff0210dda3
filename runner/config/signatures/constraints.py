"""scikit-learn's constraints of parameters as JSON Schema, for what YAML can say of them."""

from collections.abc import Iterator, Mapping
from math import inf, isinf, isnan, nan
from numbers import Integral
from typing import Any

from sklearn.utils import _param_validation as sk

from runner.config.signatures.hidden import HIDDEN

Schema = dict[str, Any]

FUNCTIONS = ("func", "inverse_func")  # of a FunctionTransformer: a file may name a function
NAMED = (bool, int, float, str)
ITEMS = {"hidden_layer_sizes": {"type": "integer", "minimum": 1}}  # looked at when it learns
OBJECT: Schema = {"type": "object"}  # built from a _target_
SAMPLES: tuple[tuple[str, Any], ...] = (
    ("null", None),
    ("boolean", True),
    ("integer", 1),
    ("number", 0.5),
    ("number", nan),
    ("string", "text"),
    ("array", [1]),
    ("array", (1,)),  # YAML has no tuples
    ("object", {}),
)


def constraints_of(kind: type) -> dict[str, Schema]:
    """Return a fragment of JSON Schema for each parameter that scikit-learn constrains.

    What scikit-learn accepts is accepted, but for true and false where a number is meant. What
    it accepts without telling is marked ``x-hidden``. An array stands for lists, tuples and
    arrays, an object for mappings and for whatever has to be built.

    Parameters
    ----------
    kind : type
        With ``_parameter_constraints``; without, there is nothing to return.

    Examples
    --------
    >>> from sklearn.linear_model import SGDOneClassSVM
    >>> schemas = constraints_of(SGDOneClassSVM)
    >>> schemas["nu"]
    {'type': 'number', 'exclusiveMinimum': 0.0, 'maximum': 1.0}
    >>> schemas["average"]
    {'anyOf': [{'type': 'integer', 'minimum': 1}, {'type': 'boolean'}]}
    """
    constraints = getattr(kind, "_parameter_constraints", None)
    if not isinstance(constraints, Mapping):
        return {}
    return {str(name): _schema(str(name), listed) for name, listed in constraints.items()}


def _schema(name: str, listed: Any) -> Schema:
    if not isinstance(listed, list | tuple):
        return {}  # "no_validation"
    try:
        constraints = [sk.make_constraint(each) for each in listed]
    except ValueError:  # of another version, or somebody's own
        return {}
    parts: list[Schema] = []
    for constraint in constraints:
        mark = {HIDDEN: True} if constraint.hidden else {}
        parts += (part | mark for part in _parts(constraint) if part | mark not in parts)
    if name in ITEMS:
        items = {"items": ITEMS[name]}
        parts = [part | items if part == {"type": "array"} else part for part in parts]
    if name in FUNCTIONS and any(isinstance(each, sk._Callables) for each in constraints):  # noqa: SLF001
        parts.append({"type": "string"})
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _parts(constraint: Any) -> Iterator[Schema]:
    if hasattr(constraint, "_constraints"):
        parts = [part for each in constraint._constraints for part in _parts(each)]  # noqa: SLF001
        is_built = isinstance(constraint, sk._CVObjects)  # noqa: SLF001
        yield from (part for part in parts if is_built or part != OBJECT)
    elif isinstance(constraint, sk.Interval):
        yield _interval(constraint)
    elif isinstance(constraint, sk.Options):
        named = [each for each in constraint.options if isinstance(each, NAMED)]
        yield {"enum": sorted(named, key=str)} if named else OBJECT
    elif isinstance(constraint, sk._ArrayLikes | sk._SparseMatrices):  # noqa: SLF001
        yield {"type": "array"}
    else:
        yield from _of_kinds(constraint)


def _of_kinds(constraint: Any) -> Iterator[Schema]:
    """Yield the kinds of values that fulfil a constraint which looks at nothing but the kind."""
    kinds = dict.fromkeys(kind for kind, value in SAMPLES if constraint.is_satisfied_by(value))
    if "integer" in kinds:
        kinds.pop("boolean", None)
    if "number" in kinds:
        kinds.pop("integer", None)
    for kind in kinds:
        yield {"type": kind} | ({"x-infinite": True} if kind == "number" else {})
    if not kinds:
        yield OBJECT


def _interval(interval: Any) -> Schema:
    low, high = _plain(interval.left, -inf), _plain(interval.right, inf)
    is_low_in, is_high_in = (interval.closed in (side, "both") for side in ("left", "right"))
    if interval.type is Integral:
        bounds = {"minimum": low + (not is_low_in), "maximum": high - (not is_high_in)}
        return {"type": "integer"} | {key: at for key, at in bounds.items() if not isinf(at)}
    is_open_ended = (isinf(low) and is_low_in) or (isinf(high) and is_high_in)
    bounds = {
        "minimum" if is_low_in else "exclusiveMinimum": low,
        "maximum" if is_high_in else "exclusiveMaximum": high,
    }
    return (
        {"type": "number"}
        | {key: at for key, at in bounds.items() if not isinf(at)}
        | ({"x-infinite": True} if is_open_ended else {})
    )


def _plain(bound: Any, without: float) -> int | float:
    if bound is None or isnan(bound):
        return without
    return int(bound) if isinstance(bound, Integral) else float(bound)
