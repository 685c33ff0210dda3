"""What an experiment is composed to, who says so, and where another differs."""

import json

import pytest

from runner.cli import WRONG, main


def test_show_prints_the_composed_config(capsys):
    assert main(["show", "quickstart", "estimator.alpha=0.5"]) == 0
    out = capsys.readouterr().out
    assert "alpha: 0.5" in out
    assert "n_samples: 100" in out


def test_show_prints_the_sweep_of_a_file_and_none_where_there_is_none(capsys):
    assert main(["show", "digits_sweep"]) == 0
    assert "\nsweep:\n  grid:\n    estimator.loss:\n    - log_loss" in capsys.readouterr().out
    assert main(["show", "quickstart"]) == 0
    assert "sweep" not in capsys.readouterr().out


def table(capsys, *arguments):
    """Return the rows that a command writes, without the heads of the columns."""
    assert main(["show", *arguments]) == 0
    out = capsys.readouterr().out
    return [line.split() for line in out.splitlines()[1:]]


def test_the_writers_of_a_key_are_told_and_the_last_wins(capsys, project):
    (project / "experiments").mkdir()
    (project / "experiments" / "mine.yaml").write_text(
        "# mine\ndefaults: [{override /dataset: iris}, {override /estimator: sgd_classifier}]\n"
        "fit:\n  epochs: 5\npartial_fit: {classes: [0, 1, 2]}\n"
    )
    first, second, third = table(capsys, "mine", "fit.epochs=7", "--why", "fit.epochs")
    assert first[:2] == ["fit.epochs", "1"]
    assert first[2].endswith("conf/fit/default.yaml:3:1")
    assert second == ["fit.epochs", "5", "experiments/mine.yaml:4:3"]
    assert third == ["wins", "fit.epochs", "7", "command", "line", "(fit.epochs=7)"]
    assert table(capsys, "mine", "--why", "fit.epochs")[1][0] == "wins"


def test_of_a_section_all_keys_are_told(capsys):
    rows = table(capsys, "quickstart", "estimator.alpha=3", "--why=estimator")
    assert [row[1] for row in rows] == [
        "estimator._target_",
        "estimator.random_state",
        "estimator.alpha",
    ]
    (row,) = table(capsys, "quickstart", "--why", "partial_fit")
    assert row[:4] == ["wins", "partial_fit.classes", "[0,", "1]"], "a list as a whole"
    (row,) = table(capsys, "quickstart", "--why", "partial_fit.classes.0")
    assert row[:3] == ["wins", "partial_fit.classes.0", "0"], "but for what is asked for"


@pytest.mark.parametrize(
    ("overrides", "key", "winner"),
    [
        (["sweep=null"], "sweep.halving.by", ["wins", "sweep", "null"]),
        (
            ["~estimator.random_state"],
            "estimator.random_state",
            ["wins", "estimator.random_state"],
        ),
        ([], "sweep.halving.by", ["wins", "sweep.halving.by", "held_out"]),
    ],
)
def test_what_was_taken_away_does_not_win(capsys, overrides, key, winner):
    rows = table(capsys, "digits_sweep", *overrides, "--why", key)
    assert [row[: len(winner)] for row in rows if row[0] == "wins"] == [winner]


def test_the_default_of_a_key_that_nothing_sets_is_told(capsys):
    assert main(["show", "quickstart", "--why", "estimator.penalty"]) == 0
    said = 'estimator.penalty: nothing sets it; the default of SGDClassifier is "l2"\n'
    assert capsys.readouterr().out == said


def test_no_secret_is_told(capsys, monkeypatch):
    monkeypatch.setenv("PLACE", "canary-318")
    uri = "tracking.uri=http://ann:canary-317@127.0.0.1:9"
    more = ["dataset.password=canary-319", "name='${oc.env:PLACE}'"]
    for asked in (["--why", "tracking"], ["--why", "dataset"], ["--diff", "digits_sgd"]):
        main(["show", "quickstart", uri, *more, *asked])
        out, err = capsys.readouterr()
        assert "canary" not in out + err
        assert "<redacted>" in out


def test_the_keys_where_another_differs_are_told(capsys):
    rows = table(capsys, "quickstart", "estimator.alpha=3", "--diff", "quickstart")
    assert rows == [["estimator.alpha", "3", "-"]]
    rows = {row[0]: row[1:] for row in table(capsys, "quickstart", "--diff", "digits_sweep")}
    assert rows["dataset.chunks"] == ["25", "100"]
    assert rows["sweep.halving.first_rows"] == ["-", "2000"]
    assert "fit.on_bad_block" not in rows


def test_texts_in_brackets_are_shown_as_they_are(capsys):
    (row,) = table(capsys, "quickstart", "name='[bold]x'", "--diff", "quickstart")[:1]
    assert row[:2] == ["name", '"[bold]x"']


def test_one_that_is_the_same_says_so(capsys, tmp_path):
    assert main(["show", "quickstart", "seed=10", "--diff", "quickstart"]) == 0
    assert capsys.readouterr().out == "no key differs\n"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--why"], "--why must be followed by a key; got nothing"),
        (["--diff"], "--diff must be followed by another experiment; got nothing"),
        (["--wyh", "seed"], "got --wyh. Did you mean '--why'?"),
        (["--why", "seed", "--diff", "digits_sgd"], "must show one thing; got --why and --diff"),
        (["digits_sgd"], "must show one thing; got quickstart and digits_sgd"),
        (["--why", "sede"], "must be a key that quickstart has; got none of that name. Did you"),
        (["--why", "estimator.alhpa"], "Did you mean 'estimator.alpha'"),
        (["--diff", "digit_sgd"], "Did you mean 'digits_sgd'"),
    ],
)
def test_a_mistake_is_told(capsys, asked, said):
    assert main(["show", "quickstart", *asked]) == WRONG
    assert said in capsys.readouterr().err


def test_why_of_what_cannot_be_read_tells_what_is_wrong(capsys, tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("seed: [1\n")
    assert main(["show", str(file), "--why", "seed"]) == WRONG
    assert "broken.yaml:2:1" in capsys.readouterr().err


def document(capsys, *arguments):
    assert main(["show", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_a_script_gets_the_composed_config_and_its_sweep(capsys):
    told = document(capsys, "digits_sweep", "estimator.alpha=0.5")
    assert told["estimator"]["alpha"] == 0.5
    assert "estimator.loss" in told["sweep"]["grid"]


def test_a_script_gets_who_writes_a_key(capsys):
    *others, last = document(capsys, "quickstart", "seed=3", "--why", "seed")["keys"]
    assert not any(each["wins"] for each in others)
    assert last == {
        "wins": True,
        "key": "seed",
        "value": "3",
        "place": "command line (seed=3)",
    }
    told = document(capsys, "quickstart", "--why", "estimator.penalty")
    assert told["keys"] == []
    assert "the default of SGDClassifier" in told["told"]


def test_a_script_gets_where_another_experiment_differs(capsys):
    told = document(capsys, "quickstart", "fit.epochs=2", "--diff", "quickstart")
    assert told["keys"] == [{"key": "fit.epochs", "value": "2", "other": "1"}]
    assert document(capsys, "quickstart", "--diff", "quickstart")["told"] == "no key differs"
