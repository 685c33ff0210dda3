"""Encoders whose categories are gathered block by block."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from runner.errors import ConfigError, FitError
from runner.preprocessing import categories
from runner.preprocessing.categories import Categories

ENCODERS = [
    OneHotEncoder(),
    OneHotEncoder(drop="if_binary", handle_unknown="ignore", sparse_output=False),
    OrdinalEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
]
VALUES = {
    "words": st.sampled_from(["a", "b", "cc", "ddd", "é"]),
    "words and what is missing": st.sampled_from(["a", "b", None, float("nan")]),
    "numbers": st.integers(-5, 5),
    "numbers and what is missing": st.sampled_from([0.5, -1.0, 1e300, float("nan")]),
    "booleans": st.booleans(),
}


def learned(encoder, blocks):
    learning = Categories("preprocessing.words", encoder)
    for block in blocks:
        learning.learn(block)
    learning.finish()
    return learning.stage


def array_of(kind, table):
    return np.array(table, dtype=object if "words" in kind else None)


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_state_is_that_of_a_fit_on_all_rows(kind, data, held):
    from sklearn.base import clone

    encoder = clone(data.draw(st.sampled_from(ENCODERS)))
    row = st.tuples(VALUES[kind], VALUES[kind], VALUES[kind])
    table = array_of(kind, data.draw(st.lists(row, min_size=1, max_size=30)))
    size = data.draw(st.integers(1, len(table)))
    blocks = [table[start : start + size] for start in range(0, len(table), size)]
    assert held(learned(clone(encoder), blocks)) == held(encoder.fit(table))


def test_strings_of_several_lengths_stay_whole(held):
    table = np.array([["a", "b"], ["long word", "c"]])
    blocks = [np.array([["a", "b"]]), np.array([["long word", "c"]])]
    assert held(learned(OneHotEncoder(), blocks)) == held(OneHotEncoder().fit(table))


def test_a_frame_keeps_its_names_and_the_type_of_each_column(rows, held):
    frame = rows.frame[["job", "age"]].assign(night=rows.frame.age % 2 == 0)
    encoder = learned(OneHotEncoder(), rows.cut(frame))
    assert held(encoder) == held(OneHotEncoder().fit(frame))
    assert list(encoder.feature_names_in_) == ["job", "age", "night"]


def test_what_is_missing_in_one_block_of_a_frame_only_is_a_category(held):
    whole = pd.DataFrame({"a": pd.Series(["x", None, "y"], dtype=object), "b": [1.0, np.nan, 3.0]})
    blocks = [whole[:1].astype({"b": int}), whole[1:]]
    assert held(learned(OrdinalEncoder(), blocks)) == held(OrdinalEncoder().fit(whole))


def test_text_columns_of_pandas_own_type_are_learned(held):
    frame = pd.DataFrame({"a": ["x", "y", None, "x"]})
    blocks = [frame[:2], frame[2:]]
    assert held(learned(OneHotEncoder(), blocks)) == held(OneHotEncoder().fit(frame))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda table: pd.DataFrame(table, columns=["id", "one"]), "column 'id'"),
        (lambda table: table, "column 0 of its columns"),
    ],
)
def test_too_many_values_of_a_column_are_told_with_its_name(make, named, monkeypatch):
    monkeypatch.setattr(categories, "MOST_VALUES", 15)
    table = np.column_stack([np.arange(20), np.ones(20, int)])
    with pytest.raises(FitError) as caught:
        learned(OneHotEncoder(), [make(table[:10]), make(table[10:])])
    assert str(caught.value) == (
        f"preprocessing.words must meet at most 15 values in a column; got more in {named}. "
        "Hash this column by FeatureHasher, or leave it out."
    )


def test_a_column_of_an_array_is_named_where_the_dataset_names_it(monkeypatch):
    monkeypatch.setattr(categories, "MOST_VALUES", 3)
    learning = Categories("preprocessing.words", OneHotEncoder())
    learning.name_columns(("one", "id"), is_frame=False)
    with pytest.raises(FitError, match="got more in column 'id'"):
        learning.learn(np.column_stack([np.ones(9), np.arange(9)]))


@pytest.mark.parametrize("setting", [{"min_frequency": 2}, {"max_categories": 3}])
def test_putting_rare_values_together_is_refused(setting):
    (name,) = setting
    with pytest.raises(ConfigError, match=rf"preprocessing\.words\.{name} must be left out"):
        Categories("preprocessing.words", OneHotEncoder(**setting))


def test_a_category_to_drop_need_not_be_in_every_block():
    learning = Categories("preprocessing.words", OneHotEncoder(drop=["c"]))
    for block in ([["a"], ["b"]], [["c"]]):
        learning.learn(np.array(block, dtype=object))
    learning.finish()
    expected = OneHotEncoder(drop=["c"]).fit(np.array([["a"], ["b"], ["c"]], dtype=object))
    assert learning.stage.drop_idx_.tolist() == expected.drop_idx_.tolist()
    assert learning.stage.categories_[0].tolist() == ["a", "b", "c"]
