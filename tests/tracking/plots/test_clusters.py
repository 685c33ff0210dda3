import numpy as np
import pytest

from runner.records import Sample
from runner.tracking.plots.clusters import cluster_sizes


@pytest.mark.parametrize("n_clusters", [1, 2, 25, 26, 300])
def test_sizes_are_drawn_of_any_number_of_clusters(n_clusters, pixels):
    answers = np.arange(600) % n_clusters
    image = pixels(cluster_sizes(Sample("predict", answers, 600)))
    assert image.std() > 5
    assert image.shape[1] < 1100


def test_the_largest_comes_first_with_its_name_and_share(figures):
    drawn = figures("clusters")
    cluster_sizes(Sample("predict", np.array([7, 2, 2, 2, -1, 7, 2, 2]), 90))
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "7", "-1"]
    assert [bar.get_height() for bar in axes.patches] == [62.5, 25, 12.5]
    assert axes.get_title() == "3 clusters of 8 of 90 held-out rows"
