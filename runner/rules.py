"""What the settings of a section may be, and what is said when one is something else."""

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from runner.errors import ConfigError


@dataclass(frozen=True)
class Rule:
    """What a value must be, in words and as a test.

    Examples
    --------
    >>> rule = integer(1) | null()
    >>> rule.text
    'an integer of at least 1, or null'
    >>> [rule.holds(value) for value in (3, None, 0, 2.0, True)]
    [True, True, False, False, False]
    """

    text: str
    holds: Callable[[Any], bool]

    def __or__(self, other: "Rule") -> "Rule":
        """Allow what either rule allows."""
        return Rule(
            f"{self.text}, or {other.text}",
            lambda value: self.holds(value) or other.holds(value),
        )


def integer(least: int) -> Rule:
    """Allow integers that are not too small."""

    def holds(value: Any) -> bool:
        is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        return is_integer and value >= least

    return Rule(f"an integer of at least {least}", holds)


def number(least: float = -inf, most: float = inf) -> Rule:
    """Allow finite numbers in a closed range.

    Examples
    --------
    >>> number().text, number(least=0).text, number(least=0, most=1).text
    ('a finite number', 'a number of at least 0', 'a number from 0 to 1')
    """
    text = f"a number from {least} to {most}" if most < inf else f"a number of at least {least}"
    return Rule(
        "a finite number" if least == -inf else text,
        lambda value: _is_number(value) and least <= value <= most,
    )


def positive() -> Rule:
    """Allow finite numbers above 0."""
    return Rule("a number above 0", lambda value: _is_number(value) and value > 0)


def boolean() -> Rule:
    """Allow true and false."""
    return Rule("true or false", lambda value: isinstance(value, bool | np.bool_))


def null() -> Rule:
    """Allow null."""
    return Rule("null", lambda value: value is None)


def one_of(*names: str) -> Rule:
    """Allow some names.

    Examples
    --------
    >>> one_of("float32", "float64").text
    'float32 or float64'
    """
    return Rule(" or ".join(names), lambda value: isinstance(value, str) and value in names)


def text(most: int = 1000) -> Rule:
    """Allow text that is not empty and not too long.

    Examples
    --------
    >>> text(most=3).text, [text(most=3).holds(value) for value in ("abc", "", "abcd", 3)]
    ('text of 1 to 3 characters', [True, False, False, False])
    """
    return Rule(
        f"text of 1 to {most} characters",
        lambda value: isinstance(value, str) and 1 <= len(value) <= most,
    )


def list_of(rule: Rule) -> Rule:
    """Allow lists, not empty, whose every item is allowed.

    Examples
    --------
    >>> list_of(number()).text
    'a list, each item a finite number'
    """

    def holds(value: Any) -> bool:
        return isinstance(value, list) and bool(value) and all(map(rule.holds, value))

    return Rule(f"a list, each item {rule.text}", holds)


def check(section: str, settings: Any, **rules: Rule) -> None:
    """Refuse the first attribute that breaks its rule.

    Parameters
    ----------
    section : str
        Where the settings stand in the file, such as ``dataset``; "" at its top.
    settings : object
        What holds them; of a dataclass the default can be told.
    **rules : Rule
        By the name of the attribute.

    Raises
    ------
    ConfigError
        Naming the key of the file, ``<section>.<name>``, and its default where there is one.
    """
    for key, rule in rules.items():
        value = getattr(settings, key)
        if not rule.holds(value):
            raise ConfigError(
                f"{section}.{key}" if section else key,
                f"be {rule.text}",
                got=repr(value),
                remedy=f"Correct it{_default(settings, key)}.",
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


def _default(settings: Any, key: str) -> str:
    for field in fields(settings) if is_dataclass(settings) else ():
        made = field.default if field.default_factory is MISSING else field.default_factory()
        if field.name == key and made is not MISSING:
            return f", or leave it out for the default, {json.dumps(made)}"
    return ""


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float | np.integer | np.floating)
    return is_real and not isinstance(value, bool) and isfinite(value)
