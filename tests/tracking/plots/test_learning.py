import pytest

from runner.tracking.plots.learning import _panels, finite_curves, learning_curve

CURVE = [(25 * i, 1 - 1 / i) for i in range(2, 80)]


def test_a_learning_curve_has_a_panel_per_scorer(pixels):
    one = pixels(learning_curve({"accuracy": CURVE}, {}))
    two = pixels(learning_curve({"accuracy": CURVE, "r2": CURVE[:3]}, {}))
    assert two.shape[0] > one.shape[0] + 200
    assert one.std() > 5


def test_a_curve_without_a_number_is_left_out():
    nan, infinite = float("nan"), float("inf")
    assert finite_curves({"accuracy": [(25, nan), (50, infinite)], "r2": [(1, nan)]}) == {}


def test_held_out_scores_are_a_second_line_in_the_panel_of_their_scorer(pixels):
    alone = pixels(learning_curve({"r2": CURVE}, {}))
    both = pixels(learning_curve({"r2": CURVE}, {"r2": [(100, 0.1), (900, 0.2)]}))
    assert both.shape == alone.shape
    assert (both != alone).any()


def test_a_scorer_that_only_held_out_rows_have_has_a_panel_of_its_own(pixels):
    one = pixels(learning_curve({"r2": CURVE}, {}))
    two = pixels(learning_curve({"r2": CURVE}, {"max_error": CURVE}))
    assert two.shape[0] > one.shape[0] + 200
    held_out = pixels(learning_curve({}, {"r2": CURVE}))
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
def test_lines_are_named_where_there_could_be_doubt(curves, validation, labels, titled, figures):
    drawn = figures("learning")
    learning_curve(curves, validation)
    (axes,) = drawn[0].axes
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == labels if labels else not legend
    assert ("Progressive" in axes.get_title()) == titled


def test_a_picture_does_not_depend_on_those_before_it():
    others = [({"r2": CURVE}, {}), ({"r2": CURVE[:4]}, {"r2": [(100, -7.5), (150, 3.0)]})]
    asked = {"r2": [(100, 0.1), (900, 0.25)]}, {"r2": [(100, 0.1)]}
    _panels.cache_clear()
    alone = learning_curve(*asked)
    for other in others:
        learning_curve(*other)
        assert learning_curve(*asked) == alone
    assert learning_curve(*others[1]) != alone
