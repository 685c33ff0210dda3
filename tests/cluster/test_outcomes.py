"""What came of a task arrives, whatever it is."""

import pickle
import threading

import numpy as np
import pytest

from runner.cluster.outcomes import Outcome
from runner.errors import ClusterError, DatasetError


def sent(outcome):
    buffers = []
    content = pickle.dumps(outcome, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(content, buffers=[bytes(each) for each in buffers])  # noqa: S301


def test_a_value_arrives_in_its_order_and_outside_of_the_pickle():
    value = np.asfortranarray(np.ones((100, 100)))
    assert len(pickle.dumps(Outcome(value), protocol=5, buffer_callback=lambda _: None)) < 2000
    came = sent(Outcome(value, worker="w", seconds=2.0))
    assert came.value.flags.f_contiguous
    assert (came.worker, came.seconds) == ("w", 2.0)


def test_an_error_arrives_with_its_notes_its_cause_and_its_lines():
    error = DatasetError("a", "b", got="c", remedy="d.")
    error.add_note("of block 3")
    with pytest.raises(DatasetError) as raised:
        raise error from KeyError("why")
    came = sent(Outcome(error=raised.value)).error
    assert (str(came), came.__notes__) == ("a must b; got c. d.", ["of block 3"])
    assert str(came.__cause__) == "'why'"
    assert came.__traceback__.tb_frame.f_code.co_filename == __file__


class LostError(Exception):
    """An error that arrives as another one."""

    def __reduce__(self):
        return int, ("no number",)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(threading.Lock()),
        Outcome(error=ValueError(threading.Lock())),
        Outcome(error=LostError()),
    ],
)
def test_what_cannot_be_sent_arrives_as_an_error(outcome):
    came = sent(outcome)
    assert came.value is None
    assert isinstance(came.error, ClusterError)


def test_its_size_is_that_of_its_arrays():
    assert Outcome(np.zeros(10_000)).__sizeof__() // 80_000 == 1
    assert Outcome(threading.Lock()).__sizeof__() == 1000
