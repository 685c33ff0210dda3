import math

import pytest

from runner.reproduction.comparison import DIFFERS, IDENTICAL, UNKNOWN, aspects
from tests.reproduction.conftest import ledger


def compared(then, now):
    return {aspect.name: aspect for aspect in aspects(then, now)}


def test_a_run_is_identical_to_itself(make):
    found = compared(make(), make())
    assert list(found) == ["data", "order", "scores", "model"]
    assert {aspect.verdict for aspect in found.values()} == {IDENTICAL}
    assert found["data"].told == "c1"
    assert found["scores"].told == "accuracy 0.5, roc_auc nan"


@pytest.mark.parametrize(
    ("changes", "name", "told"),
    [
        (
            {"tags": {"runner.content.train": "x"}, "ledger": ledger(content=[7, 5, 0])},
            "data",
            "block 1 (rows 25 to 49) has another content",
        ),
        (
            {"tags": {"runner.content.train": "x"}, "ledger": ledger(last_row=[74, 29, 49])},
            "data",
            "the blocks are cut otherwise: block 0 (rows 0 to 24) then, "
            "block 0 (rows 0 to 29) now",
        ),
        (
            {"tags": {"runner.content.train": "x"}, "ledger": ledger(block=[3, 0, 1])},
            "data",
            "block 2 (rows 50 to 74) is learned no more",
        ),
        (
            {"tags": {"runner.content.holdout": "x"}},
            "data",
            "in the part holdout",
        ),
        ({"tags": {"runner.content.train": "x"}}, "data", "in the part train"),
        ({"tags": {"runner.content.all": "x"}}, "data", "in the part all"),
        (
            {"tags": {f"runner.content.{part}": "x" for part in ("all", "holdout", "train")}},
            "data",
            "in the part holdout and the part train",
        ),
        (
            {"ledger": ledger(block=[2, 1, 0])},
            "order",
            "from epoch 0, position 1 on: block 0 (rows 0 to 24) then, block 1 (rows 0 to 24) now",
        ),
        ({"ledger": ledger().slice(0, 2)}, "order", "3 blocks were learned then, 2 now"),
        ({"tags": {"runner.order_hash": "x"}}, "order", "within the blocks"),
        ({"scores": {"accuracy": 0.25}}, "scores", "accuracy 0.5 then, 0.25 now"),
        ({"scores": {"roc_auc": 0.25}}, "scores", "roc_auc nan then, 0.25 now"),
        ({"scores": {"f1": 1.0}}, "scores", "f1 none then, 1.0 now"),
        (
            {"curves": {"train/progressive_accuracy": [(50, 0.25), (75, 0.75)]}},
            "scores",
            "train/progressive_accuracy from row 75 on: 0.5 then, 0.75 now",
        ),
        ({"tags": {"runner.model_hash": "x"}}, "model", "m0 then, x now"),
    ],
)
def test_what_differs_is_named_and_nothing_else(make, changes, name, told):
    found = compared(make(), make(**changes))
    assert (found[name].verdict, found[name].told) == (DIFFERS, told)
    if name != "data":
        assert [each.name for each in found.values() if each.verdict == DIFFERS] == [name]


def test_the_smallest_difference_of_a_score_is_one(make):
    now = make(scores={"accuracy": math.nextafter(0.5, 1)})
    assert compared(make(), now)["scores"].verdict == DIFFERS


@pytest.mark.parametrize(
    ("tag", "name"), [("runner.content.train", "data"), ("runner.model_hash", "model")]
)
def test_what_the_record_does_not_keep_is_not_called_identical(make, tag, name):
    found = compared(make(without=(tag,)), make())[name]
    assert found.verdict == UNKNOWN
    assert found.told.startswith("the recorded run keeps no hash")
    assert compared(make(), make(without=(tag,)))[name].told.startswith("the new run")


def test_without_a_ledger_the_order_is_unknown(make):
    found = compared(make(ledger=None), make())["order"]
    assert (found.verdict, found.told) == (UNKNOWN, "the recorded run keeps no ledger")


def test_runs_without_scores_have_the_same_ones(make):
    then = make(curves={})
    then.run.scores.clear()
    assert compared(then, then)["scores"].told == "none"


def test_mixed_rows_are_compared_by_the_blocks_they_come_from(make):
    mixed = {"content": [None, None, None], "mixed": [[0, 2], [0, 2], [1]]}
    then = make(ledger=ledger(**mixed))
    now = make(ledger=ledger(**{**mixed, "mixed": [[0, 2], [1, 2], [1]]}))
    found = compared(then, now)
    assert found["data"].verdict == IDENTICAL
    assert "a mix of blocks 0 and 2" in found["order"].told
    assert "a mix of blocks 1 and 2" in found["order"].told
