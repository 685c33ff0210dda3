"""What YAML 1.1 reads as something else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.config.reading.sources import Sources, Written, of_file
from runner.config.reading.traps import explained, misread, trap_problems
from runner.errors import Problem


def of(project, text):
    (project / "a.yaml").write_text(text)
    return Sources(of_file(project / "a.yaml"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("no", "false"),
        ("Yes", "true"),
        ("ON", "true"),
        ("off", "false"),
        ("010", "8"),
        ("-017", "-15"),
        ("1:30", "90"),
        ("12:30:45", "45045"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("1_0.5", "10.5"),
    ],
)
def test_a_plain_scalar_that_is_read_as_something_else_is_told(project, text, read):
    written = of(project, f"partial_fit: {{classes: [a, {text}]}}")
    (problem,) = trap_problems(written)
    assert str(problem) == (
        f"a.yaml:1:28: partial_fit.classes.1: YAML reads {text} as {read}\n"
        f"    write '{text}' in quotes, or {read}"
    )


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity"])
def test_a_number_that_is_read_as_text_is_told(project, text):
    (problem,) = trap_problems(of(project, f"partial_fit: {{classes: [{text}, 1]}}"))
    assert problem.said == f"YAML reads {text} as text"


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "False",
        "0",
        "-1",
        "1.5",
        "1e-4",
        "1.",
        ".5",
        "'no'",
        '"010"',
        "a",
        "2024-01-01",
        "~",
    ],
)
def test_what_is_read_as_it_looks_is_fine(project, text):
    assert trap_problems(of(project, f"partial_fit: {{classes: [{text}]}}")) == []


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_no_number_as_python_writes_it_is_taken_for_a_trap(number):
    assert misread(yaml.compose(repr(number), Loader=yaml.SafeLoader)) is None


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("dataset: {path: 010, target: no}", ["dataset.path", "dataset.target"]),
        ("dataset: {features: [a, on]}", ["dataset.features.1"]),
        ("fit: {class_weight: {no: 1, yes: 2}}", ["fit.class_weight.no", "fit.class_weight.yes"]),
        (
            "sweep: {grid: {partial_fit.classes: [[0, no]]}}",
            ["sweep.grid.partial_fit.classes.0.1"],
        ),
        ("seed: 010", ["seed"]),
        ("fit: {epochs: 1:30}", ["fit.epochs"]),
    ],
)
def test_labels_columns_paths_and_odd_numbers_are_looked_at(project, text, keys):
    assert [problem.key for problem in trap_problems(of(project, text))] == keys


@pytest.mark.parametrize(
    "text", ["stream: {shuffle: no}", "dataset: {n_samples: 1_000}", "estimator: {average: on}"]
)
def test_a_switch_or_a_long_number_elsewhere_is_fine(project, text):
    assert trap_problems(of(project, text)) == []


def test_what_a_later_file_corrects_is_fine(project):
    wrong = of(project, "partial_fit: {classes: [no]}")
    right = of(project, "partial_fit: {classes: ['no']}")
    both = Sources([*wrong.all(), *right.all()])
    assert trap_problems(both) == []


def test_a_refused_value_is_explained(project):
    written = of(project, "dataset: {path: off}")
    problem = explained(Problem("dataset.path", "must be text; got False"), written)
    assert problem.said == "must be text; got False, because YAML reads off as false"
    assert problem.remedy == "write 'off' in quotes, or false"


def test_a_refused_value_that_is_read_as_it_looks_is_left_alone():
    written = Sources([Written("here", "seed", "x", yaml.compose("x"))])
    problem = Problem("seed", "must be an integer")
    assert explained(problem, written) is problem
    assert explained(Problem("name", "is wrong"), written).remedy == ""
