"""What is known of rows that are in the memory of another process."""

import pickle
import time
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from runner.base import Block, Place
from runner.elsewhere import about, label_counts, n_bytes, standing_for
from runner.errors import DatasetError

PLACE = Place(number=3, start=75, stop=100)


def block_of(y):
    return Block(np.ones((25, 2)), y, None, PLACE)


class Here:
    """Holds a block in this process."""

    def __init__(self, block):
        self.block = block
        self.about = about(block)

    def ask(self, function, *arguments):
        return function(self.block, *arguments)


def test_all_is_told_of_a_block_but_its_rows():
    error = DatasetError("a", "be b", got="c", remedy="D.")
    told = {"epoch": 2, "position": 7, "load_s": 0.5, "content": 2**63, "error": error}
    numbers, y = np.arange(25), np.ones(25)
    block = about(Block(np.ones((25, 2)), y, y, PLACE, rows=numbers, **told))
    assert (block.X.shape, block.n_rows, block.place) == ((25, 2), 25, PLACE)
    assert {name: getattr(block, name) for name in told} == told
    assert [block.y, block.sample_weight, block.rows] == [None] * 3


def test_what_is_told_is_small_however_large_the_block_is():
    block = Block(np.ones((10**6, 2)), np.arange(10**6) % 2, None, Place(0, 0, 10**6))
    assert len(pickle.dumps(about(block))) < 1000


@pytest.mark.parametrize("use", [np.asarray, len, np.sum, lambda X: X[0], lambda X: X @ X])
def test_what_takes_such_rows_for_an_array_fails(use):
    with pytest.raises(TypeError):
        use(about(block_of(np.ones(25))).X)


def test_what_is_asked_is_answered_where_the_rows_are():
    block = standing_for(Here(block_of(np.arange(25) % 2)))
    assert block.X.ask(lambda block, power: float(np.sum(block.X * 2) ** power), 2) == 10_000
    assert label_counts(block) == {"0": 13, "1": 12}


def test_one_question_is_asked_at_a_time():
    asking, answers = [], []

    def ask(block):
        asking.append(block)
        n_asking = len(asking)
        time.sleep(0.001)
        asking.pop()
        return n_asking

    block = standing_for(Here(block_of(None)))
    threads = [Thread(target=lambda: answers.append(block.X.ask(ask))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 4


@pytest.mark.parametrize(
    ("y", "counts"),
    [
        (np.array([3, -1, 3], "i1"), {"-1": 1, "3": 2}),
        (np.array([2**63], "u8"), {str(2**63): 1}),
        (np.array([True, False, True]), {"False": 1, "True": 2}),
        (np.array(["b", "a", "b"], object), {"a": 1, "b": 2}),
        (np.array([1, "1", 0], object), {"0": 1, "1": 2}),
        (np.arange(100) % 100, {str(i): 1 for i in range(100)}),
        (np.arange(101), None),
        (np.arange(101).astype(str), None),
        (np.array([0.0, 1.0]), None),
        (np.array(["a", float("nan")], object), None),
        (np.array([["a"], ["b"]]), None),
        (np.array([["a"], None], object), None),
        (np.array([[1, 2]]), None),
        (None, None),
    ],
)
def test_labels_are_integers_booleans_or_text_and_not_too_many(y, counts):
    assert label_counts(block_of(y)) == counts
    assert label_counts(about(block_of(y))) == counts


@pytest.mark.parametrize(
    "rows",
    [
        np.ones((1000, 10)),
        np.asfortranarray(np.ones((1000, 10))),
        np.ones((2000, 10))[::2],
        pd.DataFrame(np.ones((1000, 10))),
        sparse.csr_array(np.ones((1000, 7))),
    ],
    ids=["rows", "columns", "every second", "table", "sparse"],
)
def test_the_bytes_to_send_are_those_of_the_numbers(rows):
    # Each number of sparse rows takes 12 bytes, and each row 4.
    expected = 1000 * (7 * 12 + 4) if sparse.issparse(rows) else 1000 * 10 * 8
    assert n_bytes(rows) == pytest.approx(expected, abs=1500)


def test_text_counts_with_its_letters():
    lines = np.array([f"{i:0100}" for i in range(1000)], object)
    assert 100_000 < n_bytes(lines) < 110_000
