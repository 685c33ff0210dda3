"""The text of a value on Hydra's command line."""

import re
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from runner.errors import ConfigError

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*")
_NO_WORDS = ("null", "true", "false", "inf", "nan")
_ESCAPED = re.compile(r"([\\()\[\]{}:=, \t])")


def text(value: Any) -> str:
    r"""Write a value so that Hydra reads the same value back.

    Strings keep their interpolations. What is more than one word is quoted, so that nothing in
    it is taken for a sweep, a list or a number.

    Parameters
    ----------
    value : None, bool, int, float, str, or a list or mapping of such
        As YAML holds it.

    Raises
    ------
    ConfigError
        If there is no way to write it: Hydra reads a few kinds of keys only.

    Examples
    --------
    >>> print(text({"penalty": [None, True, 1e-05], "path": "a, b", "seed": "${seed}"}))
    {penalty:[null,true,1e-05],path:'a, b',seed:'${seed}'}
    >>> print(text("1e3"), text("gaussian_nb"), text("it's"), text(""))
    '1e3' gaussian_nb 'it\'s' ''
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(name)}:{text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(text, value)) + "]"
    if isinstance(value, str):
        return value if _is_word(value) else QuotedString(value, Quote.single).with_quotes()
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    raise ConfigError(
        "A value of a sweep",
        "be null, true, false, a number, text, a list or a section",
        got=f"{value!r} of type {type(value).__name__}",
        remedy="Write it as text, in quotes.",
    )


def _key(name: Any) -> str:
    if not isinstance(name, str):
        return _plain(name)
    if _is_word(name):
        return name
    written = _ESCAPED.sub(r"\\\1", name)
    try:
        read = OverridesParser.create().parse_override(f"key={{{written}:0}}").value()
    except HydraException:
        read = None
    if read != {name: 0}:
        raise ConfigError(
            "A key inside a value of a sweep",
            "be one that Hydra can read: letters, digits and a few signs, and no number in quotes",
            got=repr(name),
            remedy="Choose another key, or make it a group of options in conf/.",
        )
    return written


def _is_word(name: str) -> bool:
    return _WORD.fullmatch(name) is not None and name.lower() not in _NO_WORDS
