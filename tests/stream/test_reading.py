"""A block that is to be read, as it is sent to where that is done."""

import cloudpickle
import numpy as np
import pytest

from runner.base import Place
from runner.dataset.make_classification import MakeClassification
from runner.errors import DatasetError
from runner.stream.reading import Given, Keys, Reading, read
from runner.stream.source import BlockSource


def test_a_reading_holds_the_tasks_of_its_block_alone():
    part = MakeClassification(n_samples=10_000, chunks=10, seed=1).split().train
    source = BlockSource(part)
    sizes = [len(cloudpickle.dumps(source.reading(index))) for index in (0, 400, 700)]
    assert max(sizes) < 4000
    assert max(sizes) - min(sizes) < 100


def test_what_is_read_is_what_the_tasks_make():
    source = BlockSource(MakeClassification(chunks=10, holdout=0.0).split().train)
    block = read(source.given, source.reading(3))
    assert block.X.shape == (10, 20)
    assert block.place == Place(3, 30, 40)
    assert block.load_s > 0


def test_a_block_that_is_said_to_be_lost_is_not_tried():
    lost = Reading({}, Keys("nowhere"), Place(2, 10, 20), epoch=1, position=4, is_lost=True)
    with pytest.raises(DatasetError, match=r"Block 2 .* must be readable"):
        read(Given(), lost)
    block = read(Given(tolerant=True), lost)
    assert (block.n_rows, block.epoch, block.position) == (0, 1, 4)
    assert isinstance(block.error, DatasetError)


def test_the_numbers_of_rows_follow_from_the_place():
    part = MakeClassification(chunks=10, holdout=0.5, holdout_by="rows").split().train
    source = BlockSource(part)
    block = read(source.given, source.reading(1))
    assert len(block.rows) == block.n_rows
    np.testing.assert_array_equal(block.rows, part.rows(part.places[1]))
