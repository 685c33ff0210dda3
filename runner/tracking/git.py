"""Which code ran: the project's git repository."""

import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from runner.redaction import redacted, redacted_diff

TIMEOUT_S = 5.0
MOST_CODE = 500  # files that git does not know, beyond which their content is not looked at
CODE = ("*.py", "*.yaml")


@dataclass(frozen=True)
class GitState:
    """Where a working tree stands; ``diff`` is what differs from the commit, "" when clean.

    ``untracked`` are the files and folders that git neither knows nor ignores; ``untracked_code``
    are the Python and YAML files among them and in them, each with the beginning of its SHA-256.
    """

    commit: str
    branch: str
    remote: str | None
    diff: str
    untracked: tuple[str, ...]
    untracked_code: Mapping[str, str] = field(default_factory=dict)

    @property
    def dirty(self) -> bool:
        """Whether the code that ran is more than the commit."""
        return bool(self.diff or self.untracked)

    def summary(self) -> dict[str, Any]:
        """Return everything but the diff, as plain values."""
        fields = asdict(self)
        del fields["diff"]
        return {**fields, "dirty": self.dirty}


def git_state(folder: Path) -> GitState | None:
    """Return the state of the repository a folder is in.

    Credentials in the remote's address are hidden, and in the diff the values of keys that
    promise a secret.

    Returns
    -------
    GitState or None
        None where there is no git, no repository, no commit yet, or no answer in time.
    """
    try:
        commit, branch = _git(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD").split()
        diff = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff")
        changes = _git(folder, "status", "--porcelain", "-z", "--untracked-files=normal")
        code = _untracked_code(Path(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n")))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return GitState(
        commit=commit,
        branch=branch,
        remote=_remote(folder),
        diff=redacted_diff(diff),
        untracked=tuple(
            line.removeprefix("?? ") for line in changes.split("\0") if line.startswith("?? ")
        ),
        untracked_code=code,
    )


def changed_between(folder: Path, old: str, new: str) -> tuple[str, ...] | None:
    """Return the files that differ between two commits, None where git cannot tell."""
    try:
        return tuple(_git(folder, "diff", "--name-only", "-z", old, new, "--").split("\0")[:-1])
    except (OSError, subprocess.SubprocessError):
        return None


def _untracked_code(root: Path) -> dict[str, str]:
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *CODE)
    found = {}
    for name in sorted(filter(None, listed.split("\0")))[:MOST_CODE]:
        try:
            content = (root / name).read_bytes()
        except OSError:  # it is gone since, or may not be read
            continue
        found[name] = sha256(content).hexdigest()[:16]
    return found


def _remote(folder: Path) -> str | None:
    try:
        return redacted(_git(folder, "config", "--get", "remote.origin.url").strip()) or None
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603  (a fixed program with fixed arguments)
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        timeout=TIMEOUT_S,
        encoding="utf-8",
        errors="replace",
    ).stdout
