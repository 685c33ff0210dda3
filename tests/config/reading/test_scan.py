"""A file is read before Hydra sees it, and told where it is wrong."""

import os

import pytest

from runner.config.compose import compose
from runner.config.reading.scan import MOST_BYTES, scanned, strict_problems
from runner.errors import ConfigError, InvalidConfigError
from runner.project import builtin

ELSEWHERE = "must name an option of its group"
FOREIGN = "must not be set in an experiment's file"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.yaml"


def told(file, text):
    file.write_text(text)
    return [str(each).splitlines()[0] for each in strict_problems(file, scanned(file))]


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        (b"a: [1, 2\nb: 3\n", ":2:2", "must be valid YAML; got a [ that is not closed"),
        (b"a: 1\n---\nb: 2\n", ":2:1", "must be one document; got another after ---"),
        (b"a: 1\nb: \xc3\xa9\xff", ":2:5", "must be UTF-8 text; got the byte 0xff"),
        (b"a: \x00", ":1:4", "must be text; got the control character '\\x00'"),
        (b"a: 1\nb: x\x07", ":2:5", "must be text; got the control character '\\x07'"),
        (b"- 1\n", ":1:1", "must be keys with values; got a list"),
        (b"a: *b", ":1:4", "must be valid YAML; got a * or & that is no alias or anchor"),
        (b"#" * (MOST_BYTES + 1), "", "must have at most 1,000,000 bytes; got 1,000,001"),
    ],
)
def test_what_is_no_config_is_told_with_its_place(file, content, place, said):
    file.write_bytes(content)
    with pytest.raises(InvalidConfigError) as caught:
        scanned(file)
    assert str(caught.value).splitlines()[0] == f"{file}{place}: {said}"


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in ("pipe.yaml", "", "none.yaml"):
        with pytest.raises(InvalidConfigError, match=r"must be (a plain file|readable)"):
            scanned(tmp_path / name)


def test_all_keys_that_are_written_twice_are_told_at_once(file):
    file.write_text("a: 1\na: 2\nb: {c: 1, c: 2}\n")
    with pytest.raises(InvalidConfigError) as caught:
        scanned(file)
    assert {each.place.rpartition("x.yaml")[2] for each in caught.value.problems} == {
        *(":2:1", ":3:11")
    }


@pytest.mark.parametrize(
    "path", sorted(builtin("experiments").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_shipped_experiment_may_be_read(path):
    assert strict_problems(path, scanned(path)) == []


def test_every_shipped_option_is_within_the_budgets():
    assert all(scanned(path) is not None for path in builtin("conf").rglob("*.yaml"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("hydra: {callbacks: {x: {_target_: a.b}}}", "hydra.callbacks"),
        ("hydra: {job: {env_set: {A: b}}}", "hydra.job"),
        ("hydra: {sweeper: {_target_: a.b}}", "hydra.sweeper._target_"),
        ("hydra: {sweeper: [1]}", "hydra.sweeper"),
        ("hydra: 3", "hydra"),
        ("'hydra.callbacks': {}", "hydra.callbacks"),
        ("!!str hydra: {searchpath: [x]}", "hydra.searchpath"),
        ("a: &h {hydra: {callbacks: {}}}\n<<: *h", "hydra.callbacks"),
        ("hydra: {sweeper: {params: {hydra.run.dir: x}}}", "hydra.run.dir"),
        ("# @package _global_.hydra\na: 1", "# @package _global_.hydra"),
        ("# @package hydra.job\na: 1", "# @package hydra.job"),
        ("defaults: [{override /hydra/launcher: basic}]", "hydra/launcher"),
        ("defaults: [/hydra/sweeper@x: y]", "hydra/sweeper"),
        ("defaults: [{/dataset@_global_.hydra.job: iris}]", "dataset@_global_.hydra.job"),
        ("defaults: ['/estimator@hydra.x']", "estimator@hydra.x"),
    ],
)
def test_hydras_own_settings_are_told(file, text, key):
    (said,) = told(file, text)
    assert f": {key}: {FOREIGN}" in said


@pytest.mark.parametrize(
    "text",
    [
        "defaults: [{override /dataset: ../../x}]",
        "defaults: [{override /callbacks: [progress_bar, /etc/x]}]",
        "defaults: [{override /callbacks: ['file://x']}]",
        "defaults: ['/dataset/../../x']",
        "defaults: [{/../conf/dataset: iris}]",
        "defaults: [{override /estimator: '${oc.env:X}'}]",
        "defaults: [{override /estimator: ~/x}]",
        "sweep: {grid: {dataset: [iris, ../x]}}",
        "sweep: {runs: [{estimator: ../x}]}",
        "sweep: {zip: {preprocessing: [[normalizer], [../x]]}}",
        "hydra: {sweeper: {params: {dataset: 'iris,../x'}}}",
    ],
)
def test_options_of_other_folders_are_told(file, text):
    (said,) = told(file, text)
    assert ELSEWHERE in said


@pytest.mark.parametrize(
    "text",
    [
        "hydra: {sweeper: {params: {seed: '1,2', estimator: {alpha: '1,2'}, fit.epochs: [1, 2]}}}",
        "defaults: [{override /dataset: iris}, {override /callbacks: [own/bell]}, _self_]",
        "sweep: {grid: {dataset.path: [../data/a.csv, /data/b.csv], dataset: [iris]}}",
        "# a remark\n# @package _global_\nname: a/b\ndataset: {path: ../x.csv}\n",
        "",
    ],
)
def test_what_an_experiment_may_say_is_no_problem(file, text):
    assert told(file, text) == []


def test_nothing_is_composed_unscanned(project):
    file = project / "experiments" / "bomb.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("a: &a {b: *a}\n")
    with pytest.raises(InvalidConfigError, match="must not hold itself"):
        compose("bomb")
    file.write_text("defaults: [{override /hydra/launcher: basic}]\n")
    with pytest.raises(InvalidConfigError, match=FOREIGN):
        compose("bomb")


def test_the_projects_own_options_are_read_within_the_budgets(project):
    folder = project / "conf" / "estimator"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text("_target_: sklearn.linear_model.SGDClassifier\nalpha: 0.5\n")
    assert compose("quickstart", ["estimator=own"]).config.estimator.alpha == 0.5
    (folder / "own.yaml").write_text("_target_: !!python/name:os.system x\n")
    with pytest.raises(ConfigError, match="no tag but YAML's own"):
        compose("quickstart", ["estimator=own"])


def test_a_value_still_to_be_given_wants_quotes_between_brackets(tmp_path):
    (tmp_path / "a.yaml").write_text("dataset: {path: ???, chunks: 10}\n")
    with pytest.raises(InvalidConfigError, match=r"got \?\?\? between brackets\n    put it in qu"):
        scanned(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("dataset: {path: '???', chunks: 10}\n")
    root = scanned(tmp_path / "b.yaml")
    assert root.value[0][1].value[0][1].value == "???"
