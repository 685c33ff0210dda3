"""Stages in front of the estimator, and the one model they make with it."""

import warnings
from threading import Thread

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import IncrementalPCA
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from runner.base import Part
from runner.dataset.function import Function
from runner.errors import ConfigError
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import fit_loop
from runner.preprocessing.stages import Stages
from runner.stream.stream import Stream
from runner.tracking.model import UntrustedTypesError, pack


def learned(stages, rows, y):
    """Let an estimator learn one epoch behind the stages; return the model."""
    learner = stages.learner(SGDClassifier(random_state=0))
    size = 20
    for start in range(0, rows.shape[0], size):
        block = rows[start : start + size]
        block = stages.transform(block) if stages.transform else block
        learner.partial_fit(block, y[start : start + size], classes=[0, 1])
    return stages.model(learner)


# --- fixed before the first epoch


def test_several_stages_are_fitted_one_after_the_other_as_a_pipeline_is(rows, fit, held):
    def steps():
        return {
            "low": MinMaxScaler(),
            "norm": Normalizer(),
            "poly": PolynomialFeatures(2),
            "high": MaxAbsScaler(),
        }

    stages = fit(steps(), rows.X)
    whole = Pipeline(list(steps().items())).fit(rows.X)
    np.testing.assert_array_equal(stages.transform(rows.X), whole.transform(rows.X))


def test_a_pass_is_due_only_for_what_learns_and_says_if_one_block_is_enough():
    stages = Stages({"log": Binarizer(), "low": MinMaxScaler(), "poly": PolynomialFeatures()})
    due = []
    for one in stages.passes():
        due.append((one.name, one.only_first, one.called))
        one.partial_fit(np.array([[0.0], [2.0]]))
        one.finish()
    assert due == [
        ("low", False, "MinMaxScaler (preprocessing.low)"),
        ("poly", True, "PolynomialFeatures (preprocessing.poly)"),
    ]


def test_while_a_pass_is_due_rows_go_through_the_stages_in_front_of_it():
    stages = Stages({"sign": Binarizer(), "low": MinMaxScaler(), "norm": Normalizer()})
    assert stages.transform([[-3.0, 4.0]]).tolist() == [[0.0, 1.0]]
    for due in stages.passes():
        assert stages.transform([[-3.0, 4.0]]).tolist() == [[0.0, 1.0]]
        due.partial_fit(np.array([[0.0, 0.0], [1.0, 2.0]]))
        due.finish()
    assert stages.transform([[-3.0, 4.0]]).tolist() == [[0.0, 1.0]]
    assert Stages({"low": MinMaxScaler(), "norm": Normalizer()}).transform is None


def test_passes_over_the_same_blocks_give_the_same_bits(rows, fit, held):
    made = [
        fit({"scaler": StandardScaler(), "pca": IncrementalPCA(2)}, rows.X[:100]) for _ in range(2)
    ]
    one, other = (stages.model(None) for stages in made)
    assert held(one) == held(other)


def test_sparse_blocks_are_scaled_without_becoming_dense(rows, fit):
    lines = np.array([f"a{n % 7} b{n % 5} c" for n in range(103)], dtype=object)

    def steps():
        return {
            "hashing": HashingVectorizer(n_features=32),
            "high": MaxAbsScaler(),
            "scale": StandardScaler(with_mean=False),
        }

    made = fit(steps(), lines).transform(lines)
    whole = Pipeline(list(steps().items())).fit(lines).transform(lines)
    assert made.format == "csr"
    np.testing.assert_allclose(made.toarray(), whole.toarray(), rtol=1e-9)


def test_many_threads_may_transform_at_once(rows, fit):
    stage = ColumnTransformer([("low", MinMaxScaler(), [0, 1])], remainder="passthrough")
    stages = fit({"columns": stage, "scale": StandardScaler()}, rows.X)
    expected = stages.transform(rows.X)
    made = [None] * 8

    def work(index):
        made[index] = [stages.transform(rows.X) for _ in range(20)]

    threads = [Thread(target=work, args=(index,)) for index in range(len(made))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((each == expected).all() for several in made for each in several)


class Recorder(MinMaxScaler):
    """A scaler that notes every row it has learned from."""

    def partial_fit(self, X, y=None):
        self.met = [*getattr(self, "met", []), *X[:, 0].tolist()]
        return super().partial_fit(X, y)


def numbered():
    X = np.arange(200.0).reshape(100, 2)
    return X, X[:, 0]


@pytest.mark.parametrize("by", ["rows", "blocks"])
@pytest.mark.parametrize("policy", ["first_pass", "running"])
def test_no_held_out_row_reaches_a_stage(by, policy):
    dataset = Function(
        function=f"{__name__}:numbered", chunks=10, holdout=0.3, holdout_by=by, validation=0.2
    )
    dataset._returned = lambda: (*numbered(), None)
    split = dataset.split()
    held_out = {
        float(row)
        for part in (split.holdout, split.validation)
        for row in part.X.compute()[:, 0].tolist()
    }
    recorder, stream = Recorder(), Stream()
    stages = Stages({"low": recorder}, policy)
    run(stages, split.train, stream)
    assert len(held_out) == 100 - len(recorder.met) > 40
    assert not held_out & set(recorder.met)


def run(stages: Stages, train: Part, stream: Stream):
    for due in stages.passes():
        source = stream.source(train, stages.transform)
        fit_loop([IncrementalFit(due)], lambda _, source=source: stream.in_order(source))
        due.finish()
    fit = IncrementalFit(stages.learner(SGDRegressor()))
    source = stream.source(train, stages.transform)
    fit_loop([fit], lambda epoch: stream.epoch(source, epoch))


# --- running


def test_a_running_stage_and_all_behind_it_learn_with_the_estimator(rows, fit, held):
    steps = {
        "low": MinMaxScaler(),
        "scale": StandardScaler(),
        "poly": PolynomialFeatures(),
    }
    stages = fit(steps, rows.X, policy={"scale": "running"})
    model = learned(stages, rows.X, rows.y)
    low = MinMaxScaler().fit(rows.X)
    scale, estimator = StandardScaler(), SGDClassifier(random_state=0)
    poly = PolynomialFeatures().fit(rows.X[:20])
    for X, y in zip(rows.cut(rows.X), rows.cut(rows.y), strict=True):
        scaled = scale.partial_fit(low.transform(X)).transform(low.transform(X))
        estimator.partial_fit(poly.transform(scaled), y, classes=[0, 1])
    assert type(model) is Pipeline
    assert list(model.named_steps) == ["low", "scale", "poly", "estimator"]
    assert held(model["scale"]) == held(scale)
    assert held(model["estimator"]) == held(estimator)


def test_the_model_is_made_of_the_learner_that_is_given(rows, fit):
    import copy

    stages = fit({"low": MinMaxScaler(), "scale": StandardScaler()}, rows.X, policy="running")
    learner = stages.learner(SGDClassifier())
    learner.partial_fit(rows.X, rows.y, classes=[0, 1])
    best = copy.deepcopy(learner)
    learner.partial_fit(rows.X * 9, rows.y)
    assert stages.model(best)["scale"].n_samples_seen_ == 103


def test_running_for_all_leaves_the_others_as_they_are():
    stages = Stages({"words": OneHotEncoder(), "scale": MaxAbsScaler()}, "running")
    assert [due.name for due in stages.passes()] == ["words"]
    assert list(stages.learner(SGDClassifier()).named_steps) == ["scale", "estimator"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("always", "fit.preprocessing must be first_pass or running, or one of these for a"),
        ({"scale": "runing"}, "got 'runing'. Did you mean 'running'?"),
        ({"scal": "running"}, "fit.preprocessing.scal must be the name of a stage; got 'scal'."),
        ({"poly": "running"}, "fit.preprocessing.poly must be running only for stages that learn"),
        ({"words": "running"}, "fit.preprocessing.words must be running only for stages that"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(policy, said):
    steps = {"poly": PolynomialFeatures(), "scale": MaxAbsScaler(), "words": OneHotEncoder()}
    with pytest.raises(ConfigError) as caught:
        Stages(steps, policy)
    assert said in str(caught.value)


@pytest.mark.parametrize("steps", [{}, {"norm": Normalizer()}])
def test_running_with_no_stage_that_can_is_refused(steps):
    with pytest.raises(ConfigError, match=r"fit\.preprocessing must be running only"):
        Stages(steps, "running")


@pytest.mark.parametrize("policy", ["running", {"cols": "running"}])
def test_a_column_transformer_is_said_to_learn_in_passes_only(policy):
    stage = ColumnTransformer([("a", StandardScaler(), [0])])
    with pytest.raises(ConfigError) as caught:
        Stages({"cols": stage}, policy)
    assert str(caught.value).endswith(
        "got ColumnTransformer. Leave it out: a ColumnTransformer learns in passes only, whatever "
        "its parts are."
    )


@pytest.mark.parametrize("behind", [MinMaxScaler(), OneHotEncoder()])
def test_a_stage_that_needs_a_pass_behind_a_running_one_is_refused(behind):
    with pytest.raises(ConfigError) as caught:
        Stages({"scale": StandardScaler(), "behind": behind}, {"scale": "running"})
    assert str(caught.value).startswith(
        "preprocessing.behind must come before scale, which is running: what a running stage "
    )


# --- names, remarks, the model


def test_names_of_columns_hold_behind_stages_that_keep_the_columns(rows, fit):
    stage = ColumnTransformer([["some", "passthrough", ["c", "a"]]])
    stages = fit({"low": MinMaxScaler(), "columns": stage}, rows.X, names=("a", "b", "c", "d"))
    expected = MinMaxScaler().fit_transform(rows.X)[:, [2, 0]]
    np.testing.assert_array_equal(stages.transform(rows.X), expected)


def test_names_of_columns_end_with_a_stage_that_makes_others(rows, fit):
    steps = {"poly": PolynomialFeatures(), "columns": ColumnTransformer([["a", "drop", ["c"]]])}
    with pytest.raises(ConfigError, match=r"columns\.transformers must name columns of the rows"):
        fit(steps, rows.X, names=("a", "b", "c", "d"))


def test_the_names_of_a_frame_outlive_a_function_that_keeps_it_a_frame(rows, fit):
    stage = ColumnTransformer([["some", MinMaxScaler(), ["wage"]]])
    stages = fit({"same": FunctionTransformer(), "columns": stage}, rows.frame)
    assert stages.transform(rows.frame).shape == (103, 1)


def test_what_learns_from_the_first_block_only_is_remarked():
    steps = {"best": SelectKBest(), "poly": PolynomialFeatures(), "scale": MaxAbsScaler()}
    (remark,) = Stages(steps).remarks()
    assert str(remark) == (
        "first-block-only: preprocessing.best cannot learn block by block: it is fitted on the "
        "first training block, and what it learns from these rows is used for all."
    )


def test_a_stage_may_not_be_called_as_the_estimator_is():
    with pytest.raises(ConfigError, match=r"preprocessing\.estimator must have another name"):
        Stages({"estimator": Normalizer()})


def test_without_stages_the_model_is_the_estimator_itself():
    stages, estimator = Stages({}), SGDClassifier()
    assert list(stages.passes()) == []
    assert stages.transform is None
    assert stages.learner(estimator) is estimator
    assert stages.model(estimator) is estimator


@pytest.mark.parametrize("policy", ["first_pass", {"scale": "running"}])
@pytest.mark.parametrize("is_frame", [True, False])
def test_the_model_is_plain_and_predicts_from_raw_rows_once_loaded(is_frame, policy, rows, fit):
    table = rows.frame if is_frame else rows.frame.to_numpy(dtype=object)
    parts = [
        ["numbers", Pipeline([["log", FunctionTransformer("numpy.cbrt")]]), ["age", "wage"]],
        ["words", OneHotEncoder(handle_unknown="ignore"), ["job"]],
    ]
    steps = {
        "columns": ColumnTransformer(parts, remainder=MinMaxScaler(), sparse_threshold=0),
        "scale": StandardScaler(),
    }
    if not is_frame:  # numpy.cbrt takes no Python objects
        parts[0][1] = MaxAbsScaler()
    names = ("age", "hours", "job", "wage")
    stages = fit(steps, table, rows.y, names=names, policy=policy)
    model = learned(stages, table, rows.y)
    packed = pack(model)
    loaded = skops.io.loads(packed.content, trusted=packed.trusted)
    assert all(name.startswith(("sklearn.", "numpy.", "scipy.")) for name in packed.trusted)
    assert type(loaded) is Pipeline
    np.testing.assert_array_equal(loaded.predict(table), model.predict(table))
    prepared = stages.transform(table)
    learner = model["estimator"]
    if policy != "first_pass":
        prepared = model["scale"].transform(prepared)
    np.testing.assert_array_equal(model.predict(table), learner.predict(prepared))


def own(X):
    return X


def test_a_function_of_ones_own_keeps_the_model_out_of_the_record(rows):
    stages = Stages({"own": FunctionTransformer(own)})
    with pytest.raises(UntrustedTypesError, match=r"not be trusted when it is read: .*own"):
        pack(learned(stages, rows.X, rows.y))


def test_transforming_warns_of_nothing(rows, fit):
    stage = ColumnTransformer([["some", MinMaxScaler(), ["age"]]], remainder="passthrough")
    stages = fit({"columns": stage}, rows.frame[["age", "wage"]], names=("age", "wage"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stages.transform(rows.frame[["age", "wage"]])


def test_a_stage_that_is_restored_transforms_to_the_same_bits():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 37))
    stages = Stages({"pca": IncrementalPCA(7)})
    for due in stages.passes():
        due.partial_fit(rows)
        due.finish()
    restored = Stages({"pca": IncrementalPCA(7)})
    restored.restore(stages.state())
    ours, theirs = (each.named["pca"].components_ for each in (stages, restored))
    assert ours.strides[0] < ours.strides[1]
    assert theirs.strides[0] < theirs.strides[1]
    assert (stages.transform(rows) == restored.transform(rows)).all()
