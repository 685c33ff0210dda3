"""Run, go on with, repeat and use runs."""

from typing import TYPE_CHECKING

from runner.collecting import importing
from runner.config.words import is_name
from runner.errors import ConfigError
from runner.verbs.arguments import JSON, QUIET, WRONG, check_flags, experiment_of, parser_of

if TYPE_CHECKING:
    from runner.sweeps.job import Job


def run(rest: list[str]) -> int:
    """Run an experiment, or the members of its sweep."""
    with importing():
        from runner.config.checking.vetting import vet
        from runner.config.compose import selected

    name, others = experiment_of("run", rest)
    vet(name, _of_hydra(others))
    with selected(name) as choice:
        return _run([choice, *others])


def hydra(given: list[str]) -> int:
    """Run what Hydra's command line describes."""
    with importing():
        from runner.config.checking.vetting import vet

    vet(None, _of_hydra(given))
    return _run(given)


def _of_hydra(given: list[str]) -> list[str]:
    from runner.config.checking.line import OURS

    return [text for text in given if text not in (*OURS, QUIET, JSON)]


def _run(given: list[str]) -> int:
    with importing():
        from runner.config.app import main as hydra_main
        from runner.config.compose import flags_first, opened
        from runner.config.messages import OF_COMPOSING, in_our_words
        from runner.sweeps.job import Job
        from runner.verbs.speech import speech, spoken

    asked, given = speech(given)
    job = Job(asked.teller(), dry_run="--dry-run" in given, fail_fast="--fail-fast" in given)
    with in_our_words(OF_COMPOSING), spoken(job):  # what is raised while it runs is told as it is
        hydra_main(flags_first(opened(_of_hydra(given))), job)
    return _code_of(job)


def _code_of(job: "Job") -> int:
    well = {"FINISHED", "PENDING"} if job.dry_run else {"FINISHED"}
    return WRONG if {outcome.status for outcome in job.outcomes} - well else 0


def resume(rest: list[str]) -> int:
    """Go on with a run, or with the members of a sweep, that did not finish."""
    with importing():
        from runner.resuming import resume
        from runner.sweeps.job import Job
        from runner.tracking.client import import_ahead
        from runner.verbs.speech import Speech, spoken

    overrides = [text for text in rest if "=" in text and not text.startswith("-")]
    parser = parser_of("resume")
    parser.add_argument("run")
    for flag in ("--failed", "--fail-fast", "--force", "--dry-run", QUIET, JSON):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args([text for text in rest if text not in overrides])
    teller = Speech(asked.quiet, asked.json).teller()
    job = Job(teller, dry_run=asked.dry_run, fail_fast=asked.fail_fast)
    import_ahead()
    with spoken(job):
        resume(asked.run, job, overrides, only_failed=asked.failed, is_forced=asked.force)
    return _code_of(job)


def reproduce(rest: list[str]) -> int:
    """Run a recorded run again from its record, and compare the two."""
    with importing():
        from runner.reproduction.job import reproduce
        from runner.terminal import show_comparison, show_json
        from runner.tracking.client import import_ahead
        from runner.verbs import documents
        from runner.verbs.speech import speech

    asked, rest = speech(rest)
    check_flags("reproduce", rest, (QUIET, JSON))
    named = [text for text in rest if is_name(text)]
    if len(named) != 1:
        raise ConfigError(
            "A reproduction",
            "name one run",
            got=" ".join(rest) or "nothing",
            remedy="Write `runner reproduce RUN`; `runner runs` shows the runs.",
        )
    import_ahead()
    with asked.teller().around():
        done = reproduce(named[0], [text for text in rest if text not in named])
    if asked.is_json:
        show_json(documents.reproduction(done))
    elif not asked.is_quiet:
        show_comparison(done)
    return 0 if done.is_identical else WRONG


def predict(rest: list[str]) -> int:
    """Write the predictions of a recorded model."""
    with importing():
        from runner.config.recorded import settings
        from runner.prediction.job import predict
        from runner.terminal import show_json, show_prediction
        from runner.tracking.client import import_ahead
        from runner.tracking.termination import terminated_by_signal
        from runner.verbs import documents
        from runner.verbs.speech import speech

    how, rest = speech(rest)
    check_flags("predict", rest, (QUIET, JSON))
    named = [text for text in rest if is_name(text)]
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
    import_ahead()
    with terminated_by_signal(), how.teller().around():
        done = predict(named[0], overrides=overrides, **asked)
    if how.is_json:
        show_json(documents.prediction(done))
    elif not how.is_quiet:
        show_prediction(done)
    return 0
