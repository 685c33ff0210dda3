"""Named stages in front of the estimator: how they are fitted, and the one model they make."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy, deepcopy
from typing import Any

from sklearn.base import OneToOneFeatureMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from runner.base import Remark
from runner.errors import ConfigError, nearest
from runner.preprocessing.composed import Composed
from runner.preprocessing.kinds import learning_of
from runner.preprocessing.learning import BlockByBlock, Learning, Need
from runner.preprocessing.running import RunningPipeline
from runner.states import dumps, loads

ESTIMATOR = "estimator"
FIRST_PASS, RUNNING = POLICIES = ("first_pass", "running")
POLICY = "fit.preprocessing"


class Through:
    """Sends rows through stages that are fitted, one after the other."""

    def __init__(self, stages: Sequence[Any]) -> None:
        self._stages = tuple(stages)

    def __call__(self, X: Any) -> Any:
        """Return what the last stage makes of the rows."""
        for stage in self._stages:
            X = stage.transform(X)
        return X


class Pass:
    """One pass over the training blocks, which fits one stage.

    Attributes
    ----------
    name : str
        Of the stage.
    only_first : bool
        Whether the first block that is not empty is enough.
    called : str
        What learns, for messages.
    learning : Learning
        The stage and what it needs.
    """

    def __init__(self, name: str, learning: Learning) -> None:
        self.name = name
        self.only_first = learning.need is Need.FIRST_BLOCK
        self.called = f"{type(learning.stage).__name__} ({learning.key})"
        self.learning = learning

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> None:
        """Learn from one more block; as in a Pipeline, only the estimator heeds the weights."""
        self.learning.learn(X, y)

    def finish(self) -> None:
        """Make the stage able to transform, after the last block."""
        self.learning.finish()


class Stages:
    """The stages of an experiment, fitted in place.

    Those in front of the first running stage are fitted by passes over the training blocks, one
    after the other, and then stay as they are. From the first running stage on they learn along
    with the estimator.

    Parameters
    ----------
    stages : mapping of str to transformer
        In order.
    policy : {"first_pass", "running"} or mapping of str to one of these
        Whether a stage that can learn block by block does so in a pass before the first epoch or
        along with the estimator; for all that can, or by name.

    Raises
    ------
    ConfigError
        If one is no transformer or is called as the estimator is, a policy is unknown or does not
        suit its stage, or a stage would have to be fixed behind a running one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import MinMaxScaler, Normalizer
    >>> stages = Stages({"scaler": MinMaxScaler(), "norm": Normalizer()})
    >>> for due in stages.passes():
    ...     for block in (np.array([[0.0, 0.0]]), np.array([[2.0, 4.0]])):
    ...         due.partial_fit(block)
    ...     due.finish()
    >>> stages.transform(np.array([[0.0, 1.0]]))
    array([[0., 1.]])
    """

    def __init__(
        self, stages: Mapping[str, Any], policy: str | Mapping[str, str] = FIRST_PASS
    ) -> None:
        if ESTIMATOR in stages:
            raise ConfigError(
                f"preprocessing.{ESTIMATOR}",
                "have another name, because the last stage of the model is called so",
                got=type(stages[ESTIMATOR]).__name__,
                remedy="Rename the stage.",
            )
        learnings = {
            name: learning_of(f"preprocessing.{name}", stage) for name, stage in stages.items()
        }
        names = list(learnings)
        running = _running(learnings, policy)
        first = min(map(names.index, running), default=len(names))
        self._in_front = {name: learnings[name] for name in names[:first]}
        self._running = {name: learnings[name] for name in names[first:]}
        _check_behind(self._running, running)
        needs = [learning.need is not Need.NOTHING for learning in self._in_front.values()]
        self._n_fixed = needs.index(True) if any(needs) else len(needs)

    @property
    def named(self) -> dict[str, Any]:
        """The transformers, by name."""
        learnings = {**self._in_front, **self._running}
        return {name: learning.stage for name, learning in learnings.items()}

    def twin(self) -> "Stages":
        """Return stages for another estimator: the fixed ones are these, running ones copies."""
        twin = copy(self)
        twin._running = deepcopy(self._running)  # noqa: SLF001
        return twin

    @property
    def n_passes(self) -> int:
        """How many passes over all training blocks are made before the first epoch."""
        needs = [learning.need for learning in self._in_front.values()]
        return needs.count(Need.EVERY_BLOCK)

    def remarks(self) -> Iterator[Remark]:
        """Yield what a person should know: which stages see the rows of the first block only."""
        for learning in (*self._in_front.values(), *self._running.values()):
            for key in learning.first_block_only:
                yield Remark(
                    "first-block-only",
                    f"{key} cannot learn block by block: it is fitted on the first training "
                    "block, and what it learns from these rows is used for all.",
                )

    def name_columns(self, feature_names: tuple[str, ...] | None, is_frame: bool) -> None:
        """Turn the names of columns into positions, where a stage gets arrays.

        Parameters
        ----------
        feature_names : tuple of str or None
            The columns of the dataset; names hold behind stages that keep the columns, too.
        is_frame : bool
            Whether the blocks are pandas DataFrames.

        Raises
        ------
        ConfigError
            If a stage names a column that is not there.
        """
        names = feature_names
        for learning in (*self._in_front.values(), *self._running.values()):
            learning.name_columns(names, is_frame=is_frame)
            names = names if isinstance(learning.stage, OneToOneFeatureMixin) else None
            is_frame = is_frame and isinstance(learning.stage, FunctionTransformer)

    def passes(self) -> Iterator[Pass]:
        """Yield the passes to be made before the first epoch, each to be finished before the next.

        While one is due, ``transform`` goes through the stages in front of it.
        """
        for position, (name, learning) in enumerate(self._in_front.items()):
            self._n_fixed = position
            if learning.need is not Need.NOTHING:
                due = Pass(name, learning)
                yield due
                self._in_front[name] = due.learning  # another one, if it was set back on the way
        self._n_fixed = len(self._in_front)

    def state(self) -> bytes:
        """Return what the stages in front have learned, for ``restore``.

        Raises
        ------
        Exception
            If one of them cannot be pickled.
        """
        return dumps(None, self._in_front)

    def restore(self, content: bytes) -> None:
        """Let the stages in front be those of a state, which no pass needs to fit again."""
        self._in_front = loads(None, content)
        self._n_fixed = len(self._in_front)

    @property
    def transform(self) -> Callable[[Any], Any] | None:
        """What sends rows through the stages that are fixed by now; None when there is none.

        It changes nothing in them, so several threads may use it at once.
        """
        fixed = [learning.stage for learning in self._in_front.values()][: self._n_fixed]
        return Through(fixed) if fixed else None

    def learner(self, estimator: Any) -> Any:
        """Return what learns in the epochs: the estimator, behind the running stages if any."""
        if not self._running:
            return estimator
        return RunningPipeline([*_steps(self._running), (ESTIMATOR, estimator)])

    def model(self, learner: Any) -> Any:
        """Return one model that predicts from raw rows: the learner, behind the fixed stages.

        It is the learner itself where there are no stages, else a scikit-learn Pipeline.
        """
        is_running = isinstance(learner, RunningPipeline)
        behind = learner.steps if is_running else [*_steps(self._running), (ESTIMATOR, learner)]
        if not self._in_front and not self._running:
            return learner
        return Pipeline([*_steps(self._in_front), *behind])


def _steps(learnings: Mapping[str, Learning]) -> list[tuple[str, Any]]:
    return [(name, learning.stage) for name, learning in learnings.items()]


def _running(learnings: Mapping[str, Learning], policy: str | Mapping[str, str]) -> list[str]:
    """Return the names of the stages that go on learning."""
    able = [name for name, learning in learnings.items() if isinstance(learning, BlockByBlock)]
    by_name = policy if isinstance(policy, Mapping) else dict.fromkeys(able, policy)
    for name in by_name:
        if name not in learnings:
            raise ConfigError(
                f"{POLICY}.{name}",
                "be the name of a stage",
                got=repr(name),
                remedy=nearest(name, learnings),
            )
    for each in by_name.values() if isinstance(policy, Mapping) else [policy]:
        if each not in POLICIES:
            raise ConfigError(
                POLICY,
                f"be {' or '.join(POLICIES)}, or one of these for a stage's name",
                got=repr(each),
                remedy=nearest(str(each), POLICIES),
            )
    running = [name for name, each in by_name.items() if each == RUNNING]
    for name in running:
        if name not in able:
            raise _unable(f"{POLICY}.{name}", [learnings[name]])
    if policy == RUNNING and not running:
        raise _unable(POLICY, list(learnings.values()))
    return running


def _unable(key: str, learnings: list[Learning]) -> ConfigError:
    names = [type(learning.stage).__name__ for learning in learnings]
    composed = [type(each.stage).__name__ for each in learnings if isinstance(each, Composed)]
    remedy = "Leave it out, or choose another stage, such as StandardScaler."
    if composed:
        remedy = f"Leave it out: a {composed[0]} learns in passes only, whatever its parts are."
    return ConfigError(
        key,
        "be running only for stages that learn block by block, with a partial_fit of their own",
        got=", ".join(names) or "no stage",
        remedy=remedy,
    )


def _check_behind(behind: Mapping[str, Learning], running: list[str]) -> None:
    for name, learning in behind.items():
        if name not in running and learning.need is Need.EVERY_BLOCK:
            raise ConfigError(
                f"preprocessing.{name}",
                f"come before {next(iter(behind))}, which is running: what a running stage makes "
                "of a block changes as it learns, so no pass can fit a stage behind it",
                got=f"{type(learning.stage).__name__} behind it",
                remedy=f"Move it to the front, or see whether {POLICY}.{name}=running can be.",
            )
