"""The hash of the data is one, however they are cut, ordered and split by rows."""

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.base import Progress, Split
from runner.contents import ALL, Contents
from runner.dataset.make_classification import MakeClassification
from runner.experiment import Experiment, run
from runner.records import Recipe
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker


def hashes_of(stream=None, estimator=None, **dataset):
    given = {"n_samples": 400, "n_features": 5, "random_state": 1, "holdout_by": "rows"}
    experiment = Experiment(
        name="plain",
        dataset=MakeClassification(**given | dataset),
        estimator=estimator or SGDClassifier(),
        tracking=MemoryTracker(),
        partial_fit={"classes": [0, 1]},
        stream=stream or Stream(),
    )
    run(experiment, Recipe("plain", {}))
    (kept,) = experiment.tracking.runs
    return kept.content


def test_neither_chunks_nor_the_order_nor_a_buffer_change_the_hash():
    kinds = [
        hashes_of(chunks=37),
        hashes_of(chunks=100, stream=Stream(shuffle=False)),
        hashes_of(chunks=250, stream=Stream(seed=5)),
        hashes_of(chunks=50, stream=Stream(buffer_blocks=3)),
    ]
    assert all(each == kinds[0] for each in kinds)
    assert set(kinds[0]) == {"train", "holdout", "all"}


def test_the_hash_of_all_rows_is_that_of_any_split():
    kinds = [
        hashes_of(chunks=50, holdout_by="blocks"),
        hashes_of(chunks=25, holdout_by="blocks", seed=4),
        hashes_of(chunks=50, holdout=0.5),
        hashes_of(chunks=50, holdout=0.0),
    ]
    assert len({each[ALL] for each in kinds}) == 1
    assert len({each["train"] for each in kinds}) == 4


def test_other_rows_have_another_hash():
    assert hashes_of(chunks=50)[ALL] != hashes_of(chunks=50, random_state=2)[ALL]


def test_a_part_is_hashed_once_and_yields_the_same_blocks_again(make_part, points):
    part, contents = make_part(*points), Contents(Stream(prefetch=0))
    read = contents.reading("holdout", part, None)
    first, second = list(read()), list(read())
    assert all(block.content is not None for block in first)
    assert all(block.content is None for block in second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.X, other.X)


@pytest.mark.parametrize("n_read", [1, 2])
def test_a_part_that_was_not_read_to_its_end_has_no_hash(make_part, points, n_read):
    part, contents = make_part(*points), Contents(Stream(prefetch=0))
    blocks = contents.reading("holdout", part, None)()
    for _ in range(n_read):
        next(blocks)
    blocks.close()
    found = contents.digests(Split(part, part), Progress(content=1, content_rows=100))
    assert set(found) == {"train"}
