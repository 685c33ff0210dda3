import math
import pickle
import tracemalloc
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.base import Block, Place, Progress
from runner.errors import DatasetError
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
        times = {"load_s": 0.25, "wait_s": 0.125}
        block = Block(Rows(rows), None, None, place, epoch=1, position=position, **times)
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
        "wait_ms": [125.0] * 3,
        "fit_ms": [500.0, 1500.0, 2500.0],
        "mixed": [[], [], []],
        "labels": [None] * 3,
        "content": [None] * 3,
        "status": ["learned"] * 3,
        "error": [None] * 3,
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


ERROR = DatasetError("The file a.csv", "hold numbers", got="'x'", remedy="Mend it.")


def learned(number, epoch=0, y=None, content=None, *, n_rows=10, mixed=()):
    place = Place(number, number * n_rows, (number + 1) * n_rows, mixed)
    X = np.zeros((n_rows, 1))
    return Block(X, y, None, place, epoch, number, 0.001 * number, content=content)


def told(ledger, step, progress):
    """Tell a ledger of a step: of a block, or of the number of a bad one."""
    progress.fit_s += 0.25
    if isinstance(step, int):
        ledger.on_bad_block(progress, Place(step, 0, 10), 0, step, ERROR)
        return
    progress.scores = {"r2": 0.5} if step.place.number % 2 else {}
    ledger.on_block_end(progress, step)


def test_a_bad_block_is_kept_with_the_reason(kept):
    ledger = Ledger(kept.append, counts_labels=True)
    progress = Progress(scores={"r2": 0.5})
    ledger.on_block_end(progress, learned(0, content=1, y=np.ones(10, int)))
    progress.fit_s = 0.125
    ledger.on_bad_block(progress, Place(7, 70, 80), 0, 1, ERROR)
    ledger.on_block_end(progress, learned(2, content=3, y=np.ones(10, int)))
    ledger.on_fit_end(progress)
    first, bad, last = pq.read_table(BytesIO(parquet(kept[0]))).to_pylist()
    assert math.isnan(bad.pop("load_ms"))
    assert math.isnan(bad.pop("wait_ms"))
    assert math.isnan(bad.pop("progressive_r2"))
    assert bad == {
        "epoch": 0,
        "position": 1,
        "block": 7,
        "first_row": 70,
        "last_row": 79,
        "rows": 0,
        "fit_ms": 125.0,
        "mixed": [],
        "labels": None,
        "content": None,
        "status": "bad",
        "error": "The file a.csv must hold numbers; got 'x'. Mend it.",
    }
    for row in (first, last):
        assert (row["status"], row["error"]) == ("learned", None)
        assert row["progressive_r2"] == 0.5


def test_the_reason_of_a_bad_block_holds_no_secret(kept):
    ledger = Ledger(kept.append)
    error = DatasetError("https://ann:hunter2@host/a.csv", "be there", got="none", remedy="Look.")
    ledger.on_bad_block(Progress(), Place(0, 0, 10), 0, 0, error)
    ledger.on_fit_end(Progress())
    assert kept[0]["error"].to_pylist() == [
        "https://<redacted>@host/a.csv must be there; got none. Look."
    ]
    assert b"hunter2" not in parquet(kept[0]) + pickle.dumps(ledger.state())


def test_the_labels_of_each_block_are_counted_where_that_is_asked_for(kept):
    ys = [np.repeat([1, 0], 5), None, np.repeat(["b", "ä"], [9, 1]), np.ones(10) > 0]
    for counts_labels in (True, False):
        ledger = Ledger(kept.append, counts_labels=counts_labels)
        for number, y in enumerate(ys):
            ledger.on_block_end(Progress(), learned(number, y=y))
        ledger.on_fit_end(Progress())
    counted, plain = (pq.read_table(BytesIO(parquet(table))) for table in kept)
    for table in (counted, plain):
        assert table.schema.field("labels").type == pa.map_(pa.string(), pa.int64())
    assert counted["labels"].to_pylist() == [
        [("0", 5), ("1", 5)],
        None,
        [("b", 9), ("ä", 1)],
        [("True", 10)],
    ]
    assert plain["labels"].to_pylist() == [None] * 4


def test_the_content_is_kept_in_hexadecimal_digits(kept):
    ledger = Ledger(kept.append)
    for block in (
        learned(0, content=2**64 - 1),
        learned(1, content=0),
        learned(2, content=16, n_rows=5),
        learned(1, epoch=1),
    ):
        ledger.on_block_end(Progress(), block)
    ledger.on_fit_end(Progress())
    assert kept[0]["content"].to_pylist() == ["f" * 16, "0" * 16, "0" * 14 + "10", None]


def test_the_hash_of_the_order_is_of_the_epochs_numbers_and_rows_of_what_was_learned():
    def hash_of(*steps):
        ledger, progress = Ledger(print), Progress()
        for step in steps:
            told(ledger, step, progress)
        return ledger.order_hash()

    blocks = [learned(0), learned(2), learned(1)]
    whole = hash_of(*blocks)
    assert int(whole, 16) > 0
    assert len(whole) == 32
    assert hash_of(learned(0, content=5), 7, *blocks[1:]) == whole
    others = [
        *(blocks[:2], blocks[::-1], [*blocks, learned(0)], []),
        [*blocks[:2], learned(1, epoch=1)],
        [*blocks[:2], learned(1, n_rows=9)],
    ]
    assert len({whole, *(hash_of(*other) for other in others)}) == 1 + len(others)


BLOCKS = st.builds(
    learned,
    number=st.integers(0, 5),
    epoch=st.integers(0, 1),
    y=st.none() | st.lists(st.sampled_from("abc"), min_size=4, max_size=4).map(np.array),
    content=st.none() | st.integers(0, 2**64 - 1),
    n_rows=st.just(4),
    mixed=st.lists(st.integers(0, 9), max_size=3).map(tuple),
)


@given(st.lists(BLOCKS | st.integers(0, 9), max_size=12), st.integers(0, 12))
@settings(deadline=None, max_examples=60)
def test_a_ledger_goes_on_from_its_state_as_if_nothing_had_happened(steps, stop):
    tables = []
    whole, progress = Ledger(tables.append, counts_labels=True), Progress()
    whole.on_fit_begin(progress, None)
    first, again = Ledger(print, counts_labels=True), Progress()
    first.on_fit_begin(again, None)
    for step in steps:
        told(whole, step, progress)
    for step in steps[:stop]:
        told(first, step, again)
    state = pickle.loads(pickle.dumps(first.state()))  # noqa: S301
    second = Ledger(tables.append, counts_labels=True)
    second.on_fit_begin(Progress(), None)
    second.restore(state)
    for step in steps[stop:]:
        told(second, step, again)
    for ledger in (whole, second):
        ledger.on_fit_end(progress)
    assert tables[0].schema == tables[1].schema
    assert str(tables[0].to_pylist()) == str(tables[1].to_pylist())
    assert whole.order_hash() == second.order_hash()


def test_a_state_from_before_there_was_a_column_is_gone_on_from():
    ledger, other = Ledger(print), Ledger(print)
    ledger.on_block_end(Progress(), learned(0))
    state = pickle.loads(pickle.dumps(ledger.state()))  # noqa: S301
    del state["_columns"]["wait_ms"]
    other.restore(state)
    other.on_block_end(Progress(), learned(1))
    waits = other.table()["wait_ms"].to_pylist()
    assert math.isnan(waits[0])
    assert waits[1] == 0
    assert other.table().column_names == ledger.table().column_names


def test_a_state_copies_no_column_before_it_is_pickled():
    ledger, block = Ledger(print), learned(0, content=1)
    for _ in range(10_000):
        ledger.on_block_end(Progress(), block)
    tracemalloc.start()
    state = ledger.state()
    other = Ledger(print)
    other.restore(state)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(other) == 10_000
    assert peak < 10_000 < len(pickle.dumps(state))


def test_a_table_may_be_taken_while_the_fit_goes_on():
    ledger = Ledger(print, counts_labels=True)
    for number in range(3):
        ledger.on_block_end(Progress(scores={"r2": 1.0}), learned(number, y=np.zeros(10, int)))
        assert ledger.table().num_rows == number + 1


def test_a_hundred_thousand_blocks_stay_small():
    ledger, progress = Ledger(print, counts_labels=True), Progress(scores={"accuracy": 0.5})
    block = learned(3, y=np.arange(10) % 2, content=2**63, mixed=(1, 2, 3))
    for _ in range(10_000):
        ledger.on_block_end(progress, block)
    assert len(pickle.dumps(ledger.state(), pickle.HIGHEST_PROTOCOL)) < 200 * 10_000
