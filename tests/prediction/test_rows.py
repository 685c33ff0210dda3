from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.naive_bayes import GaussianNB

from runner.dataset.bundled import Bundled
from runner.dataset.dataset import Dataset
from runner.dataset.given import lazy
from runner.dataset.lazy import Arrays
from runner.dataset.npy import Npy
from runner.dataset.parquet import Parquet
from runner.errors import ConfigError, DatasetError
from runner.prediction.rows import rows_to_predict
from runner.stream.stream import Stream


@dataclass(kw_only=True)
class Frames(Dataset):
    """A dataset of DataFrames that takes no names of features."""

    def arrays(self):
        rows = pd.DataFrame({"a": range(6), "b": range(6), "c": list("uvwxyz")})
        X, frame = lazy(rows, chunks=3)
        return Arrays(X, feature_names=tuple(rows.columns), frame=frame)


@pytest.fixture
def table(tmp_path):
    """Return what writes 30 rows in row groups of 7, with or without the target."""

    def table(*names, **settings):
        columns = {name: np.arange(30.0) + 100 * i for i, name in enumerate(names)}
        pq.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=7)
        return Parquet(**{"path": str(tmp_path / "rows.parquet"), "target": "y", **settings})

    return table


def read(part):
    source = Stream().source(part)
    return [source.read(i) for i in range(part.n_blocks)]


def test_every_row_is_there_in_order_and_neither_target_nor_weight_is_read(table):
    dataset = table("b", "y", "a", "w", sample_weight="w", holdout=0.5, chunks=8)
    part = rows_to_predict(dataset, None, ["a", "b"])
    blocks = read(part)
    X = np.concatenate([block.X for block in blocks])
    assert X.tolist() == [[200.0 + i, float(i)] for i in range(30)]
    assert [block.n_rows for block in blocks] == [8, 8, 8, 6]
    assert (part.y, part.sample_weight, part.y_only) == (None, None, None)


def test_a_target_that_is_not_there_is_not_missed(table):
    dataset = table("a", "b")
    assert rows_to_predict(dataset, None, ["a", "b"]).n_rows == 30
    assert rows_to_predict(table("a", features=["a"]), None).n_rows == 30


def test_without_known_names_the_target_is_still_no_feature(table):
    part = rows_to_predict(table("a", "y", "b"), None)
    assert part.feature_names == ("a", "b")
    assert part.y is None


def test_columns_are_read_along_in_the_same_blocks(table):
    dataset = table("a", "b", "c", chunks="auto")
    part = rows_to_predict(dataset, None, ["b"], ["c", "a", "b"])
    blocks = read(part)
    assert sum(block.n_rows for block in blocks) == 30
    for block in blocks:
        assert block.y.column_names == ["c", "a", "b"]
        assert block.y["b"].to_pylist() == block.X[:, 0].tolist()
        assert block.y["a"].to_pylist() == list(range(block.place.start, block.place.stop))


def test_an_array_of_targets_is_not_read(tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((30, 2)))
    dataset = Npy(X=str(tmp_path / "X.npy"), y=str(tmp_path / "gone.npy"))
    assert rows_to_predict(dataset, None).X.shape == (30, 2)


def test_a_feature_that_the_files_lack_is_named(table):
    with pytest.raises(DatasetError, match=r"dataset.features must name columns .* 'prise'"):
        rows_to_predict(table("price", "b"), None, ["prise", "b"])


def test_other_features_than_the_model_learned_are_refused(table):
    with pytest.raises(ConfigError, match="be the features that the model learned, in their ord"):
        rows_to_predict(table("a", "b", features=["b", "a"]), None, ["a", "b"])
    with pytest.raises(DatasetError, match="features that the model learned, a, b; got sepal"):
        rows_to_predict(Bundled(name="iris"), None, ["a", "b"])


def test_of_more_features_those_that_the_model_learned_are_read_by_name():
    kept = Bundled(name="iris", target=["petal width (cm)"], chunks=40)
    learned = ["sepal width (cm)", "sepal length (cm)"]
    model = GaussianNB().fit([[0.0, 0.0], [1.0, 1.0]], [0, 1])
    whole = Bundled(name="iris", chunks=40, holdout=0).split().train
    for dataset in (kept, replace(kept, target=None)):
        part = rows_to_predict(dataset, model, learned)
        assert (part.feature_names, part.X.shape) == (tuple(learned), (150, 2))
        for found, source in zip(read(part), read(whole), strict=True):
            assert found.X.tolist() == source.X[:, [1, 0]].tolist()


def test_of_frames_the_columns_that_the_model_learned_are_read():
    part = rows_to_predict(Frames(), None, ["c", "a"])
    blocks = read(part)
    assert [list(block.X.columns) for block in blocks] == [["c", "a"]] * 2
    assert list(part.frame.columns) == ["c", "a"]
    assert [row for block in blocks for row in block.X["c"]] == list("uvwxyz")


def test_another_number_of_features_is_refused_before_anything_is_read(table, tmp_path):
    model = GaussianNB().fit(np.zeros((4, 3)), [0, 1, 0, 1])
    with pytest.raises(DatasetError, match=r"have the 3 features .* got 2 features"):
        rows_to_predict(table("a", "b", target=None), model)


def test_a_column_that_is_not_there_is_told(table):
    with pytest.raises(
        DatasetError,
        match=r"^columns must name columns of the files; got 'idd'. Did you mean 'id'",
    ):
        rows_to_predict(table("a", "id"), None, ["a"], ["idd"])


def test_columns_of_a_dataset_without_names_are_refused():
    with pytest.raises(ConfigError, match="columns must be named only of Parquet and CSV"):
        rows_to_predict(Bundled(name="iris"), None, None, ["id"])
