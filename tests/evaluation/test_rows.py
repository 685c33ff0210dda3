"""Rows without their features."""

import numpy as np

from runner.evaluation.rows import Rows


def test_targets_weights_and_answers_are_joined_in_order():
    rows = Rows(["predict", "predict_proba", "predict"])
    for start in (0, 3):
        y = np.arange(start, start + 3)
        rows.add({"predict": y, "predict_proba": np.column_stack([y, y])}, y, y / 2)
    assert rows.methods == ["predict", "predict_proba"]
    assert rows.y().tolist() == list(range(6))
    assert rows.sample_weight().tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert rows.answers()["predict_proba"].shape == (6, 2)
    assert rows.answers()["predict"].tolist() == list(range(6))


def test_one_answer_for_each_output_is_joined_by_output():
    rows = Rows(["predict_proba"])
    for n_rows in (2, 3):
        rows.add({"predict_proba": [np.zeros((n_rows, 2)), np.ones((n_rows, 3))]}, None, None)
    zeros, ones = rows.answers()["predict_proba"]
    assert (zeros.shape, ones.shape) == ((5, 2), (5, 3))
    assert rows.y() is None
    assert rows.sample_weight() is None


def test_copies_are_kept_and_types_do_not_change():
    table = np.arange(8, dtype=np.float32).reshape(4, 2)
    rows = Rows(["predict"])
    rows.add({"predict": table[:, 0]}, table[:, 1], None)
    table[:] = 0
    assert rows.y().tolist() == [1, 3, 5, 7]
    assert rows.answers()["predict"].dtype == np.float32
    assert rows.y().base is None


def test_without_a_method_nothing_is_kept():
    rows = Rows([])
    rows.add({}, np.zeros(3), np.ones(3))
    assert (rows.y(), rows.sample_weight(), rows.answers()) == (None, None, {})
