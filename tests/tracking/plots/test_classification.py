import numpy as np
import pytest

from runner.records import Confusion
from runner.tracking.plots.classification import confusion_matrix


def confusion(n_labels, labels=None):
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 9, (n_labels, n_labels)) + 90 * np.eye(n_labels, dtype=int)
    return Confusion(np.asarray(labels if labels is not None else range(n_labels)), counts)


@pytest.mark.parametrize("n_labels", [1, 2, 10, 11, 25, 26, 100])
def test_a_confusion_matrix_is_drawn_at_any_readable_size(n_labels, pixels):
    image = pixels(confusion_matrix(confusion(n_labels)), most_kb=120)
    assert image.std() > 5
    assert max(image.shape) < 2000


@pytest.mark.parametrize(
    "labels",
    [["a$b", "$", "x_1"], ["no\nyes", "", "x" * 200], ["漢字", "א", "😀"], [True, False, None]],
)
def test_labels_may_be_anything(labels, pixels):
    pixels(confusion_matrix(confusion(3, np.array(labels, dtype=object))))


def test_the_title_tells_how_many_rows_and_whether_the_cells_are_shares(figures):
    drawn = figures("classification")
    for n_labels, told in ((2, "held-out rows"), (11, "held-out rows, as shares of each true")):
        found = confusion(n_labels)
        confusion_matrix(found)
        title = drawn[-1].axes[0].get_title()
        assert title.startswith(f"{found.counts.sum():,} {told}")
