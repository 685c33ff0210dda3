"""The command line: a few verbs, and plain Hydra behind everything else."""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ConfigError, RunnerError, Terminated, nearest
from runner.project import experiment_files, option_files, overlay
from runner.redaction import redacted
from runner.usage import USAGE

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from runner.sweeps.job import Job

WRONG, BROKEN, INTERRUPTED, TERMINATED = 2, 1, 130, 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: a fault of ours. 2: a mistake, told in one line. 130 and 143: interrupted by
    Ctrl-C or SIGTERM.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    traceback = "--traceback" in given
    given = [text for text in given if text != "--traceback"]
    warnings.formatwarning = _one_line_warning
    try:
        return _dispatch(given)
    except (KeyboardInterrupt, Terminated) as stop:
        if traceback:
            raise
        ctrl_c = isinstance(stop, KeyboardInterrupt)
        _say("; ".join(["interrupted" if ctrl_c else "terminated", *_notes(stop)]))
        return INTERRUPTED if ctrl_c else TERMINATED
    except Exception as error:
        if traceback:
            raise
        return _tell(error)


def _dispatch(given: list[str]) -> int:
    helps = {"help", "-h", "--help"}
    if not given or given[0] in helps or (given[0] in VERBS and helps & set(given)):
        sys.stdout.write(USAGE)
        return 0
    verb, rest = given[0], given[1:]
    if verb in VERBS:
        return VERBS[verb](rest)
    if "=" in verb or verb.startswith(("-", "+", "~")):
        return _hydra(given)
    raise ConfigError(
        "The verb", "be one of those there are", got=repr(verb), remedy=nearest(verb, VERBS)
    )


def _list(rest: list[str]) -> int:
    _parser("list").parse_args(rest)
    groups = {"experiments": experiment_files()}
    for conf in reversed(overlay("conf")):
        for folder in sorted(path for path in conf.iterdir() if path.is_dir()):
            if folder.name != "hydra":
                groups[folder.name] = option_files(folder.name)
    width = max(len(name) for options in groups.values() for name in options)
    lines = []
    for group, options in groups.items():
        lines.append(group)
        lines += [f"  {name:<{width}}  {_first_comment(p)}" for name, p in options.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _first_comment(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as lines:
        comments = (line[1:].strip() for line in lines if line.startswith("#"))
        return next((text for text in comments if not text.startswith("@package")), "")


def _show(rest: list[str]) -> int:
    from runner.config.compose import compose
    from runner.config.messages import in_our_words
    from runner.config.recipe import recipe, sweep_text
    from runner.terminal import show_config

    name, overrides = _experiment_of("show", rest)
    with in_our_words():
        composed = compose(name, overrides)
        asked = recipe(composed.config, composed.overrides, composed.selection)
    text = f"{asked.config}{sweep_text(composed)}"
    show_config(text)
    return 0


def _run(rest: list[str]) -> int:
    from runner.config.compose import selected

    name, others = _experiment_of("run", rest)
    with selected(name) as choice:
        return _hydra([choice, *others])


def _hydra(given: list[str]) -> int:
    from runner.config.app import main as hydra_main
    from runner.config.compose import check_sweeps, flags_first, opened
    from runner.config.messages import in_our_words
    from runner.shown import Shown
    from runner.sweeps.job import Job

    ours = {"--dry-run", "--fail-fast"}
    arguments = [text for text in given if text not in ours]
    job = Job(Shown(), dry_run="--dry-run" in given, fail_fast="--fail-fast" in given)
    with in_our_words():
        check_sweeps(arguments)
        hydra_main(flags_first(opened(arguments)), job)
    return _code_of(job)


def _code_of(job: "Job") -> int:
    well = {"FINISHED", "PENDING"} if job.dry_run else {"FINISHED"}
    return WRONG if {outcome.status for outcome in job.outcomes} - well else 0


def _resume(rest: list[str]) -> int:
    from runner.resuming import resume
    from runner.shown import Shown
    from runner.sweeps.job import Job

    overrides = [text for text in rest if "=" in text and not text.startswith("-")]
    parser = _parser("resume")
    parser.add_argument("run")
    for flag in ("--failed", "--fail-fast", "--force", "--dry-run"):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args([text for text in rest if text not in overrides])
    job = Job(Shown(), dry_run=asked.dry_run, fail_fast=asked.fail_fast)
    resume(asked.run, job, overrides, only_failed=asked.failed, is_forced=asked.force)
    return _code_of(job)


def _doctor(rest: list[str]) -> int:
    from runner.doctor import examine
    from runner.terminal import show_findings

    parser = _parser("doctor")
    parser.add_argument("--sync", action="store_true")
    findings = examine(send=parser.parse_args(rest).sync)
    show_findings(findings)
    return 0 if all(finding.ok for finding in findings) else WRONG


def _predict(rest: list[str]) -> int:
    from runner.config.recorded import settings
    from runner.prediction.job import predict
    from runner.terminal import Lines, show_prediction
    from runner.tracking.termination import terminated_by_signal

    named = [text for text in rest if "=" not in text and not text.startswith(("-", "~"))]
    asked, overrides = settings(
        [text for text in rest if text not in named], "output", "columns", "probabilities"
    )
    if len(named) != 1 or "output" not in asked:
        raise ConfigError(
            "A prediction",
            "name one run and the folder to write to",
            got=" ".join(rest) or "nothing",
            remedy="Write `runner predict RUN output=FOLDER`; `runner runs` shows the runs.",
        )
    with terminated_by_signal():
        show_prediction(predict(named[0], overrides=overrides, tell=Lines("predict"), **asked))
    return 0


def _reproduce(rest: list[str]) -> int:
    from runner.reproduction.job import reproduce
    from runner.terminal import show_comparison

    named = [text for text in rest if "=" not in text and not text.startswith(("-", "+", "~"))]
    if len(named) != 1:
        raise ConfigError(
            "A reproduction",
            "name one run",
            got=" ".join(rest) or "nothing",
            remedy="Write `runner reproduce RUN`; `runner runs` shows the runs.",
        )
    done = reproduce(named[0], [text for text in rest if text not in named])
    show_comparison(done)
    return 0 if done.is_identical else WRONG


def _runs(rest: list[str]) -> int:
    from runner.terminal import show_runs
    from runner.tracking.record import recent_runs

    parser = _parser("runs")
    parser.add_argument("--limit", type=int, default=20)
    show_runs(recent_runs(limit=parser.parse_args(rest).limit))
    return 0


def _ui(rest: list[str]) -> int:
    from runner.tracking.record import find_run, run_link
    from runner.tracking.server import serve
    from runner.tracking.termination import terminated_by_signal

    parser = _parser("ui")
    parser.add_argument("run", nargs="?")
    parser.add_argument("--port", type=int, default=5000)
    asked = parser.parse_args(rest)
    run = find_run(asked.run) if asked.run else None
    stops = suppress(KeyboardInterrupt, Terminated)
    with stops, terminated_by_signal(), serve(port=asked.port) as interface:
        sys.stdout.write(f"{run_link(interface.base_url, run)}\n")
        if interface.process is not None:
            sys.stdout.write("Ctrl-C ends it\n")
        sys.stdout.flush()
        interface.wait()
    return 0


def _parser(verb: str) -> "ArgumentParser":
    from argparse import ArgumentParser

    return ArgumentParser(prog=f"runner {verb}", allow_abbrev=False)


def _experiment_of(verb: str, rest: list[str]) -> tuple[str, list[str]]:
    named = [text for text in rest if not text.startswith(("-", "+", "~")) and "=" not in text]
    if not named:
        raise ConfigError(
            "The experiment",
            "be named",
            got="nothing",
            remedy=f"Write `runner {verb} NAME`; `runner list` shows the names.",
        )
    second = next((text for text in rest if text.startswith("experiment=")), None)
    if second:
        raise ConfigError(
            "The experiment",
            "be named once",
            got=f"{named[0]} and {second}",
            remedy=f"Write `runner {verb} {second.removeprefix('experiment=')}`.",
        )
    rest = rest.copy()
    rest.remove(named[0])
    return named[0], rest


VERBS: dict[str, Callable[[list[str]], int]] = {
    "list": _list,
    "show": _show,
    "run": _run,
    "resume": _resume,
    "reproduce": _reproduce,
    "predict": _predict,
    "runs": _runs,
    "ui": _ui,
    "doctor": _doctor,
}


def _tell(error: Exception) -> int:
    if isinstance(error, RunnerError):
        _say(" ".join([str(error), *(f"{note}." for note in _notes(error))]))
        return WRONG
    _say(f"{type(error).__name__}: {error}\n--traceback shows where it comes from.")
    return BROKEN


def _notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))


def _one_line_warning(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {redacted(str(message))}\n"


def _say(text: str) -> None:
    sys.stderr.write(f"{redacted(text)}\n")
