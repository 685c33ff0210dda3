"""A sweep from Python, as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from runner.config.app import prepare
from runner.config.checking.examination import examined
from runner.config.compose import Composed, opened, selected
from runner.config.messages import in_our_words
from runner.errors import ConfigError
from runner.project import builtin
from runner.records import Outcome
from runner.sweeps.job import Job
from runner.tracking.leaderboard import ranked, scorers

if TYPE_CHECKING:
    import pandas as pd


def sweep(name: str, overrides: Sequence[str] = ()) -> "pd.DataFrame":
    """Run the members of a sweep, and return a table of them, the best first.

    Parameters
    ----------
    name : str
        A name that ``runner list`` shows, or the path of a YAML file.
    overrides : sequence of str
        What to change, as on the command line: ``["sweep.grid={estimator.alpha:[1e-3,1e-4]}"]``
        or ``["estimator.alpha=1e-3,1e-4"]``.

    Returns
    -------
    DataFrame
        A row for each member, with its number as index: ``name`` and ``status``, a column
        ``params.<key>`` for each setting that differs, ``scores.<scorer>`` for each scorer, the
        ``rows`` it learned, ``stop_reason``, ``error`` and ``run_id``. The first scorer decides
        the order; who failed comes last. In ``attrs`` are the ``run_id`` and ``url`` of the
        sweep, and what ``halving`` chose in each group.

    Raises
    ------
    RunnerError
        If there is no sweep, it cannot be composed, or no member can begin. A member that fails
        raises nothing: its row says why.

    Examples
    --------
    >>> table = sweep("quickstart", ["estimator.alpha=1e-2,1e-4", "tracking=none"])
    >>> table[["params.estimator.alpha", "scores.accuracy"]].shape
    (2, 2)
    """
    examined(name, ["-m", *overrides]).refuse()
    job = _OnlySweeps()
    prepare()
    GlobalHydra.instance().clear()
    with (
        in_our_words(),
        selected(name) as choice,
        initialize_config_dir(version_base="1.3", config_dir=str(builtin("conf"))),
    ):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None  # noqa: S101
        asked = [choice, *opened(overrides), "hydra.mode=MULTIRUN"]
        hydra.multirun("config", job, asked, with_log_configuration=False)
    return table(job)


class _OnlySweeps(Job):
    """A job that is no single run."""

    def alone(self, composed: Composed) -> None:
        """Refuse it, before anything is read.

        Raises
        ------
        ConfigError
            Always.
        """
        raise ConfigError(
            "A sweep",
            "have values to sweep over",
            got=composed.selection,
            remedy="Write sweep: {grid: {estimator.alpha: [1e-3, 1e-4]}} in the file, or use "
            "runner.run.",
        )


def table(job: Job) -> "pd.DataFrame":
    """Return how the members of a sweep ended, the best first."""
    import pandas as pd

    outcomes = ranked(job.outcomes)
    keys = list(dict.fromkeys(key for outcome in outcomes for key in outcome.params))
    names = scorers(outcomes)
    index = pd.Index([outcome.number for outcome in outcomes], name="member")
    found = pd.DataFrame([_row(outcome, keys, names) for outcome in outcomes], index=index)
    found.attrs = {"run_id": job.run_id, "url": job.url, "halving": job.verdicts}
    return found


def _row(outcome: Outcome, keys: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "status": outcome.status,
        **{f"params.{key}": outcome.params.get(key) for key in keys},
        **{f"scores.{name}": outcome.scores.get(name, float("nan")) for name in names},
        "rows": outcome.rows,
        "stop_reason": outcome.stop_reason,
        "error": outcome.error,
        "run_id": outcome.run_id,
    }
