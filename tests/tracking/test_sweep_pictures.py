import itertools
from io import BytesIO
from math import nan

import matplotlib.image
import pytest

from runner.records import Outcome
from runner.tracking.plots.canvas import DPI
from runner.tracking.sweep_colours import OKABE_ITO
from runner.tracking.sweep_pictures import CURVES, SCORES, WIDTH, pictures

NEAR = 40  # a thin line is mixed with what is below it
ALPHA, LOSS = [1e-5, 1e-3, 1e-1], ["log", "hinge", None]


def members(scores, **params):
    made = itertools.product(*params.values())
    return [
        Outcome(
            number=number,
            name=f"member {number}",
            key="",
            status="FINISHED" if score is not None else "FAILED",
            scores={} if score is None else {"r2": score},
            params=dict(zip(params, combined, strict=True)),
        )
        for number, (combined, score) in enumerate(zip(made, scores, strict=False))
    ]


def read(content):
    """Return the pixels of a PNG, 0 to 255."""
    return (matplotlib.image.imread(BytesIO(content))[..., :3] * 255).round().astype(int)


def check(content):
    """See that a PNG is as wide as a description has room for, and not empty."""
    pixels = read(content)
    assert pixels.shape[1] == round(WIDTH * DPI)
    assert pixels.std() > 15


@pytest.mark.parametrize(
    ("params", "scores", "drawn"),
    [
        ({"alpha": ALPHA}, [0.5, 0.75, 0.25], "over_param"),
        ({"loss": LOSS, "seed": [1]}, [0.5, None, 0.5], "over_param"),
        ({"alpha": ALPHA, "loss": LOSS}, [0.5, 0.7, None, 1, 2, nan, 3, -1e9, 5], "heat_map"),
        ({"alpha": ALPHA, "loss": LOSS}, [0.5, 0.7, 0.9, 1.0], "parallel_coordinates"),
        ({"alpha": range(20), "loss": LOSS}, [n / 60 for n in range(60)], "parallel_coordinates"),
        ({f"p$_{n}": (0, 1) for n in range(7)}, [0.5] * 128, "parallel_coordinates"),
    ],
)
def test_what_differs_decides_how_the_scores_are_drawn(params, scores, drawn):
    found = pictures(members(scores, **params), {})
    assert list(found) == [SCORES]
    assert found[SCORES].func.__name__ == drawn
    check(found[SCORES]())


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        members([0.5], alpha=ALPHA),
        members([0.5, None, nan], alpha=ALPHA),
        members([0.5, 0.7], alpha=[1, 1]),
    ],
)
def test_without_two_scores_and_a_difference_there_is_nothing_to_draw(outcomes):
    assert pictures(outcomes, {}) == {}


def test_the_best_are_coloured_among_the_curves():
    outcomes = members([n / 30 for n in range(30)], alpha=range(30))
    curves = {n: [(rows, n / 30 - 1 / rows) for rows in (10, 20, 30)] for n in range(29)}
    content = pictures(outcomes, curves)[CURVES]()
    check(content)
    pixels = read(content).reshape(-1, 3)
    for colour in OKABE_ITO:
        away = abs(pixels - list(bytes.fromhex(colour[1:]))).sum(axis=1)
        assert away.min() < NEAR, colour


def test_curves_of_members_that_all_failed_are_grey():
    outcomes = members([None, None], alpha=ALPHA)
    found = pictures(outcomes, {0: [(10, 0.5), (20, 0.5)], 1: []})
    assert list(found) == [CURVES]
    check(found[CURVES]())


def test_a_single_point_is_no_curve():
    assert pictures(members([0.5], alpha=ALPHA), {0: [(10, 0.5)]}) == {}
