"""A composed config against the names and signatures it refers to."""

import pytest
from omegaconf import OmegaConf

from runner.config.compose import compose
from runner.config.validation import validate
from runner.errors import ConfigError


def checked(*overrides, name="quickstart"):
    validate(OmegaConf.to_container(compose(name, overrides).config, resolve=True))


def test_a_right_config_passes():
    checked()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "estimator.alhpa=1",
            "estimator.alhpa must be a parameter of SGDClassifier; got 'alhpa'. "
            "Did you mean 'alpha'?",
        ),
        (
            "dataset.n_sampels=1",
            "dataset.n_sampels must be a parameter of MakeClassification; got 'n_sampels'. "
            "Did you mean 'n_samples'?",
        ),
        (
            "stream.prefech=1",
            "stream.prefech must be a parameter of Stream; got 'prefech'. "
            "Did you mean 'prefetch'?",
        ),
        (
            "+estimatr.x=1",
            "estimatr must be a key of an experiment; got 'estimatr'. Did you mean 'estimator'?",
        ),
        (
            "callbacks.progress_bar.evry_s=1",
            "callbacks.progress_bar.evry_s must be a parameter of ProgressBar; got 'evry_s'. "
            "Did you mean 'every_s'?",
        ),
        (
            "dataset.n_samples=???",
            "dataset.n_samples must be set; got nothing. Write it in the file, or "
            "dataset.n_samples=... here.",
        ),
    ],
)
def test_a_key_that_nothing_takes_is_told_with_the_nearest(override, said):
    with pytest.raises(ConfigError) as caught:
        checked(override)
    assert str(caught.value) == said


@pytest.mark.parametrize("noun", ["dataset", "estimator"])
def test_a_noun_that_was_not_chosen_is_told(noun, tmp_path):
    other = {"dataset": "estimator: sgd_classifier", "estimator": "dataset: make_blobs"}[noun]
    file = tmp_path / "half.yaml"
    file.write_text(f"defaults: [{{override /{other}}}]\n")
    with pytest.raises(ConfigError, match=f"{noun} must be chosen; got nothing. Write {noun}="):
        checked(name=str(file))


def test_a_noun_without_a_target_says_what_is_there(tmp_path):
    file = tmp_path / "half.yaml"
    file.write_text("defaults: [{override /dataset: make_blobs}]\nestimator: {alpha: 1}\n")
    with pytest.raises(ConfigError, match="estimator must be chosen; got only alpha"):
        checked(name=str(file))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("estimator: sgd_classifier", "Write `defaults: [{override /estimator: sgd_classifier}]`"),
        ("partial_fit: null", "partial_fit must be a section of keys; got None"),
        ("callbacks: 3", "callbacks must be a section of keys; got 3"),
    ],
)
def test_a_section_that_is_none_is_told(tmp_path, line, said):
    file = tmp_path / "odd.yaml"
    file.write_text(f"defaults: [{{override /dataset: make_blobs}}]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        checked("estimator._target_=x" if "estimator" not in line else "seed=1", name=str(file))
    assert said in str(caught.value)


def test_a_function_is_not_built_by_target():
    with pytest.raises(ConfigError, match=r"must name a class; got sklearn\.datasets\.load_iris"):
        checked("dataset._target_=sklearn.datasets.load_iris")


def test_a_users_function_must_be_allowed_like_any_other_name(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "defaults: [{override /dataset: function}, {override /estimator: gaussian_nb}]\n"
        "dataset: {function: 'os:getcwd'}\n"
    )
    with pytest.raises(ConfigError, match=r"dataset\.function must name something of sklearn"):
        checked(name=str(file))


def stage(func):
    return f"+preprocessing.a={{_target_: sklearn.preprocessing.FunctionTransformer, {func}}}"


@pytest.mark.parametrize("func", ["func: numpy.log1p", "func: numpy.log, inverse_func: numpy.exp"])
def test_numpys_element_wise_functions_may_be_stages(func):
    checked(stage(func))


@pytest.mark.parametrize("func", ["numpy.load", "numpy.fromfile", "numpy.ma.log", "os.system"])
@pytest.mark.parametrize("key", ["func", "inverse_func"])
def test_any_other_function_of_a_stage_must_be_allowed_by_the_project(key, func):
    with pytest.raises(
        ConfigError,
        match=rf"preprocessing\.a\.{key} must name something of sklearn\.datasets\.make",
    ):
        checked(stage(f"{key}: {func}"))


def test_a_function_of_the_projects_own_may_be_a_stage(monkeypatch):
    monkeypatch.setenv("RUNNER_ALLOW", "textwrap")
    checked(stage("func: textwrap.dedent"))


def test_a_stage_within_a_column_transformer_is_checked_like_any_other():
    within = "{_target_: sklearn.preprocessing.StandardScaler, with_meen: false}"
    columns = f"_target_: sklearn.compose.ColumnTransformer, transformers: [[a, {within}, [0]]]"
    with pytest.raises(ConfigError) as caught:
        checked(f"+preprocessing.columns={{{columns}}}")
    assert str(caught.value) == (
        "preprocessing.columns.transformers.0.1.with_meen must be a parameter of StandardScaler; "
        "got 'with_meen'. Did you mean 'with_mean'?"
    )


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["callbacks.early_stopping.patience=3"],
            "callbacks.early_stopping must be chosen; got only patience. "
            "Write callbacks=[progress_bar,checkpoint,early_stopping].",
        ),
        (
            ["callbacks=[]", "callbacks.early_stopping.patience=3"],
            "callbacks.early_stopping must be chosen; got only patience. "
            "Write callbacks=[early_stopping].",
        ),
        (
            ["preprocessing=[normalizer]", "preprocessing.standard_scaler.with_mean=false"],
            "preprocessing.standard_scaler must be chosen; got only with_mean. "
            "Write preprocessing=[normalizer,standard_scaler].",
        ),
        (
            ["preprocessing.standar_scaler.with_mean=false"],
            "preprocessing.standar_scaler must be chosen; got only with_mean. Write its "
            "_target_, or name an option. Did you mean 'standard_scaler'",
        ),
    ],
)
def test_settings_of_an_option_that_was_not_chosen_say_how_to_choose_it(overrides, said):
    with pytest.raises(ConfigError) as caught:
        checked(*overrides)
    assert str(caught.value).startswith(said)
