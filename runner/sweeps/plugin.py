"""What our sweeper and our launcher do when Hydra calls them."""

from collections.abc import Sequence
from dataclasses import replace

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from runner.config.compose import Composed
from runner.config.messages import in_our_words
from runner.config.recipe import shown
from runner.config.sweep import Sweep, bare
from runner.errors import ConfigError, FitError
from runner.records import Outcome
from runner.sweeps.conduct import conduct
from runner.sweeps.job import Job, other_sweeper
from runner.sweeps.launch import Launch, OneByOne
from runner.sweeps.members import Member, compose_members, is_sweep, numbered
from runner.sweeps.shards import launch_of

SHARED = "hydra_plugins.runner_sweeps.shared_pass.SharedPass"


def sweep(
    context: HydraContext, task: TaskFunction, config: DictConfig, arguments: Sequence[str]
) -> list[Outcome]:
    """Run the members that a config and a command line ask for, or the one run.

    Parameters
    ----------
    context : HydraContext
        With the loader that composed the config.
    task : TaskFunction
        The job of our application.
    config : DictConfig
        With Hydra's node, composed for ``RunMode.MULTIRUN``.
    arguments : sequence of str
        The overrides of the command line.

    Raises
    ------
    RunnerError
        If something a person can mend is wrong.
    """
    job = job_of(task)
    HydraConfig.instance().set_config(config)
    with in_our_words():
        base = Composed.from_hydra(config)
        params = OmegaConf.select(config, "hydra.sweeper.params")
    if not is_sweep(base.sweep, arguments, params):
        job.alone(base)
        return []
    job.import_ahead(base.config)
    members = compose_members(context.config_loader, config, arguments)
    conduct(members, _as_typed(base, arguments), job, _launch(context, task, config, members))
    return job.outcomes


def _as_typed(base: Composed, arguments: Sequence[str]) -> Composed:
    """Return what the members have in common, with what repeats the sweep as its overrides."""
    parsed = OverridesParser.create().parse_overrides(list(arguments))
    if not any(override.is_sweep_override() for override in parsed):
        return base
    files = [o for o in parsed if o.key_or_group == "experiment" and o.is_sweep_override()]
    chosen = [str(override.input_line) for override in files]
    return replace(base, overrides=(*chosen, *base.overrides, "-m"))


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    lines: Sequence[Sequence[str]],
    threads: int | None,
) -> list[JobReturn]:
    """Run, in shared passes, the members that another sweeper made."""
    job_of(task)
    how = launch_of([config.get("cluster")], threads)
    return launched_by(how, context, task, config, lines)


def launched_by(
    launch: Launch,
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    lines: Sequence[Sequence[str]],
) -> list[JobReturn]:
    """Run the members that another sweeper made, as a sweep of the record.

    Returns
    -------
    list of JobReturn
        In the order of ``lines``; that of a member that failed says so.
    """
    job = job_of(task)
    with in_our_words():
        base = Composed.from_hydra(config)
    if Sweep.from_plain(base.sweep):
        raise other_sweeper(base)
    job.import_ahead(base.config)
    members = _members_of(context.config_loader, config, lines)
    conduct(members, base, job, launch)
    return [
        _returned(outcome, line, job) for outcome, line in zip(job.outcomes, lines, strict=True)
    ]


def _members_of(
    loader: ConfigLoader, config: DictConfig, lines: Sequence[Sequence[str]]
) -> list[Member]:
    parser = OverridesParser.create(config_loader=loader)
    given = []
    for line in lines:
        parsed = parser.parse_overrides(list(line))
        pairs = [(bare(each.get_key_element()), each.value()) for each in parsed]
        given.append({key: shown(key, value) for key, value in pairs})

    def compose(number: int) -> Composed:
        with in_our_words():
            return Composed.from_hydra(loader.load_sweep_config(config, list(lines[number])))

    return numbered(given, lines, compose)


def job_of(task: TaskFunction) -> Job:
    """Return the task as what our application gives to Hydra.

    Raises
    ------
    ConfigError
        If it is that of another application.
    """
    if not isinstance(task, Job):
        raise ConfigError(
            "hydra/sweeper=members",
            "be used in the application it comes with",
            got=type(task).__name__,
            remedy="Choose hydra/sweeper=basic and hydra/launcher=basic.",
        )
    return task


def _launch(
    context: HydraContext, task: TaskFunction, config: DictConfig, members: Sequence[Member]
) -> Launch:
    if OmegaConf.select(config, "hydra.launcher._target_") == SHARED:
        clusters = [member.composed.config.get("cluster") for member in members]
        return launch_of(clusters, config.hydra.launcher.threads)
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=task, config=config
    )
    return OneByOne(launcher)


def _returned(outcome: Outcome, line: Sequence[str], job: Job) -> JobReturn:
    if outcome.status == "FINISHED" or (job.dry_run and outcome.status == "PENDING"):
        return JobReturn(list(line), status=JobStatus.COMPLETED, _return_value=outcome)
    error = FitError(
        f"Member {outcome.name}",
        "finish",
        got=(outcome.error or outcome.status).rstrip("."),
        remedy="`runner resume` runs what is left.",
    )
    return JobReturn(list(line), status=JobStatus.FAILED, _return_value=error)
