"""Values as a file would have them."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader

MOST_CHARACTERS = 200


def written(value: Any) -> str:
    """Return a value in the words of YAML, cut where it is long.

    Examples
    --------
    >>> [written(value) for value in (True, None, "text", -0.0001)]
    ['true', 'null', "'text'", '-0.0001']
    >>> written({"a": [1, False]}), written({})
    ('{a: [1, false]}', '{}')
    """
    text = _text(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} ..."


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_text(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def unquoted(text: str) -> Any:
    """Return what a text would be without its quotes; the text itself where that is no YAML.

    Examples
    --------
    >>> unquoted("1e-4"), unquoted("false"), unquoted("null"), unquoted("a: [")
    (0.0001, False, None, 'a: [')
    """
    try:
        return yaml.load(text, Loader=get_yaml_loader())  # noqa: S506  (a safe loader of theirs)
    except (yaml.YAMLError, ValueError):
        return text
