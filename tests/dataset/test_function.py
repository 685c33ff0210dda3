import textwrap

import dask.array as da
import numpy as np
import pytest
import yaml

from runner.dataset.function import Function
from runner.errors import ConfigError, DatasetError, RunnerWarning
from runner.project import builtin

MODULE = """
    import dask.array as da
    import dask.dataframe as dd
    import numpy as np
    import pandas as pd

    X = np.arange(200.0).reshape(100, 2)
    Y = np.arange(100)
    FRAME = pd.DataFrame({"width": X[:, 0], "height": X[:, 1], "label": Y})


    def lazy_pair(n_rows=100, rows=30):
        X = da.random.default_rng(0).normal(size=(n_rows, 2), chunks=(rows, 2))
        return X, X[:, 0] > 0


    def lazy_x():
        return da.from_array(X, chunks=(40, 2))


    def weighted():
        return da.from_array(X, chunks=(40, 2)), Y, da.from_array(Y / 2, chunks=40)


    def weighted_without_y():
        return da.from_array(X, chunks=(40, 2)), None, Y / 2


    def in_memory():
        return X, Y


    def empty():
        return np.empty((0, 2)), np.empty(0)


    def lonely():
        return np.array(3.0)


    def lines():
        return np.array(["a", "b", "c"], dtype=object)


    def frames():
        frame = dd.from_pandas(FRAME, npartitions=4)
        return frame[["width", "height"]], frame["label"]


    def fails(reason):
        raise OSError(reason)


    def returns(kind):
        return {
            "a dict": {"X": X},
            "a list": [X, Y],
            "a pair with a frame": (X, FRAME),
            "four": (X, Y, Y, Y),
            "nothing": None,
            "no X": (None, Y),
            "an empty tuple": (),
        }[kind]


    class Loader:
        def __call__(self):
            return X


    loader = Loader()
    number = 3
"""


@pytest.fixture(autouse=True)
def functions(tmp_path, monkeypatch):
    """Put modules of a user's own where Python finds them."""
    package = tmp_path / "own" / "own_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "sources.py").write_text(textwrap.dedent(MODULE), "utf-8")
    monkeypatch.syspath_prepend(package.parent)


def made(name, chunks="auto", **arguments):
    function = f"own_package.sources:{name}"
    return Function(function=function, arguments=arguments, chunks=chunks)


@pytest.mark.parametrize("name", ["own_package.sources:lazy_x", "own_package.sources.lazy_x"])
def test_a_function_is_named_with_a_colon_or_a_dot(name):
    assert Function(function=name).arrays().X.shape == (100, 2)


def test_auto_keeps_the_row_chunks_of_the_function():
    arrays = made("lazy_pair").arrays()
    assert arrays.X.chunks == ((30, 30, 30, 10), (2,))
    np.testing.assert_array_equal(arrays.y.compute(), arrays.X.compute()[:, 0] > 0)


@pytest.mark.parametrize("chunks", [25, "400B"])
def test_other_chunks_cut_x_anew_and_y_follows(chunks):
    train, holdout, _ = made("lazy_pair", chunks).split()
    assert set(train.X.chunks[0]) == set(holdout.X.chunks[0]) == {25}
    assert train.y.chunks[0] == train.X.chunks[0]
    np.testing.assert_array_equal(train.y.compute(), train.X.compute()[:, 0] > 0)


def test_arguments_are_passed_to_the_function():
    assert made("lazy_pair", n_rows=60, rows=20).arrays().X.chunks[0] == (20, 20, 20)


def test_x_alone_has_no_y():
    arrays = made("lazy_x").arrays()
    assert arrays.y is None
    assert arrays.sample_weight is None
    assert arrays.feature_names is None


def test_weights_come_third():
    train = made("weighted").split().train
    np.testing.assert_array_equal(train.sample_weight.compute(), train.y.compute() / 2)
    np.testing.assert_array_equal(train.X.compute()[:, 0], train.y.compute() * 2)


def test_weights_may_come_without_y():
    arrays = made("weighted_without_y").arrays()
    assert arrays.y is None
    assert arrays.sample_weight.shape == (100,)


@pytest.mark.parametrize(("chunks", "rows"), [("auto", 10), (25, 25), ("320B", 20)])
def test_arrays_in_memory_are_cut_into_blocks(chunks, rows):
    arrays = made("in_memory", chunks).arrays()
    assert isinstance(arrays.X, da.Array)
    assert set(arrays.X.chunks[0]) == {rows}
    train = made("in_memory", chunks).split().train
    np.testing.assert_array_equal(train.X.compute()[:, 0], train.y.compute() * 2)


def test_lines_of_text_in_memory_are_cut_into_blocks():
    assert made("lines", 2).arrays().X.chunks == ((2, 1),)


@pytest.mark.parametrize("chunks", ["auto", 2])
@pytest.mark.parametrize(
    ("name", "said"),
    [("empty", "must have at least one row"), ("lonely", "must have one dimension or two")],
)
def test_arrays_without_rows_are_refused(name, said, chunks):
    with pytest.raises(DatasetError, match=said):
        made(name, chunks).split()


def test_dataframes_become_arrays_and_name_the_features():
    with pytest.warns(RunnerWarning, match="reading it once to count its rows"):
        train, holdout, _ = made("frames").split()
    assert train.feature_names == holdout.feature_names == ("width", "height")
    assert train.n_rows + holdout.n_rows == 100
    np.testing.assert_array_equal(train.X.compute()[:, 0], train.y.compute() * 2)


def test_dataframes_are_cut_anew_once_their_rows_are_counted():
    with pytest.warns(RunnerWarning, match="reading it once to count its rows"):
        train, holdout, _ = made("frames", 20).split()
    assert (train.X.chunks[0], holdout.X.chunks[0]) == ((20,) * 4, (20,))


def test_nothing_is_called_before_the_arrays_are_asked_for():
    made("fails", reason="the disk is gone")


def test_a_function_that_fails_is_named_with_its_reason():
    with pytest.raises(DatasetError) as refused:
        made("fails", reason="the disk is gone").arrays()
    assert str(refused.value) == (
        "The function own_package.sources:fails must return X and y without an error; "
        "got OSError: the disk is gone. "
        "Mend the function, or what dataset.arguments passes to it."
    )
    assert isinstance(refused.value.__cause__, OSError)


def test_an_argument_the_function_does_not_take_is_named():
    with pytest.raises(DatasetError, match="unexpected keyword argument 'n_row'"):
        made("lazy_pair", n_row=3).arrays()


@pytest.mark.parametrize(
    ("kind", "got"),
    [
        ("a dict", "dict"),
        ("a list", "list"),
        ("a pair with a frame", "ndarray, DataFrame"),
        ("four", "ndarray, ndarray, ndarray, ndarray"),
        ("nothing", "NoneType"),
        ("no X", "NoneType, ndarray"),
        ("an empty tuple", "an empty tuple"),
    ],
)
def test_anything_else_is_refused_by_its_type(kind, got):
    with pytest.raises(DatasetError) as refused:
        made("returns", kind=kind).arrays()
    assert str(refused.value) == (
        "The function own_package.sources:returns must return X, (X, y) or (X, y, sample_weight), "
        f"each a Dask array, a Dask dataframe or a NumPy array; got {got}. "
        "Convert what it returns, for instance by dask.array.from_array."
    )


def test_a_function_that_is_not_there_is_told():
    with pytest.raises(ConfigError, match=r"dataset\.function must name something of own_package"):
        made("lazy_pear").arrays()


def test_what_cannot_be_called_is_no_function():
    with pytest.raises(ConfigError) as refused:
        made("number").arrays()
    assert str(refused.value) == (
        "dataset.function must name something that can be called; got own_package.sources:number, "
        "of type int. Name a function that returns X, or X and y."
    )


def test_anything_that_can_be_called_will_do():
    assert made("loader").arrays().X.shape == (100, 2)


def test_the_option_leaves_the_function_to_be_named():
    option = yaml.safe_load((builtin("conf") / "dataset" / "function.yaml").read_text("utf-8"))
    assert option == {
        "_target_": "runner.dataset.function.Function",
        "function": "???",
        "arguments": {},
    }
