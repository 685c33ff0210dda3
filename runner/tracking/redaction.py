"""Keep users and passwords out of every message, link and file."""

import re

REDACTED = "<redacted>"
_USER = re.compile(r"(?<=://)[^\s/'\"]*@")
_SECRET = re.compile(
    r"([?&][^=&\s]*(?:passw|pwd|token|secret|key)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE
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
    return _SECRET.sub(rf"\g<1>{REDACTED}", _USER.sub(f"{REDACTED}@", text))


def one_line(error: BaseException) -> str:
    r"""Say in one redacted line what happened.

    Examples
    --------
    >>> one_line(ValueError("no rows\nat all"))
    'ValueError: no rows'
    >>> one_line(KeyboardInterrupt())
    'KeyboardInterrupt'
    """
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    return redacted(f"{name}: {lines[0]}"[:1000] if lines else name)
