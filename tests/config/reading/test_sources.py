"""Who set which key."""

from pathlib import Path

import pytest
import yaml

from runner.config.checking.examination import examined
from runner.config.reading.sources import Sources, Written, call, of_file, text_of

TEXT = """\
# mine
defaults:
  - override /dataset: iris
  - override /estimator: sgd_classifier
estimator:
  alpha: 0.1   # strong
fit: {epochs: 3, class_weight: {0: 1.0}}
sweep:
  grid: {estimator.alpha: [0.1, 0.2]}
"""


@pytest.fixture
def mine(project):
    file = project / "mine.yaml"
    file.write_text(TEXT)
    return file


def test_every_key_of_a_file_has_its_line_and_column(mine):
    places = {each.key: each.place for each in of_file(mine)}
    assert places == {
        "estimator": "mine.yaml:5:1",
        "estimator.alpha": "mine.yaml:6:3",
        "fit": "mine.yaml:7:1",
        "fit.epochs": "mine.yaml:7:7",
        "fit.class_weight": "mine.yaml:7:18",
        "fit.class_weight.0": "mine.yaml:7:33",
        "sweep": "mine.yaml:8:1",
        "sweep.grid": "mine.yaml:9:3",
        "sweep.grid.estimator.alpha": "mine.yaml:9:10",
        "sweep.grid.estimator.alpha.0": "mine.yaml:9:28",
        "sweep.grid.estimator.alpha.1": "mine.yaml:9:33",
    }


def test_a_package_comes_before_the_keys_and_global_does_not(mine):
    assert of_file(mine, "a.b")[0].key == "a.b.estimator"
    assert of_file(mine, "_global_")[0].key == "estimator"


def test_merged_keys_stand_where_they_are_written(project):
    (project / "merged.yaml").write_text("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")
    written = {each.key: each.place for each in of_file(project / "merged.yaml")}
    assert written["b.x"] == "merged.yaml:1:8"
    assert written["b.y"] == "merged.yaml:4:3"


def test_all_files_and_the_command_line_count_in_order(mine):
    sources = examined("mine.yaml", ["estimator.alpha=0.3", "fit={epochs: 4}"]).sources
    alpha = [(each.place, each.value) for each in sources.writers("estimator.alpha")]
    assert alpha == [("mine.yaml:6:3", "0.1"), ("command line (estimator.alpha=0.3)", "0.3")]
    epochs = [each.place for each in sources.writers("fit.epochs")]
    assert epochs[0].endswith("conf/fit/default.yaml:3:1")
    assert epochs[1:] == ["mine.yaml:7:7", "command line (fit={epochs: 4})"]
    target = sources.writers("estimator._target_")
    assert [Path(each.place).name for each in target] == ["sgd_classifier.yaml:2:1"]
    assert sources.place("estimator.nowhere") == "mine.yaml:5:1"


def test_an_option_of_the_projects_own_is_its_source(project, mine):
    own = project / "conf" / "estimator"
    own.mkdir(parents=True)
    (own / "sgd_classifier.yaml").write_text(
        "# own\n_target_: sklearn.linear_model.SGDClassifier\nalpha: 7\n"
    )
    written = examined("mine.yaml").sources.writers("estimator.alpha")
    assert [each.place for each in written] == [
        "conf/estimator/sgd_classifier.yaml:3:1",
        "mine.yaml:6:3",
    ]


def test_a_file_is_called_from_where_one_stands(project, mine, monkeypatch):
    below = project / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert call(mine) == "../../mine.yaml"
    assert call(Path("/elsewhere/x.yaml")) == "/elsewhere/x.yaml"


def test_secrets_are_not_repeated(project):
    (project / "s.yaml").write_text("dataset: {password: hush-hush, uri: 's3://ann:pw@host'}\n")
    told = " ".join(each.value for each in of_file(project / "s.yaml"))
    assert "hush" not in told
    assert "pw@" not in told
    line = examined("quickstart", ["+dataset.password=hush-hush"]).sources
    assert "hush" not in " ".join(f"{each.place}{each.value}" for each in line.all())


def test_nobody_wrote_an_unknown_key():
    sources = Sources([Written("here", "seed", "1")])
    assert sources.writers("sede") == ()
    assert sources.place("sede") == ""
    assert sources.keys() == ["seed"]


def test_a_long_value_is_cut():
    text = text_of(yaml.compose(f"[{', '.join(map(str, range(100)))}]"))
    assert len(text) == 60
    assert text.endswith("…")


def test_a_list_that_is_replaced_leaves_nothing_of_the_one_before(project):
    (project / "a.yaml").write_text("partial_fit: {classes: [no, yes]}\nfit: {epochs: 3}\n")
    first = of_file(project / "a.yaml")
    line = Written("command line", "partial_fit.classes", "[0]")
    sources = Sources([*first, line, Written("later", "fit", "{}", is_section=True)])
    assert sources.writers("partial_fit.classes.1") == ()
    assert sources.place("partial_fit.classes.1") == "command line"
    assert sources.place("fit.epochs") == "a.yaml:2:7"
