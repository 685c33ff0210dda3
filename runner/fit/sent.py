"""A step that is made where the block is: the estimator goes there, and what it learned back."""

import pickle
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import sklearn

from runner.base import Block, Remark
from runner.elsewhere import Elsewhere, n_bytes
from runner.errors import ConfigError, RunnerError, cause
from runner.fit.calls import learn_here
from runner.fit.step import Learned, Step, protected
from runner.states import dumps, loads, set_state, state_of

MOST = 0.02  # of a block; it goes there and back, while nothing is learned
LEAST = 1_000_000  # bytes, below which a message takes about as long however short it is


@dataclass
class Sent:
    """What goes to a block.

    Attributes
    ----------
    step : Step
        With the estimator.
    settings : dict
        Those of scikit-learn.
    is_tested : bool
        Whether the block is scored before it is learned.
    """

    step: Step
    settings: dict[str, Any]
    is_tested: bool


class Looked(NamedTuple):
    """What an inspection found, and how far it is."""

    remarks: list[Remark]
    state: Any


class Back(NamedTuple):
    """What comes back: the state that was learned, pickled, and all that was found out."""

    state: bytes
    learned: Learned
    scores: Any
    looked: Looked
    of_block: int | None


class NotLearned(Exception):  # noqa: N818  (the error is its cause)
    """Brings back what was looked at, where the block could not be learned."""

    def __init__(self, looked: Looked) -> None:
        super().__init__(looked)
        self.looked = looked


def learn_there(
    step: Step, block: Block, begin: Callable[[], object], *, is_tested: bool
) -> Learned:
    """Let the estimator of a step learn a block whose rows are elsewhere, as the step does here.

    It goes there as a copy, and is given the state that was learned, so a step that fails, or is
    made again because a worker was lost, leaves no trace.

    Parameters
    ----------
    step : Step
    block : Block
        Its X is an ``Elsewhere``.
    begin : callable
        Called when the estimator is about to change.
    is_tested : bool
        As the step has it.

    Raises
    ------
    DatasetError, FitError, ConfigError
        As the step does, with the same text.
    ConfigError
        Also if the estimator cannot be sent.
    ClusterError
        If the cluster is lost.
    """
    rows: Elsewhere = block.X
    is_first = step.inspect is not None and step.inspect.is_first
    back = _asked(rows, step, Sent(_to_go(step), sklearn.get_config(), is_tested))
    if isinstance(back, NotLearned):
        _tell(step, back.looked)
        assert back.__cause__ is not None, "it is raised from what refused the block"  # noqa: S101
        raise back.__cause__
    _tell(step, back.looked)
    if is_first and step.inspect is not None and back.of_block is not None:
        remark = heavy(step.estimator, len(back.state), back.of_block)
        if remark is not None:
            step.inspect.tell(remark)
    state = loads(step.estimator, back.state, is_own=True)
    begin()
    set_state(step.estimator, state)
    if step.score is not None:
        step.score.restore(back.scores)
    return back.learned


def learn_here_for(block: Block, sent: Sent) -> Back:
    """Learn a block in the process that holds it, for another one.

    Raises
    ------
    NotLearned
        From what refused the block.
    """
    step, remarks = sent.step, list[Remark]()
    is_first = False
    if step.inspect is not None:
        is_first, step.inspect.tell = step.inspect.is_first, remarks.append
    try:
        with sklearn.config_context(**sent.settings):
            learned = step(protected(block), _nothing, is_tested=sent.is_tested)
        state = _state(step.estimator)
    except Exception as error:  # noqa: BLE001  (sent back as it is)
        raise NotLearned(_looked(step, remarks)) from _that_arrives(error)
    scores = None if step.score is None else step.score.state()
    of_block = n_bytes((block.X, block.y, block.sample_weight)) if is_first else None
    return Back(state, learned, scores, _looked(step, remarks), of_block)


def heavy(estimator: Any, of_state: int, of_block: int) -> Remark | None:
    """Say of an estimator that it takes long to be sent, beside a block of so many bytes.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> heavy(MLPClassifier(), 2_000_000, 200_000_000)
    >>> print(heavy(MLPClassifier(), 2_000_000, 8_000_000).text)
    MLPClassifier, of 2.0 MB, is 25% of a block of 8.0 MB, goes to each block and back, and \
learns nothing meanwhile; blocks are sent to it while it learns. Set cluster.placement=client.
    """
    if of_state <= max(LEAST, MOST * of_block):
        return None
    return Remark(
        "heavy-estimator",
        f"{type(estimator).__name__}, of {of_state / 1e6:.1f} MB, is "
        f"{of_state / max(of_block, 1):.0%} of a block of {of_block / 1e6:.1f} MB, goes to each "
        "block and back, and learns nothing meanwhile; blocks are sent to it while it learns. Set "
        "cluster.placement=client.",
    )


def _to_go(step: Step) -> Step:
    inspect = step.inspect
    if inspect is not None:
        inspect = copy(inspect)
        inspect.tell = _nothing
    return replace(step, inspect=inspect, learn_by=learn_here)


def _asked(rows: Elsewhere, step: Step, sent: Sent) -> Back | NotLearned:
    try:
        back: Back = rows.ask(learn_here_for, sent)
    except NotLearned as refused:
        return refused
    except RunnerError:
        raise
    except Exception as error:
        raise _unsendable(step.estimator, error) from error
    return back


def _state(estimator: Any) -> bytes:
    try:
        return dumps(estimator, state_of(estimator))
    except Exception as error:
        raise _unsendable(estimator, error) from error


def _that_arrives(error: Exception) -> Exception:
    """Cut off a cause that would not arrive; what it says is part of the error."""
    each: BaseException | None = error
    while each is not None:
        each.__context__ = None  # Dask sends it along, and it is mostly the cause
        if each.__cause__ is not None and not _arrives(each.__cause__):
            each.__cause__ = None
        each = each.__cause__
    return error


def _arrives(error: BaseException) -> bool:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  (of this process)
    except Exception:  # noqa: BLE001  (anybody's exception)
        return False
    return True


def _unsendable(estimator: Any, error: Exception) -> ConfigError:
    return ConfigError(
        "cluster.placement",
        f"be client where {type(estimator).__name__} cannot be sent to another process",
        got=f"data, and {cause(error)}",
        remedy="Leave it out, or see that its classes can be imported on the workers.",
    )


def _looked(step: Step, remarks: list[Remark]) -> Looked:
    return Looked(remarks, None if step.inspect is None else step.inspect.state())


def _tell(step: Step, looked: Looked) -> None:
    if step.inspect is not None:
        step.inspect.restore(looked.state)
        for remark in looked.remarks:
            step.inspect.tell(remark)


def _nothing(*_: Any) -> None:
    """Do nothing."""
