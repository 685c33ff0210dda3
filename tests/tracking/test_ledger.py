import math
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from runner.base import Block, Place, Progress
from runner.tracking.ledger import Ledger, parquet


@pytest.fixture
def kept():
    return []


def test_a_row_per_block_in_the_order_of_learning(kept):
    ledger = Ledger(kept.append)
    progress = Progress(fit_s=5.0)
    ledger.on_fit_begin(progress, None)
    for position, (number, score) in enumerate([(2, None), (0, 0.5), (1, 0.75)]):
        place = Place(number, number * 10, number * 10 + 10)
        rows = [[0.0]] * (10 - position)
        block = Block(Rows(rows), None, None, place, epoch=1, position=position, load_s=0.25)
        progress.fit_s += 0.5 + position
        progress.scores = {} if score is None else {"accuracy": score}
        ledger.on_block_end(progress, block)
    ledger.on_fit_end(progress)
    table = pq.read_table(BytesIO(parquet(kept[0]))).to_pydict()
    scores = table.pop("progressive_accuracy")
    assert table == {
        "epoch": [1, 1, 1],
        "position": [0, 1, 2],
        "block": [2, 0, 1],
        "first_row": [20, 0, 10],
        "last_row": [29, 9, 19],
        "rows": [10, 9, 8],
        "load_ms": [250.0] * 3,
        "fit_ms": [500.0, 1500.0, 2500.0],
        "mixed": [[], [], []],
    }
    assert math.isnan(scores[0])
    assert scores[1:] == [0.5, 0.75]


class Rows(list):
    @property
    def shape(self):
        return (len(self), 1)


def test_a_mix_of_rows_keeps_the_blocks_it_is_from(kept):
    ledger = Ledger(kept.append)
    place = Place(number=7, start=20, stop=80, mixed=(2, 5, 7))
    ledger.on_block_end(Progress(), Block(Rows([[0.0]] * 10), None, None, place))
    ledger.on_fit_end(Progress())
    (row,) = pq.read_table(BytesIO(parquet(kept[0]))).to_pylist()
    assert (row["block"], row["first_row"], row["last_row"], row["rows"]) == (7, 20, 79, 10)
    assert row["mixed"] == [2, 5, 7]


def test_a_score_that_stops_is_padded(kept):
    ledger = Ledger(kept.append)
    progress = Progress(scores={"r2": 0.5})
    for position in range(2):
        block = Block(Rows([[0.0]]), None, None, Place(position, 0, 1), position=position)
        ledger.on_block_end(progress, block)
        progress.scores = {}
    ledger.on_fit_end(progress)
    scores = kept[0]["progressive_r2"].to_pylist()
    assert scores[0] == 0.5
    assert math.isnan(scores[1])


def test_a_fit_without_a_block_has_an_empty_ledger(kept):
    Ledger(kept.append).on_fit_end(Progress())
    assert kept[0].num_rows == 0
    assert pq.read_table(BytesIO(parquet(kept[0]))).num_rows == 0
