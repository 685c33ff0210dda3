"""What an experiment's file chooses."""

import pytest

from runner.config.checking.defaults import default_problems, has_option, parents
from runner.config.checking.examination import examined
from runner.config.reading.scan import scanned
from runner.config.reading.shipped import chosen_always
from runner.project import option_files, option_groups


def told(project, entries):
    file = project / "a.yaml"
    file.write_text(f"defaults:\n{entries}")
    problems, left_out = default_problems(file, scanned(file))
    return [str(problem) for problem in problems], left_out


def test_every_option_that_there_is_may_be_chosen(project):
    for group in chosen_always():
        for name in option_files(group):
            choice = f"[{name}]" if group in ("preprocessing", "callbacks") else name
            assert told(project, f"  - override /{group}: {choice}\n") == ([], frozenset())


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "override /estimator: sgd_clasifier",
            "a.yaml:2:5: estimator: there is no 'sgd_clasifier' in estimator/\n"
            "    did you mean 'sgd_classifier'?",
        ),
        (
            "override /estimatr: sgd_classifier",
            "a.yaml:2:5: defaults: there is no group 'estimatr'\n    did you mean 'estimator'?",
        ),
        (
            "override /callbacks: [progress_bar, chekpoint]",
            "a.yaml:2:5: callbacks: there is no 'chekpoint' in callbacks/\n"
            "    did you mean 'checkpoint'?",
        ),
        (
            "dataset: iris",
            "a.yaml:2:5: defaults: 'dataset' does not replace what is chosen already\n"
            "    write `override /dataset: iris`",
        ),
        (
            "/dataset: iris",
            "a.yaml:2:5: defaults: '/dataset' does not replace what is chosen already\n"
            "    write `override /dataset: iris`",
        ),
        (
            "optional /dataset: iriss",
            "a.yaml:2:5: defaults: 'optional /dataset' does not replace what is chosen already\n"
            "    write `override /dataset: iriss`",
        ),
        (
            "override optional /dataset: iriss",
            "a.yaml:2:5: dataset: there is no 'iriss' in dataset/\n    did you mean 'iris'?",
        ),
        (
            "override /dataset: null",
            "a.yaml:2:5: dataset: must name one of its options; got null\n"
            "    to keep the usual one, leave the group out; `runner list` shows the options",
        ),
        (
            "quickstrat",
            "a.yaml:2:5: defaults: there is no experiment 'quickstrat' to begin with\n"
            "    did you mean 'quickstart'?",
        ),
        (
            "override /dataset iris: x",
            "a.yaml:2:5: defaults: 'override /dataset iris' chooses from no group\n"
            "    write it as `override /dataset: x`",
        ),
        (
            "[override /dataset]",
            "a.yaml:2:5: defaults: must choose from one group an item; got [override /dataset]\n"
            "    begin each with a line of its own: - override /estimator: sgd_classifier",
        ),
    ],
)
def test_what_cannot_be_chosen_is_told_with_what_can(project, entry, said):
    assert told(project, f"  - {entry}\n") == ([said], frozenset({0}))


def test_a_defaults_list_that_is_none_is_told(project):
    assert told(project, "  dataset: iris\n") == (
        [
            "a.yaml:2:3: defaults: must be a list; got {dataset: iris}\n"
            "    write it as [{override /estimator: sgd_classifier}]"
        ],
        frozenset({-1}),
    )


def test_all_items_are_looked_at(project):
    entries = "  - override /dataset: irs\n  - _self_\n  - override /stream: defalt\n"
    problems, left_out = told(project, entries)
    assert [text.split(": ")[1] for text in problems] == ["dataset", "stream"]
    assert left_out == {0, 2}


def test_a_group_of_the_projects_own_is_added_not_replaced(project):
    (project / "conf" / "augment").mkdir(parents=True)
    (project / "conf" / "augment" / "noise.yaml").write_text("# noise\n")
    assert "augment" in option_groups()
    assert has_option("augment", "noise")
    assert told(project, "  - /augment: noise\n")[0] == []
    (said,) = told(project, "  - override /augment: noise\n")[0]
    assert said.endswith("write `/augment: noise`")


def test_an_experiment_that_another_begins_with_is_found(project):
    (project / "experiments").mkdir()
    (project / "experiments" / "base.yaml").write_text("fit: {epchs: 3}\n")
    file = project / "experiments" / "more.yaml"
    file.write_text("defaults: [quickstart, base]\nseed: 4\n")
    assert parents(scanned(file)) == ["quickstart", "base"]
    (problem,) = examined("more").problems
    assert str(problem).startswith("experiments/base.yaml:1:7: fit.epchs: FitOptions has no")


def test_a_file_with_a_misspelt_option_is_told_its_other_mistakes_too(project):
    (project / "a.yaml").write_text(
        "defaults:\n  - override /dataset: irs\n  - override /estimator: sgd_classifier\n"
        "estimator: {alhpa: 1}\nsede: 3\npartial_fit: {classes: infer}\n"
    )
    keys = [problem.key for problem in examined("a.yaml").problems]
    assert keys == ["dataset", "estimator.alhpa", "sede"]
