"""A layer of tasks that are made when they are asked for."""

import operator
import pickle

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pytest
from dask._task_spec import TaskRef
from dask.highlevelgraph import HighLevelGraph

from runner.dataset.block_layer import BlockLayer
from runner.dataset.lazy import by_block, from_reader

METAS = (np.empty((0, 2)), np.empty(0, int))


def read(start, stop):
    rows = np.arange(start, stop)
    return np.outer(rows, [1.0, -1.0]), rows


class Squares:
    """The call of a block, made when it is asked for, and counted."""

    def __init__(self):
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return operator.pow, index, 2


def test_no_task_is_made_before_it_is_asked_for_and_none_of_another_block():
    squares = Squares()
    layer = BlockLayer("squares", squares, 1000, 2)
    assert len(layer) == 1000
    assert ("squares", 999, 0) in layer
    assert next(iter(layer)) == ("squares", 0, 0)
    assert squares.asked == []
    assert layer["squares", 31, 0]() == 961
    assert squares.asked == [31]


@pytest.mark.parametrize(
    "key",
    [
        *("squares", 5, ("squares",), ("squares", 5), ("squares", 5, 1), ("squares", 5, 0, 0)),
        *(("squares", -1, 0), ("squares", 10, 0), ("squares", "5", 0), ("other", 5, 0)),
    ],
)
def test_what_is_no_key_of_a_block_is_not_in_it(key):
    layer = BlockLayer("squares", Squares(), 10, 2)
    assert key not in layer
    with pytest.raises(KeyError):
        layer[key]


def test_it_is_the_mapping_that_a_dict_of_its_tasks_would_be():
    layer = BlockLayer("squares", Squares(), 4, 1)
    assert list(layer) == [("squares", i) for i in range(4)]
    assert dask.get(dict(layer), list(layer)) == (0, 1, 4, 9)
    assert not layer.is_materialized()
    assert list(layer.get_output_keys()) == list(layer)
    assert "squares" in layer._repr_html_()


def test_culling_keeps_the_tasks_of_the_wanted_blocks_and_what_they_refer_to():
    layer = BlockLayer("doubles", [(operator.mul, TaskRef(("a", i)), 2) for i in range(5)], 5, 1)
    wanted = {("doubles", 1), ("doubles", 3)}
    culled, refers_to = layer.cull(wanted, set())
    assert set(culled) == wanted
    assert refers_to == {("doubles", i): {("a", i)} for i in (1, 3)}
    whole, refers_to = layer.cull(set(layer), set())
    assert whole is layer
    assert len(refers_to) == 5


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_dask_does_with_the_arrays_what_it_does_with_any(scheduler):
    arrays = from_reader(read, (4, 4, 2), METAS)
    X, y = read(0, 10)
    for lazily, wanted in (
        (arrays.X, X),
        (arrays.X.blocks[1:], X[4:]),
        (arrays.X.blocks[[2, 0]], X[[8, 9, 0, 1, 2, 3]]),
        (arrays.X[3:9], X[3:9]),
        (arrays.X.rechunk((3, 1)), X),
        ((arrays.X - arrays.X.mean(axis=0)) * 2, (X - X.mean(axis=0)) * 2),
        (arrays.X.map_blocks(np.negative), -X),
        (da.concatenate([arrays.y, arrays.y + 1]), [*y, *(y + 1)]),
    ):
        np.testing.assert_array_equal(lazily.compute(scheduler=scheduler), wanted)
    assert arrays.X.to_delayed()[1, 0].compute(scheduler=scheduler).shape == (4, 2)
    [kept] = dask.persist(arrays.X, scheduler=scheduler)
    np.testing.assert_array_equal(kept.compute(scheduler=scheduler), X)


def test_a_block_of_many_is_culled_without_the_tasks_of_the_others():
    squares = Squares()
    graph = HighLevelGraph({}, {})
    X = by_block("squares", graph, (), squares, chunks=((1,) * 5000,), meta=np.empty(0, int))
    X.dask.cull({("squares", 31)})
    assert set(squares.asked) == {31}


def test_what_is_pickled_of_an_array_grows_by_some_bytes_per_block():
    few, many = (
        len(cloudpickle.dumps(from_reader(read, (10,) * n, METAS).X)) for n in (1000, 11_000)
    )
    assert (many - few) / 10_000 < 32
    X = pickle.loads(cloudpickle.dumps(from_reader(read, (4, 6), METAS).X))  # noqa: S301
    np.testing.assert_array_equal(X.compute(scheduler="sync"), read(0, 10)[0])
