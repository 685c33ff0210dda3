"""What a sweep varies."""

import pytest

from runner.config.checking.examination import examined

HEAD = "defaults: [{override /dataset: digits}, {override /estimator: sgd_classifier}]\n"
TAIL = "partial_fit: {classes: infer}\n"


def told(project, sweep, *overrides):
    (project / "a.yaml").write_text(f"{HEAD}{sweep}\n{TAIL}")
    return [str(problem) for problem in examined("a.yaml", overrides).problems]


@pytest.mark.parametrize(
    "sweep",
    [
        "sweep: {grid: {estimator.alpha: [1e-3, 1e-4], seed: [1, 2]}}",
        "sweep: {grid: {estimator: {alpha: [0.1], penalty: [l1, l2]}}}",
        "sweep: {grid: {estimator: [sgd_classifier, gaussian_nb, perceptron]}}",
        "sweep: {grid: {estimator: [sgd_classifier, gaussian_nb], estimator.alpha: [0.1]}}",
        "sweep: {runs: [{estimator: gaussian_nb, estimator.var_smoothing: 1e-8}, {seed: 3}]}",
        "sweep: {zip: {estimator: [sgd_regressor, mlp_regressor], fit.epochs: [1, 2]}}",
        "sweep: {grid: {preprocessing: [[], [normalizer], [standard_scaler, normalizer]]}}",
        "sweep: {grid: {dataset.chunks: ['${seed}', 50, auto]}}",
        "sweep: {grid: {fit.class_weight: [{0: 1.0, 1: 2.0}, balanced, null]}}",
        "sweep: {grid: {seed: [1, 2]}, halving: {first_rows: 100}}",
        "hydra: {sweeper: {params: {seed: '1,2', estimator.alpha: [0.1, 0.2]}}}",
    ],
)
def test_what_may_be_varied_is_fine(project, sweep):
    assert told(project, sweep) == []


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        (
            "sweep: {grid: {estimator.alhpa: [1, 2]}}",
            "a.yaml:2:16: sweep.grid.estimator.alhpa: SGDClassifier has no parameter 'alhpa'\n"
            "    did you mean 'alpha'?",
        ),
        (
            "sweep: {grid: {estimatr.alpha: [1, 2]}}",
            "a.yaml:2:16: sweep.grid.estimatr.alpha: an experiment has no key 'estimatr'\n"
            "    did you mean 'estimator'?",
        ),
        (
            "sweep: {zip: {fit.epochs: [1, 0]}}",
            "a.yaml:2:31: sweep.zip.fit.epochs.1: must be an integer of at least 1; got 0\n"
            "    leave it out for the default, 1",
        ),
        (
            "sweep: {runs: [{fit.epochs: 2}, {fit.epohcs: 3}]}",
            "a.yaml:2:34: sweep.runs.1.fit.epohcs: FitOptions has no parameter 'epohcs'\n"
            "    did you mean 'epochs'?",
        ),
        (
            "sweep: {grid: {estimator: [sgd_clasifier]}}",
            "a.yaml:2:28: sweep.grid.estimator.0: there is no 'sgd_clasifier' in estimator/\n"
            "    did you mean 'sgd_classifier'?",
        ),
        (
            "sweep: {gird: {seed: [1, 2]}}",
            "a.yaml:2:9: sweep.gird: a sweep has no key 'gird'\n    did you mean 'grid'?",
        ),
        (
            "sweep: {grid: {seed: [1, 2]}, halving: {first_row: 100}}",
            "a.yaml:2:41: sweep.halving.first_row: Halving has no parameter 'first_row'\n"
            "    did you mean 'first_rows'?",
        ),
        (
            "sweep: {runs: [{estimator: gaussian_nb, estimator.alpha: 0.1}]}",
            "a.yaml:2:41: sweep.runs.0.estimator.alpha: GaussianNB has no parameter 'alpha'\n"
            "    choose one of: priors, var_smoothing",
        ),
        (
            "hydra: {sweeper: {params: {estimator.alhpa: [0.1]}}}",
            "a.yaml:2:28: hydra.sweeper.params.estimator.alhpa: SGDClassifier has no parameter "
            "'alhpa'\n    did you mean 'alpha'?",
        ),
    ],
)
def test_what_may_not_be_varied_is_told_once_where_it_stands(project, sweep, said):
    assert said in told(project, sweep)


def test_an_axis_of_the_command_line_is_checked_too(project):
    assert told(project, "", "-m", "estimator.alpha=0.1,-1") == [
        "command line (estimator.alpha=0.1,-1): estimator.alpha: must be a number of at least 0; "
        "got -1\n    leave it out for the default, 0.0001"
    ]
    assert told(project, "", "-m", "estimator.alhpa=1,2")[0].startswith(
        "command line (estimator.alhpa=1,2): estimator.alhpa: SGDClassifier has no parameter"
    )
    assert told(project, "", "-m", "estimator=sgd_classifier,gaussian_nb", "seed=range(1,4)") == []


def test_many_wrong_values_of_an_axis_are_all_told(project):
    said = told(project, "sweep: {grid: {fit.epochs: [0, 1, -1, a]}}")
    assert [text.split(": ")[1] for text in said] == [
        "sweep.grid.fit.epochs.0",
        "sweep.grid.fit.epochs.2",
        "sweep.grid.fit.epochs.3",
    ]


def test_a_key_that_the_command_line_sets_is_not_swept_over(project):
    sweep = "sweep: {grid: {estimator.alpha: [-1], seed: [1, 2]}}"
    assert len(told(project, sweep)) == 1
    assert told(project, sweep, "estimator.alpha=0.1") == []
