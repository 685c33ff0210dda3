"""What is typed behind a verb is taken apart, and what is missing is told."""

import pytest

from runner.errors import ConfigError
from runner.verbs.arguments import check_flags, experiment_of, parser_of, value_of


def test_an_experiment_stands_anywhere_among_overrides():
    asked = ["seed=1", "quickstart", "~sweep", "-m"]
    assert experiment_of("run", asked) == ("quickstart", ["seed=1", "~sweep", "-m"])
    assert asked[1] == "quickstart", "what was typed is as it was"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seed=1"], "be named; got nothing. Write `runner run NAME`"),
        (["a", "experiment=b"], "be named once; got a and experiment=b. Write `runner run b`"),
    ],
)
def test_one_experiment_is_named(words, said):
    with pytest.raises(ConfigError, match=said):
        experiment_of("run", words)


@pytest.mark.parametrize(
    ("words", "value", "others"),
    [
        (["a", "--why", "seed"], "seed", ["a"]),
        (["--why", "seed", "a"], "seed", ["a"]),
        (["a", "--why=seed", "b=1"], "seed", ["a", "b=1"]),
        (["a"], None, ["a"]),
    ],
)
def test_a_flag_takes_the_word_behind_it(words, value, others):
    assert value_of("--why", "a key", words) == (value, others)


@pytest.mark.parametrize("words", [["a", "--why"], ["--why="], ["--why", "--diff", "b"]])
def test_a_flag_without_its_word_is_told(words):
    with pytest.raises(ConfigError, match="--why must be followed by a key; got"):
        value_of("--why", "a key", words)


def test_a_flag_is_given_once():
    with pytest.raises(ConfigError, match="--why must be given once"):
        value_of("--why", "a key", ["--why", "a", "--why=b"])


def test_an_unknown_flag_is_told_with_the_nearest():
    check_flags("show", ["seed=1", "~a"], [])
    with pytest.raises(ConfigError, match=r"got --wyh\. Did you mean '--why'\?"):
        check_flags("show", ["--wyh"], ["--why", "--diff"])


def test_no_flag_is_taken_by_its_beginning():
    parser = parser_of("runs")
    parser.add_argument("--limit")
    assert parser.parse_known_args(["--lim", "3"])[1] == ["--lim", "3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["a", "--frce"],
            r"A flag of `runner resume` must be .* got --frce\. Did you mean '--force",
        ),
        (["a", "--forc=1"], r"got --forc=1\. Did you mean '--force'\?"),
        (
            ["a", "b", "c"],
            r"`runner resume` must be followed by no more words; got b c\. `runner h",
        ),
        (
            [],
            r"`runner resume` must be followed by RUN; got nothing\. `runner runs` shows the runs",
        ),
        (["a", "--limit", "few"], r"--limit must be followed by a whole number; got 'few'\."),
        (["a", "--limit"], r"--limit must be followed by its value; got nothing\."),
        (
            ["a", "--force=1"],
            r"`runner resume` must be typed as it is meant; got argument --force",
        ),
    ],
)
def test_what_a_parser_refuses_is_told_in_our_words(words, said):
    parser = parser_of("resume")
    parser.add_argument("run")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--limit", type=int)
    with pytest.raises(ConfigError, match=said):
        parser.parse_args(words)
