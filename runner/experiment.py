"""The main path: one experiment, from its data to its record."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from runner.base import Block, Callback, Part, Split
from runner.cluster.cluster import Cluster
from runner.cluster.none import NoCluster
from runner.contents import Contents
from runner.dataset.dataset import Dataset
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.fit.held_out import Measure
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.interruption import CTRL_C, Interruption
from runner.fit.loop import Audience, Each, Fits, first_position, fit_loop, measure
from runner.fit.options import FitOptions
from runner.fit.threads import Threads
from runner.joining import Shared
from runner.kinds import make_tuples
from runner.one_core import one_core
from runner.preparation import counting, fit_stages, read_by, reading_from
from runner.preprocessing.stages import Stages
from runner.protocols import Tracker
from runner.records import Recipe
from runner.rules import boolean, integer, text
from runner.rules import check as check_rules
from runner.saved import surroundings_of
from runner.seeds import seed_estimator
from runner.steps import told
from runner.stream.stream import Stream
from runner.trial import Result, Trial, TrialAudience

MOST_NAME = 120  # it is part of file names in the store
KINDS: dict[str, type] = {
    "dataset": Dataset,
    "stream": Stream,
    "fit": FitOptions,
    "evaluation": Evaluation,
    "preprocessing": Mapping,
    "partial_fit": Mapping,
    "callbacks": Mapping,
    "cluster": Cluster,
}


@dataclass(kw_only=True)
class Experiment:
    """Everything one YAML file decides; the fields are its nouns.

    Parameters
    ----------
    name : str
        What the run is called.
    dataset : Dataset
        Where X and y come from, in which blocks, and what is held out.
    estimator : object with ``partial_fit``
        What learns, in place.
    tracking : Tracker
        What keeps the record.
    stream, fit, evaluation : Stream, FitOptions, Evaluation
        How blocks reach the estimator, for how long it learns, how it is scored.
    preprocessing : mapping of str to transformer
        Stages before the estimator, in order: stateless, or fitted on the training blocks.
    partial_fit : mapping
        Keyword arguments of every ``partial_fit`` call, such as ``classes``: a list, or "infer".
    callbacks : mapping of str to Callback
        Told how the fit goes.
    cluster : Cluster
        What reads and scores blocks, and runs the members of a sweep; this process by default.
    seed : int
        From which every random choice follows. It is also the ``random_state`` of the estimator
        wherever that is None.
    strict : bool
        Whether a remark on the settings or the data is an error.
    """

    name: Annotated[str, text(MOST_NAME)]
    dataset: Dataset
    estimator: Any
    tracking: Tracker
    stream: Stream = field(default_factory=Stream)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    partial_fit: Mapping[str, Any] = field(default_factory=dict)
    fit: FitOptions = field(default_factory=FitOptions)
    evaluation: Evaluation = field(default_factory=Evaluation)
    callbacks: Mapping[str, Callback] = field(default_factory=dict)
    cluster: Cluster = field(default_factory=NoCluster)
    seed: Annotated[int, integer(0)] = 0
    strict: Annotated[bool, boolean()] = False

    def __post_init__(self) -> None:
        """Refuse parts of another kind, and leave no random state to chance."""
        for noun, kind in KINDS.items():
            _require(noun, getattr(self, noun), kind)
        for name, callback in self.callbacks.items():
            _require(f"callbacks.{name}", callback, Callback)
        check_rules("", self)
        for learner in (self.estimator, *self.preprocessing.values()):
            make_tuples(learner)
        self.stages()
        for learner in (self.estimator, *self.preprocessing.values()):
            seed_estimator(learner, self.seed)

    def stages(self) -> Stages:
        """Return the stages before the estimator, with the policies of ``fit.preprocessing``."""
        return Stages(self.preprocessing, self.fit.preprocessing)


def run(experiment: Experiment, recipe: Recipe) -> Result:
    """Fit block by block, evaluate on the held-out blocks, log it all to one run.

    Parameters
    ----------
    experiment : Experiment
        What to do.
    recipe : Recipe
        What was asked, for the record.

    Raises
    ------
    RunnerError
        If something a person can mend is wrong. From the first block on the run exists, and says
        FAILED and why.
    """
    trial = Trial(experiment, recipe)
    run_together([trial], Threads(1))
    return trial.outcome()


def run_together(
    trials: Sequence[Trial],
    each: Each,
    audience: TrialAudience | None = None,
    split: Split | None = None,
) -> None:
    """Let several experiments learn from the same blocks, each as if it were alone.

    They have the dataset, the stream, the preprocessing and the seed of the first, so that what
    is read, and what is fitted in passes before, is so once for all. One that fails does not stop
    the others; each knows its result or its error.

    Parameters
    ----------
    trials : sequence of Trial
        Not begun yet.
    each : callable
        How something is done to each of several fits; it keeps an error as that of its fit.
    audience : TrialAudience, optional
        What follows all of them.
    split : Split, optional
        That of their dataset, where it is known.
    """
    lead, audience = trials[0].experiment, audience or TrialAudience()
    with _ended(trials), one_core():
        for trial in trials:
            trial.check_record()
        if not _open(trials):
            return
        split, files = split or lead.dataset.split(), lead.dataset.fingerprint()
        surroundings = surroundings_of(split, files)
        for trial in _open(trials):
            trial.open(split, surroundings)
        if not _open(trials):
            return
        with lead.cluster.open() as workers:
            if workers is not None:
                workers.check_files(files)
            learners = [trial.experiment.estimator for trial in _open(trials)]
            stream = read_by(workers, lead.stream, lead.stages(), learners)
            _learn(trials, stream, each, audience, split)


def _learn(
    trials: Sequence[Trial], stream: Stream, each: Each, audience: TrialAudience, split: Split
) -> None:
    """Fit the stages, then all that are open, and end each as soon as it gets no further block."""
    lead = trials[0].experiment
    skips = any(trial.experiment.fit.skips for trial in _open(trials))
    saved = next((trial.saved.stages for trial in _open(trials) if trial.saved), None)
    stages = lead.stages()
    fit_stages(stages, split.train, stream, lead.fit, saved)
    blocks = stream.source(split.train, stages.transform, hashed=True, tolerant=skips)
    fits: list[IncrementalFit] = []
    read = reading_from(stream, blocks, fits)
    read_again = reading_from(stream.unhurried(), blocks, fits)
    count = counting(split.train, stream, tolerant=skips)
    shared = Shared(split, count, read_again, Contents(stream), len(_open(trials)))
    for trial in _open(trials):
        trial.prepare(stages.twin(), shared)
    learning = _open(trials)
    fits += [trial.fit for trial in learning]
    audience.on_begin(learning, split, stages)
    with Interruption() as interruption:
        ending = _Ending(learning, split, each, audience, interruption)
        fit_loop(fits, lambda epoch: read(epoch, first_position(fits, epoch)), each, ending)
    for trial in trials:
        if isinstance(trial.error, KeyboardInterrupt):
            raise trial.error


class _Ending(Audience):
    """Scores, records and closes each trial as soon as it gets no further block."""

    def __init__(
        self,
        trials: Sequence[Trial],
        split: Split,
        each: Each,
        audience: TrialAudience,
        interruption: Interruption,
    ) -> None:
        self._trials = {id(trial.fit): trial for trial in trials}
        self._split = split
        self._each = each
        self._audience = audience
        self._interruption = interruption

    def on_block_end(self, fits: Fits, block: Block) -> None:
        """Pass it on."""
        self._audience.on_block_end(fits, block)

    def between_blocks(self, fits: Fits) -> None:
        """Pass it on, and stop them all, with their states kept, if a person asked for it."""
        self._audience.between_blocks(fits)
        if self._interruption.is_asked:
            for fit in fits:
                fit.interrupt(CTRL_C)

    def on_end(self, fits: Fits, *, others_go_on: bool) -> None:
        """Evaluate what learned on the held-out rows, which are read once for all of them."""
        self._interruption.is_learning = others_go_on
        learned, holdout = [fit for fit in fits if not fit.failed], self._split.holdout
        trials = [self._trials[id(fit)] for fit in fits]
        if learned and holdout is not None:
            measures = [_measuring(self._trials[id(fit)], holdout) for fit in learned]
            read = trials[0].reading(
                holdout,
                ahead=not others_go_on,
                tolerant=any(trial.experiment.fit.skips for trial in trials),
            )
            rows = holdout.n_rows
            measure(
                learned,
                measures,
                lambda then=None: told("evaluate", read(then), rows),
                self._each,
            )
        for fit, trial in zip(fits, trials, strict=True):
            trial.finish(is_learned=fit in learned)
        self._audience.on_end(fits, others_go_on=others_go_on)


def _measuring(trial: Trial, holdout: Part) -> Measure:
    """Return what begins the final measurement; that of a run alone keeps rows for pictures."""
    pictures_of = holdout.n_rows if trial.entry.parent is None else 0
    return partial(trial.experiment.evaluation.measure, pictures_of=pictures_of)


@contextmanager
def _ended(trials: Sequence[Trial]) -> Iterator[None]:
    """Let what ends them all be the error of each, and no run be left open."""
    try:
        yield
    except BaseException as error:
        for trial in _open(trials):
            trial.end(error)
        if not isinstance(error, Exception | SystemExit):
            raise


def _open(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if not trial.is_over]


def _require(key: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ConfigError(
            key,
            f"be a {kind.__name__}",
            got=type(value).__name__,
            remedy="Choose one of its options; `runner list` shows them.",
        )
