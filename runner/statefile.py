"""A saved state in one file: written whole or not at all, believed only when it is whole.

The file is a preamble (magic, format version, CRC of both), the lengths of header and payload, a
SHA-256 over all but itself, the header as JSON, the payload. A digest finds damage, not malice:
against that, only a plain file that this user alone can write is read.
"""

import errno
import json
import os
import re
import secrets
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from runner.errors import CheckpointError, RunnerWarning

MAGIC = b"\x93RUNNER\n"
VERSION = 1
PREAMBLE = struct.Struct(">8sII")
LENGTHS = struct.Struct(">QQ")
DIGESTED = PREAMBLE.size + LENGTHS.size
BEFORE_HEADER = DIGESTED + sha256().digest_size

PLAIN = "be a plain file that can be read"
WRITABLE = "Make {} a folder that can be written in."
FREE = "Free space in {}."
LIMIT = "Raise the limit of a file's size (ulimit -f); the file is in {}."
REMEDIES = {errno.ENOSPC: FREE, errno.EDQUOT: FREE, errno.EFBIG: LIMIT}


@dataclass(frozen=True)
class Loaded:
    """What a file held: a header of JSON values, and any bytes."""

    header: dict[str, Any]
    payload: bytes = field(repr=False)


class _DamageError(Exception):
    """A file is not whole."""


def save(
    file: Path, header: Mapping[str, Any], payload: bytes | memoryview, *, is_durable: bool = True
) -> None:
    """Write a state so that a whole one is there at every instant, and keep the one before it.

    The one before it is then ``<name>.prev``; the folder is made, for this user alone, where there
    is none. The header holds JSON values. One process at a time may save to a file. What is not
    ``is_durable`` is not waited for until it is on the disk, and may not survive a power failure.

    Raises
    ------
    CheckpointError
        If it cannot be written. The generations are then as they were; only where the folder
        cannot be flushed to the disk at the very end the new one is in place.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for block in (3, 4):
    ...         save(Path(folder, "a.state"), {"block": block}, b"weights")
    ...     load(Path(folder, "a.state")), load(Path(folder, "a.state.prev"))
    (Loaded(header={'block': 4}), Loaded(header={'block': 3}))
    """
    content = memoryview(payload).cast("B") if memoryview(payload).nbytes else memoryview(b"")
    beginning = _beginning(json.dumps(dict(header)).encode(), content)
    token = secrets.token_hex(8)
    new, old = (file.with_name(f"{file.name}.{token}.{kind}") for kind in ("new", "old"))
    with _told(file, "be written whole"):
        try:
            _make(file.parent, is_durable=is_durable)
            for leftover in _leftovers(file):
                leftover.unlink(missing_ok=True)
            _write(new, beginning, content, is_durable=is_durable)
            _rotate(file, new, old)
            _sync(file.parent, is_durable=is_durable)
        finally:
            for temporary in (new, old):
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)


def load(file: Path) -> Loaded:
    """Read the newest state that is whole.

    Where ``file`` is damaged or absent, ``<name>.prev`` is read; damage is told by a warning.

    Raises
    ------
    CheckpointError
        If neither is whole; or if the one to be read is no plain file, belongs to another user,
        can be written by others, cannot be opened or is of another format version: then the one
        before it is not read in its place.
    """
    wrong: list[str] = []
    for generation in (file, previous(file)):
        try:
            saved = _read(generation)
        except (FileNotFoundError, NotADirectoryError):
            wrong.append("absent")
        except _DamageError as damage:
            wrong.append(f"damaged: {damage}")
        except CheckpointError as error:
            raise (error.at(f"place of {file.name} ({wrong[0]})") if wrong else error) from None
        else:
            if wrong and wrong[0] != "absent":
                told = f"The saved state {file} is {wrong[0]}. {generation.name} is read instead."
                warnings.warn(told, RunnerWarning, stacklevel=2)
            return saved
    rule = "be there" if set(wrong) == {"absent"} else "be whole"
    got = f"{file.name} ({wrong[0]}) and {previous(file).name} ({wrong[1]})"
    raise CheckpointError(f"The saved state {file}", rule, got=got, remedy="Start the run anew.")


def forget(file: Path) -> None:
    """Remove both generations, and what killed saves left behind.

    Raises
    ------
    CheckpointError
        If one is there and cannot be removed.
    """
    with _told(file, "be removable"):
        for path in (*_leftovers(file), previous(file), file):
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()


def exists(file: Path) -> bool:
    """Tell whether there is a generation, whole or not."""
    return any(os.path.lexists(generation) for generation in (file, previous(file)))


def previous(file: Path) -> Path:
    """Return where the generation before the newest is.

    Examples
    --------
    >>> previous(Path("checkpoints/8f6a1f0c.state")).name
    '8f6a1f0c.state.prev'
    """
    return file.with_name(f"{file.name}.prev")


def _start(version: int) -> bytes:
    named = struct.pack(">8sI", MAGIC, version)
    return named + struct.pack(">I", zlib.crc32(named))


def _beginning(header: bytes, content: memoryview) -> bytes:
    digested = _start(VERSION) + LENGTHS.pack(len(header), content.nbytes)
    digest = sha256(digested + header)
    digest.update(content)
    return digested + digest.digest() + header


def _make(folder: Path, *, is_durable: bool) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent, is_durable=is_durable)


def _leftovers(file: Path) -> Iterator[Path]:
    name = re.compile(re.escape(file.name) + r"\.[0-9a-f]{16}\.(new|old)")
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(file.parent) as entries:
        yield from [Path(entry.path) for entry in entries if name.fullmatch(entry.name)]


def _write(new: Path, *parts: bytes | memoryview, is_durable: bool) -> None:
    # An exclusive creation never follows a link, and a short write is followed by the rest.
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        for part in parts:
            left = memoryview(part)
            while left:
                left = left[os.write(descriptor, left) :]
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rotate(file: Path, new: Path, old: Path) -> None:
    # By a second name of the current file there are two generations all the while, and a whole
    # one even if the current one is damaged; a file system without hard links has to do with one.
    if not os.path.lexists(file):
        new.replace(file)
        return
    try:
        os.link(file, old, follow_symlinks=False)
    except OSError:
        old = file.replace(previous(file))
    try:
        new.replace(file)
        old.replace(previous(file))
    except OSError:
        old.replace(file)
        raise


def _sync(folder: Path, *, is_durable: bool) -> None:
    if not is_durable:
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems have no such call
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _told(file: Path, rule: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, WRITABLE).format(file.parent)
        got = error.strerror or repr(error)
        raise CheckpointError(f"The saved state {file}", rule, got=got, remedy=remedy) from error


def _read(file: Path) -> Loaded:
    try:  # without O_NONBLOCK a pipe in the file's place would wait for ever
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            _refuse(file, status)
            with os.fdopen(descriptor, "rb", closefd=False) as opened:
                return _parsed(file, opened, status.st_size)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        if error.errno == errno.EIO:
            raise _DamageError(f"reading it ends in {error.strerror!r}") from error
        got = "a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise _refusal(file, PLAIN, got) from error


def _refuse(file: Path, status: os.stat_result) -> None:
    mode, user = status.st_mode, os.geteuid()
    if not stat.S_ISREG(mode):
        raise _refusal(file, PLAIN, f"the mode {stat.filemode(mode)}")
    if status.st_uid != user:
        raise _refusal(file, f"belong to the user {user}", f"the user {status.st_uid}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _refusal(file, "be writable by its owner alone", f"the mode {stat.filemode(mode)}")


def _refusal(file: Path, rule: str, got: object) -> CheckpointError:
    remedy = "If you know it to be yours, correct that; else remove it."
    return CheckpointError(f"The saved state {file}", rule, got=got, remedy=remedy)


def _parsed(file: Path, opened: BinaryIO, size: int) -> Loaded:
    beginning = opened.read(BEFORE_HEADER)
    if len(beginning) < BEFORE_HEADER:
        raise _DamageError(f"it has {size} bytes, too few")
    _, version, _ = PREAMBLE.unpack_from(beginning)
    if beginning[: PREAMBLE.size] != _start(version):
        raise _DamageError("it does not begin as a saved state does")
    if version != VERSION:
        raise CheckpointError(
            f"The saved state {file}",
            f"be of the format version {VERSION}",
            got=f"version {version}",
            remedy="Go on with the release of runner that wrote it, or start the run anew.",
        )
    # The lengths may be damaged too: nothing is read by them before they fit the file's size.
    header_length, payload_length = LENGTHS.unpack_from(beginning, PREAMBLE.size)
    if (expected := BEFORE_HEADER + header_length + payload_length) != size:
        raise _DamageError(f"it has {size} bytes, and should have {expected}")
    header, payload = opened.read(header_length), opened.read(payload_length)
    digest = sha256(beginning[:DIGESTED] + header)
    digest.update(payload)
    if digest.digest() != beginning[DIGESTED:]:
        raise _DamageError("its digest does not fit")
    return Loaded(_object(header), payload)


def _object(header: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        values = json.loads(header)
        if isinstance(values, dict):
            return values
    raise _DamageError("its header is no JSON object")
