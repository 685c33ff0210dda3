"""Files that are wrong, and files that only look odd.

Beside each file of `wrong/` stands what is told of it, line by line.
"""

import shutil
from pathlib import Path

import pytest

from runner.cli import WRONG, main
from runner.config.checking import examination
from runner.config.checking.examination import examined
from runner.config.checking.vetting import vet
from runner.errors import InvalidConfigError

FILES = Path(__file__).parent
WRONG_FILES = sorted((FILES / "wrong").glob("*.yaml"))
RIGHT_FILES = sorted((FILES / "right").glob("*.yaml"))
BEGINS_WITH = {"in_a_parent": "unknown_in_estimator"}
CHOICES = """\
defaults:
  - override /dataset: make_classification
  - override /estimator: sgd_classifier
"""
CLASSES = "partial_fit: {classes: [0, 1]}\n"


def name_of(path):
    return path.stem


@pytest.fixture
def experiments(project):
    (project / "experiments").mkdir()
    return project / "experiments"


@pytest.fixture
def once(monkeypatch):
    """Examine a file once, though it is validated and then run."""
    kept = {}

    def examine(name, overrides=()):
        if name not in kept:
            kept[name] = examined(name, overrides)
        return kept[name]

    monkeypatch.setattr(examination, "examined", examine)


def test_there_are_enough_of_them():
    assert len(WRONG_FILES) >= 75
    assert len(RIGHT_FILES) >= 15


@pytest.mark.parametrize("path", WRONG_FILES, ids=name_of)
def test_a_wrong_file_is_told_line_by_line_and_not_run(path, experiments, once, capsys):
    names = [path.stem, *([BEGINS_WITH[path.stem]] if path.stem in BEGINS_WITH else [])]
    for name in names:
        shutil.copy(path.with_stem(name), experiments)
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert main(["validate", path.stem]) == WRONG
    told = capsys.readouterr()
    assert told.err.splitlines() == expected.splitlines()
    assert main(["run", path.stem]) == WRONG
    ran = capsys.readouterr()
    assert ran.err.splitlines() == expected.splitlines()
    assert ran.out == ""
    assert [each.name for each in experiments.parent.iterdir()] == ["experiments"]


@pytest.mark.parametrize("path", WRONG_FILES, ids=name_of)
def test_what_is_told_is_plain(path):
    told = path.with_suffix(".txt").read_text(encoding="utf-8")
    lines = told.splitlines()
    problems = [line for line in lines if not line.startswith("    ")]
    assert len(set(problems)) == len(problems)
    assert all(line.startswith("experiments/") for line in problems)
    jargon = ("Error", "None", "True", "False", "dict", "Traceback", "full_key", "object_type")
    assert [word for word in jargon if word in told] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name: gr\xf6\xdfe\n", ":1:9: must be UTF-8 text; got the byte 0xf6"),
        (b"\xff\xfen\x00a\x00", ":1:1: must be UTF-8 text; got the byte 0xff"),
        (b"name: a\x07b\n", ":1:8: must be text; got the control character '\\x07'"),
        (b"\x1f\x8b\x08\x00", ":1:2: must be UTF-8 text; got the byte 0x8b"),
    ],
)
def test_what_is_no_text_is_told(content, said, experiments, capsys):
    (experiments / "x.yaml").write_bytes(content)
    assert main(["validate", "x"]) == main(["run", "x"]) == WRONG
    assert f"experiments/x.yaml{said}" in capsys.readouterr().err


@pytest.mark.parametrize("path", RIGHT_FILES, ids=name_of)
def test_an_odd_file_that_is_right_is_accepted(path, experiments):
    shutil.copy(path, experiments)
    found = examined(path.stem)
    assert found.problems == ()
    assert found.missing == (("dataset.path",) if path.stem == "still_to_be_given" else ())


def said_of(text, overrides, experiments):
    (experiments / "x.yaml").write_text(text)
    return "\n".join(map(str, examined("x", overrides).problems))


TRAPS = {  # what stock Hydra accepts in silence, or answers with a traceback
    "a misspelt parameter": ("estimator: {alhpa: 0.01}\n", [], "did you mean 'alpha'?"),
    "a misspelt option that may be absent": (
        "callbacks: {early_stoping: {patience: 3}}\n",
        [],
        "did you mean 'early_stopping'?",
    ),
    "labels that are words of YAML": (
        "partial_fit: {classes: [yes, no]}\n",
        [],
        "YAML reads yes as true",
    ),
    "an octal number": ("seed: 012\n", [], "YAML reads 012 as 10"),
    "a time of day": ("seed: 12:30:45\n", [], "YAML reads 12:30:45 as 45045"),
    "broken YAML": ("fit: {epochs: 3\n", [], "must be valid YAML"),
    "a group set to null": ("", ["fit=null"], "fit: must name one of its options; got null"),
    "a section set to null": ("fit: null\n", [], "fit: must be a section of keys; got nothing"),
    "a key that is added by +": (
        "",
        ["+partial_fit.clases=[1]"],
        "has no argument 'clases'\n    did you mean 'classes'?",
    ),
    "a key of a section that is added by +": ("", ["+fit.clases=[1]"], "has no parameter 'clas"),
    "settings of a callback that is not chosen": (
        "",
        ["callbacks.early_stopping.patience=1"],
        "callbacks.early_stopping: must be chosen",
    ),
    "several values without -m": ("", ["seed=1,2"], "seed: must have one value where there is"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_of_hydra_is_told(trap, experiments):
    text, overrides, said = TRAPS[trap]
    classes = "" if "classes:" in text else CLASSES
    assert said in said_of(CHOICES + text + classes, overrides, experiments)


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (CHOICES + CLASSES, []),  # no header
        ("# mine\n# @package _global_\n" + CHOICES + CLASSES, []),
        ("# yaml-language-server: $schema=x\n# @package _global_\n" + CHOICES + CLASSES, []),
        (CHOICES + CLASSES, ["estimator.alpha=1", "-m", "seed=2,3"]),
        (CHOICES + CLASSES, ["+estimator.alpha=1"]),
        (CHOICES + CLASSES, ["++fit.epochs=2"]),
        (
            CHOICES.replace(
                "/estimator: sgd_classifier", "/callbacks: [early_stopping, checkpoint]"
            )
            + "  - override /estimator: sgd_classifier\n"
            + CLASSES,
            ["callbacks.early_stopping.patience=1"],
        ),
        (CHOICES + "hydra: {sweeper: {params: {estimator.alpha: [0.1, 0.01]}}}\n" + CLASSES, []),
    ],
)
def test_what_hydra_would_drop_or_refuse_simply_works(text, overrides, experiments):
    assert said_of(text, overrides, experiments) == ""


def test_what_stands_in_a_file_without_a_header_counts(experiments):
    (experiments / "x.yaml").write_text("# mine\n" + CHOICES + "name: here\nfit: {epochs: 7}\n")
    config = examined("x").composed.config
    assert (config.name, config.fit.epochs) == ("here", 7)


@pytest.mark.parametrize(
    ("arguments", "n"),
    [
        (["run", "x", "estimator.alpha=1", "-m", "seed=2,3"], 2),
        (["experiment=x,y"], 4),  # both files have sweeps of their own
        (["run", "z"], 2),  # hydra.sweeper.params with a list of YAML
    ],
)
def test_as_many_runs_are_planned_as_were_meant(arguments, n, experiments, capsys):
    body = CHOICES + CLASSES
    (experiments / "z.yaml").write_text(
        body + "hydra: {sweeper: {params: {estimator.alpha: [0.1, 0.01]}}}\n"
    )
    swept = "" if "run" in arguments else "sweep: {grid: {estimator.alpha: [0.1, 0.01]}}\n"
    for name in "xy":
        (experiments / f"{name}.yaml").write_text(body + swept)
    code = main([*arguments, "--dry-run"])
    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    assert f"{n} members" in told.out


def test_an_experiment_is_chosen_without_a_sign():
    with pytest.raises(
        InvalidConfigError, match=r"experiment=x\): experiment: is chosen without a sign"
    ):
        vet(None, ["+experiment=x"])


def test_a_misspelt_experiment_is_refused():
    with pytest.raises(InvalidConfigError, match=r"(?i)did you mean 'quickstart'"):
        vet(None, ["experiment=quickstrat"])
