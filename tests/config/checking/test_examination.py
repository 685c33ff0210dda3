"""Everything that is wrong, at once."""

import subprocess
import sys

import pytest
from hydra._internal import config_loader_impl

from runner.config.checking.examination import examined
from runner.errors import InvalidConfigError
from runner.project import experiment_files

WRONG = """\
# wrong in every way
defaults:
  - override /dataset: digits
  - override /estimator: sgd_classifier
sede: 3
estimator:
  alhpa: 0.1
  loss: log_los
fit: {epochs: 0}
partial_fit: {clases: [0, 1]}
evaluation: {scoring: [acuracy]}
callbacks: {early_stopping: {patience: 3}}
stream: {prefetch: '${nowhere}'}
sweep: {grid: {estimator.aplha: [1, 2]}}
"""


def test_every_mistake_of_a_file_is_told_at_once_in_its_order(project):
    (project / "wrong.yaml").write_text(WRONG)
    examination = examined("wrong.yaml", ["stream.prefech=1", "estimatr=x"])
    assert [f"{each.place}: {each.key}" for each in examination.problems] == [
        "wrong.yaml:5:1: sede",
        "wrong.yaml:7:3: estimator.alhpa",
        "wrong.yaml:8:3: estimator.loss",
        "wrong.yaml:9:7: fit.epochs",
        "wrong.yaml:10:15: partial_fit.clases",
        "wrong.yaml:11:24: evaluation.scoring.0",
        "wrong.yaml:12:13: callbacks.early_stopping",
        "wrong.yaml:13:10: stream.prefetch",
        "wrong.yaml:14:16: sweep.grid.estimator.aplha",
        "command line (estimatr=x): estimatr",
        "command line (stream.prefech=1): stream.prefech",
    ]
    with pytest.raises(InvalidConfigError) as caught:
        examination.refuse()
    assert str(caught.value).startswith(
        "wrong.yaml:5:1: sede: an experiment has no key 'sede'\n    did you mean 'seed'?\n"
        "wrong.yaml:7:3: estimator.alhpa: SGDClassifier has no parameter 'alhpa'\n"
        "    did you mean 'alpha'?\n"
        "wrong.yaml:8:3: estimator.loss: must be "
    )


@pytest.mark.parametrize("name", sorted(experiment_files()))
def test_a_shipped_experiment_is_right(name):
    examination = examined(name)
    assert examination.problems == ()
    assert bool(examination.missing) == (name == "parquet_sgd")


def test_a_value_still_to_be_given_is_no_mistake_until_it_is_run():
    examination = examined("parquet_sgd", ["dataset.target=y"])
    assert examination.missing == ("dataset.path",)
    told = r"parquet_sgd\.yaml:11:3: dataset\.path: must be set"
    with pytest.raises(InvalidConfigError, match=told):
        examination.refuse()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["estimator=sgd"], "command line (estimator=sgd): estimator: there is no 'sgd' in "),
        (["+estimator.alhpa=1"], "command line (+estimator.alhpa=1): estimator.alhpa: SGDCl"),
        (["++fit.epohcs=1"], "command line (++fit.epohcs=1): fit.epohcs: FitOptions has no "),
        (["fit={epochs: 0}"], "command line (fit={epochs: 0}): fit.epochs: must be an integer"),
        (["seed=(1"], "command line (seed=(1): seed: cannot be read: "),
        (["seed=1,2"], "command line (seed=1,2): seed: must have one value where there is no -m"),
        (["experiment=quickstrat"], "command line (experiment=quickstrat): experiment: there is"),
        (["fit=null"], "command line (fit=null): fit: must name one of its options; got null"),
        (["--multrun"], "command line (--multrun): --multrun: "),
        (["~estimator.alpha"], "estimator.alpha: is not there to be removed"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_as_it_was_typed(overrides, said):
    told = "\n".join(map(str, examined("quickstart", overrides).problems))
    assert said.lower() in told.lower()


def test_an_unknown_experiment_is_a_problem_among_others():
    problems = examined("quickstrat", ["sede.x=[1"]).problems
    assert "quickstrat" in str(problems[0])
    assert "did you mean 'quickstart'?" in str(problems[0]).lower()
    assert len(problems) == 2


def test_the_command_line_alone_may_describe_an_experiment():
    whole = ["dataset=iris", "estimator=gaussian_nb", "partial_fit.classes=infer"]
    assert examined(None, whole).problems == ()
    told = [each.key for each in examined(None, ["dataset=iris"]).problems]
    assert told == ["estimator"]


def test_what_it_composes_is_what_is_run():
    composed = examined("quickstart", ["estimator.alpha=3"]).composed
    assert composed.config.estimator.alpha == 3
    assert composed.overrides == ("estimator.alpha=3",)


def test_nothing_heavy_is_imported_where_the_signatures_are_known(project):
    script = (
        "import sys; from runner.config.checking.examination import examined; "
        "assert not examined('quickstart').problems; "
        "print({'sklearn', 'numpy', 'dask', 'mlflow', 'pandas'} & set(sys.modules))"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        )
        assert done.stderr == ""
    assert done.stdout == "set()\n"


def test_what_it_is_composed_of_is_found_out_once(monkeypatch):
    asked = []

    def create(**options):
        asked.append(options["config_name"])
        return create_defaults_list(**options)

    create_defaults_list = config_loader_impl.create_defaults_list
    monkeypatch.setattr(config_loader_impl, "create_defaults_list", create)
    found = examined("quickstart")
    assert asked == ["config"]
    (estimator,) = found.sources.writers("estimator._target_")
    assert estimator.value == "sklearn.linear_model.SGDClassifier"
