import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.base import Block, Place, Progress
from runner.errors import DatasetError
from runner.tracking.ledger import Ledger
from runner.tracking.ledger_summary import blocks_table, epochs_text, evenly


def ledger(n_blocks, epochs=1, bad=()):
    """Return the table of a fit whose blocks have 10 rows, 2 ms of loading and 5 ms of fitting."""
    kept = Ledger(lambda table: None)
    progress = Progress()
    kept.on_fit_begin(progress, None)
    for epoch in range(epochs):
        for number in range(n_blocks):
            place = Place(number, number * 10, number * 10 + 10)
            if number in bad:
                error = DatasetError("Block", "be read", got="nothing", remedy="Look.")
                kept.on_bad_block(progress, place, epoch, number, error)
                continue
            progress.fit_s += 0.00512345
            progress.scores = {"accuracy": 1 - 1 / (2 + epoch)} if epoch or number else {}
            rows = SimpleNamespace(shape=(10, 1))
            block = Block(rows, None, None, place, epoch=epoch, position=number, load_s=0.002)
            kept.on_block_end(progress, block)
    return kept.table()


def test_few_blocks_are_all_in_the_table_with_three_digits():
    table = blocks_table(ledger(3))
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["block"] for row in rows] == [0, 1, 2]
    assert [row["progressive_accuracy"] for row in rows] == [None, 0.5, 0.5]
    assert rows[2] == rows[2] | {"first_row": 20, "last_row": 29, "rows": 10, "load_ms": 2.0}
    assert rows[2]["fit_ms"] == 5.12
    assert "status" not in table["columns"]


def test_of_many_blocks_some_are_chosen_and_those_passed_over_are_told_why():
    table = blocks_table(ledger(5000, bad=(7,)))
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert 200 <= len(rows) <= 201
    assert (rows[0]["block"], rows[-1]["block"]) == (0, 4999)
    (passed_over,) = [row for row in rows if row["status"] == "bad"]
    assert passed_over["block"] == 7
    assert "must be read" in passed_over["error"]
    assert passed_over["load_ms"] is None
    json.loads(json.dumps(table, allow_nan=False))


def test_an_epoch_is_one_line():
    lines = epochs_text(ledger(4, epochs=3, bad=(2,))).splitlines()
    assert lines[0] == "| epoch | blocks | rows | load s | fit s | progressive accuracy |"
    assert lines[2:] == [
        "| 1 | 4 | 30 | 0.006 | 0.0154 | 0.5 |",
        "| 2 | 4 | 30 | 0.006 | 0.0154 | 0.667 |",
        "| 3 | 4 | 30 | 0.006 | 0.0154 | 0.75 |",
    ]


def test_many_epochs_are_told_in_fifty_lines():
    lines = epochs_text(ledger(1, epochs=300)).splitlines()
    assert len(lines) == 52
    assert lines[-1].startswith("| 300 |")


def test_a_fit_without_a_block_has_no_epochs_and_an_empty_table():
    empty = ledger(0)
    assert epochs_text(empty) == ""
    assert blocks_table(empty)["data"] == []


@given(st.integers(0, 10_000), st.integers(2, 300))
def test_even_choices_are_distinct_in_order_and_reach_from_end_to_end(count, most):
    chosen = evenly(count, most).tolist()
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, most)
    if count:
        assert (chosen[0], chosen[-1]) == (0, count - 1)


@pytest.mark.parametrize("n_blocks", [1, 200, 201])
def test_the_table_has_a_value_for_each_column(n_blocks):
    table = blocks_table(ledger(n_blocks))
    assert {len(row) for row in table["data"]} == {len(table["columns"])}
