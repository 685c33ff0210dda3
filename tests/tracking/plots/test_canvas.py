import warnings
from io import BytesIO

import pytest
from matplotlib.figure import Figure
from PIL import Image

from runner.tracking.plots.canvas import figure, legend, plain, png


def test_a_picture_has_the_size_that_was_asked_for_and_a_white_ground(pixels):
    drawn = figure(5.0, 3.0)
    drawn.subplots().plot([1, 2], [3, 4])
    image = pixels(png(drawn))
    assert image.shape == (330, 550)
    assert image[0, 0] == 255
    assert image.std() > 2


def test_the_palette_makes_it_lighter_than_matplotlib_itself_does():
    drawn, whole = figure(6.0, 4.0), BytesIO()
    drawn.subplots().imshow([[1, 2], [3, 4]])
    content = png(drawn)
    drawn.savefig(whole, format="png")
    assert len(content) < len(whole.getvalue())
    with Image.open(BytesIO(content)) as image:
        assert image.mode == "P"


@pytest.mark.parametrize("label", ["a$b", "$", "no\nyes", "", "x" * 200, "漢字", "א", "😀", None])
def test_labels_may_be_anything(label, pixels):
    drawn = figure(4.0, 3.0)
    drawn.subplots().set_title(plain(label))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels(png(drawn))


def test_many_curves_are_named_beside_the_axes_and_few_inside():
    for n_curves, is_beside in ((2, False), (3, True)):
        axes = Figure().subplots()
        for number in range(n_curves):
            axes.plot([0, 1], label=str(number))
        legend(axes, n_curves, "lower left")
        corner = axes.get_legend().get_bbox_to_anchor().transformed(axes.transAxes.inverted())
        assert (corner.x0 > 0.99) == is_beside
