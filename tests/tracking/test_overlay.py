from io import BytesIO

import pytest
from matplotlib.image import imread

from runner.tracking.overlay import figure, overlay

ONE = {"train/progressive_r2": [(25, 0.25), (50, 0.5)]}
TWO = {**ONE, "validation/r2": [(50, 0.75)]}


def legend(drawn):
    return [text.get_text() for text in drawn.legends[0].get_texts()]


def test_each_metric_has_a_panel_with_a_line_for_each_run_that_has_it():
    drawn = figure(["first", "second"], [ONE, TWO])
    assert [axes.get_title("left") for axes in drawn.axes] == sorted(TWO)
    assert [len(axes.lines) for axes in drawn.axes] == [2, 1]
    assert legend(drawn) == ["first", "second"]
    assert drawn.axes[-1].get_xlabel() == "rows seen"
    assert drawn.axes[1].lines[0].get_xydata().tolist() == [[50, 0.75]]


def test_runs_with_the_same_curve_can_be_told_apart():
    first, second = figure(["a", "b"], [ONE, ONE]).axes[0].lines
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()


def test_a_run_has_the_same_colour_in_every_panel():
    panels = figure(["a", "b"], [ONE, TWO]).axes
    assert panels[0].lines[1].get_color() == panels[1].lines[0].get_color()


def test_only_runs_with_a_curve_are_in_the_legend():
    assert legend(figure(["a", "_b", "c$x$"], [{}, ONE, TWO])) == [" _b", r"c\$x\$"]


@pytest.mark.parametrize("n_metrics", [1, 3, 4, 5])
def test_many_metrics_stand_in_two_columns_and_no_panel_is_empty(n_metrics):
    curves = {f"validation/{n}": [(10, 0.5)] for n in range(n_metrics)}
    drawn = figure(["a"], [curves])
    assert len(drawn.axes) == n_metrics
    assert all(axes.lines for axes in drawn.axes)
    labelled = [axes for axes in drawn.axes if axes.get_xlabel()]
    assert len(labelled) == (1 if n_metrics <= 3 else 2)


@pytest.mark.parametrize("curves", [[], [{}, {}], [{"train/r2": [(25, float("nan"))]}]])
def test_without_a_point_there_is_no_picture(curves):
    assert overlay(["a"] * len(curves), curves) is None


def test_the_picture_is_a_png_whatever_the_runs_are_called():
    drawn = overlay(["選 $", "\n", *"cdefghijkl"], [ONE, *[TWO] * 11])
    height, width, _ = imread(BytesIO(drawn), format="png").shape
    assert min(height, width) > 300
