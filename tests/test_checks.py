"""What is looked at across the stages before the first block."""

import warnings

import dask.array as da
import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import IncrementalPCA
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import MaxAbsScaler

from runner.base import Callback, Part, Place, Remark, Split
from runner.callbacks.best_snapshot import BestSnapshot
from runner.callbacks.early_stopping import EarlyStopping
from runner.callbacks.time_limit import TimeLimit
from runner.checks import (
    check_all_settings,
    check_first_blocks,
    check_scores_on_the_way,
    check_setup,
    say,
    schedule,
    telling,
    watchers,
)
from runner.errors import ConfigError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.fit.options import FitOptions
from runner.learner import Options
from runner.preprocessing.stages import Stages
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryRun

REMARK = Remark("inert-setting", "estimator.tol=1 has no effect. Remove it.")


def test_a_number_that_is_text_is_told_of_the_estimator(make_part):
    part = make_part(np.ones((60, 2)))
    setup = Options(Stream(), FitOptions(), Evaluation(), {})
    with pytest.raises(ConfigError, match="estimator must have parameters that MiniBatchKMeans"):
        check_setup(setup, Stages({}), MiniBatchKMeans("8"), {}, Split(part))


def test_a_strict_experiment_is_told_all_remarks_at_once():
    other = Remark("wild-scale", "One column is large.")
    with pytest.raises(ConfigError, match=f"{REMARK.name}.*{other.name}"):
        say([REMARK, other], strict=True)


def test_a_remark_is_a_warning():
    with pytest.warns(RunnerWarning, match=r"^inert-setting: estimator\.tol=1 has no effect\. Re"):
        say([REMARK], strict=False)


def test_a_remark_ends_a_strict_experiment():
    with pytest.raises(ConfigError) as caught:
        say([REMARK], strict=True)
    assert str(caught.value) == (
        "A strict experiment must be without remarks; got inert-setting: estimator.tol=1 has no "
        "effect. Remove it. Do what is said, or set strict=false."
    )


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_told_on_the_way_is_in_the_record_however_it_ends(strict):
    run = MemoryRun("a")
    with pytest.raises(ConfigError) if strict else pytest.warns(RunnerWarning):
        telling(strict, run, [])(REMARK)
    assert run.remarks == [REMARK]


def test_what_was_told_before_the_fit_is_not_told_again():
    run = MemoryRun("a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        telling(False, run, [REMARK])(Remark(REMARK.name, REMARK.text))
    assert run.remarks == []


@pytest.mark.parametrize(
    ("callbacks", "every", "expected"),
    [
        ({}, None, None),
        ({"limit": TimeLimit(minutes=1)}, None, None),
        ({"stop": EarlyStopping(by="progressive")}, None, None),
        ({"stop": EarlyStopping()}, None, "epoch"),
        ({"best": BestSnapshot()}, None, "epoch"),
        ({"best": BestSnapshot()}, 50, 50),
        ({}, "epoch", "epoch"),
    ],
)
def test_rows_are_scored_on_the_way_if_that_is_asked_for_or_needed(callbacks, every, expected):
    assert schedule(callbacks, Evaluation(every=every)) == expected


def test_watchers_are_those_that_decide_by_a_score():
    best = BestSnapshot()
    assert list(watchers({"limit": TimeLimit(minutes=1), "b": best})) == [("b", best)]


@pytest.fixture
def sides(make_part, points):
    """Return what makes a split of 100 training rows in 4 blocks and those parts."""
    return lambda *names: Split(make_part(*points), **dict.fromkeys(names, make_part(*points)))


def checked(split, callbacks=None, every=None, *, epochs=10, names=("accuracy",), window=20):
    setup = Options(
        Stream(),
        FitOptions(epochs=epochs, progressive_window=window),
        Evaluation(every=every),
        callbacks or {},
    )
    return list(check_scores_on_the_way(setup, split, list(names)))


def refused(*arguments, **settings):
    with pytest.raises(ConfigError) as caught:
        checked(*arguments, **settings)
    return str(caught.value)


@pytest.mark.parametrize("callback", [EarlyStopping(), BestSnapshot()])
def test_to_decide_by_the_rows_of_the_final_scores_is_remarkable(sides, callback):
    (remark,) = checked(sides("holdout"), {"mine": callback})
    assert remark.name == "decided-on-holdout"
    assert remark.text.startswith("callbacks.mine decides by the rows that the final scores are o")
    assert "Set dataset.validation=0.1" in remark.text


def test_each_callback_that_does_so_is_told(sides):
    remarks = checked(sides("holdout"), {"a": EarlyStopping(), "b": BestSnapshot()})
    assert [remark.text[:11] for remark in remarks] == ["callbacks.a", "callbacks.b"]


@pytest.mark.parametrize(
    ("names", "callbacks", "every"),
    [
        (("holdout", "validation"), {"a": EarlyStopping(), "b": BestSnapshot()}, None),
        (("validation",), {"a": EarlyStopping()}, 10),
        (("holdout",), {}, 10),
        (("holdout",), {"a": EarlyStopping(by="progressive")}, None),
        ((), {"a": EarlyStopping(by="progressive")}, None),
        ((), {"a": TimeLimit(minutes=1), "b": Callback()}, None),
    ],
)
def test_decisions_by_rows_of_their_own_or_none_pass_without_a_word(
    sides, names, callbacks, every
):
    assert checked(sides(*names), callbacks, every) == []


@pytest.mark.parametrize(
    ("callbacks", "every"), [({}, 10), ({}, "epoch"), ({"best": BestSnapshot()}, None)]
)
def test_scores_on_the_way_need_rows_that_are_held_out(sides, callbacks, every):
    assert refused(sides(), callbacks, every) == (
        "Scores of held-out rows on the way must have rows that are held out; got "
        "dataset.holdout=0 and dataset.validation=0. Set dataset.validation=0.1."
    )


def test_scores_on_the_way_need_a_scorer(sides):
    assert refused(sides("holdout"), every=10, names=()) == (
        "evaluation.every must be null where there is no scorer; got 10. Name one in "
        "evaluation.scoring."
    )
    said = refused(sides("holdout"), {"mine": BestSnapshot()}, names=())
    assert said.startswith("callbacks.best_snapshot must have a score to decide by; got an eval")


def test_a_score_to_decide_by_must_be_computed(sides):
    stopping = {"a": EarlyStopping(monitor="acuracy")}
    assert "Did you mean 'accuracy'?" in refused(sides("validation"), stopping)


def test_the_progressive_score_must_be_there_to_decide_by(sides):
    assert refused(sides(), {"mine": EarlyStopping(by="progressive")}, window=0) == (
        "callbacks.mine.by must be held_out where there is no progressive score; got progressive, "
        "with fit.progressive_window=0. Set fit.progressive_window=20."
    )


@pytest.mark.parametrize(
    ("settings", "every", "epochs", "most"),
    [
        ({}, None, 5, 5),
        ({}, "epoch", 1, 1),
        ({"patience": 3}, 51, 1, 2),
        ({"patience": 4}, 1, 1, 4),
        ({"patience": 1}, 1000, 3, 1),
        ({"patience": 7, "by": "progressive"}, None, 2, 7),
    ],
)
def test_a_patience_that_could_never_end_is_refused(sides, settings, every, epochs, most):
    stopping = EarlyStopping(**settings)
    said = refused(sides("validation"), {"mine": stopping}, every, epochs=epochs)
    assert said.startswith(
        "callbacks.mine.patience must be less than the number of scores on the way, which is "
        f"{most} at most; got {stopping.patience}."
    )
    remedies = {None: "more fit.epochs", "epoch": "more fit.epochs"}
    remedy = remedies.get(every, "smaller evaluation.every")
    assert ("smaller dataset.chunks" if stopping.by == "progressive" else remedy) in said


@pytest.mark.parametrize(
    ("settings", "every", "epochs"),
    [
        ({}, None, 6),
        ({"patience": 1}, 51, 1),
        ({"patience": 3}, 1, 1),
        ({"patience": 6, "by": "progressive"}, None, 2),
    ],
)
def test_a_patience_that_can_end_passes(sides, settings, every, epochs):
    checked(sides("validation"), {"mine": EarlyStopping(**settings)}, every, epochs=epochs)


def learners(part, preprocessing=None, estimator=None, **stream):
    estimator = estimator or SGDClassifier()
    settings = check_all_settings(preprocessing or {}, estimator, part)
    return [
        *settings,
        *check_first_blocks(preprocessing or {}, estimator, Stream(**stream), part),
    ]


def test_settings_without_effect_are_told_of_stages_and_of_the_estimator(make_part, points):
    stages = {"pca": IncrementalPCA(5, batch_size=7)}
    remarks = learners(make_part(*points), stages, SGDClassifier(max_iter=5))
    assert [remark.text.split("=")[0] for remark in remarks] == [
        "preprocessing.pca.batch_size",
        "estimator.max_iter",
    ]


def test_the_block_that_is_learned_first_must_be_large_enough(make_part, points):
    part, estimator = make_part(*points, chunks=(3, 97)), MiniBatchKMeans(10)
    small_first, large_first = (
        next(seed for seed in range(99) if Stream(seed=seed).order(2, 0)[0] == first)
        for first in (0, 1)
    )
    assert learners(part, estimator=estimator, seed=large_first) == []
    for stream in (
        {"seed": small_first},
        {"shuffle": False},
        {"shuffle": False, "buffer_blocks": 2},
    ):
        with pytest.raises(ConfigError, match="The first block must have at least 10 rows"):
            learners(part, estimator=estimator, **stream)


def test_a_stage_learns_the_first_block_of_the_dataset_first(make_part, points):
    with pytest.raises(
        ConfigError, match=r"at least 10 rows for preprocessing\.pca\.n_components"
    ):
        learners(make_part(*points, chunks=(3, 97)), {"pca": IncrementalPCA(10)})


def test_empty_blocks_are_not_the_first(make_part):
    part = make_part(np.ones((20, 3)), chunks=(0, 20))
    assert learners(part, estimator=MiniBatchKMeans(10), shuffle=False) == []


def test_healthy_learners_pass_without_a_word(make_part, points):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert learners(make_part(*points), {"pca": IncrementalPCA(5)}) == []


def test_blocks_without_room_in_memory_are_refused():
    X = da.zeros((2**34, 8), chunks=(2**33, 8))
    places = (Place(0, 0, 2**33), Place(1, 2**33, 2**34))
    setup = Options(Stream(), FitOptions(), Evaluation(), {})
    with pytest.raises(ConfigError, match=r"got 1,024\.0 GiB\. Make dataset\.chunks smaller"):
        check_setup(setup, Stages({}), MaxAbsScaler(), {}, Split(Part(X, None, None, places)))
