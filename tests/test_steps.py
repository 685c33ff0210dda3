"""The long steps of a run are told to who listens, and to nobody else."""

import weakref

import numpy as np
import pytest

from runner.base import Block, Place, Progress
from runner.steps import Step, Steps, listener, listening, told


class Noted(Steps):
    """Keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def begin(self, name, progress, **asked):
        heard = self.heard
        heard.append((name, "begins", progress.total_rows))

        class Heard(Step):
            def move(self, progress):
                heard.append((name, progress.rows, progress.blocks))

            def end(self, progress):
                heard.append((name, "ends", progress.rows))

        return Heard(name, progress)


def blocks(n=2, closed=None):
    try:
        for i in range(n):
            yield Block(np.zeros((5, 1)), None, None, Place(i, 5 * i, 5 * i + 5))
    finally:
        if closed is not None:
            closed.append(True)


def test_each_block_is_told_once_it_is_done_with():
    with listening(Noted()) as steps:
        for block in told("labels", blocks(), 10):
            assert block.n_rows == 5
    assert steps.heard == [
        ("labels", "begins", 10),
        ("labels", 5, 1),
        ("labels", 10, 2),
        ("labels", "ends", 10),
    ]
    assert steps.took["labels"].rows == 10


def test_a_step_ends_however_it_does():
    closed = []
    with listening(Noted()) as steps:
        stream = told("labels", blocks(closed=closed))
        next(stream)
        stream.close()
        with pytest.raises(ZeroDivisionError):
            for _ in told("fit", (1 / 0 for _ in range(1))):
                pass
    assert [heard[1] for heard in steps.heard] == ["begins", "ends", "begins", "ends"]
    assert closed == [True]


def test_no_block_is_held_while_the_next_is_read():
    alive = []

    def watched():
        for i in range(3):
            assert not [ref for ref in alive if ref() is not None]
            block = Block(np.zeros((5, 1)), None, None, Place(i, 0, 5))
            alive.append(weakref.ref(block))
            yield block
            del block

    stream = told("fit", watched())
    for block in stream:
        assert block.n_rows
        del block
    assert len(alive) == 3


def test_without_a_listener_nobody_is_told(capsys):
    assert listener() is None
    assert len(list(told("labels", blocks()))) == 2
    assert capsys.readouterr() == ("", "")


def test_the_innermost_listener_is_told_and_the_outer_one_again_afterwards():
    with listening(Steps()) as outer:
        with listening(Steps()) as inner:
            list(told("labels", blocks()))
        assert listener() is outer
    assert (set(inner.took), set(outer.took)) == ({"labels"}, set())


def test_what_steps_of_one_name_took_is_added_up():
    steps = Steps()
    for rows in (5, 10):
        progress = Progress()
        step = steps.begin("holdout", progress)
        progress.rows = rows
        steps.end(step, progress)
    assert steps.took["holdout"].rows == 15
    assert 0 <= steps.took["holdout"].seconds <= steps.elapsed_s
