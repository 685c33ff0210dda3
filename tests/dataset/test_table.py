from dataclasses import dataclass

import pyarrow as pa
import pytest

from runner.dataset.columns import Columns
from runner.dataset.lazy import Arrays
from runner.dataset.table import Table
from runner.errors import ConfigError, DatasetError


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


def layout_of(kind, **options):
    columns = Columns(("x",), None, None)
    return Named(path="a", target=None, **options).lay_out(
        columns, {"x": kind}, None, lambda names: set()
    )


@pytest.mark.parametrize(
    ("kind", "as_frame", "is_frame"),
    [
        (pa.string(), None, True),
        (pa.float32(), None, False),
        (pa.string(), True, True),
        (pa.float32(), True, True),
        (pa.float32(), False, False),
    ],
)
def test_x_is_a_frame_where_it_is_asked_for_or_has_to_hold_text(kind, as_frame, is_frame):
    layout = layout_of(kind, as_frame=as_frame)
    assert (layout.frame is not None) == is_frame


def test_text_is_refused_where_no_frame_is_wanted():
    with pytest.raises(DatasetError) as error:
        layout_of(pa.string(), as_frame=False)
    assert str(error.value) == (
        "The features must be columns of numbers or booleans; got 'x' (string). Name the columns "
        "to learn from in dataset.features, without these, or set dataset.as_frame=true to take "
        "text as it is."
    )


@pytest.mark.parametrize(
    ("as_frame", "allowed"),
    [(None, "numbers, booleans or text"), (False, "numbers or booleans;")],
)
def test_what_neither_can_hold_is_refused_with_what_it_can(as_frame, allowed):
    with pytest.raises(DatasetError, match=f"^The features must be columns of {allowed}"):
        layout_of(pa.timestamp("us"), as_frame=as_frame)


@pytest.mark.parametrize("as_frame", [1, "yes"])
def test_what_is_neither_true_nor_false_is_refused(as_frame):
    with pytest.raises(ConfigError, match=r"^dataset\.as_frame must be true or false, or null;"):
        Named(path="a", target=None, as_frame=as_frame)
