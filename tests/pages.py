"""The pages that people read, taken apart, and typed as a reader types them."""

import os
import re
import runpy
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.errors import RunnerWarning

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ([\w./-]+\.(?:py|toml|yaml))\b")
ID = re.compile(r"\b[0-9a-f]{8}(?:[0-9a-f]{24})?\b")
VARIABLE = re.compile(r"[A-Z_]+=")
SHELL = re.compile(r"[|<>;&]|\$\(")
WRONG = 2


@dataclass(frozen=True)
class Command:
    """What is typed behind a ``$``, without its comment, and what the page shows below it."""

    typed: str
    shown: str


def blocks(text: str, *languages: str) -> list[str]:
    """Return what stands in the fences of some languages, in the order of the page."""
    return [body for language, body in FENCE.findall(text) if language in languages]


def file_of(block: str) -> str | None:
    """Return the path that the first line of a block names, such as ``# experiments/a.yaml``."""
    named = FILE.match(block)
    return named and named[1]


def commands(text: str) -> list[Command]:
    """Return what a page types, in its order."""
    return [command for block in blocks(text, "console") for command in _typed(block)]


def _typed(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        yield Command(re.sub(r"\s+#.*", "", line).strip(), shown.rstrip())


@dataclass
class Reader:
    """Somebody who does what a page says from its top to its end, in the working directory.

    The runner's commands run in this process, since each would spend seconds on imports.

    Parameters
    ----------
    ids : dict of str
        The ids of real runs by the first eight letters of those that the page shows; what a
        command is seen to make is added.
    untyped : collection of str
        How commands begin that are passed over.
    """

    ids: dict[str, str] = field(default_factory=dict)
    untyped: tuple[str, ...] = ()

    def read(self, text: str) -> None:
        """Write each file that names itself, and type each command."""
        for language, body in FENCE.findall(text):
            if language == "console":
                for command in _typed(body):
                    self.type(command)
            elif named := file_of(body):
                Path(named).parent.mkdir(parents=True, exist_ok=True)
                Path(named).write_text(body, encoding="utf-8")

    def type(self, command: Command) -> None:
        """Type a command, and compare what it prints with what the page shows, if anything.

        A mistake must be shown: where nothing is, the command has to do well.
        """
        if command.typed.startswith(self.untyped):
            return
        code, out, err = _done(ID.sub(self._known, command.typed))
        told = f"$ {command.typed}\n{err}{out}\nexit code {code}; the page shows:\n{command.shown}"
        assert code == 0 or (code == WRONG and command.shown), told
        if command.shown:
            assert any(self._is_shown(command.shown, got) for got in (out, err, err + out)), told

    def _known(self, shown: re.Match[str]) -> str:
        assert shown[0][:8] in self.ids, f"no command of the page made the run {shown[0]}"
        return self.ids[shown[0][:8]][: len(shown[0])]

    def _is_shown(self, shown: str, got: str) -> bool:
        """Match in spite of spaces; a line of ``...`` stands for lines, elsewhere for letters."""
        found = re.fullmatch("".join(map(_pattern, shown.splitlines())), _single_spaced(got))
        if found is None:
            return False
        for named, real in zip(ID.findall(shown), found.groups(), strict=True):
            assert self.ids.setdefault(named[:8], real)[:8] == real[:8], f"{named} is another run"
            if len(real) > 8:
                self.ids[named[:8]] = real
        return True


def _single_spaced(text: str) -> str:
    return "".join(f"{' '.join(line.split())}\n" for line in text.splitlines() if line.strip())


def _pattern(line: str) -> str:
    words = " ".join(line.split())
    if words in ("...", ""):
        return r"(?:.*\n)*?" if words else ""
    parts = re.split(rf"(\.\.\.|{ID.pattern})", words)
    return "".join(map(_part, parts)) + r"\n"


def _part(text: str) -> str:
    if text == "...":
        return ".*?"
    return r"([0-9a-f]{8,32})" if ID.fullmatch(text) else re.escape(text)


def _done(typed: str) -> tuple[int, str, str]:
    """Return the exit code of a command, and what it printed and said."""
    words = shlex.split(typed)
    with pytest.MonkeyPatch.context() as patch:
        while VARIABLE.match(words[0]):
            patch.setenv(*words.pop(0).split("=", 1))
        if SHELL.search(typed) or words[0] not in ("python", "runner"):
            return _in_bash(typed)
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err), _warnings_told():
            code = main(words[1:]) if words[0] == "runner" else _script(words[1])
    return code, out.getvalue(), err.getvalue()


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Let our own warnings be written as on a terminal, where the tests make errors of them."""

    def tell(message: Warning | str, *where: Any, **_: Any) -> None:
        sys.stderr.write(warnings.formatwarning(message, *where[:3]))

    with warnings.catch_warnings():
        warnings.simplefilter("always", RunnerWarning)
        warnings.showwarning = tell
        yield


def _script(file: str) -> int:
    with warnings.catch_warnings(action="ignore"):
        runpy.run_path(file, run_name="__main__")
    return 0


def _in_bash(typed: str) -> tuple[int, str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", typed],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def own_modules_forgotten(folder: Path) -> Iterator[None]:
    """Forget the modules of a folder afterwards, and that it was on the path."""
    path = sys.path.copy()
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            if str(folder) in str(getattr(module, "__file__", "")):
                del sys.modules[name]
