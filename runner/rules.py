"""What the settings of a section may be, and what is said when one is something else.

A rule is declared once, in the annotation of the parameter of a constructor:
``epochs: Annotated[int, integer(1)] = 1``.
"""

import inspect
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from math import inf
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from runner.errors import ConfigError
from runner.schemas import accepts, names, words
from runner.spelling import similar

MOST_PATH = 4096  # characters, as Linux allows

PLAIN: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number", "x-infinite": True},
    str: {"type": "string"},
    list: {"type": "array"},
    dict: {"type": "object"},
    Mapping: {"type": "object"},
    None: {"type": "null"},
    NoneType: {"type": "null"},
}


@dataclass(frozen=True)
class Rule:
    """What a value must be: a fragment of JSON Schema, with words and a test made from it.

    Parameters
    ----------
    schema : dict
        With the keywords that ``runner.schemas`` knows.

    Examples
    --------
    >>> rule = integer(1) | null()
    >>> rule.text
    'an integer of at least 1, or null'
    >>> rule.schema
    {'anyOf': [{'type': 'integer', 'minimum': 1}, {'type': 'null'}]}
    >>> [rule.holds(value) for value in (3, None, 0, 2.0, True)]
    [True, True, False, False, False]
    """

    schema: dict[str, Any]

    @property
    def text(self) -> str:
        """What a value must be, in words."""
        return words(self.schema)

    def holds(self, value: Any) -> bool:
        """Say whether a value is so."""
        return accepts(self.schema, value)

    def __or__(self, other: "Rule") -> "Rule":
        """Allow what either rule allows."""
        parts = [rule.schema.get("anyOf", [rule.schema]) for rule in (self, other)]
        return Rule({"anyOf": [*parts[0], *parts[1]]})

    def __hash__(self) -> int:
        """Return a hash, which unions of annotations need."""
        return hash(tuple(self.schema))


def anything() -> Rule:
    """Allow every value."""
    return Rule({})


def integer(least: int | None = None) -> Rule:
    """Allow integers that are not too small."""
    return Rule({"type": "integer"} if least is None else {"type": "integer", "minimum": least})


def number(least: float = -inf, most: float = inf) -> Rule:
    """Allow finite numbers in a closed range.

    Examples
    --------
    >>> number().text, number(least=0).text, number(least=0, most=1).text
    ('a finite number', 'a number of at least 0', 'a number from 0 to 1')
    """
    bounds = {"minimum": least, "maximum": most}
    return Rule({"type": "number"} | {key: at for key, at in bounds.items() if abs(at) < inf})


def positive() -> Rule:
    """Allow finite numbers above 0."""
    return Rule({"type": "number", "exclusiveMinimum": 0})


def share() -> Rule:
    """Allow numbers from 0 on that are below 1.

    Examples
    --------
    >>> share().text
    'a number of at least 0 and below 1'
    """
    return Rule({"type": "number", "minimum": 0, "exclusiveMaximum": 1})


def boolean() -> Rule:
    """Allow true and false."""
    return Rule({"type": "boolean"})


def null() -> Rule:
    """Allow null."""
    return Rule({"type": "null"})


def one_of(*names: str) -> Rule:
    """Allow some names.

    Examples
    --------
    >>> one_of("float32", "float64").text
    'float32 or float64'
    """
    return Rule({"enum": list(names)})


def text(most: int | None = 1000, least: int = 1) -> Rule:
    """Allow text that is neither too short nor too long; None is no limit.

    Examples
    --------
    >>> text(most=3).text, [text(most=3).holds(value) for value in ("abc", "", "abcd", 3)]
    ('text of 1 to 3 characters', [True, False, False, False])
    >>> text(None, least=0).text
    'text'
    """
    low = {"minLength": least} if least else {}
    return Rule({"type": "string", **low} | ({} if most is None else {"maxLength": most}))


def shaped(pattern: str, told: str, most: int = 300) -> Rule:
    r"""Allow text that is matched as a whole by a regular expression, which is told in words.

    Examples
    --------
    >>> rule = shaped("[a-z]+", "small letters")
    >>> rule.text, [rule.holds(value) for value in ("ab", "", "aB", "a\n")]
    ('small letters', [True, False, False, False])
    """
    shape = {"pattern": f"^(?:{pattern})$", "x-told": told}
    return Rule({"type": "string", "maxLength": most, **shape})


def list_of(rule: Rule, least: int = 1) -> Rule:
    """Allow lists, not empty unless that is said, whose every item is allowed.

    Examples
    --------
    >>> list_of(number()).text
    'a list, each item a finite number'
    """
    return Rule({"type": "array", "items": rule.schema} | ({"minItems": least} if least else {}))


def mapping(rule: Rule) -> Rule:
    """Allow mappings, also empty ones, whose every value is allowed.

    Examples
    --------
    >>> mapping(number(0)).text, mapping(anything()).text
    ('a mapping, each value a number of at least 0', 'a mapping')
    """
    inner = {"additionalProperties": rule.schema} if rule.schema else {}
    return Rule({"type": "object", **inner})


@cache
def rules_of(kind: type) -> dict[str, Rule]:
    """Return the rule of each parameter of a constructor.

    It is the one in its annotation, such as ``Annotated[int, integer(1)]``, or else follows from
    a plain annotation. What an annotation does not tell is anything.

    Examples
    --------
    >>> class Pause:
    ...     def __init__(self, every_s: Annotated[float, positive()], said: str | None = None): ...
    >>> {name: rule.text for name, rule in rules_of(Pause).items()}
    {'every_s': 'a number above 0', 'said': 'text, or null'}
    """
    parameters = inspect.signature(kind).parameters.values()
    return {each.name: _rule_of(each) for each in parameters if "VAR_" not in each.kind.name}


def check(section: str, settings: Any, kind: type | None = None) -> None:
    """Refuse the first attribute that breaks the rule of the parameter it came from.

    A parameter that is kept under no name of its own is not looked at.

    Parameters
    ----------
    section : str
        Where the settings stand in the file, such as ``dataset``; "" at its top.
    settings : object
        What holds them; of a dataclass the default can be told.
    kind : type, optional
        Whose constructor has the parameters, where a subclass has a constructor of its own.

    Raises
    ------
    ConfigError
        Naming the key of the file, ``<section>.<name>``, and its default where there is one.
    """
    for key, rule in rules_of(kind or type(settings)).items():
        value = getattr(settings, key, None)
        if hasattr(settings, key) and not rule.holds(value):
            close = similar(value, names(rule.schema)) if isinstance(value, str) else ()
            default = f"Correct it{_default(settings, key)}."
            raise ConfigError(
                f"{section}.{key}" if section else key,
                f"be {rule.text}",
                got=repr(value),
                remedy=f"Did you mean {close[0]!r}?" if close else default,
            )


def check_parameters(key: str, estimator: Any, remedy: str) -> None:
    """Refuse parameters that scikit-learn refuses, as each of its fits does first.

    Parameters
    ----------
    key : str
        Where the estimator stands in the file.
    estimator : object
        One of another library is left alone.
    remedy : str
        What to do.

    Raises
    ------
    ConfigError
        With what scikit-learn says.
    """
    if not hasattr(estimator, "_parameter_constraints"):
        return
    try:
        estimator._validate_params()  # noqa: SLF001  (there is no public way)
    except ValueError as error:
        raise ConfigError(
            key,
            f"have parameters that {type(estimator).__name__} accepts",
            got=str(error).rstrip("."),
            remedy=remedy,
        ) from error


def _rule_of(parameter: inspect.Parameter) -> Rule:
    rule, default = _derived(parameter.annotation), parameter.default
    # A default that its own annotation does not allow says that the annotation is not meant so.
    is_meant = get_origin(parameter.annotation) is Annotated or default is parameter.empty
    is_made = type(default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"
    return rule if is_meant or is_made or rule.holds(default) else anything()


def _derived(annotation: Any) -> Rule:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        rules = [each for each in arguments[1:] if isinstance(each, Rule)]
        return rules[0] if rules else _derived(arguments[0])
    if origin is Literal:
        return Rule({"enum": list(arguments)})
    if origin in (Union, UnionType):
        schemas = [_derived(each).schema for each in arguments]
        return Rule({"anyOf": schemas} if all(schemas) else {})
    kind = annotation if origin is None else origin
    if kind is list and arguments:
        return list_of(_derived(arguments[0]), least=0)
    if kind in (dict, Mapping) and arguments:
        return mapping(_derived(arguments[-1]))
    return Rule(dict(_plain(kind)))


def _plain(kind: Any) -> dict[str, Any]:
    return next((schema for each, schema in PLAIN.items() if each is kind), {})


def _default(settings: Any, key: str) -> str:
    for field in fields(settings) if is_dataclass(settings) else ():
        made = field.default if field.default_factory is MISSING else field.default_factory()
        if field.name == key and made is not MISSING:
            return f", or leave it out for the default, {json.dumps(made, default=repr)}"
    return ""
