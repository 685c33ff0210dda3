"""Stages made of stages: their state is that of a fit on all rows."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from runner.errors import ConfigError
from runner.preprocessing.stages import Stages

NAMES = ("age", "hours", "job", "wage")


def two_kinds(**settings):
    parts = [
        ["numbers", MinMaxScaler(), ["age", "hours"]],
        ["words", OneHotEncoder(handle_unknown="ignore"), ["job"]],
    ]
    return clone(ColumnTransformer(parts, **settings))


def same(stage, whole, X):
    made, expected = stage.transform(X), whole.transform(X)
    assert type(made) is type(expected)
    if sparse.issparse(made):
        made, expected = made.toarray(), expected.toarray()
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("remainder", ["drop", "passthrough", MaxAbsScaler()])
@pytest.mark.parametrize("is_frame", [True, False])
def test_a_column_transformer_by_names_is_that_of_all_rows(remainder, is_frame, rows, fit, held):
    table = rows.frame if is_frame else rows.frame.to_numpy(dtype=object)
    whole = two_kinds(remainder=remainder)
    if not is_frame:
        whole.transformers = [
            (name, part, [NAMES.index(column) for column in columns])
            for name, part, columns in whole.transformers
        ]
    else:
        whole.transformers = [tuple(part) for part in whole.transformers]
    stage = two_kinds(remainder=remainder)
    fit({"columns": stage}, table, names=NAMES)
    assert type(stage) is ColumnTransformer
    assert held(stage) == held(whole.fit(table))
    same(stage, whole, table)
    if is_frame:
        assert list(stage.get_feature_names_out()) == list(whole.get_feature_names_out())


def test_the_scaler_of_a_column_transformer_is_nearly_that_of_all_rows(rows, fit):
    parts = [("scaled", StandardScaler(), [0, 2])]
    stages = fit({"columns": ColumnTransformer(parts)}, rows.X)
    whole = ColumnTransformer(parts).fit(rows.X)
    np.testing.assert_allclose(stages.transform(rows.X), whole.transform(rows.X), rtol=1e-9)


def test_many_values_make_the_output_sparse_as_all_rows_do(fit):
    jobs = np.array([f"job {n}" for n in range(103)], dtype=object).reshape(-1, 1)
    parts = [("words", OneHotEncoder(), [0])]
    whole = ColumnTransformer(parts).fit(jobs)
    stages = fit({"columns": ColumnTransformer(parts)}, jobs)
    assert sparse.issparse(whole.transform(jobs))
    same(stages.model(None).named_steps["columns"], whole, jobs)


def test_columns_may_be_chosen_by_type_and_a_single_one_by_its_name(rows, fit, held):
    def parts():
        return [
            ("numbers", MinMaxScaler(), make_column_selector(dtype_include="number")),
            ("words", HashingVectorizer(n_features=8), "job"),
            ("nothing", "drop", ["wage"]),
            ("none", StandardScaler(), []),
        ]

    stage = ColumnTransformer(parts())
    fit({"columns": stage}, rows.frame, names=NAMES)
    whole = ColumnTransformer(parts()).fit(rows.frame)
    same(stage, whole, rows.frame)


def test_a_single_name_over_arrays_selects_lines_of_text(rows, fit):
    stage = ColumnTransformer([["words", HashingVectorizer(n_features=8), "job"]])
    table = rows.frame.to_numpy(dtype=object)
    stages = fit({"columns": stage}, table, names=NAMES)
    expected = HashingVectorizer(n_features=8).transform(table[:, 2])
    np.testing.assert_array_equal(stages.transform(table).toarray(), expected.toarray())


def test_sparse_rows_are_handed_to_the_parts(rows, fit):
    parts = [("some", MaxAbsScaler(), [0, 3])]
    stages = fit({"columns": ColumnTransformer(parts)}, rows.sparse)
    whole = ColumnTransformer(parts).fit(rows.sparse)
    same(stages.model(None).named_steps["columns"], whole, rows.sparse)


def test_a_pipeline_of_columns_learns_in_the_same_pass(rows, fit, held):
    def steps():
        return Pipeline(
            [("fill", SimpleImputer(strategy="constant", fill_value=0)), ("scale", MinMaxScaler())]
        )

    X = np.where(rows.X > 20, np.nan, rows.X)
    stage = ColumnTransformer([("chain", steps(), [0, 1])])
    fit({"columns": stage}, X)
    whole = ColumnTransformer([("chain", steps(), [0, 1])]).fit(X)
    same(stage, whole, X)
    assert held(stage["chain"]["scale"]) == held(whole["chain"]["scale"])


def test_an_imputer_learns_from_the_first_block_and_the_scaler_behind_it_from_all(rows, fit):
    X = np.where(rows.X > 20, np.nan, rows.X)
    stage = Pipeline([["fill", SimpleImputer()], ["scale", MinMaxScaler()]])
    fit({"chain": stage}, X)
    imputer = SimpleImputer().fit(rows.cut(X)[0])
    scaler = MinMaxScaler().fit(imputer.transform(X))
    np.testing.assert_array_equal(stage.transform(X), scaler.transform(imputer.transform(X)))


def test_only_the_last_step_of_a_pipeline_may_need_every_block(fit, rows):
    stage = Pipeline([("scale", MinMaxScaler()), ("more", MaxAbsScaler())])
    with pytest.raises(ConfigError) as caught:
        fit({"columns": ColumnTransformer([("chain", stage, [0])])}, rows.X)
    assert str(caught.value) == (
        "preprocessing.columns.chain.scale must be the last step of its Pipeline, because it "
        "needs a pass over the blocks; got MinMaxScaler with a step after it. "
        "Make each of the two a stage of its own under preprocessing."
    )


def test_a_feature_union_is_that_of_all_rows(rows, fit):
    def union():
        return FeatureUnion(
            [["low", MinMaxScaler()], ["raw", "passthrough"], ["high", MaxAbsScaler()]]
        )

    stages = fit({"both": union()}, rows.X)
    whole = union().fit(rows.X)
    np.testing.assert_array_equal(stages.transform(rows.X), whole.transform(rows.X))


def test_a_union_in_a_column_transformer_of_a_union_learns_too(rows, fit):
    def nested():
        inner = ColumnTransformer([("some", MinMaxScaler(), [1])], remainder="passthrough")
        return FeatureUnion([("inner", inner), ("all", MaxAbsScaler())])

    stages = fit({"both": nested()}, rows.X)
    np.testing.assert_array_equal(stages.transform(rows.X), nested().fit(rows.X).transform(rows.X))


def test_parts_that_need_one_block_get_its_target_and_no_more(rows, fit, held):
    parts = [("best", SelectKBest(f_classif, k=1), [0, 1, 3]), ("poly", PolynomialFeatures(), [2])]
    stage = clone(ColumnTransformer(parts))
    stages = fit({"columns": stage}, rows.X, rows.y)
    first = ColumnTransformer(parts).fit(rows.cut(rows.X)[0], rows.cut(rows.y)[0])
    assert held(stage) == held(first)
    assert next(iter(stages.remarks())).text.startswith("preprocessing.columns.best cannot learn")


def test_stateless_parts_alone_are_set_up(rows, fit):
    parts = [("norm", Normalizer(), [0, 1]), ("log", FunctionTransformer(np.abs), [2])]
    stages = fit({"columns": ColumnTransformer(parts)}, rows.X)
    whole = ColumnTransformer(parts).fit(rows.X)
    np.testing.assert_array_equal(stages.transform(rows.X), whole.transform(rows.X))


def test_a_pipeline_of_nothing_passes_rows_on(rows, fit):
    stages = fit({"none": Pipeline([("none", "passthrough")])}, rows.X)
    with warnings.catch_warnings():
        np.testing.assert_array_equal(stages.transform(rows.X), rows.X)


def test_what_was_declared_stays_unfitted_beside_what_was_learned(rows, fit):
    stage = ColumnTransformer([("scale", MinMaxScaler(), [0])], remainder=MaxAbsScaler())
    fit({"columns": stage}, rows.X)
    assert not hasattr(stage.transformers[0][1], "data_max_")
    assert not hasattr(stage.remainder, "max_abs_")
    assert stage["scale"].data_max_ == rows.X[:, 0].max()


def test_a_column_with_too_many_values_is_named(rows, fit, monkeypatch):
    from runner.errors import FitError
    from runner.preprocessing import categories

    monkeypatch.setattr(categories, "MOST_VALUES", 4)
    stage = ColumnTransformer([["words", OrdinalEncoder(), ["job"]]])
    with pytest.raises(FitError, match=r"preprocessing\.columns\.words must .* column 'job'"):
        fit({"columns": stage}, rows.frame.to_numpy(dtype=object), names=NAMES)


def test_an_encoder_for_what_remains_may_get_no_column():
    table = ColumnTransformer([("scale", MinMaxScaler(), [0, 1])], remainder=OneHotEncoder())
    stages = Stages({"table": table})
    stages.name_columns(None, is_frame=False)
    X = np.array([[0.0, 1.0], [2.0, 3.0]])
    for due in stages.passes():
        due.partial_fit(X)
        due.finish()
    assert stages.transform(X).tolist() == [[0.0, 0.0], [1.0, 1.0]]
