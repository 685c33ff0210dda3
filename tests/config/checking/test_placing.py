"""Where a problem stands, and which of several is told."""

import yaml

from runner.config.checking.examination import examined
from runner.config.checking.placing import as_remark, causes, in_order, placed
from runner.config.reading.sources import Sources, Written
from runner.errors import Problem
from runner.project import builtin

SHIPPED = f"{builtin('conf')}/stream/default.yaml:7:1"
SOURCES = Sources(
    [
        Written(SHIPPED, "stream.seed", "${seed}", yaml.compose("${seed}")),
        Written("a.yaml:3:1", "seed", "ten", yaml.compose("ten")),
        Written(SHIPPED, "dataset.path", "???", yaml.compose("???")),
        Written("a.yaml:4:3", "fit.epochs", "no", yaml.compose("no")),
    ]
)


def test_what_an_option_takes_from_the_file_is_told_in_the_file():
    problem = placed(Problem("stream.seed", "must be small; got 9"), SOURCES, "a.yaml", [])
    assert str(problem) == "a.yaml:3:1: stream.seed: must be small; got 9, from seed"


def test_what_the_file_leaves_out_is_told_of_the_file():
    assert placed(Problem("dataset.path", "must be set"), SOURCES, "a.yaml", []).place == "a.yaml"
    assert placed(Problem("nobody", "is wrong"), SOURCES, "a.yaml", []).place == "a.yaml"


def test_a_value_that_yaml_reads_otherwise_is_explained():
    problem = placed(Problem("fit.epochs", "must be 1; got false"), SOURCES, "a.yaml", [])
    assert problem.said == "must be 1; got false, because YAML reads no as false"
    assert problem.place == "a.yaml:4:3"


def test_an_axis_that_was_typed_is_told_as_it_was():
    place = "command line (+seed=1,x)"
    problem = placed(Problem(place, "must be"), SOURCES, "a.yaml", ["fit.epochs=2", "+seed=1,x"])
    assert (problem.key, problem.place) == ("seed", place)


def test_what_follows_from_another_problem_is_left_out():
    seed, stream = Problem("seed", "is wrong"), Problem("stream.seed", "is wrong")
    assert causes([stream, seed], SOURCES) == [seed]
    assert causes([stream], SOURCES) == [stream]


def test_what_is_not_chosen_because_the_defaults_are_wrong_is_left_out():
    wrong, absent = Problem("defaults", "is wrong"), Problem("dataset", "must be chosen; got")
    assert causes([wrong, absent], SOURCES) == [wrong]
    misspelt = Problem("default", "is unknown", "did you mean 'defaults'?")
    assert causes([misspelt, absent], SOURCES) == [misspelt]
    assert causes([absent], SOURCES) == [absent]


def test_files_come_before_the_command_line_and_lines_in_their_order():
    places = ["command line (a=1)", "a.yaml:10:1", "a.yaml:9:20", "a.yaml:9:3"]
    found = sorted([Problem("x", "", place=place) for place in places], key=in_order)
    assert [each.place for each in found] == places[::-1]


def test_a_remedy_of_several_sentences_keeps_its_dots():
    told = ["Write it.", "A list.", "MLflow keeps it.", "Do this. Or that.", "Write [...]", ""]
    assert [as_remark(Problem("x", "", each)).remedy for each in told] == [
        *("write it", "a list", "MLflow keeps it", "do this. Or that.", "write [...]", ""),
    ]


def test_a_section_without_keys_and_another_class_are_told_where_they_stand(project):
    head = "defaults: [{override /dataset: iris}, {override /estimator: sgd_classifier}]\n"
    head += "partial_fit: {classes: infer}\n"
    (project / "a.yaml").write_text(f"{head}estimator:\nseed: 3\n")
    (problem, *_) = examined("a.yaml").problems
    assert str(problem) == (
        "a.yaml:3:1: estimator: must be a section of keys; got nothing\n"
        "    indent the keys below it, or leave it out"
    )
    (project / "a.yaml").write_text(
        f"{head}seed: 3\nestimator: {{_target_: sklearn.naive_bayes.GaussianNB}}\n"
    )
    (problem,) = examined("a.yaml").problems
    assert str(problem) == (
        "a.yaml:4:13: estimator.random_state: GaussianNB has no parameter 'random_state'\n"
        "    it comes from the option that is chosen for estimator: leave that out under defaults"
    )
