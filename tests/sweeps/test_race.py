"""A tournament among members that learn: who is stopped when, by which score, and why."""

import json

import pytest

from runner.base import Callback
from runner.errors import ConfigError
from runner.evaluation.evaluation import Evaluation
from runner.fit.options import FitOptions
from runner.records import Outcome
from runner.stream.stream import Stream
from runner.sweeps.brackets import Known, known_scores
from runner.sweeps.halving import Halving, Tournament
from runner.sweeps.race import check_scored, verdict
from runner.tracking.tags import HALVING, RUNG
from tests.sweeps.conftest import (
    Counted,
    Failing,
    Tells,
    alone,
    experiment_of,
    sgd,
    share_pass,
)

ETAS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def of_eta(data, eta, **changes):
    """Make an experiment that learns well only where eta is neither small nor great."""
    return experiment_of(data, sgd(1e-3, learning_rate="constant", eta0=eta), **changes)


def raced(data=None, etas=ETAS, options=None, known=None, members=None, **changes):
    data = data or Counted(n_blocks=20)
    made = [of_eta(data, eta, **changes) for eta in etas]
    return share_pass(
        made, halving={"first_rows": 40, **(options or {})}, known=known, members=members
    )


def histories(passed):
    return {run.name: json.loads(run.tags.get(HALVING, "[]")) for run in passed.sweep.runs}


@pytest.mark.parametrize("by", ["progressive", "held_out"])
def test_the_best_third_goes_on_at_each_rung(by):
    passed = raced(options={"by": by})
    assert passed.statuses == ["FINISHED"] * 9
    rows = [outcome.rows for outcome in passed.outcomes]
    assert sorted(rows) == [40] * 6 + [120] * 2 + [320]
    assert [outcome.rung for outcome in passed.outcomes].count(1) == 6
    assert [outcome.rung for outcome in passed.outcomes].count(2) == 2
    for outcome in passed.outcomes:
        run = passed.run(outcome.number)
        assert run.tags.get(RUNG) == (None if outcome.rung is None else str(outcome.rung))
        assert len(outcome.scores) == 1
        last = json.loads(run.tags[HALVING])[-1]
        assert last["kept"] == (outcome.rung is None)
        if outcome.rung:
            assert outcome.stop_reason.startswith(f"halving: rung {outcome.rung} of 2 after ")
            assert last["rows"] == outcome.rows
        else:
            assert outcome.stop_reason is None


@pytest.mark.parametrize("by", ["progressive", "held_out"])
def test_the_scores_compared_are_those_of_the_members_alone(by):
    scores = {}

    class Keep(Callback):
        def __init__(self, number):
            self.number = number

        def on_block_end(self, progress, block):
            if by == "progressive" and progress.rows in (40, 120):
                scores.setdefault(self.number, []).append(progress.scores["accuracy"])

        def on_held_out(self, progress):
            if by == "held_out" and progress.rows in (40, 120):
                scores.setdefault(self.number, []).append(progress.held_out["accuracy"])

    every = Evaluation(scoring=["accuracy"], every=20)
    for number, eta in enumerate(ETAS):
        keep = {"keep": Keep(number)}
        alone(of_eta(Counted(n_blocks=20), eta, callbacks=keep, evaluation=every))
    found = histories(raced(options={"by": by}))
    for number in range(9):
        told = [record["score"] for record in found[f"member {number}"]]
        assert told == scores[number][: len(told)]
        assert told


def test_survivors_and_those_stopped_have_the_bits_they_have_alone():
    passed = raced()
    for outcome, eta in zip(passed.outcomes, ETAS, strict=True):

        def stop(progress, rows=outcome.rows):
            if progress.rows == rows:
                progress.stop("here")

        # a callback in the place of the rung, for those that were stopped
        callbacks = {"stop": Tells(stop)} if outcome.rung else {}
        expected = alone(of_eta(Counted(n_blocks=20), eta, callbacks=callbacks))
        assert passed.bits(outcome.number) == expected


def test_held_out_scores_for_a_rung_are_read_once_and_callbacks_hear_nothing_of_them():
    heard = []

    class Hear(Callback):
        def on_held_out(self, progress):
            heard.append(progress.rows)

    data = Counted(n_blocks=20, validation=0.1)
    passed = raced(data, options={"by": "held_out"}, callbacks={"hear": Hear()})
    assert passed.statuses == ["FINISHED"] * 9
    train, holdout, validation = passed.group.split
    ends = 3  # some at each rung, and the rest
    assert data.n_reads == train.n_blocks + 2 * validation.n_blocks + ends * holdout.n_blocks
    assert data.most <= Stream().prefetch + 1
    assert heard == []


def test_the_holdout_decides_where_there_are_no_validation_rows():
    data = Counted(n_blocks=20)
    passed = raced(data, options={"by": "held_out"})
    assert data.n_reads == 16 + 2 * 4 + 3 * 4
    for outcome in passed.outcomes:
        if outcome.rung:
            last = histories(passed)[f"member {outcome.number}"][-1]
            assert last["score"] == outcome.scores["accuracy"]


def test_a_rung_in_the_first_block_is_decided_when_there_is_a_score():
    passed = raced(options={"first_rows": 5})
    # of the rungs of 5, 15, 45 and 135 rows two are due at the second block
    assert sorted(outcome.rows for outcome in passed.outcomes) == [40] * 8 + [320]
    assert sorted(outcome.rung or 0 for outcome in passed.outcomes) == [0] + [1] * 6 + [2] * 2


def test_a_rung_in_the_first_block_can_be_decided_at_once_by_held_out_rows():
    passed = raced(options={"first_rows": 5, "by": "held_out"})
    assert min(outcome.rows for outcome in passed.outcomes) == 20


def test_rungs_of_several_epochs_are_decided():
    passed = raced(options={"first_rows": 200}, fit=FitOptions(epochs=3))
    assert sorted({outcome.rows for outcome in passed.outcomes}) == [200, 600, 960]


def test_without_stopping_all_learn_on_and_the_same_is_decided():
    stopping, watching = raced(), raced(options={"stop": False})
    assert [outcome.rows for outcome in watching.outcomes] == [320] * 9
    assert all(outcome.rung is None for outcome in watching.outcomes)
    assert histories(watching) == histories(stopping)
    assert watching.tournament.would_be_stopped == stopping.tournament.stopped
    for number, eta in enumerate(ETAS):
        assert watching.bits(number) == alone(of_eta(Counted(n_blocks=20), eta))


def test_hyperband_stops_each_bracket_by_its_own_rungs():
    passed = raced(etas=ETAS * 2, options={"hyperband": True, "first_rows": 36})
    assert passed.statuses == ["FINISHED"] * 18
    brackets = {bracket.number: bracket for bracket in passed.tournament.brackets}
    assert sorted(brackets) == [0, 1]
    never = [passed.outcomes[number] for number in brackets[0].members]
    assert never
    assert {(outcome.rows, outcome.rung) for outcome in never} == {(320, None)}
    some = [passed.outcomes[number] for number in brackets[1].members]
    assert [outcome.rung for outcome in some].count(None) == len(some) // 3
    reason = next(outcome.stop_reason for outcome in some if outcome.rung)
    assert reason.startswith("hyperband: bracket 1, rung 1 of 1 after 120 rows: accuracy ")


def test_a_member_that_fails_is_compared_no_more_and_not_chosen():
    data = Counted(n_blocks=20)
    members = [of_eta(data, eta) for eta in ETAS]
    members[3] = experiment_of(data, Failing(ValueError("no"), at=2))
    members[5] = experiment_of(data, Failing(ValueError("no"), at=16))
    passed = share_pass(members, halving={})
    assert passed.statuses[3] == "FAILED"
    found = histories(passed)
    assert found["member 3"] == []
    assert {record["of"] for record in found["member 0"][:1]} == {8}
    assert passed.tournament.chosen() not in (3, 5)


def test_a_member_that_cannot_be_measured_at_a_rung_fails_alone():
    class Shy(type(sgd())):
        def predict(self, X):
            raise RuntimeError("no answer")

    data = Counted(n_blocks=20)
    no_progressive = FitOptions(progressive_window=0)
    members = [of_eta(data, eta, fit=no_progressive) for eta in ETAS]
    members[4] = experiment_of(data, Shy(loss="log_loss"), fit=no_progressive)
    passed = share_pass(members, halving={"by": "held_out"})
    assert passed.statuses == ["FINISHED"] * 4 + ["FAILED"] + ["FINISHED"] * 4
    assert "no answer" in passed.outcomes[4].error
    assert passed.outcomes[4].rows == 40


@pytest.mark.parametrize(
    ("options", "changes", "data", "told"),
    [
        ({"scorer": "acuracy"}, {}, {}, "sweep.halving.scorer must be one of the scorers of"),
        (
            {},
            {"fit": FitOptions(progressive_window=0)},
            {},
            "sweep.halving.by must be held_out where there is no progressive score",
        ),
        (
            {"by": "held_out"},
            {},
            {"holdout": 0},
            "sweep.halving.by must be progressive where no rows are held out",
        ),
    ],
)
def test_what_is_not_scored_cannot_be_compared(options, changes, data, told):
    counted = Counted(n_blocks=20, **data)
    experiment, asked = of_eta(counted, 1e-3, **changes), Halving(first_rows=40, **options)
    with pytest.raises(ConfigError, match=told):
        check_scored("member 0", experiment, asked, counted.split())
    assert counted.n_reads == 0


@pytest.mark.parametrize("by", ["progressive", "held_out"])
@pytest.mark.parametrize("hyperband", [False, True])
@pytest.mark.parametrize("left", [(0,), (4, 5), (0, 3, 8), tuple(range(9))])
def test_members_that_are_run_again_are_decided_on_as_before(left, hyperband, by):
    options = {"by": by, "hyperband": hyperband}
    whole = raced(options=options)
    gone = {n: histories(whole)[f"member {n}"] for n in range(9) if n not in left}
    again = raced(options=options, known=known_scores(gone), members=left)
    for number in left:
        before, after = whole.outcomes[number], again.outcomes[number]
        assert (after.rows, after.rung, after.scores, after.stop_reason) == (
            before.rows,
            before.rung,
            before.scores,
            before.stop_reason,
        )
        assert again.bits(number) == whole.bits(number)
        assert histories(again)[f"member {number}"] == histories(whole)[f"member {number}"]


def outcomes_of(final, rungs=()):
    return [
        Outcome(
            number=number,
            name=f"member {number}",
            key=str(number),
            status="FINISHED",
            scores={"accuracy": score},
            rows=40 if number in rungs else 320,
            rung=1 if number in rungs else None,
        )
        for number, score in enumerate(final)
    ]


def tournament_of(n, known=None, **options):
    made = Halving(**{"first_rows": 40, "scorer": "accuracy", **options})
    return Tournament(made, range(n), 320, 1, known)


def rows_of(n):
    return dict.fromkeys(range(n), 320)


def test_only_what_was_stopped_counts_as_spared():
    outcomes = outcomes_of([0.9, 0.8, 0.7], rungs=(2,))
    told = verdict(tournament_of(3, known={}), outcomes, {0: 320, 1: 320, 2: 80})
    assert f"spared {40 / 720:.0%} of the learning" in told


def test_the_verdict_names_what_was_chosen_and_what_was_spared():
    passed = raced()
    told = verdict(passed.tournament, passed.outcomes, rows_of(9))
    chosen = passed.tournament.chosen({o.number: o.scores["accuracy"] for o in passed.outcomes})
    assert told.startswith(f"halving chose member {chosen} (0.")
    spared = 1 - sum(outcome.rows for outcome in passed.outcomes) / (9 * 320)
    assert f"spared {spared:.0%} of the learning" in told
    assert "what would have been chosen without it was not measured" in told


def test_the_verdict_says_what_is_best_without_halving_where_that_was_measured():
    tournament = tournament_of(3, stop=False)
    tournament.decide(tournament.brackets[0], 40, {0: 0.9, 1: 0.8, 2: 0.7})
    assert verdict(tournament, outcomes_of([0.9, 0.8, 0.7]), rows_of(3)) == (
        "halving would have chosen member 0 (0.9000), which is also the best without it"
    )
    assert verdict(tournament, outcomes_of([0.5, 0.8, 0.7]), rows_of(3)) == (
        "halving would have chosen member 0 (0.5000); without it member 1 (0.8000) is the best"
    )


def test_nothing_is_chosen_where_nothing_has_a_score():
    assert verdict(tournament_of(2), [], {}) == "halving chose nothing: no member has a score"


@pytest.mark.parametrize("stop", [True, False])
def test_the_verdict_of_a_sweep_that_was_resumed_is_that_of_the_whole(stop):
    """The members that learned before are not compared anew, because nothing learns any more."""
    scores = {0: {0: 0.9, 1: 0.8}, 1: {0: 0.8, 1: 0.9}, 2: {0: 0.85, 1: 0.7}, 3: {0: 0.1}}
    scores |= {number: {0: 0.2} for number in range(4, 9)}
    known = {
        number: {rung: Known(score, 100) for rung, score in found.items()}
        for number, found in scores.items()
    }
    final = [0.1, 0.3, 0.2, *[0.99] * 6]
    told = verdict(
        tournament_of(9, known=known, stop=stop),
        outcomes_of(final, rungs=(0, 2, *range(3, 9)) if stop else ()),
        rows_of(9),
    )
    assert "member 1 (0.3000)" in told
    assert told.startswith("halving chose" if stop else "halving would have chosen")
