import sys
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from runner.records import Confusion, Evaluated
from runner.tracking.plots import MAX_LABELS, learning_curve, plots, residuals


def drawn(evaluated, curves=None, validation=None):
    images = {}
    for name, draw in plots(evaluated, curves or {}, validation or {}).items():
        with Image.open(BytesIO(draw())) as image:
            image.load()
            assert image.format == "PNG"
            images[name] = np.asarray(image.convert("L"))
    return images


def confusion(n_labels, labels=None):
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 9, (n_labels, n_labels)) + 90 * np.eye(n_labels, dtype=int)
    return Confusion(np.asarray(labels if labels is not None else range(n_labels)), counts)


@pytest.mark.parametrize("n_labels", [1, 2, 10, 11, 25, 26, 100])
def test_a_confusion_matrix_is_drawn_at_any_readable_size(n_labels):
    image = drawn(Evaluated({}, 1, confusion(n_labels)))["confusion_matrix.png"]
    assert image.std() > 5
    assert max(image.shape) < 2000


def test_too_many_labels_are_not_drawn():
    assert plots(Evaluated({}, 1, confusion(MAX_LABELS + 1)), {}, {}) == {}


@pytest.mark.parametrize(
    "labels",
    [["a$b", "$", "x_1"], ["no\nyes", "", "x" * 200], ["漢字", "א", "😀"], [True, False, None]],
)
def test_labels_may_be_anything(labels):
    found = confusion(3, np.array(labels, dtype=object))
    assert "confusion_matrix.png" in drawn(Evaluated({}, 1, found))


def test_a_learning_curve_has_a_panel_per_scorer():
    curve = [(25 * i, 1 - 1 / i) for i in range(2, 80)]
    one = drawn(Evaluated({}, 0), {"accuracy": curve})["learning_curve.png"]
    two = drawn(Evaluated({}, 0), {"accuracy": curve, "r2": curve[:3]})["learning_curve.png"]
    assert two.shape[0] > one.shape[0] + 200
    assert one.std() > 5


def test_a_curve_without_a_number_is_not_drawn():
    curves = {"accuracy": [(25, float("nan")), (50, float("inf"))]}
    assert plots(Evaluated({}, 0), curves, curves) == {}


def test_held_out_scores_are_a_second_line_in_the_panel_of_their_scorer():
    curve = [(25 * i, 1 - 1 / i) for i in range(2, 80)]
    alone = drawn(Evaluated({}, 0), {"r2": curve})["learning_curve.png"]
    both = drawn(Evaluated({}, 0), {"r2": curve}, {"r2": [(100, 0.1), (900, 0.2)]})
    assert both["learning_curve.png"].shape == alone.shape
    assert (both["learning_curve.png"] != alone).any()


def test_a_scorer_that_only_held_out_rows_have_has_a_panel_of_its_own():
    curve, nan = [(25, 0.5), (50, 0.75)], [(25, float("nan"))]
    one = drawn(Evaluated({}, 0), {"r2": curve})["learning_curve.png"]
    two = drawn(Evaluated({}, 0), {"r2": curve}, {"max_error": curve})["learning_curve.png"]
    assert two.shape[0] > one.shape[0] + 200
    held_out = drawn(Evaluated({}, 0), {"r2": nan}, {"r2": curve})["learning_curve.png"]
    assert held_out.shape == one.shape
    assert held_out.std() > 5


@pytest.mark.parametrize(
    ("curves", "validation", "labels", "titled"),
    [
        ({"r2": [(1, 0.5)]}, {}, [], True),
        ({"r2": [(1, 0.5)]}, {"r2": [(2, 0.5)]}, ["progressive", "held out"], True),
        ({}, {"r2": [(2, 0.5)]}, ["held out"], False),
    ],
)
def test_lines_are_named_where_there_could_be_doubt(
    curves, validation, labels, titled, monkeypatch
):
    figures = []
    monkeypatch.setattr("runner.tracking.plots._png", lambda figure: figures.append(figure) or b"")
    learning_curve(curves, validation)
    (axes,) = figures[0].axes
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == labels if labels else not legend
    assert ("Progressive" in axes.get_title()) == titled


@pytest.mark.parametrize("shape", [(50,), (50, 2), (30_000,), (1,)])
def test_residuals_are_drawn_for_one_output_or_more(shape):
    rng = np.random.default_rng(0)
    true = rng.normal(size=shape)
    evaluated = Evaluated({}, len(true), predictions=(true, true + 0.1))
    assert drawn(evaluated)["residuals.png"].std() > 2


def test_residuals_of_many_rows_take_no_memory_for_those_that_are_not_drawn():
    many = np.broadcast_to(np.float32(1), 4_000_000)  # one number in memory
    drawn(Evaluated({}, 1, predictions=(many[:9], many[:9])))  # so that all is imported
    tracemalloc.start()
    try:
        assert residuals(many, many)
        assert tracemalloc.get_traced_memory()[1] < 16e6  # a number per row would be 32e6
    finally:
        tracemalloc.stop()


def test_no_prediction_draws_nothing():
    assert plots(Evaluated({}, 0, predictions=(np.empty(0), np.empty(0))), {}, {}) == {}


def test_pyplot_keeps_no_figure():
    drawn(Evaluated({}, 1, confusion(3)), {"r2": [(1, 0.5), (2, 0.6)]})
    assert sys.modules["matplotlib.pyplot"].get_fignums() == []
