import warnings
from io import BytesIO

import pytest
from matplotlib.figure import Figure
from PIL import Image

from runner.tracking.plots.canvas import figure, laid_out, legend, plain, png


def test_a_picture_has_the_size_that_was_asked_for_and_a_white_ground(pixels):
    drawn = figure(5.0, 3.0)
    drawn.subplots().plot([1, 2], [3, 4])
    image = pixels(png(drawn))
    assert image.shape == (330, 550)
    assert image[0, 0] == 255
    assert image.std() > 2


def labelled(drawn, label):
    axes = drawn.subplots()
    axes.plot([1, 2], [3, 4])
    axes.set_ylabel(label, rotation="horizontal", ha="right")
    return png(drawn)


def test_long_labels_make_a_picture_wider_and_are_whole(pixels):
    short, long = (pixels(labelled(figure(4.0, 3.0), "x" * n)) for n in (3, 24))
    assert short.shape == (330, 440)
    assert long.shape[0] == 330
    assert 500 < long.shape[1] < 700
    assert (long[:, :4] == 255).all()
    assert (short[:, 60:] == long[:, long.shape[1] - 380 :]).all()  # the axes are the same


def test_labels_longer_than_the_margin_are_laid_out(pixels):
    label = "x" * 50
    asked, laid = labelled(figure(8.0, 3.0), label), labelled(laid_out(8.0, 3.0), label)
    assert pixels(asked).shape == (330, 880)
    assert asked == laid


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
