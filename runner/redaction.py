"""Keep users, passwords and other secrets out of every message, link and file."""

import re
from os.path import exists, normpath
from threading import Lock

from runner.errors import cause

REDACTED = "<redacted>"
_USER = re.compile(r"(?<=://)[^\s/'\"]*@")
_QUERY = re.compile(
    r"([?&][^=&\s]*(?:passw|pwd|token|secret|key)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE
)
_KEY = re.compile(
    r"(?:^|[_-])(?:passw(?:or)?d|pwd|passphrase|secret|token|credentials?"
    r"|(?:access|account|api|private|secret)[_-]?key)$",
    re.IGNORECASE,
)
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
    >>> [is_secret(key) for key in ("dataset.storage.aws_secret_access_key", "db_password")]
    [True, True]
    >>> [is_secret(key) for key in ("preprocessing.words.token_pattern", "token.length")]
    [False, False]
    """
    return _KEY.search(key.rpartition(".")[2]) is not None


def one_line(error: BaseException) -> str:
    r"""Say in one line, without secrets, what another library said.

    Examples
    --------
    >>> one_line(OSError("no way to\nhttps://ann:pw@example.org."))
    'OSError: no way to https://<redacted>@example.org'
    """
    return redacted(cause(error))
