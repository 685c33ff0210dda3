from dataclasses import dataclass

import pytest

from runner.dataset.lazy import Arrays
from runner.dataset.table import Table
from runner.errors import DatasetError


@dataclass(kw_only=True)
class Named(Table):
    def arrays(self) -> Arrays:
        raise NotImplementedError


def test_all_columns_that_are_nothing_else_are_features():
    table = Named(path="a", target="y", sample_weight="w")
    columns = table.choose(["a", "y", "index", "w", "b"], ignored={"index"})
    assert columns.features == ("a", "b")
    assert columns.labels == ("y", "w")


def test_features_that_are_named_come_in_that_order():
    assert Named(path="a", target=None, features=["b", "a"]).choose("abc").features == ("b", "a")


def test_a_column_that_is_not_there_is_told():
    with pytest.raises(DatasetError, match=r"dataset\.target must name columns of the files"):
        Named(path="a", target="z").choose(["a", "b"])


def test_a_table_alone_says_not_how_it_is_read():
    with pytest.raises(TypeError, match="abstract"):
        Table(path="a", target=None)
