import numpy as np
import pyarrow as pa
import pytest

from runner.tracking.plots.timeline import block_timeline


def table(n_blocks, **columns):
    waits = np.full(n_blocks, 1.0)
    times = {"load_ms": np.full(n_blocks, 2.0), "wait_ms": waits, "fit_ms": np.full(n_blocks, 0.5)}
    return pa.table(times | columns)


@pytest.mark.parametrize("n_blocks", [1, 2, 300, 301, 50_000])
def test_any_number_of_blocks_is_drawn(n_blocks, pixels, figures):
    blocks = table(n_blocks)
    assert pixels(block_timeline(lambda: blocks)).std() > 5
    drawn = figures("timeline")
    block_timeline(lambda: blocks)
    (axes,) = drawn[0].axes
    for line, mean in zip(axes.patches, (2, 1, 0.5), strict=True):
        values = line.get_data().values
        assert len(values) == min(n_blocks, 300)
        assert np.allclose(values, mean)
    assert axes.get_title().startswith(f"{n_blocks:,} block")
    assert ("300 bins" in axes.get_title()) == (n_blocks > 300)


def test_the_sums_tell_what_bounds_the_run(figures):
    drawn, wait = figures("timeline"), np.full(2000, 1.5)
    block_timeline(lambda: table(2000, wait_ms=wait))
    texts = [text.get_text() for text in drawn[0].axes[0].get_legend().get_texts()]
    assert texts == [
        "load, in threads: 4.00 s in all",
        "wait: 3.00 s in all",
        "fit: 1.00 s in all",
    ]


def test_a_bad_block_has_no_time_of_loading(figures):
    drawn = figures("timeline")
    block_timeline(lambda: table(3, load_ms=np.array([1.0, np.nan, 3.0])))
    values = drawn[0].axes[0].patches[0].get_data().values
    assert np.isnan(values).tolist() == [False, True, False]


@pytest.mark.parametrize(("longest", "scale"), [(20.0, "linear"), (2000.0, "log")])
def test_a_block_that_took_far_longer_hides_no_others(longest, scale, figures, pixels):
    times = np.full(9, 1.0)
    times[0] = longest
    blocks = pa.table({"load_ms": times, "wait_ms": np.zeros(9), "fit_ms": np.zeros(9)})
    pixels(block_timeline(lambda: blocks))
    drawn = figures("timeline")
    block_timeline(lambda: blocks)
    assert drawn[0].axes[0].get_yscale() == scale


def test_blocks_of_which_no_time_is_known_are_no_error(pixels):
    pixels(block_timeline(lambda: table(2, load_ms=np.full(2, np.nan), fit_ms=np.zeros(2))))


def test_only_whole_numbers_of_blocks_are_on_the_axis(figures):
    drawn = figures("timeline")
    block_timeline(lambda: table(3))
    assert all(place == int(place) for place in drawn[0].axes[0].get_xticks())
