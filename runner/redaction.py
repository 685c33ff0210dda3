"""Keep users, passwords and other secrets out of every message, link and file."""

import re

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


def redacted(text: str) -> str:
    """Hide the user and password of every URI in a text, and the secrets of its query.

    Examples
    --------
    >>> redacted("API request to https://ann:p@ss@example.org/api failed")
    'API request to https://<redacted>@example.org/api failed'
    >>> redacted("postgresql://db/mlflow?sslmode=require&password=hidden")
    'postgresql://db/mlflow?sslmode=require&password=<redacted>'
    """
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
