"""The command line: a few verbs, and plain Hydra behind everything else."""

import os
import sys
import warnings
from collections.abc import Callable, Sequence

from runner.collecting import own_process
from runner.config.words import is_name
from runner.errors import ConfigError, InvalidConfigError, RunnerError, Terminated, nearest
from runner.project import experiment_files
from runner.redaction import redacted
from runner.usage import USAGE
from runner.verbs.arguments import WRONG
from runner.verbs.comparing import compare, runs
from runner.verbs.listing import list_names
from runner.verbs.record import doctor, ui
from runner.verbs.registering import register
from runner.verbs.running import hydra, predict, reproduce, resume, run
from runner.verbs.showing import show
from runner.verbs.validating import validate
from runner.verbs.writing import completion, new, schema

BROKEN, INTERRUPTED, TERMINATED = 1, 130, 143
VERBS: dict[str, Callable[[list[str]], int]] = {
    "list": list_names,
    "new": new,
    "show": show,
    "validate": validate,
    "run": run,
    "resume": resume,
    "reproduce": reproduce,
    "predict": predict,
    "register": register,
    "runs": runs,
    "compare": compare,
    "ui": ui,
    "doctor": doctor,
    "schema": schema,
    "completion": completion,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: a fault of ours, or what reads the output has gone. 2: mistakes, each told in a
    line; a run or a member that failed; a reproduction that differs; a finding. 130: interrupted
    by Ctrl-C. 143: terminated by SIGTERM or SIGHUP.
    """
    if arguments is None:
        own_process()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--complete"]:
        return _complete(given[1:])
    traceback = "--traceback" in given
    given = [text for text in given if text != "--traceback"]
    warnings.formatwarning = _one_line_warning
    try:
        return _dispatch(given)
    except BrokenPipeError:  # what reads it has read enough
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  (so that its flush fails no more)
        return BROKEN
    except (Exception, KeyboardInterrupt, Terminated) as error:  # noqa: BLE001  (all is told)
        code, told = _told(error)
        _say(_where() if traceback else told)
        return code


def _dispatch(given: list[str]) -> int:
    helps = {"help", "-h", "--help"}
    if not given or given[0] in helps or (given[0] in VERBS and helps & set(given)):
        sys.stdout.write(USAGE)
        return 0
    verb, rest = given[0], given[1:]
    if verb == "--version":
        from importlib.metadata import version

        sys.stdout.write(f"runner {version('incremental-runner')}\n")
        return 0
    if verb in VERBS:
        return VERBS[verb](rest)
    if not is_name(verb):
        return hydra(given)
    is_experiment = verb in experiment_files() or verb.endswith((".yaml", ".yml"))
    remedy = f"Write `runner run {verb}`." if is_experiment else nearest(verb, VERBS)
    raise ConfigError("The verb", "be one of those there are", got=repr(verb), remedy=remedy)


def _complete(given: list[str]) -> int:
    """Write what the last word may go on as; nothing, whatever is wrong, while one types."""
    from contextlib import redirect_stderr, suppress
    from io import StringIO

    from runner.completion import complete

    found: list[str] = []
    with suppress(Exception), redirect_stderr(StringIO()):
        found = complete(int(given[0]), given[1:])
    sys.stdout.writelines(f"{word}\n" for word in found)
    return 0


def _told(error: BaseException) -> tuple[int, str]:
    """Return the exit code of what went wrong, and what is said of it."""
    notes = list(getattr(error, "__notes__", ()))
    if isinstance(error, KeyboardInterrupt | Terminated):
        ctrl_c = isinstance(error, KeyboardInterrupt)
        told = "; ".join(["interrupted" if ctrl_c else "terminated", *notes])
        return INTERRUPTED if ctrl_c else TERMINATED, told
    if isinstance(error, RunnerError):
        apart = "\n" if isinstance(error, InvalidConfigError) else " "
        return WRONG, apart.join([str(error), *(f"{note}." for note in notes)])
    return BROKEN, f"{type(error).__name__}: {error}\n--traceback shows where it comes from."


def _where() -> str:
    from traceback import format_exc

    return format_exc().rstrip()


def _one_line_warning(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {redacted(str(message))}\n"


def _say(text: str) -> None:
    sys.stderr.write(f"{redacted(text)}\n")
