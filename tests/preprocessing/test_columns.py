"""Columns by name or by position."""

import pytest
from sklearn.compose import make_column_selector

from runner.errors import ConfigError
from runner.preprocessing.columns import positions

NAMES = ("age", "hours", "job")


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ("job", 2),
        (["job", "age"], [2, 0]),
        (["job", 1], [2, 1]),
        ([0, 1], [0, 1]),
        ([True, False, True], [True, False, True]),
        (1, 1),
        ([], []),
    ],
)
def test_names_become_positions_where_the_rows_are_arrays(columns, found):
    assert positions("preprocessing.a", columns, NAMES, is_frame=False) == found


def test_names_stay_names_where_the_rows_are_frames():
    assert positions("preprocessing.a", ["job"], NAMES, is_frame=True) == ["job"]
    assert positions("preprocessing.a", ["made"], None, is_frame=True) == ["made"]


def test_a_selector_is_left_to_scikit_learn():
    selector = make_column_selector(pattern="a")
    assert positions("preprocessing.a", selector, None, is_frame=False) is selector


@pytest.mark.parametrize("is_frame", [False, True])
def test_a_name_that_is_not_there_is_told_with_the_nearest(is_frame):
    with pytest.raises(ConfigError) as caught:
        positions("preprocessing.a", ["hour"], NAMES, is_frame=is_frame)
    assert str(caught.value) == (
        "preprocessing.a.transformers must name columns of the rows that reach it; got 'hour'. "
        "Did you mean 'hours'?"
    )


def test_a_name_is_refused_where_columns_have_none():
    with pytest.raises(ConfigError, match=r"Give positions, such as \[0, 1\]"):
        positions("preprocessing.a", "age", None, is_frame=False)
