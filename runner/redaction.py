"""Keep users, passwords and other secrets out of every message, link and file."""

import re
from collections.abc import Mapping
from os.path import exists, normpath
from threading import Lock
from typing import Any

from runner.errors import RunnerError, cause

REDACTED = "<redacted>"
_USER = re.compile(r"(?<=://)[^\s/'\"]*@")
_QUERY = re.compile(
    r"([?&][^=&\s]*(?:passw|pwd|token|secret|key)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE
)
_KEY = re.compile(
    r"(?:^|[_-])(?:passw(?:or)?ds?|pwd|passphrase|secrets?|token|credentials?|authorization"
    r"|connection[_-]?string|(?:access|account|api|private|secret)[_-]?key)$",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SETTING = re.compile(r"(?<![\w.-])([\w.-]+)[\"'\]]{0,2}\s*(?::(?=\s|$)|=(?!=))\s*")
_VALUE = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|\$\{[^{}]*\}|[{\[].*|[^\s,}\]#][^,}\]#]*|"
)
_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\b\d{4,}\b")
_PLAIN = re.compile(r"(?:null|~|true|false|none|\?\?\?|\$\{[^{},]+\})\s*(?:#.*)?", re.IGNORECASE)
_BLOCK = re.compile(r"[|>][-+\d]*\s*|(?:[&!]\S*\s*)+|#.*")
_PROMISING = re.compile("pass|pwd|secret|token|credential|key", re.IGNORECASE)
_LONGEST = 10_000  # characters of a line of a diff that are looked at one by one
_LEAST_SECRET, _LEAST_OTHER = 4, 6  # characters; what is shorter stands in every other text
_LOCK = Lock()
_remembered: set[str] = set()
_pattern: re.Pattern[str] | None = None


def remember(name: str, value: str) -> None:
    """Hide a value of the environment from now on, wherever a text holds it.

    Not what is too short to be told from other text, nor, unless the variable's name promises a
    secret, the path of something that exists.

    Parameters
    ----------
    name, value : str
        The variable.
    """
    global _pattern  # noqa: PLW0603  (texts are redacted in every part, which share nothing else)
    promised = is_secret(name)
    least = _LEAST_SECRET if promised else _LEAST_OTHER
    if len(value.strip()) < least or value in _remembered:
        return
    if not promised and exists(value):  # noqa: PTH110  (that of Path raises for a long value)
        return
    with _LOCK:
        _remembered.update(form for form in _forms(value) if form not in REDACTED)
        longest_first = sorted(_remembered, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def remember_under_keys(node: Any, key: str = "") -> None:
    """Hide, from now on, each text that stands under a key that promises a secret.

    Parameters
    ----------
    node : object
        Plain containers.
    key : str
        Where they stand.
    """
    if isinstance(node, Mapping):
        for name, value in node.items():
            remember_under_keys(value, key if is_secret(key) else str(name))
    elif isinstance(node, list):
        for value in node:
            remember_under_keys(value, key)
    elif is_secret(key) and isinstance(node, str) and node != REDACTED:
        remember(key, node)


def forget() -> None:
    """Hide no value any more that was remembered."""
    global _pattern  # noqa: PLW0603
    with _LOCK:
        _remembered.clear()
        _pattern = None


def _forms(value: str) -> set[str]:
    """Return how a value may stand in a text: as it is, or as a path, a literal or an address."""
    import json
    from urllib.parse import quote

    one_line = " ".join(value.split())
    forms = {value, one_line, repr(value)[1:-1], json.dumps(value)[1:-1], quote(one_line)}
    return forms | ({normpath(one_line)} if "/" in one_line.strip("/.") else set())


def redacted(text: str) -> str:
    """Hide the user and password of every URI in a text, the secrets of its query, and more.

    That is each value that was remembered.

    Examples
    --------
    >>> redacted("API request to https://ann:p@ss@example.org/api failed")
    'API request to https://<redacted>@example.org/api failed'
    >>> redacted("postgresql://db/mlflow?sslmode=require&password=hidden")
    'postgresql://db/mlflow?sslmode=require&password=<redacted>'
    """
    pattern = _pattern
    if pattern is not None:
        text = pattern.sub(REDACTED, text)
    return _QUERY.sub(rf"\g<1>{REDACTED}", _USER.sub(f"{REDACTED}@", text))


def is_secret(key: str) -> bool:
    """Say whether a dotted key promises a secret, by the last words of its last part.

    Examples
    --------
    >>> [is_secret(key) for key in ("dataset.aws_secret_access_key", "db_password", "accessToken")]
    [True, True, True]
    >>> [is_secret(key) for key in ("preprocessing.words.token_pattern", "token.length")]
    [False, False]
    """
    return _KEY.search(_HUMP.sub("_", key.rpartition(".")[2])) is not None


def redacted_diff(diff: str) -> str:
    r"""Hide in what git tells of changes the values of keys that promise a secret, and more.

    That is what ``redacted`` hides. Of Python code only literals are values; under a key of
    YAML that has no value in its own line, all that is indented further is its value.

    Examples
    --------
    >>> print(redacted_diff("+++ b/x.yaml\n-db: {user: ann, password: old}\n+api_token: new, 1"))
    +++ b/x.yaml
    -db: {user: ann, password: <redacted>}
    +api_token: <redacted>
    """
    found = []
    is_code, under = False, None
    for line in redacted(diff).splitlines(keepends=True):
        if line.startswith(("diff --git ", "--- ", "+++ ")):
            is_code, under = line.rstrip().endswith((".py", '.py"')), None
            found.append(line)
            continue
        is_heading = line.startswith("@@")
        at = line.find("@@", 2) + 2 if is_heading else 1
        text = line[at:].rstrip("\r\n")
        indent = len(text) - len(text.lstrip(" "))
        if under is not None and not is_heading and (indent > under or not text.strip()):
            told = " " * indent + REDACTED if text.strip() else text
        else:
            told, opens = _hidden_values(text, is_code=is_code)
            under = indent if opens else None
        found.append(f"{line[:at]}{told}{line[at + len(text) :]}")
    return "".join(found)


def _hidden_values(text: str, *, is_code: bool) -> tuple[str, bool]:
    """Return a line without its secrets, and whether the lines below it are one."""
    if len(text) > _LONGEST:
        return (REDACTED if _PROMISING.search(text) else text), False
    told, at, opens = "", 0, False
    while setting := _SETTING.search(text, at):
        told += text[at : setting.end()]
        at = setting.end()
        if not is_secret(setting[1]):
            continue
        if is_code:
            return told + _LITERAL.sub(REDACTED, text[at:]), False
        in_flow = re.search(r"[{\[]", text[:at]) is not None  # else a comma is part of the value
        value = _VALUE.match(text, at) if in_flow else None
        found = text[at:] if value is None else value[0]
        opens = not found or _BLOCK.fullmatch(found) is not None
        told += found if opens or _PLAIN.fullmatch(found) else REDACTED
        at += len(found)
    return told + text[at:], opens


def one_line(error: BaseException) -> str:
    r"""Say in one line, without secrets, what went wrong; whose error it is, if it is not ours.

    Examples
    --------
    >>> one_line(RunnerError("seed", "be an integer", got="'a'", remedy="Mend it."))
    "seed must be an integer; got 'a'. Mend it."
    >>> one_line(OSError("no way to\nhttps://ann:pw@example.org."))
    'OSError: no way to https://<redacted>@example.org'
    """
    said = " ".join(str(error).split()) if isinstance(error, RunnerError) else cause(error)
    return redacted(said)
