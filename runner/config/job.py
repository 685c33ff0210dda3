"""From a composed config to an experiment, checked and built."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from runner.allow import resolve
from runner.config.app import prepare
from runner.config.checking.examination import examined
from runner.config.checking.resolution import resolved
from runner.config.checking.validation import missing, problems, unset
from runner.config.compose import Composed, compose
from runner.config.messages import in_our_words
from runner.config.recipe import recipe, with_effective
from runner.config.signatures.signature import TARGET
from runner.errors import ConfigError, InvalidConfigError, RunnerError, cause
from runner.experiment import Experiment
from runner.experiment import run as run_experiment
from runner.records import Recipe
from runner.redaction import remember_under_keys
from runner.trial import Result


def build(composed: Composed) -> tuple[Experiment, Recipe]:
    """Check a composed config and build its experiment, without its sweep.

    Raises
    ------
    RunnerError
        If the config asks for something impossible; nothing was read or written.
    """
    config = composed.config
    prepare()
    plain, found = resolved(config)
    remember_under_keys(plain)
    found += [*problems(plain), *map(unset, missing(plain))]
    if found:
        raise InvalidConfigError(found)
    check_targets("", plain)  # by the classes themselves, whatever is remembered of them
    experiment = _instantiate(config)
    asked = recipe(config, composed.overrides, composed.selection)
    return experiment, with_effective(asked, experiment.estimator, experiment.preprocessing)


def check_targets(key: str, node: Any) -> None:
    """Look up every class and function that a section names, as it is allowed to.

    Parameters
    ----------
    key : str
        The dotted key of the section, "" for a whole config.
    node : mapping or list
        The section, in plain containers.

    Raises
    ------
    ConfigError
        If one is not there, or not allowed.
    """
    if isinstance(node, Mapping) and TARGET in node:
        resolve(f"{key}.{TARGET}".lstrip("."), str(node[TARGET]))
    items = node.items() if isinstance(node, Mapping) else enumerate(node)
    for name, value in items:
        if isinstance(value, Mapping | list):
            check_targets(f"{key}.{name}".lstrip("."), value)


def _instantiate(config: DictConfig) -> Experiment:
    try:
        built = instantiate(config, _convert_="all")
    except InstantiationException as error:
        reason = error.__cause__
        if isinstance(reason, RunnerError):
            raise reason from error
        key = str(error).rpartition("full_key: ")[2] if "full_key: " in str(error) else ""
        raise ConfigError(
            key or "The experiment",
            "be something that can be built",
            got=cause(reason or error),
            remedy="Check its arguments in the file.",
        ) from error
    if not isinstance(built, Experiment):
        raise ConfigError(
            "_target_",
            "be left as it is at the top of a file",
            got=type(built).__name__,
            remedy="Put _target_ under dataset or estimator instead.",
        )
    return built


def run(name: str, overrides: Sequence[str] = ()) -> Result:
    """Run an experiment, by its name or by the path of its file.

    It is run alone, as its file describes it, even where the file has a ``sweep``.

    Parameters
    ----------
    name : str
        A name that ``runner list`` shows, or the path of a YAML file.
    overrides : sequence of str
        What to change, as on the command line: ``["estimator.alpha=1e-3"]``.

    Returns
    -------
    Result
        The scores, the fitted model and the id of its run.

    Raises
    ------
    RunnerError
        If something a person can mend is wrong.
    """
    examined(name, overrides).refuse()
    with in_our_words():
        composed = compose(name, overrides)
    return run_experiment(*build(composed))
