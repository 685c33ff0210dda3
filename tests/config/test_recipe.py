"""What was asked, without its secrets."""

import shutil
import sys

import pytest
import yaml
from omegaconf import OmegaConf
from sklearn.base import BaseEstimator
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline

import runner
from runner.cli import WRONG, main
from runner.config.compose import compose
from runner.config.job import build
from runner.config.recipe import plain, recipe, shown, variables, with_effective
from runner.records import Recipe
from runner.redaction import REDACTED, forget, redacted
from runner.tracking.record import children, kept_file, recent_runs


def recipe_of(text, overrides=(), selection="mine"):
    return recipe(OmegaConf.create(text), list(overrides), selection)


def test_params_are_the_resolved_config_with_dotted_keys():
    asked = recipe_of("{name: a, seed: 3, estimator: {alpha: 0.1, random_state: '${seed}'}}")
    assert asked.params == {
        "name": "a",
        "seed": 3,
        "estimator.alpha": 0.1,
        "estimator.random_state": 3,
    }


def test_the_yaml_keeps_interpolations_as_they_were_written():
    asked = recipe_of("{name: a, seed: 3, estimator: {random_state: '${seed}'}}")
    assert yaml.safe_load(asked.config)["estimator"] == {"random_state": "${seed}"}


def test_lists_and_empty_mappings_are_single_params():
    asked = recipe_of("{name: a, partial_fit: {classes: [0, 1]}, preprocessing: {}}")
    assert asked.params["partial_fit.classes"] == [0, 1]
    assert asked.params["preprocessing"] == {}


def test_what_is_built_is_a_param_only_where_there_is_a_choice():
    asked = recipe_of("{name: a, _target_: x, stream: {_target_: y}, estimator: {_target_: z}}")
    assert asked.params == {"name": "a", "estimator._target_": "z"}


def test_the_command_repeats_the_run():
    asked = recipe_of("{name: a}", ["dataset.path=my rows.csv", "seed=1"], "quickstart")
    assert asked.command == "runner run quickstart 'dataset.path=my rows.csv' seed=1"
    assert recipe_of("{name: a}", ["seed=1"], "").command == "runner seed=1"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{name: a, dataset: {storage: {token: s3cr3t}}}", "dataset.storage.token"),
        ("{name: a, dataset: {credentials: {user: ann, pin: s3cr3t}}}", "dataset.credentials"),
        ("{name: a, dataset: {files: [{api_key: s3cr3t}]}}", "dataset.files"),
        ("{name: a, tracking: {uri: 'https://ann:s3@s3cr3t@host/x'}}", "tracking.uri"),
        ("{name: a, dataset: {path: ['https://host/?password=s3cr3t']}}", "dataset.path"),
        ("{name: a, dataset: {password: '${oc.env:CANARY,s3cr3t}'}}", "dataset.password"),
    ],
)
def test_secrets_reach_neither_params_nor_yaml(text, key):
    asked = recipe_of(text)
    assert REDACTED in str(asked.params[key])
    assert "s3cr3t" not in repr(asked)


@pytest.mark.parametrize(
    "dataset",
    [
        "{b: '${oc.env:CANARY}'}",
        "{b: 'https://${oc.env:CANARY}/x'}",
        "{b: ['x', '${oc.env:CANARY}']}",
        "{b: '${a}'}",
        "{b: ['${..c}'], c: '${a}'}",
        "{b: '${oc.dict.values:dataset.c}', c: {d: '${a}'}}",
        "{b: '${oc.create:{c: ${a}}}'}",
    ],
)
def test_what_comes_from_the_environment_is_hidden_however_it_is_reached(dataset, monkeypatch):
    monkeypatch.setenv("CANARY", "s3cr3t")
    asked = recipe_of(f"{{name: n, a: '${{oc.env:CANARY}}', dataset: {dataset}}}")
    assert REDACTED in str(asked.params["dataset.b"])
    assert "s3cr3t" not in repr(asked)
    assert OmegaConf.create({"a": "${oc.env:CANARY}"}).a == "s3cr3t"


@pytest.mark.parametrize(
    ("override", "kept"),
    [
        ("++dataset.arguments.password=s3cr3t", "++dataset.arguments.password=<redacted>"),
        ("dataset.arguments.password=s3cr3t", "dataset.arguments.password=<redacted>"),
        ("+password='s3cr3t, too'", "+password=<redacted>"),
        ("dataset.credentials.pin=s3cr3t", "dataset.credentials.pin=<redacted>"),
        ("dataset.arguments={n: 1, password: s3cr3t}", "dataset.arguments=<redacted>"),
        ("dataset.files=[{token: 's3cr3t'}]", "dataset.files=<redacted>"),
        ("tracking.uri=https://ann:s3@s3cr3t@host", "tracking.uri=https://<redacted>@host"),
        ("tracking.uri='https://h/?token=s3cr3t'", "tracking.uri='https://h/?token=<redacted>'"),
        ("dataset.password=${oc.env:PASSWORD}", "dataset.password=${oc.env:PASSWORD}"),
        ("dataset.arguments={n: 1}", "dataset.arguments={n: 1}"),
    ],
)
def test_secrets_reach_neither_the_overrides_nor_the_command(override, kept):
    asked = recipe_of("{name: a}", [override])
    assert asked.overrides == (kept,)
    assert "s3cr3t" not in repr(asked)


def test_an_override_from_the_environment_is_kept_as_it_was_written(monkeypatch):
    monkeypatch.setenv("CANARY", "s3cr3t")
    override = "tracking.tags={team: '${oc.env:CANARY}'}"
    _, asked = build(compose("quickstart", ["tracking.experiment=${oc.env:CANARY}", override]))
    assert asked.overrides == ("tracking.experiment=${oc.env:CANARY}", override)
    assert "s3cr3t" not in repr(asked)


def test_a_plain_config_is_resolved_and_tells_no_secret(monkeypatch):
    monkeypatch.setenv("CANARY", "s3cr3t")
    config = OmegaConf.create({"seed": 3, "a": ["${seed}"], "b": "${oc.env:CANARY}", "pwd": "x"})
    assert plain(config) == {"seed": 3, "a": [3], "b": REDACTED, "pwd": REDACTED}
    assert config.b == "s3cr3t"


@pytest.mark.parametrize(
    ("key", "value", "seen"),
    [
        ("dataset.password", "s3cr3t", REDACTED),
        ("+dataset.credentials.pin", 1, REDACTED),
        ("dataset.arguments", {"token": "s3cr3t", "n": 1}, {"token": REDACTED, "n": 1}),
        ("dataset.uri", "s3://ann:s3cr3t@host", f"s3://{REDACTED}@host"),
        ("estimator.alpha", 0.1, 0.1),
    ],
)
def test_a_value_is_shown_without_its_secret(key, value, seen):
    assert shown(key, value) == seen


def test_ordinary_settings_are_not_hidden():
    asked = recipe_of("{name: a, words: {token_pattern: x, max_tokens: 3, return_token: true}}")
    assert asked.params["words.token_pattern"] == "x"
    assert asked.params["words.max_tokens"] == 3
    assert asked.params["words.return_token"] is True


def test_what_is_still_to_be_set_is_seen():
    asked = recipe_of("{name: a, dataset: {path: '???', password: '???'}}")
    assert yaml.safe_load(asked.config)["dataset"] == {"path": "???", "password": "???"}


def test_what_the_estimator_holds_wins_over_what_was_asked():
    nested = OneVsRestClassifier(SGDClassifier(random_state=3, alpha=0.5))
    asked = Recipe("a", {"estimator.estimator.random_state": None, "seed": 3})
    held = with_effective(asked, nested).params
    assert held["estimator.estimator.random_state"] == 3
    assert held["estimator.estimator.alpha"] == 0.5
    assert held["estimator.n_jobs"] is None
    assert held["seed"] == 3
    assert "estimator.estimator" not in held


def test_what_was_hidden_stays_hidden_whatever_the_estimator_holds():
    class Remote(BaseEstimator):
        def __init__(self, url=None, token=None, hosts=()):
            self.url, self.token, self.hosts = url, token, hosts

    asked = Recipe("a", {"estimator.url": REDACTED, "estimator.hosts": [REDACTED]})
    remote = Remote("s3cr3t", "s3cr3t", ["s3cr3t"])
    held = with_effective(asked, remote).params
    assert held == {**asked.params, "estimator.token": REDACTED}
    steps = Recipe("a", {"estimator.steps": [["remote", {"url": REDACTED}]]})
    assert "s3cr3t" not in repr(with_effective(steps, Pipeline([("remote", remote)])))


def test_no_file_of_a_run_holds_a_secret(project, schema, monkeypatch):
    monkeypatch.setenv("CANARY", "s3cr3t")
    shutil.copy(schema, project / "mlflow.db")
    file = project / "experiments" / "mine.yaml"
    file.parent.mkdir()
    rows = (
        "import dask.array as da\n"
        "def rows(**credentials):\n"
        "    X = da.random.default_rng(0).random((100, 2), chunks=(10, 2))\n"
        "    return X, (X[:, 0] > 0.5).astype(int)\n"
    )
    (project / "canary_rows.py").write_text(rows)
    file.write_text(
        "defaults: [{override /dataset: function}, {override /estimator: sgd_classifier}]\n"
        "dataset: {function: 'canary_rows:rows', arguments: {hosts: ['${oc.env:CANARY}']}}\n"
        "partial_fit: {classes: [0, 1]}\n"
    )
    monkeypatch.setenv("RUNNER_ALLOW", "canary_rows")
    overrides = [
        "dataset.arguments.password=s3cr3t",
        "dataset.arguments.uri=https://ann:s3@s3cr3t@example.org",
        "dataset.arguments.host=${oc.env:CANARY}",
        "dataset.arguments.again=${dataset.arguments.host}",
        "callbacks=[]",
    ]
    result = runner.run("mine", overrides)
    files = [path for path in project.rglob("*") if path.is_file()]
    assert any(result.run_id in str(path) for path in files)
    assert [path for path in files if b"s3cr3t" in path.read_bytes()] == []


@pytest.fixture
def forgotten():
    """Begin and end with no value of the environment to hide."""
    forget()
    yield
    forget()


@pytest.mark.parametrize("read", [plain, lambda config: config.b], ids=["plain", "by itself"])
def test_what_the_environment_gave_is_hidden_in_every_text(monkeypatch, forgotten, read):
    monkeypatch.setenv("CANARY_PLACE", "canary/317")
    read(OmegaConf.create({"b": "${oc.env:CANARY_PLACE}"}))
    assert redacted("no way to canary/317") == f"no way to {REDACTED}"


def test_what_a_file_tells_is_not_hidden_because_a_variable_says_the_same(monkeypatch, forgotten):
    text = "{b: '${oc.env:CANARY_PLACE,localhost}', c: '${oc.env:ABSENT,elsewhere}'}"
    monkeypatch.setenv("CANARY_PLACE", "localhost")
    assert OmegaConf.create(text).b == "localhost"
    assert OmegaConf.create(text).c == "elsewhere"
    assert redacted("localhost, elsewhere") == "localhost, elsewhere"


FAILING_ROWS = """
import dask
import dask.array as da
import numpy as np


def block(i, place):
    if i == 2:
        raise OSError(f"no way to {place}")
    return np.column_stack([np.arange(50.0), np.arange(50) % 2])


def rows(place):
    blocks = [dask.delayed(block)(i, place) for i in range(5)]
    table = da.concatenate([da.from_delayed(b, (50, 2), dtype=float) for b in blocks])
    return table[:, :1], table[:, 1].astype(int)
"""


@pytest.fixture
def with_canary(project, schema, monkeypatch, forgotten):
    """Return an experiment whose data are where a variable says."""
    shutil.copy(schema, project / "mlflow.db")
    monkeypatch.setenv("CANARY_PLACE", "canary/317.csv")
    monkeypatch.setenv("RUNNER_ALLOW", "failing_rows")
    monkeypatch.syspath_prepend(str(project))
    (project / "failing_rows.py").write_text(FAILING_ROWS)
    file = project / "mine.yaml"
    file.write_text(
        "defaults: [{override /dataset: function}, {override /estimator: sgd_classifier},"
        " {override /callbacks: []}]\n"
        "dataset: {function: 'failing_rows:rows', arguments: {place: '${oc.env:CANARY_PLACE}'}}\n"
        "partial_fit: {classes: [0, 1]}\n"
    )
    yield str(file)
    sys.modules.pop("failing_rows", None)


def files_with(folder, canary):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if canary in path.read_bytes()]


def test_an_error_does_not_tell_where_the_environment_said_the_data_are(
    with_canary, project, capsys
):
    assert main(["run", with_canary]) == WRONG
    err = capsys.readouterr().err
    assert f"no way to {REDACTED}" in err
    (run,) = recent_runs()
    for path in ("logs/error.txt", "report.md"):
        assert f"no way to {REDACTED}" in kept_file(run, path), path
    assert REDACTED in run.tags["runner.error"]
    assert "canary" not in err + repr(run.tags)
    assert files_with(project, b"canary/317") == []


def test_a_path_of_the_environment_is_told_of_no_run_or_member_that_cannot_begin(
    with_canary, project, capsys
):
    lines = [f"{number},{number % 2}" for number in range(40)]
    (project / "rows.csv").write_text("\n".join(["x,y", *lines]))
    file = project / "paths.yaml"
    file.write_text(
        "defaults: [{override /dataset: csv}, {override /estimator: sgd_classifier},"
        " {override /callbacks: []}]\n"
        "dataset: {path: rows.csv, target: y, chunks: 10}\npartial_fit: {classes: [0, 1]}\n"
        "sweep: {grid: {dataset.path: [rows.csv, '${oc.env:CANARY_PLACE}']}}\n"
    )
    alone = ["sweep=null", "dataset.path=${oc.env:CANARY_PLACE}"]
    assert main(["run", str(file), *alone]) == WRONG
    assert main(["run", str(file)]) == WRONG
    told = capsys.readouterr()
    assert told.err.count(REDACTED) == 2
    (sweep,) = recent_runs()
    bad = children(sweep)[1]
    for path in ("logs/error.txt", "report.md"):
        assert REDACTED in kept_file(bad, path), path
    assert REDACTED in bad.tags["runner.error"]
    assert "canary/" not in told.out + told.err + repr(bad)
    assert files_with(project, b"canary/317") == []


@pytest.mark.parametrize(
    "text",
    [
        r"""${oc.create:'{u: "\${oc.env:CANARY}"}'}""",
        r"""${oc.create:"{u: {v: '\${oc.env:CANARY}'}}"}""",
        r"""${oc.create:'{u: "\${oc.${c}:CANARY}"}'}""",
    ],
)
def test_a_variable_that_only_what_a_resolver_makes_reads_is_found(text):
    assert [*variables(OmegaConf.create({"a": text, "c": "env"}))] == ["CANARY"]
