"""What was found out about a name of code, kept in the user's cache folder until a file changes.

Nothing here fails: what cannot be read or written is found out again.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FORMAT = 1
MOST_BYTES = 1_000_000
DISTRIBUTIONS = ("incremental-runner", "scikit-learn")

Stamp = list[Any]  # path, mtime in ns, size
_READ: dict[str, dict[str, Any]] = {}


def recalled(name: str) -> dict[str, Any] | None:
    """Return what was remembered of a name, None if there is nothing, or it may be outdated.

    Parameters
    ----------
    name : str
        As it was given to ``remember``.
    """
    entry = _READ.get(name) or _read(name)
    if entry is None or not all(stamp == _stamp(stamp[0]) for stamp in entry["stamps"]):
        _READ.pop(name, None)
        return None
    _READ[name] = entry
    content: dict[str, Any] = entry["content"]
    return content


def remember(name: str, content: Mapping[str, Any], kinds: Iterable[type]) -> None:
    """Keep what was found out of a name, until a file that defines one of the classes changes.

    Parameters
    ----------
    name : str
        Such as ``sklearn.linear_model.SGDClassifier``.
    content : mapping
        Plain values.
    kinds : iterable of type
        Classes whose files decide about it; those of the standard library do not change.
    """
    stamps = _stamps(kinds)
    if stamps is None:
        return
    entry = {"name": name, "of": _of(), "stamps": stamps, "content": dict(content)}
    _READ[name] = entry
    path = _path(name)
    if path is None:
        return
    with suppress(OSError, ValueError, TypeError):
        text = json.dumps({"sha256": _digest(entry), "entry": entry})
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(path, text)


def folder() -> Path | None:
    """Return the folder of the cache, None where there is no home for it."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if Path(named).is_absolute():
        return Path(named) / "runner"
    try:
        return Path.home() / ".cache" / "runner"
    except RuntimeError:
        return None


def _path(name: str) -> Path | None:
    at = folder()
    return at and at / "signatures" / f"{sha256(name.encode('utf-8', 'replace')).hexdigest()}.json"


def _read(name: str) -> dict[str, Any] | None:
    """Return what a file says, if it is whole, of this name, and made by what runs now."""
    path = _path(name)
    if path is None:
        return None
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        whole = json.loads(path.read_text(encoding="utf-8"))
        entry: dict[str, Any] = whole["entry"]
        is_whole = whole["sha256"] == _digest(entry)
        return entry if is_whole and (entry["name"], entry["of"]) == (name, _of()) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _replace(path: Path, text: str) -> None:
    number, made = tempfile.mkstemp(dir=path.parent, prefix="new-")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(made).unlink()
        raise


def _digest(entry: Mapping[str, Any]) -> str:
    return sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _stamps(kinds: Iterable[type]) -> list[Stamp] | None:
    """Return the stamps of the files that define some classes, None if one has no file."""
    stamps = []
    for name in dict.fromkeys(kind.__module__ for kind in kinds):
        if name.partition(".")[0] in sys.stdlib_module_names:
            continue
        file = getattr(sys.modules.get(name), "__file__", None)
        stamp = _stamp(str(Path(file).absolute())) if file else None
        if stamp is None:
            return None
        stamps.append(stamp)
    return stamps


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116  (a path object for each of many is slow)
    except OSError:
        return None
    return [path, found.st_mtime_ns, found.st_size]


@cache
def _of() -> dict[str, Any]:
    """Return what everything remembered depends on: versions, and the files of the runner."""
    versions = {}
    for name in DISTRIBUTIONS:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    stamps: list[Any] = []
    for at, folders, files in os.walk(Path(__file__).resolve().parents[1]):
        folders.sort()
        stamps += [_stamp(os.path.join(at, file)) for file in sorted(files) if file[-3:] == ".py"]  # noqa: PTH118
    own = sha256(json.dumps(stamps).encode()).hexdigest()
    return {"format": FORMAT, "python": sys.version, "versions": versions, "own": own}
