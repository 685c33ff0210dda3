import tracemalloc

import numpy as np
import pytest

from runner.tracking.plots.regression import predicted_vs_actual, residuals

DRAW = pytest.mark.parametrize("draw", [residuals, predicted_vs_actual])


@DRAW
@pytest.mark.parametrize("shape", [(50,), (50, 2), (30_000,), (1,)])
def test_rows_are_drawn_for_one_output_or_more(draw, shape, pixels):
    true = np.random.default_rng(0).normal(size=shape)
    assert pixels(draw(true, true + 0.1)).std() > 2


@DRAW
def test_the_title_tells_how_many_rows_are_drawn(draw, figures):
    drawn, true = figures("regression"), np.arange(30_000.0)
    draw(true, true)
    draw(true[:9], true[:9])
    titles = [figure.axes[0].get_title() for figure in drawn]
    assert titles == ["5,000 of 30,000 held-out rows", "9 held-out rows"]


@DRAW
def test_many_rows_take_no_memory_for_those_that_are_not_drawn(draw):
    many = np.broadcast_to(np.float32(1), 4_000_000)  # one number in memory
    draw(many[:9], many[:9])  # so that all is imported
    tracemalloc.start()
    try:
        assert draw(many, many)
        assert tracemalloc.get_traced_memory()[1] < 16e6  # a number per row would be 32e6
    finally:
        tracemalloc.stop()
