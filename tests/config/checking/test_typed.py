"""What a command line changes."""

import pytest

from runner.config.checking.typed import openly, read_line


def test_what_can_be_read_is_returned_as_typed_and_parsed():
    problems, typed = read_line(["estimator.alpha=1", "+name=x", "-m", "seed=1,2"])
    assert problems == []
    assert [text for text, _ in typed] == ["estimator.alpha=1", "+name=x", "seed=1,2"]
    assert [each.key_or_group for _, each in typed] == ["estimator.alpha", "name", "seed"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "estimator=percepton",
            "estimator: there is no 'percepton' in estimator/\n    did you me",
        ),
        ("experiment=quickstrat", "experiment: there is no experiment 'quickstrat'\n    did you"),
        ("callbacks=[chekpoint]", "callbacks: there is no 'chekpoint' in callbacks/"),
        ("fit=null", "fit: must name one of its options; got null"),
        ("seed=1,2", "seed: must have one value where there is no -m"),
        ("seed=(1", "seed: cannot be read: "),
    ],
)
def test_what_cannot_is_told_as_it_was_typed(text, said):
    (problem,), typed = read_line(["name=x", text])
    assert str(problem).startswith(f"command line ({text}): {said}")
    assert [each for each, _ in typed] == ["name=x"]


def test_one_of_several_choices_is_told():
    (problem,), _ = read_line(["-m", "estimator=perceptron,percepton"])
    assert problem.said == "there is no 'percepton' in estimator/"


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("sede=1", "++sede=1"),
        ("+sede=1", "+sede=1"),
        ("estimator=perceptron", "estimator=perceptron"),
        ("fit.epochs=1", "fit.epochs=1"),
    ],
)
def test_a_key_at_the_top_is_let_through_to_be_told_with_the_others(text, opened):
    _, ((_, override),) = read_line([text])
    assert openly(text, override) == opened
