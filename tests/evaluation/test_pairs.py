"""Counts of pairs of labels."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.evaluation.pairs import MAX_CONFUSION_LABELS, Pairs, positions

BLOCKS = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20),
    min_size=1,
    max_size=6,
)


@given(BLOCKS, st.sampled_from(["int64", "float32", "U2", "object"]), st.booleans())
@settings(deadline=None, max_examples=80)
def test_the_counts_are_those_of_all_rows_together(blocks, dtype, knows_classes):
    pairs = Pairs(np.array([0, 1, 2]).astype(dtype) if knows_classes else None)
    for block in blocks:
        true, predicted = np.array(block).astype(dtype).T
        pairs.add(true, predicted)
    rows = np.concatenate([np.array(block) for block in blocks]).astype(dtype)
    true, predicted, counts = pairs.arrays()
    found = dict(zip(zip(true.tolist(), predicted.tolist(), strict=True), counts, strict=True))
    assert found == Counter(map(tuple, rows.tolist()))
    confusion = pairs.confusion()
    labels = np.unique(rows)
    assert confusion.labels.tolist() == labels.tolist()
    for i, true_label in enumerate(labels.tolist()):
        for j, label in enumerate(labels.tolist()):
            assert confusion.counts[i, j] == found.get((true_label, label), 0)


def test_labels_outside_the_classes_are_told_once():
    pairs = Pairs(np.array(["a", "b"]))
    assert pairs.add(np.array(["a", "zebra"]), np.array(["a", "b"])) == ["zebra"]
    assert pairs.add(np.array(["zebra", "yak"]), np.array(["a", "b"])) == ["yak"]
    assert Pairs().add(np.array([5]), np.array([6])) == []


def test_classes_that_no_row_holds_are_told():
    pairs = Pairs(np.array(["a", "b", "c"]))
    assert pairs.unmet() == ["a", "b", "c"]
    pairs.add(np.array(["b", "z"]), np.array(["a", "c"]))
    assert pairs.unmet() == ["a", "c"]
    assert Pairs().unmet() == []


def test_numbers_and_text_are_not_confused():
    pairs = Pairs(np.array([0, 1]))
    assert pairs.add(np.array(["0", "1"]), np.array([0, 1])) == ["0", "1"]
    true, predicted, _ = pairs.arrays()
    assert (true.tolist(), predicted.tolist()) == (["0", "1"], [0, 1])
    assert pairs.confusion() is None


def test_a_table_of_too_many_labels_is_not_made():
    labels = np.arange(MAX_CONFUSION_LABELS + 1)
    pairs = Pairs()
    pairs.add(labels, labels)
    assert pairs.confusion() is None
    assert len(pairs.arrays()[2]) == len(labels)


def test_predictions_of_another_shape_are_refused():
    with pytest.raises(
        ValueError, match=r"y has shape \(2,\) and the predictions have shape \(3,\)"
    ):
        Pairs().add(np.zeros(2), np.zeros(3))


@given(st.lists(st.integers(-9, 9), min_size=1), st.lists(st.integers(-9, 9)))
def test_every_value_is_found_at_its_position(values, labels):
    values = np.array(values)
    found, widened = positions(values, np.unique(np.array(labels, dtype=int)))
    assert (widened[found] == values).all()
    assert (widened[:-1] < widened[1:]).all()
