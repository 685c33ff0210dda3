"""Text that another program will read: only what can mean nothing else there is allowed."""

from collections.abc import Mapping
from typing import Any

from runner.errors import ConfigError
from runner.rules import MOST_PATH, Rule, shaped

NAME = shaped(
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}",
    "a name of letters, digits, dots, dashes and underscores",
)
HOST = shaped(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,44}",
    "the name or the address of a host",
)
LABEL = shaped(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "a name of small letters, digits and dashes, at most 63"
)
IMAGE = shaped(
    r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,299}", "the name of an image, such as ghcr.io/me/image:1.0"
)
BYTES = shaped(r"\d+(\.\d+)? ?([kKMGTP]i?)?B?", "bytes, such as 4GiB")
AMOUNT = shaped(
    r"\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i)?", "an amount of Kubernetes, such as 500m or 4Gi"
)
DURATION = shaped(
    r"(\d{1,4}-)?\d{1,4}(:\d{1,2}){0,2}", "a time of Slurm, such as 02:00:00 or 1-12:00:00"
)
_STEPS = r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_.+-]+)"
FOLDER = shaped(
    rf"((~|\$[A-Z_][A-Z0-9_]*){_STEPS}*|{_STEPS}+)/?",
    "a folder that begins with /, ~ or $NAME, of letters, digits, dots, dashes and underscores",
    MOST_PATH,
)
WHOLE_FOLDER = shaped(
    rf"{_STEPS}+/?",
    "a folder's path from /, of letters, digits, dots, dashes and underscores",
    MOST_PATH,
)
FILE = shaped(
    rf"{_STEPS}+",
    "a file's path from /, of letters, digits, dots, dashes and underscores",
    MOST_PATH,
)


def require_plain(texts: Mapping[str, Any], shape: Rule) -> None:
    """Refuse the first text that is of another shape; None is no text.

    Parameters
    ----------
    texts : mapping of str to str or None
        By their keys in the file.
    shape : Rule

    Raises
    ------
    ConfigError
        Naming the key.
    """
    for key, text in texts.items():
        if text is not None and not shape.holds(str(text)):
            raise ConfigError(
                key,
                f"be {shape.text}",
                got=repr(text),
                remedy="Write nothing else: other programs read it, such as a shell.",
            )
