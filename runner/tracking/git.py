"""Which code ran: the project's git repository."""

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runner.redaction import redacted

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class GitState:
    """Where a working tree stands; ``diff`` is what differs from the commit, "" when clean.

    ``untracked`` are the files and folders that git neither knows nor ignores.
    """

    commit: str
    branch: str
    remote: str | None
    diff: str
    untracked: tuple[str, ...]

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

    Credentials in the remote's address and in the diff are hidden.

    Returns
    -------
    GitState or None
        None where there is no git, no repository, no commit yet, or no answer in time.
    """
    try:
        commit, branch = _git(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD").split()
        diff = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff")
        changes = _git(folder, "status", "--porcelain", "-z", "--untracked-files=normal")
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return GitState(
        commit=commit,
        branch=branch,
        remote=_remote(folder),
        diff=redacted(diff),
        untracked=tuple(
            line.removeprefix("?? ") for line in changes.split("\0") if line.startswith("?? ")
        ),
    )


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
