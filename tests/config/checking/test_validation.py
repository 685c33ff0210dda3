"""A composed config against the names and signatures it refers to."""

import pytest

from runner.config.checking.resolution import resolved
from runner.config.checking.validation import (
    UNRESOLVED,
    missing,
    problems,
    problems_of_key,
    unlabelled,
    unset,
)
from runner.config.compose import compose


def plain_of(*overrides, name="quickstart"):
    return resolved(compose(name, overrides).config)[0]


def told(*overrides, name="quickstart"):
    plain = plain_of(*overrides, name=name)
    return [str(each) for each in [*problems(plain), *map(unset, missing(plain))]]


def test_a_right_config_has_no_problem():
    assert told() == []


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "estimator.alhpa=1",
            "estimator.alhpa: SGDClassifier has no parameter 'alhpa'\n    did you mean 'alpha'?",
        ),
        (
            "dataset.n_sampels=1",
            "dataset.n_sampels: MakeClassification has no parameter 'n_sampels'\n"
            "    did you mean 'n_samples'?",
        ),
        (
            "stream.prefech=1",
            "stream.prefech: Stream has no parameter 'prefech'\n    did you mean 'prefetch'?",
        ),
        (
            "+estimatr.x=1",
            "estimatr: an experiment has no key 'estimatr'\n    did you mean 'estimator'?",
        ),
        (
            "callbacks.progress_bar.evry_s=1",
            "callbacks.progress_bar.evry_s: ProgressBar has no parameter 'evry_s'\n"
            "    did you mean 'every_s'?",
        ),
        (
            "partial_fit.clases=[0,1]",
            "partial_fit.clases: SGDClassifier.partial_fit has no argument 'clases'\n"
            "    did you mean 'classes'?",
        ),
        (
            "dataset.n_samples=???",
            "dataset.n_samples: must be set; got nothing\n"
            "    write it in the file, or dataset.n_samples=... here",
        ),
        (
            "fit.epochs=0",
            "fit.epochs: must be an integer of at least 1; got 0\n"
            "    leave it out for the default, 1",
        ),
        (
            "estimator.alpha=-1",
            "estimator.alpha: must be a number of at least 0; got -1\n"
            "    leave it out for the default, 0.0001",
        ),
        (
            "estimator.loss=log_los",
            "estimator.loss: must be epsilon_insensitive, hinge, huber, log_loss, modified_huber, "
            "perceptron, squared_epsilon_insensitive, squared_error or squared_hinge; got "
            "'log_los'\n    did you mean 'log_loss'?",
        ),
        (
            "estimator._partial_=true",
            "estimator._partial_: SGDClassifier has no parameter '_partial_'\n    leave it out",
        ),
        (
            "_target_=runner.stream.stream.Stream",
            "_target_: must be left as it is at the top of a file; got "
            "runner.stream.stream.Stream\n    put _target_ under dataset or estimator instead",
        ),
    ],
)
def test_what_nothing_takes_is_told_with_what_to_do(override, said):
    assert any(text.startswith(said) for text in told(override)), told(override)


def test_all_is_told_at_once():
    said = told("estimator.alhpa=1", "fit.epochs=0", "stream.prefech=1", "++sede=2")
    assert [text.partition(":")[0] for text in said] == [
        "sede",
        "stream.prefech",
        "estimator.alhpa",
        "fit.epochs",
    ]


def test_what_is_not_resolved_is_not_judged():
    plain = plain_of()
    plain["fit"]["epochs"] = plain["estimator"] = UNRESOLVED
    plain["dataset"]["_target_"] = UNRESOLVED
    assert problems(plain) == []


def test_a_single_section_can_be_looked_at():
    plain = plain_of("fit.epochs=0", "stream.prefech=1", "++sede=2")
    assert [each.key for each in problems_of_key(plain, "fit.epochs")] == ["fit.epochs"]
    assert [each.key for each in problems_of_key(plain, "seed")] == ["sede"]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("estimator._target_=sklearn.svm.SVC", "must be a class with partial_fit, which learns"),
        ("estimator._target_=runner.stream.stream.Stream", "must be a class with partial_fit"),
        ("dataset._target_=sklearn.linear_model.Perceptron", "must be a dataset; got Perceptron"),
        ("stream._target_=runner.fit.options.FitOptions", "must be a stream; got FitOptions"),
        ("tracking._target_=sklearn.linear_model.Perceptron", "must be what keeps a record; got"),
        ("+callbacks.x._target_=runner.fit.options.FitOptions", "must be a callback; got FitOp"),
        ("+preprocessing.x._target_=sklearn.linear_model.Perceptron", "must be a transformer of"),
        (
            "+estimator.estimator._target_=runner.fit.options.FitOptions",
            "must be an estimator or transformer; got FitOptions",
        ),
    ],
)
def test_a_place_takes_only_what_fits_it(override, said):
    assert any(said in text for text in told(override)), told(override)


def test_labels_are_needed_where_partial_fit_takes_them():
    (problem,) = unlabelled(plain_of("partial_fit.classes=null"))
    assert str(problem).startswith("partial_fit.classes: must be set; got nothing\n    write part")
    assert unlabelled(plain_of()) == []
    assert unlabelled(plain_of("estimator=sgd_regressor", "partial_fit.classes=null")) == []


@pytest.mark.parametrize("noun", ["dataset", "estimator"])
def test_a_noun_that_was_not_chosen_is_told(noun, tmp_path):
    other = {"dataset": "estimator: sgd_classifier", "estimator": "dataset: make_blobs"}[noun]
    file = tmp_path / "half.yaml"
    file.write_text(f"defaults: [{{override /{other}}}]\n")
    said = told(name=str(file))[0]
    assert said.startswith(f"{noun}: must be chosen; got nothing\n    write {noun}=")


def test_a_noun_without_a_target_says_what_is_there(tmp_path):
    file = tmp_path / "half.yaml"
    file.write_text("defaults: [{override /dataset: make_blobs}]\nestimator: {alpha: 1}\n")
    assert told(name=str(file))[0].startswith("estimator: must be chosen; got only alpha")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("estimator: sgd_classifier", "write `defaults: [{override /estimator: sgd_classifier}]`"),
        ("partial_fit: null", "partial_fit: must be a section of keys; got nothing"),
        ("callbacks: 3", "callbacks: must be a section of keys; got 3"),
        ("callbacks: {x: 3}", "callbacks.x: must be a callback, built from a _target_; got 3"),
    ],
)
def test_a_section_that_is_none_is_told(tmp_path, line, said):
    file = tmp_path / "odd.yaml"
    file.write_text(f"defaults: [{{override /dataset: make_blobs}}]\n{line}\n")
    assert any(said in text for text in told(name=str(file)))


def test_a_function_is_not_built_by_target():
    (said,) = told("dataset._target_=sklearn.datasets.load_iris")
    assert "sklearn.datasets.load_iris" in said


def test_a_users_function_must_be_allowed_like_any_other_name(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "defaults: [{override /dataset: function}, {override /estimator: gaussian_nb}]\n"
        "dataset: {function: 'os:getcwd'}\npartial_fit: {classes: infer}\n"
    )
    (said,) = told(name=str(file))
    assert said.startswith("dataset.function: must name something of sklearn")


def stage(func):
    return f"+preprocessing.a={{_target_: sklearn.preprocessing.FunctionTransformer, {func}}}"


@pytest.mark.parametrize("func", ["func: numpy.log1p", "func: numpy.log, inverse_func: numpy.exp"])
def test_numpys_element_wise_functions_may_be_stages(func):
    assert told(stage(func)) == []


@pytest.mark.parametrize("func", ["numpy.load", "numpy.fromfile", "numpy.ma.log", "os.system"])
@pytest.mark.parametrize("key", ["func", "inverse_func"])
def test_any_other_function_of_a_stage_must_be_allowed_by_the_project(key, func):
    (said,) = told(stage(f"{key}: {func}"))
    assert said.startswith(f"preprocessing.a.{key}: must name something of sklearn.datasets.make")


def test_a_function_of_the_projects_own_may_be_a_stage(monkeypatch):
    monkeypatch.setenv("RUNNER_ALLOW", "textwrap")
    assert told(stage("func: textwrap.dedent")) == []


def test_a_value_that_would_write_files_is_refused():
    forest = "{_target_: sklearn.pipeline.Pipeline, steps: [], memory: /tmp/x}"
    assert any("must be null; got '/tmp/x'" in text for text in told(f"+preprocessing.a={forest}"))


def test_a_stage_within_a_column_transformer_is_checked_like_any_other():
    within = "{_target_: sklearn.preprocessing.StandardScaler, with_meen: false}"
    columns = f"_target_: sklearn.compose.ColumnTransformer, transformers: [[a, {within}, [0]]]"
    assert told(f"+preprocessing.columns={{{columns}}}") == [
        "preprocessing.columns.transformers.0.1.with_meen: StandardScaler has no parameter "
        "'with_meen'\n    did you mean 'with_mean'?"
    ]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["callbacks.early_stopping.patience=3"],
            "callbacks.early_stopping: must be chosen; got only patience\n"
            "    write callbacks=[progress_bar,checkpoint,early_stopping]",
        ),
        (
            ["callbacks=[]", "callbacks.early_stopping.patience=3"],
            "callbacks.early_stopping: must be chosen; got only patience\n"
            "    write callbacks=[early_stopping]",
        ),
        (
            ["preprocessing=[normalizer]", "preprocessing.standard_scaler.with_mean=false"],
            "preprocessing.standard_scaler: must be chosen; got only with_mean\n"
            "    write preprocessing=[normalizer,standard_scaler]",
        ),
        (
            ["preprocessing.standar_scaler.with_mean=false"],
            "preprocessing.standar_scaler: must be chosen; got only with_mean\n    write its "
            "_target_, or name an option; did you mean 'standard_scaler'",
        ),
    ],
)
def test_settings_of_an_option_that_was_not_chosen_say_how_to_choose_it(overrides, said):
    assert told(*overrides)[0].startswith(said)
