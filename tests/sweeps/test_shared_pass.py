"""Members that share a pass: each as if it were alone, and every block read once."""

import json
import threading
from dataclasses import replace

import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from runner.base import Callback
from runner.callbacks.early_stopping import EarlyStopping
from runner.callbacks.progress_bar import ProgressBar
from runner.errors import RunnerWarning, Terminated
from runner.evaluation.evaluation import Evaluation
from runner.fit.options import FitOptions
from runner.stream.stream import Stream
from runner.sweeps.shared_pass import FailFast, bar_of
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.record import children, kept_file, recent_runs
from tests.sweeps.conftest import (
    Counted,
    Failing,
    Speechless,
    Tells,
    alone,
    built_of,
    experiment_of,
    sgd,
    share_pass,
)

THREADS = pytest.mark.parametrize("threads", [1, 4])
ALPHAS = (1e-1, 1e-2, 1e-3, 1e-4)


class OnFitEnd(Callback):
    def __init__(self, error):
        self.error = error

    def on_fit_end(self, progress):
        raise self.error


def of_alpha(dataset, alpha, **changes):
    return experiment_of(dataset, sgd(alpha), **changes)


def alone_of(alpha, **changes):
    return alone(of_alpha(Counted(), alpha, **changes))


@THREADS
def test_members_learn_what_they_learn_alone_from_blocks_that_are_read_once(threads):
    data = Counted()
    passed = share_pass([of_alpha(data, alpha) for alpha in ALPHAS], threads=threads)
    assert passed.statuses == ["FINISHED"] * 4
    assert set(data.reads.values()) == {1}
    assert data.n_reads == data.n_blocks == passed.group.reads
    assert [passed.bits(n) for n in range(4)] == [alone_of(alpha) for alpha in ALPHAS]
    assert len({passed.bits(n) for n in range(4)}) == 4


def test_members_of_different_epochs_leave_the_pass_one_after_the_other():
    data, epochs = Counted(), (1, 3, 2, 3)
    members = [
        of_alpha(data, alpha, fit=FitOptions(epochs=n))
        for alpha, n in zip(ALPHAS, epochs, strict=True)
    ]
    passed = share_pass(members)
    assert [outcome.rows for outcome in passed.outcomes] == [160, 480, 320, 480]
    assert data.n_reads == 3 * 8 + 3 * 2 == passed.group.reads
    assert passed.group.reads_alone == (1 + 3 + 2 + 3) * 8 + 4 * 2
    for number, (alpha, n) in enumerate(zip(ALPHAS, epochs, strict=True)):
        assert passed.bits(number) == alone_of(alpha, fit=FitOptions(epochs=n))
    assert [outcome.number for outcome in passed.heard.ended] == [0, 2, 1, 3]


def test_a_member_may_stop_early_while_the_others_go_on():
    def members(data):
        stopping = {"early_stopping": EarlyStopping(patience=1, by="progressive", min_delta=1)}
        return [of_alpha(data, 1e-3, callbacks=stopping), of_alpha(data, 1e-4)]

    passed = share_pass(members(Counted()))
    stopped, whole = passed.outcomes
    assert stopped.status == whole.status == "FINISHED"
    assert stopped.rows < whole.rows == 160
    assert stopped.stop_reason.startswith("progressive accuracy was no better than")
    assert [passed.bits(0), passed.bits(1)] == [alone(each) for each in members(Counted())]


def test_a_member_that_is_done_is_in_the_record_while_others_learn(store):
    tracker = MlflowTracker(flush_every_s=0)
    seen = []

    def look(progress):
        if progress.rows == 400:
            (sweep,) = recent_runs()
            board = json.loads(kept_file(sweep, "sweep/leaderboard.json"))
            seen.append(([(run.name, run.status) for run in children(sweep)], board["data"]))

    data = Counted()
    long = {"fit": FitOptions(epochs=3), "callbacks": {"look": Tells(look)}}
    members = [of_alpha(data, 1e-4), of_alpha(data, 1e-3, **long)]
    passed = share_pass([replace(each, tracking=tracker) for each in members], tracker=tracker)
    assert passed.statuses == ["FINISHED", "FINISHED"]
    ((runs, board),) = seen
    assert runs == [("member 0", "FINISHED"), ("member 1", "RUNNING")]
    assert passed.outcomes[0].scores["accuracy"] in board[0]


@pytest.mark.parametrize("error", [ValueError("no more"), MemoryError("1 PB"), SystemExit(3)])
@pytest.mark.parametrize("at", [1, 3, 8])
@THREADS
def test_a_member_that_fails_does_so_alone(error, at, threads):
    data = Counted()
    bad = experiment_of(data, Failing(error, at=at))
    members = [of_alpha(data, ALPHAS[0]), bad, *(of_alpha(data, a) for a in ALPHAS[1:])]
    passed = share_pass(members, threads=threads)
    assert passed.statuses == ["FINISHED", "FAILED", "FINISHED", "FINISHED", "FINISHED"]
    assert passed.run(1).status == "FAILED"
    assert type(error).__name__ in passed.outcomes[1].error
    assert passed.outcomes[1].rows == 20 * (at - 1)
    assert passed.sweep.status == "FAILED"
    assert [passed.bits(n) for n in (0, 2, 3, 4)] == [alone_of(alpha) for alpha in ALPHAS]
    assert set(data.reads.values()) == {1}


def test_a_block_that_a_member_refuses_is_named():
    data = Counted()
    passed = share_pass([of_alpha(data, 1e-3), experiment_of(data, Failing(ValueError("no")))])
    assert passed.outcomes[1].error.startswith("Block ")
    assert "ValueError: no" in passed.outcomes[1].error


def test_what_cannot_be_scored_fails_alone_and_its_model_is_kept():
    data = Counted()
    silent = experiment_of(data, Speechless(loss="log_loss"), fit=FitOptions(progressive_window=0))
    passed = share_pass([of_alpha(data, 1e-3), silent])
    assert passed.statuses == ["FINISHED", "FAILED"]
    assert "no answer" in passed.outcomes[1].error
    assert passed.run(1).model is not None
    assert passed.outcomes[1].rows == 160
    assert passed.bits(0) == alone_of(1e-3)


def test_what_is_refused_before_the_first_block_fails_alone_and_is_in_the_record():
    data = Counted()
    aimless = of_alpha(data, 1e-3, partial_fit={})
    passed = share_pass([aimless, of_alpha(data, 1e-4), of_alpha(data, 1e-2, partial_fit={})])
    assert passed.statuses == ["FAILED", "FINISHED", "FAILED"]
    assert "partial_fit.classes" in passed.outcomes[0].error
    assert sorted(run.status for run in passed.sweep.runs) == ["FAILED", "FAILED", "FINISHED"]
    assert [outcome.number for outcome in passed.heard.ended] == [0, 2, 1]
    assert passed.bits(1) == alone_of(1e-4)


def test_nothing_is_read_where_every_member_is_refused():
    data = Counted()
    passed = share_pass([of_alpha(data, alpha, partial_fit={}) for alpha in ALPHAS])
    assert passed.statuses == ["FAILED"] * 4
    assert data.n_reads == 0


def test_a_callback_that_raises_fails_its_own_member():
    data = Counted()

    def stop(progress):
        raise OSError("disk")

    passed = share_pass(
        [of_alpha(data, 1e-3, callbacks={"mine": Tells(stop)}), of_alpha(data, 1e-4)]
    )
    assert passed.statuses == ["FAILED", "FINISHED"]
    assert "OSError: disk" in passed.outcomes[0].error


def test_a_callback_that_fails_in_the_end_is_only_warned_of():
    data = Counted()
    bad = of_alpha(data, 1e-3, callbacks={"mine": OnFitEnd(OSError("disk"))})
    with pytest.warns(RunnerWarning, match="The callback mine failed at the end"):
        passed = share_pass([bad, of_alpha(data, 1e-4)])
    assert passed.statuses == ["FINISHED", "FINISHED"]


def test_a_block_that_cannot_be_read_fails_all_that_want_it():
    class Broken(Counted):
        def read(self, start, stop):
            if start == 100:
                raise OSError("gone")
            return super().read(start, stop)

    data = Broken(holdout=0)
    members = [of_alpha(data, alpha, stream=Stream(shuffle=False)) for alpha in ALPHAS]
    members[0].callbacks["few"] = Tells(lambda progress: progress.stop("enough"))
    passed = share_pass(members)
    assert passed.statuses == ["FINISHED", "FAILED", "FAILED", "FAILED"]
    assert {outcome.rows for outcome in passed.outcomes[1:]} == {100}
    assert all("gone" in outcome.error for outcome in passed.outcomes[1:])
    assert [run.status for run in passed.sweep.runs].count("RUNNING") == 0


@pytest.mark.parametrize("prefetch", [0, 1, 3])
@pytest.mark.parametrize("bad", [False, True], ids=["all well", "one fails"])
def test_no_more_blocks_are_alive_than_one_member_needs(prefetch, bad):
    data = Counted(n_blocks=30)
    stream = Stream(prefetch=prefetch)
    members = [of_alpha(data, 10.0**-n, stream=stream) for n in range(8)]
    if bad:
        members[3] = experiment_of(data, Failing(ValueError("no")), stream=stream)
        members[5] = experiment_of(data, Failing(MemoryError(), at=5), stream=stream)
    passed = share_pass(members, threads=4)
    assert passed.statuses.count("FAILED") == 2 * bad
    assert data.most <= prefetch + 1
    assert data.now == 0


def test_blocks_stay_few_when_members_leave_one_by_one_and_are_scored_on_the_way():
    data = Counted(n_blocks=30, validation=0.1)

    def leaving(n):
        def leave(progress):
            if progress.blocks == n:
                progress.stop("enough")

        return Tells(leave)

    evaluation = Evaluation(scoring=["accuracy"], every=60)
    members = [
        of_alpha(data, 10.0**-n, evaluation=evaluation, callbacks={"leave": leaving(2 * n + 1)})
        for n in range(8)
    ]
    passed = share_pass(members, threads=4)
    assert passed.statuses == ["FINISHED"] * 8
    assert [outcome.rows for outcome in passed.outcomes] == [20 * (2 * n + 1) for n in range(8)]
    assert data.most <= Stream().prefetch + 1


def reads_of(make, n):
    """Return how often n members read blocks, in all."""
    data = Counted(n_blocks=12, validation=0.2)
    passed = share_pass([make(data, 10.0**-number) for number in range(n)])
    assert passed.statuses == ["FINISHED"] * n
    return data.n_reads


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        ({}, 8 + 2),
        ({"fit": FitOptions(epochs=2)}, 2 * 8 + 2),
        ({"evaluation": Evaluation(scoring=["accuracy"], every=40)}, 8 + 2 + 4 * 2),
        ({"evaluation": Evaluation(scoring=["accuracy"], every="epoch")}, 8 + 2 + 2),
        ({"partial_fit": {"classes": "infer"}}, 8 + 8 + 2),
        ({"fit": FitOptions(class_weight="balanced")}, 8 + 8 + 2),
    ],
    ids=["plain", "epochs", "every", "epoch", "infer", "balanced"],
)
def test_everything_is_read_as_often_for_many_members_as_for_one(changes, reads):
    def make(data, alpha):
        return of_alpha(data, alpha, **changes)

    assert reads_of(make, 1) == reads_of(make, 8) == reads


def test_stages_are_fitted_in_passes_that_all_members_share():
    def make(data, alpha):
        stages = {"scale": StandardScaler(), "squeeze": MinMaxScaler()}
        return of_alpha(data, alpha, preprocessing=stages)

    assert reads_of(make, 1) == reads_of(make, 8) == 2 * 8 + 8 + 2
    passed = share_pass([make(Counted(), alpha) for alpha in ALPHAS])
    assert [passed.bits(n) for n in range(4)] == [alone(make(Counted(), a)) for a in ALPHAS]


def test_stages_that_go_on_learning_are_each_members_own():
    def make(data, alpha):
        return of_alpha(
            data,
            alpha,
            preprocessing={"scale": StandardScaler()},
            fit=FitOptions(preprocessing="running"),
        )

    data = Counted()
    passed = share_pass([make(data, alpha) for alpha in ALPHAS])
    assert [passed.bits(n) for n in range(4)] == [alone(make(Counted(), a)) for a in ALPHAS]
    assert set(data.reads.values()) == {1}


def test_rows_that_a_buffer_mixes_are_the_same_for_all():
    def make(data, alpha):
        return of_alpha(data, alpha, stream=Stream(buffer_blocks=3))

    passed = share_pass([make(Counted(), alpha) for alpha in ALPHAS])
    assert [passed.bits(n) for n in range(4)] == [alone(make(Counted(), a)) for a in ALPHAS]


def test_estimators_of_several_kinds_share_a_pass():
    data = Counted()
    passed = share_pass([of_alpha(data, 1e-3), experiment_of(data, GaussianNB())])
    assert passed.bits(0) == alone_of(1e-3)
    assert passed.bits(1) == alone(experiment_of(Counted(), GaussianNB()))


def test_fail_fast_ends_the_others_of_the_group_with_the_first_failure():
    data = Counted()
    members = [
        of_alpha(data, 1e-3),
        experiment_of(data, Failing(ValueError("no"), at=3)),
        experiment_of(data, Failing(ValueError("no"), at=3)),
        of_alpha(data, 1e-4),
    ]
    passed = share_pass(members, fail_fast=True)
    assert isinstance(passed.error, FailFast)
    assert passed.statuses == ["KILLED", "FAILED", "FAILED", "KILLED"]
    assert [run.status for run in passed.sweep.runs] == passed.statuses
    assert {outcome.rows for outcome in passed.outcomes} <= {40, 60}


def test_fail_fast_leaves_members_that_finished_before():
    data = Counted()
    members = [
        of_alpha(data, 1e-3),
        experiment_of(data, Failing(ValueError("no"), at=10), fit=FitOptions(epochs=2)),
        of_alpha(data, 1e-4, fit=FitOptions(epochs=2)),
    ]
    passed = share_pass(members, fail_fast=True)
    assert passed.statuses == ["FINISHED", "FAILED", "KILLED"]


@THREADS
@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Terminated("SIGTERM")])
def test_an_interrupt_ends_all_and_the_record_says_so(stop, threads):
    data = Counted()

    def interrupt(progress):
        if progress.blocks == 3:
            raise stop

    members = [of_alpha(data, 1e-3, fit=FitOptions(epochs=n)) for n in (1, 2, 2)]
    members[1].callbacks["mine"] = Tells(interrupt)
    passed = share_pass(members, threads=threads)
    assert passed.error is stop
    assert passed.statuses == ["KILLED"] * 3
    assert [run.status for run in passed.sweep.runs] == ["KILLED"] * 3
    assert passed.sweep.status == "KILLED"


def test_an_interrupt_leaves_members_that_finished_before():
    data = Counted()

    def interrupt(progress):
        if progress.epoch == 1:
            raise KeyboardInterrupt

    members = [of_alpha(data, 1e-3), of_alpha(data, 1e-4, fit=FitOptions(epochs=2))]
    members[1].callbacks["mine"] = Tells(interrupt)
    passed = share_pass(members)
    assert passed.statuses == ["FINISHED", "KILLED"]
    assert passed.run(0).status == "FINISHED"
    assert passed.bits(0) == alone_of(1e-3)


def test_an_interrupt_before_members_have_runs_ends_no_run_that_never_was():
    data = Counted()
    members = [of_alpha(data, alpha) for alpha in ALPHAS]
    calls = []

    def interrupted():
        calls.append(1)
        raise KeyboardInterrupt

    members[0].dataset.split()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members[1].tracking, "check", interrupted)
        passed = share_pass(members)
    assert isinstance(passed.error, KeyboardInterrupt)
    assert passed.sweep.runs == []
    assert set(passed.statuses) <= {"KILLED", "PENDING"}


def test_a_group_has_one_bar_which_shows_all_of_it(capsys):
    data = Counted()
    bars = [ProgressBar(every_s=0) for _ in range(3)]
    epochs = (1, 2, 1)
    members = [
        of_alpha(data, 1e-3, callbacks={"progress_bar": bar}, fit=FitOptions(epochs=n))
        for bar, n in zip(bars, epochs, strict=True)
    ]
    share_pass([experiment_of(data, sgd()), *members])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fit ")]
    assert len(lines) == 16 + 1
    assert "320 rows in 16 blocks" in lines[-1]
    assert "best accuracy" in lines[-1]
    assert lines[-1].startswith("fit 100%")
    assert bar_of(built_of(members)) is bars[0]


def test_a_bar_is_ended_however_the_group_ends():
    ended = []

    class Bar(ProgressBar):
        def on_fit_end(self, progress):
            ended.append(progress.blocks)

    def stop(progress):
        raise KeyboardInterrupt

    data = Counted()
    members = [of_alpha(data, 1e-3, callbacks={"bar": Bar()}), of_alpha(data, 1e-4)]
    members[1].callbacks["mine"] = Tells(stop)
    share_pass(members)
    assert len(ended) == 1


def test_members_learn_at_the_same_time_on_several_threads():
    meeting = threading.Barrier(3, timeout=20)
    data = Counted()
    members = [
        of_alpha(data, alpha, callbacks={"meet": Tells(lambda progress: meeting.wait())})
        for alpha in ALPHAS[:3]
    ]
    passed = share_pass(members, threads=3)
    assert passed.statuses == ["FINISHED"] * 3


def test_a_callback_that_ends_the_process_in_the_end_costs_no_other():
    data = Counted()
    bad = of_alpha(data, 1e-3, callbacks={"mine": OnFitEnd(SystemExit(3))})
    with pytest.warns(RunnerWarning, match="mine failed at the end of the fit: SystemExit: 3"):
        passed = share_pass([bad, of_alpha(data, 1e-4, fit=FitOptions(epochs=2))])
    assert passed.statuses[1] == "FINISHED"


@pytest.mark.parametrize("error", [SystemExit(), SystemExit(0)])
def test_a_member_that_exits_without_an_error_has_failed_too(error):
    data = Counted()
    passed = share_pass([experiment_of(data, Failing(error)), of_alpha(data, 1e-4)])
    assert passed.statuses == ["FAILED", "FINISHED"]
    assert passed.run(0).status == "FAILED"
