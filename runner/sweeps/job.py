"""What Hydra calls with a composed config: a run of its own, or one member of a sweep."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from runner.checks import check
from runner.collecting import importing
from runner.config.checking.resolution import resolved
from runner.config.compose import Composed
from runner.config.job import build, check_targets
from runner.config.messages import in_our_words
from runner.config.signatures.signature import TARGET
from runner.config.sweep import Sweep
from runner.errors import ConfigError
from runner.experiment import Experiment, run, run_together
from runner.fit.threads import Threads
from runner.records import Outcome, Recipe
from runner.saved import Resumed
from runner.sweeps.teller import Teller
from runner.sweeps.trials import Called, entry_of, outcome_of
from runner.tracking.client import import_ahead
from runner.tracking.memory_tracker import MemoryTracker
from runner.trial import Trial, TrialAudience

MLFLOW = "runner.tracking.mlflow_tracker.MlflowTracker"


@dataclass
class Job:
    """The task of our application; other launchers send it to processes of their own.

    Parameters
    ----------
    teller : Teller
        Told how it goes.
    dry_run : bool
        Whether only to check and to tell what would be done.
    fail_fast : bool
        Whether the first member that fails ends the sweep.

    Attributes
    ----------
    parent : str or None
        The run of the sweep whose members are launched one by one.
    called : mapping of int to Called
        What these members are called, by the number of their job.
    outcomes : list of Outcome
        How the members of the sweep ended.
    verdicts : list of str
        What halving chose, and what it spared, in each group.
    """

    teller: Teller = field(default_factory=Teller)
    dry_run: bool = False
    fail_fast: bool = False
    parent: str | None = None
    called: Mapping[int, Called] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    run_id: str = ""
    url: str = ""

    def __call__(self, config: DictConfig) -> Outcome | None:
        """Do what one config asks for, in a job of Hydra's.

        Raises
        ------
        Exception
            What ended it.
        """
        with in_our_words():
            composed = Composed.from_hydra(config)
        if self.called:
            with self.teller.around():  # it may be in a process of its own
                return self.member(composed, self.called[HydraConfig.get().job.num])
        if Sweep.from_plain(composed.sweep):
            raise other_sweeper(composed)
        self.alone(composed)
        return None

    def alone(self, composed: Composed) -> None:
        """Run an experiment that belongs to no sweep.

        Raises
        ------
        RunnerError
            If something a person can mend is wrong.
        """
        self.import_ahead(composed.config)
        experiment, recipe = build(composed)
        if not self.dry_run:
            self.teller.on_result(experiment, run(experiment, recipe))
            return
        experiment.tracking.check()
        split = experiment.dataset.split()
        check(experiment, split)
        self.teller.on_dry_run(experiment, split)

    def import_ahead(self, config: DictConfig) -> None:
        """Import what a config names, and what keeps its record, before anything is built of it.

        What cannot be imported is told when it is needed.
        """
        plain, _ = resolved(config)
        with importing(is_last=True), suppress(Exception):
            check_targets("", plain)
            if plain["tracking"][TARGET] == MLFLOW and not self.dry_run:
                import_ahead(plain["tracking"].get("uri"))

    def member(self, composed: Composed, called: Called) -> Outcome:
        """Run a member of a sweep by itself.

        Raises
        ------
        Exception
            What ended it.
        """
        experiment, recipe = build(composed)
        return self.learned(experiment, recipe, called)

    def learned(
        self,
        experiment: Experiment,
        recipe: Recipe,
        called: Called,
        resumed: Resumed | None = None,
        audience: TrialAudience | None = None,
    ) -> Outcome:
        """Run a member that is built already.

        Parameters
        ----------
        experiment : Experiment
            What to do.
        recipe : Recipe
            What was asked, for the record.
        called : Called
            By what it is known.
        resumed : Resumed, optional
            The run to go on with, where it has one.
        audience : TrialAudience, optional
            What follows it while it learns.

        Raises
        ------
        Exception
            What ended it.
        """
        is_apart = isinstance(experiment.tracking, MemoryTracker)  # from that of the sweep
        parent = None if is_apart else self.parent
        trial = Trial(experiment, recipe, entry_of(called, parent, resumed))
        run_together([trial], Threads(1), audience)
        trial.record_refusal()
        outcome = outcome_of(called, trial)
        self.teller.on_member_end(outcome)
        trial.outcome()
        return outcome


def other_sweeper(composed: Composed) -> ConfigError:
    """Return what is said where another sweeper would pass over the section ``sweep``."""
    return ConfigError(
        "sweep",
        "be null with another sweeper",
        got=", ".join(sorted(Sweep.from_plain(composed.sweep).keys())),
        remedy="Leave hydra/sweeper out, or set sweep=null.",
    )
