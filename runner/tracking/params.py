"""Params and names as MLflow takes them."""

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from runner.records import says_where
from runner.redaction import redacted

MAX_KEY = 250
MAX_VALUE = 6000
_FORBIDDEN = re.compile(r"[^\w/.\- :]")


def params_as_text(params: Mapping[str, Any]) -> dict[str, str]:
    """Return params whose keys and values MLflow keeps whole, or visibly shortened.

    Examples
    --------
    >>> params_as_text({"partial_fit.classes": [0, 1], "seed": 10, "uri": None, "a[0]": "x"})
    {'partial_fit.classes': '[0, 1]', 'seed': '10', 'uri': 'null', 'a_0_': 'x'}
    >>> params_as_text({"a[0]": 1, "a(0)": 2})
    {'a_0_': '1', 'a_0__2': '2'}
    """
    texts: dict[str, str] = {}
    for name, value in params.items():
        key = base = key_of(name)
        count = 1
        while key in texts:
            count += 1
            key = f"{base}_{count}"
        texts[key] = _shortened(value_as_text(value))
    return texts


def as_begun(texts: Mapping[str, str], recorded: Mapping[str, str]) -> dict[str, str]:
    """Return params of a run that goes on, which says where it began, wherever it goes on.

    Parameters
    ----------
    texts : mapping of str to str
        What is asked now.
    recorded : mapping of str to str
        What was asked when it began; empty of a run that begins.

    Examples
    --------
    >>> as_begun({"seed": "1", "cluster.n_workers": "2"}, {"seed": "1"})
    {'seed': '1'}
    >>> as_begun({"seed": "1"}, {"seed": "1", "cluster.n_workers": "2"})
    {'seed': '1', 'cluster.n_workers': '2'}
    """
    if not recorded:
        return dict(texts)
    what = {key: text for key, text in texts.items() if not says_where(key)}
    return what | {key: text for key, text in recorded.items() if says_where(key)}


def key_of(name: str) -> str:
    """Return a name that MLflow takes for a param or a metric, equal to the given if it can be.

    Examples
    --------
    >>> key_of("holdout/neg_log_loss"), key_of("words.f(x)"), key_of("/a//b/../c/")
    ('holdout/neg_log_loss', 'words.f_x_', 'a/b/__/c')
    >>> len(key_of("x" * 1000))
    250
    """
    parts = _FORBIDDEN.sub("_", name).split("/")
    dots = (re.sub(r"^\.+$", lambda found: "_" * len(found[0]), part) for part in parts)
    key = "/".join(part for part in dots if part) or "_"
    if len(key) <= MAX_KEY:
        return key
    return f"{key[: MAX_KEY - 9]}-{zlib.crc32(name.encode()):08x}"


def value_as_text(value: Any) -> str:
    """Write a value as YAML reads it: text as it is, everything else as JSON.

    Examples
    --------
    >>> [value_as_text(value) for value in ("sgd", 1e-05, True, None, {"a": [1, "b"]})]
    ['sgd', '1e-05', 'true', 'null', '{"a": [1, "b"]}']
    """
    if isinstance(value, str):
        return redacted(value)
    return redacted(json.dumps(value, ensure_ascii=False, default=str))


def _shortened(text: str) -> str:
    if len(text) <= MAX_VALUE:
        return text
    note = f" ... ({len(text)} characters, whole in config/config.yaml)"
    return text[: MAX_VALUE - len(note)] + note
