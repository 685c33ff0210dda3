"""Members that learn from the same blocks in one pass end with the bits of their solo runs."""

import pickle
from dataclasses import replace
from functools import cache, partial

import dask.array as da
import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import IncrementalPCA, MiniBatchNMF
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Perceptron, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import BernoulliRBM, MLPClassifier
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from runner.base import Callback
from runner.callbacks.best_snapshot import BestSnapshot
from runner.callbacks.early_stopping import EarlyStopping
from runner.config.compose import Composed
from runner.dataset.csv import Csv
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays
from runner.dataset.make_classification import MakeClassification
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run, run_together
from runner.fit.options import FitOptions
from runner.fit.threads import Threads
from runner.records import Recipe
from runner.stream.stream import Stream
from runner.sweeps.halving import Halving, Tournament
from runner.sweeps.members import Member
from runner.sweeps.plan import Built, Group
from runner.sweeps.shared_pass import run_group
from runner.sweeps.standing import Standing
from runner.sweeps.teller import Teller
from runner.tracking.memory_tracker import MemoryTracker
from runner.trial import Trial
from tests.test_estimators import CASES, MODULES, lines, numbers

TIMES = ("time/", "progress/rows_per_second", "memory/")
RECIPE = Recipe("member", {})
CLOCKS = ("load_ms", "wait_ms", "fit_ms")


def member(estimator, *, epochs=1, scoring=None, every=None, **own):
    """Return what makes one experiment, with an estimator and callbacks of its own each time."""

    def make(**shared):
        asked = {"tracking": MemoryTracker(), **own, **shared}
        stages, callbacks = asked.pop("preprocessing", {}), asked.pop("callbacks", {})
        return Experiment(
            name="member",
            estimator=clone(estimator),
            evaluation=Evaluation(scoring=scoring, every=every),
            fit=FitOptions(epochs=epochs, **asked.pop("fit", {})),
            preprocessing={name: clone(stage) for name, stage in stages.items()},
            callbacks={name: again() for name, again in callbacks.items()},
            seed=3,
            **asked,
        )

    return make


def alone(make, **shared):
    """Return all that is known of a member after a run of its own."""
    experiment = make(**shared)
    result = run(experiment, RECIPE)
    assert result.estimator is experiment.estimator
    return known(experiment)


def together(makes, n_threads=2, **shared):
    """Return the same of members that shared their blocks."""
    experiments = [make(**shared) for make in makes]
    for trial in shared_by(experiments, n_threads):
        trial.outcome()
    return [known(experiment) for experiment in experiments]


def shared_by(experiments, n_threads=2):
    """Let experiments learn in one pass."""
    trials = [Trial(experiment, RECIPE) for experiment in experiments]
    with Threads(n_threads) as each:
        run_together(trials, each)
    return trials


def known(experiment, record=None):
    """Return everything that must be the same, in a form in which equal means identical."""
    record = record or experiment.tracking.runs[0]
    table = record.ledger.drop_columns(list(CLOCKS)).to_pydict()
    progress = {k: v for k, v in vars(record.progress).items() if not k.endswith("_s")}
    return {
        "estimator": hashed(experiment.estimator),
        "model": hashed(record.model),
        "numbers": dict(numbers(record.model)),
        "curves": {k: repr(v) for k, v in record.curves.items() if not k.startswith(TIMES)},
        "blocks": repr(table),
        "progress": repr(progress),
        "scores": repr(record.evaluated and record.evaluated.scores),
        "evaluated": joblib.hash(record.evaluated and replace(record.evaluated, sample=None)),
        "labels": repr(record.labels),
        "remarks": record.remarks,
        "status": record.status,
    }


def hashed(fitted):
    # It remembers that its stop words were looked at, which of those in a pass only one does.
    return "" if b"HashingVectorizer" in pickle.dumps(fitted) else joblib.hash(fitted)


def has_curves(kind, of):
    return any(name.startswith(kind) and "," in values for name, values in of["curves"].items())


# Settings of which the members of each kind have one each, in turn with the epochs of the case.
SETTINGS = {
    "BernoulliNB": [{}, {"alpha": 0.1}, {"binarize": 4}],
    "BernoulliRBM": [{}, {"learning_rate": 0.01}, {"n_components": 16}],
    "Birch": [{}, {"threshold": 0.3}, {"branching_factor": 10}],
    "CategoricalNB": [{}, {"alpha": 0.1}],
    "ComplementNB": [{}, {"alpha": 0.1}, {"norm": True}],
    "GaussianNB": [{}, {"var_smoothing": 1e-3}],
    "HashingVectorizer": [{}, {"n_features": 2**10}],
    "IncrementalPCA": [{}, {"n_components": 1}, {"whiten": True}],
    "LatentDirichletAllocation": [{}, {"n_components": 3}],
    "MLPClassifier": [{}, {"alpha": 1.0}, {"solver": "sgd"}],
    "MLPRegressor": [{}, {"alpha": 1.0}],
    "MaxAbsScaler": [{}, {"clip": True}],
    "MinMaxScaler": [{}, {"feature_range": (0, 2)}],
    "MiniBatchDictionaryLearning": [{}, {"n_components": 8}],
    "MiniBatchKMeans": [{}, {"n_clusters": 5}, {"reassignment_ratio": 0.1}],
    "MiniBatchNMF": [{}, {"n_components": 8}, {"forget_factor": 0.5}],
    "MultiOutputClassifier": [{}, {"estimator__alpha": 0.01}],
    "MultiOutputRegressor": [{}, {"estimator__alpha": 0.01}],
    "MultinomialNB": [{}, {"alpha": 0.1}],
    "OneVsOneClassifier": [{}, {"estimator__alpha": 0.01}],
    "OneVsRestClassifier": [{}, {"estimator__alpha": 0.01}],
    "PassiveAggressiveClassifier": [{}, {"C": 0.1}],
    "PassiveAggressiveRegressor": [{}, {"C": 0.1}],
    "Perceptron": [{}, {"penalty": "l2"}, {"eta0": 0.1}],
    "SGDClassifier": [{}, {"alpha": 1e-3}, {"average": False}],
    "SGDOneClassSVM": [{}, {"nu": 0.2}],
    "SGDRegressor": [{}, {"alpha": 0.01}, {"penalty": "l1"}],
    "SelectFromModel": [{}, {"estimator__alpha": 0.01}],
    "StandardScaler": [{}, {"with_mean": False}],
}


def members_of(name):
    """Return the members of one kind of estimator, which differ in a setting and in epochs."""
    case = CASES[name]
    return [
        member(
            case.estimator().set_params(**changed),
            epochs=case.epochs + number % 2,
            scoring=case.scoring,
            every="epoch" if case.reaches else None,
            partial_fit=case.partial_fit,
        )
        for number, changed in enumerate(SETTINGS[name])
    ]


def reading_of(name):
    case = CASES[name]
    return repr((case.dataset, sorted(case.preprocessing.items())))


@cache
def shared_pass_over(reading):
    """Return by kind what became of its members, in a pass with all kinds of the same blocks."""
    names = [name for name in CASES if reading_of(name) == reading]
    case = CASES[names[0]]
    makes = [(name, make) for name in names for make in members_of(name)]
    found = together(
        [make for _, make in makes], dataset=case.dataset, preprocessing=case.preprocessing
    )
    by_kind = {name: [] for name in names}
    for (name, _), of in zip(makes, found, strict=True):
        by_kind[name].append(of)
    return by_kind


def test_several_kinds_share_a_pass():
    shared = [reading_of(name) for name in CASES]
    assert max(shared.count(reading) for reading in shared) >= 6
    assert SETTINGS.keys() == CASES.keys()


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize("all_alone", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_members_of_every_estimator_have_the_bits_of_their_solo_runs(name, all_alone):
    case = CASES[name]
    found = shared_pass_over(reading_of(name))[name]
    pairs = list(zip(members_of(name), found, strict=True))
    for make, of in pairs if all_alone else pairs[-1:]:
        assert of == alone(make, dataset=case.dataset, preprocessing=case.preprocessing)
        assert of["status"] == "FINISHED"
        assert has_curves("validation/", of) == (case.reaches is not None)
    assert len({repr(of["numbers"]) for of in found}) == len(found), "the settings matter"


def linear(**settings):
    return SGDClassifier(**{"loss": "log_loss", "random_state": 0} | settings)


def classifier(estimator, **parts):
    return member(estimator, **{"partial_fit": {"classes": [0, 1]}, **parts})


MIXED = [
    classifier(linear(average=True), epochs=2),
    classifier(linear(alpha=0.1), every=250, epochs=3),
    classifier(Perceptron(random_state=1), every="epoch"),
    classifier(GaussianNB(), epochs=2, every=100),
    classifier(MLPClassifier((8,), random_state=0), epochs=3, scoring=["roc_auc", "f1"]),
    classifier(MLPClassifier((16,), random_state=1), epochs=2),
]


class Weighted(MakeClassification):
    """Rows of which each has a weight."""

    def arrays(self):
        arrays = super().arrays()
        weight = da.from_array(np.arange(self.n_samples) % 5 + 0.25, chunks=arrays.X.chunks[0])
        return Arrays(arrays.X, arrays.y, weight)


class Stop(Callback):
    """Asks to stop after so many rows."""

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def on_block_end(self, progress, block):
        if progress.rows >= self.n_rows:
            progress.stop("as asked")


def rows(kind=MakeClassification, **changes):
    return kind(
        **{
            "n_samples": 1000,
            "chunks": 80,
            "random_state": 3,
            "seed": 3,
            "weights": [0.8, 0.2],
            "flip_y": 0.1,
            "validation": 0.2,
        }
        | changes
    )


INFERRED = {"partial_fit": {"classes": "infer"}}
BALANCED = {"fit": {"class_weight": "balanced"}}
SCALERS = {"scaler": StandardScaler(), "range": MinMaxScaler()}
RESTLESS = {"learning_rate": "constant", "loss": "hinge"}


def stopping(by, patience=3):
    return {"stop": partial(EarlyStopping, by=by, patience=patience)}


def restless(**parts):
    """Return members that get better and worse, each at other rows."""
    return [
        classifier(linear(eta0=eta0, **RESTLESS), **{"epochs": 8, "every": "epoch"} | parts)
        for eta0 in (0.1, 1.0, 5.0, 20.0)
    ]


FEATURES = {
    "epochs of each": (MIXED, {}),
    "rows that are mixed": (MIXED, {"stream": Stream(buffer_blocks=3, seed=3)}),
    "blocks in their order": (MIXED, {"stream": Stream(shuffle=False, prefetch=0)}),
    "labels that are inferred": (MIXED, INFERRED),
    "labels that weigh the same": (MIXED[:4], BALANCED | INFERRED),
    "labels and rows that weigh": (MIXED[:4], BALANCED | {"dataset": rows(Weighted)}),
    "rows that weigh": (MIXED, {"dataset": rows(Weighted)}),
    "scalers in a pass before": (MIXED, {"preprocessing": SCALERS}),
    "scalers that learn along": (
        MIXED,
        {"preprocessing": SCALERS, "fit": {"preprocessing": "running"}},
    ),
    "scalers of both policies": (
        MIXED,
        {
            "preprocessing": {"range": MinMaxScaler(), "scaler": StandardScaler()},
            "fit": {"preprocessing": {"scaler": "running"}},
        },
    ),
    "early stopping by held-out rows": (restless(callbacks=stopping("held_out")), {}),
    "early stopping by blocks": (restless(callbacks=stopping("progressive", 6)), {}),
    "the best state": (restless(callbacks={"best": BestSnapshot}), {}),
    "the best state of what learns along": (
        restless(callbacks={"best": BestSnapshot}, every=150),
        {"preprocessing": SCALERS, "fit": {"preprocessing": "running"}},
    ),
    "stops in mid-epoch": (
        [
            classifier(linear(alpha=10.0**-n), epochs=2, callbacks={"stop": partial(Stop, 80 * n)})
            for n in (1, 2, 5, 8, 13)
        ],
        {},
    ),
    "no score on the way": (MIXED, {"fit": {"progressive_window": 0}}),
}


IN_OTHERS = {  # what other features here, or the kinds above, show together with something else
    "epochs of each",
    "labels that weigh the same",
    "rows that weigh",
    "scalers in a pass before",
    "scalers that learn along",
    "the best state",
}
ALONE = [
    pytest.param(feature, marks=pytest.mark.slow if feature in IN_OTHERS else ())
    for feature in FEATURES
]


@pytest.mark.parametrize("feature", ALONE)
def test_members_have_the_bits_of_their_solo_runs_with(feature):
    makes, shared = FEATURES[feature]
    shared = {"dataset": rows(), **shared}
    found = together(makes, **shared)
    assert found == [alone(make, **shared) for make in makes]
    assert {of["status"] for of in found} == {"FINISHED"}
    assert len({of["estimator"] for of in found}) == len(makes)


def test_models_behind_a_decomposition_answer_with_the_bits_of_solo_runs():
    """The hash is another, because a copy has its components in memory without gaps."""
    shared = {"dataset": rows(), "preprocessing": {"pca": IncrementalPCA(5)}}
    X, makes = np.asarray(rows().split().holdout.X), MIXED[3:]
    for make, trial in zip(makes, shared_by([make(**shared) for make in makes]), strict=True):
        ours, theirs = trial.outcome(), run(make(**shared), RECIPE)
        assert dict(numbers(ours.model)) == dict(numbers(theirs.model))
        assert ours.model.predict_proba(X).tobytes() == theirs.model.predict_proba(X).tobytes()
        assert ours.scores == theirs.scores


def test_what_stops_members_stops_them_at_different_rows():
    for feature in ("early stopping by held-out rows", "early stopping by blocks"):
        found = together(FEATURES[feature][0], dataset=rows())
        assert len({of["progress"] for of in found}) == len(found)
        assert sum("better" in of["progress"] for of in found) >= 2, "some are stopped"
        curve = "validation/" if "held-out" in feature else "train/"
        assert all(has_curves(curve, of) for of in found)


@pytest.fixture
def table(tmp_path):
    """Return a dataset of 400 rows with numbers and text."""
    rng = np.random.default_rng(5)
    jobs = rng.choice(["cook", "smith", "baker", "clerk"], 400)
    words = ["light", "heavy", "old", "new", "round"]
    lines = [
        f"{rng.integers(18, 90)},{rng.normal():.6f},{job},{' '.join(rng.choice(words, 3))},"
        f"{int(job < 'c' or rng.random() < 0.3)}"
        for job in jobs
    ]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["age,hours,job,about,label", *lines]) + "\n")
    return Csv(path=str(path), target="label", chunks=40, as_frame=True, seed=3)


@pytest.mark.parametrize("n_threads", [2, 4])
def test_members_have_the_bits_of_their_solo_runs_on_a_table_with_text(table, n_threads):
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["age", "hours"]),
            ("jobs", OneHotEncoder(handle_unknown="ignore"), ["job"]),
            ("words", HashingVectorizer(n_features=64), "about"),
        ],
        sparse_threshold=0,
    )
    shared = {"dataset": table, "preprocessing": {"columns": columns}, **INFERRED, **BALANCED}
    found = together(MIXED[:4], n_threads, **shared)
    assert found == [alone(make, **shared) for make in MIXED[:4]]


def sparse_members():
    """Return members whose weights are so many that BLAS would scale them on several cores."""
    learns = [
        Perceptron(random_state=0),
        Perceptron(random_state=0, penalty="l2", alpha=1e-3),
        SGDClassifier(random_state=0),
        SGDClassifier(random_state=0, alpha=1e-2, loss="log_loss"),
    ]
    return [
        member(each, epochs=1 + number % 2, partial_fit={"classes": MODULES}, every=4000)
        for number, each in enumerate(learns)
    ]


WORDS = {"hashing": HashingVectorizer(n_features=2**16)}


@cache
def sparse_alone():
    return [alone(each, dataset=lines(), preprocessing=WORDS) for each in sparse_members()]


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_members_have_the_bits_of_their_solo_runs_on_wide_sparse_rows(n_threads):
    found = together(sparse_members(), n_threads, dataset=lines(), preprocessing=WORDS)
    assert found == sparse_alone()


class Parts(Dataset):
    """Rows that are sums of a few non-negative parts, in blocks that BLAS would share out."""

    def arrays(self):
        rng = np.random.default_rng(0)
        X = rng.gamma(0.5, size=(10_000, 6)) @ rng.gamma(0.5, size=(6, 64))
        X += rng.random(X.shape)
        X /= X.max(axis=0)
        y = (X[:, 0] > np.median(X[:, 0])).astype(int)
        return Arrays(da.from_array(X, (2000, 64)), da.from_array(y, 2000))


WIDE = [
    member(each, epochs=1 + number % 2, every=4000, **own)
    for number, (each, own) in enumerate(
        [
            (IncrementalPCA(16), {}),
            (IncrementalPCA(8, whiten=True), {}),
            (MiniBatchKMeans(8, random_state=0), {}),
            (MiniBatchKMeans(16, random_state=0), {}),
            (MiniBatchNMF(6, random_state=0), {}),
            (MiniBatchNMF(9, random_state=0), {}),
            (BernoulliRBM(64, random_state=0, batch_size=2000), {}),
            (BernoulliNB(binarize=0.3), {"partial_fit": {"classes": [0, 1]}}),
            (MLPClassifier((64,), random_state=0), {"partial_fit": {"classes": [0, 1]}}),
            (MLPClassifier((32, 32), random_state=0), {"partial_fit": {"classes": [0, 1]}}),
        ]
    )
]


@cache
def wide_alone():
    return [alone(make, dataset=Parts()) for make in WIDE]


@pytest.mark.parametrize(("n_threads", "prefetch"), [(1, 2), (2, 0), (2, 2), (4, 2), (8, 0)])
def test_members_have_the_bits_of_their_solo_runs_on_large_blocks(n_threads, prefetch):
    found = together(WIDE, n_threads, dataset=Parts(), stream=Stream(prefetch=prefetch))
    assert found == wide_alone()


@pytest.mark.parametrize(
    "estimator",
    [
        IncrementalPCA(16),
        MiniBatchKMeans(8, random_state=0),
        MiniBatchNMF(6, random_state=0),
        BernoulliRBM(64, random_state=0, batch_size=2000),
        MLPClassifier((64,), random_state=0),
    ],
    ids=str,
)
def test_members_of_large_blocks_have_the_bits_of_a_hand_written_loop(estimator):
    """The loop is on one core, as a pass is: some estimators add up otherwise on several."""
    arguments = {"classes": [0, 1]} if isinstance(estimator, MLPClassifier) else {}
    makes = [member(estimator, epochs=n, partial_fit=arguments) for n in (1, 2)]
    (train, *_), by_hand = Parts().split(), clone(estimator)
    with threadpool_limits(1):
        for X, y in zip(train.X.blocks, train.y.blocks, strict=True):
            by_hand.partial_fit(X.compute(), y.compute(), **arguments)
    ours, _ = together(makes, dataset=Parts(), stream=Stream(shuffle=False))
    assert ours["estimator"] == joblib.hash(by_hand)


@cache
def mixed_alone():
    return [alone(make, dataset=rows()) for make in MIXED]


@settings(deadline=None, max_examples=8)
@given(
    order=st.lists(st.sampled_from(range(len(MIXED))), min_size=2, max_size=8),
    n_threads=st.sampled_from([1, 2, 4, 8]),
    prefetch=st.sampled_from([0, 2]),
)
def test_no_bit_depends_on_the_other_members_their_order_the_threads_or_what_is_read_ahead(
    order, n_threads, prefetch
):
    makes = [MIXED[number] for number in order]
    found = together(makes, n_threads, dataset=rows(), stream=Stream(prefetch=prefetch))
    assert found == [mixed_alone()[number] for number in order]


class Fails(SGDClassifier):
    """Learns as SGDClassifier until its third block, which it refuses."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        if getattr(self, "t_", 0) > 150:
            raise ValueError("enough")
        return super().partial_fit(X, y, classes, sample_weight)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_member_that_fails_changes_no_bit_of_the_others(n_threads):
    makes = [MIXED[0], classifier(Fails(random_state=0)), MIXED[4]]
    experiments = [make(dataset=rows()) for make in makes]
    trials = shared_by(experiments, n_threads)
    assert [trial.error is None for trial in trials] == [True, False, True]
    assert [known(experiments[0]), known(experiments[2])] == [mixed_alone()[0], mixed_alone()[4]]


CANDIDATES = [
    *[classifier(linear(alpha=10.0**-power), epochs=3) for power in range(-2, 5)],
    *[classifier(MLPClassifier((n,), random_state=n), epochs=3, every=200) for n in (2, 8, 16)],
    classifier(GaussianNB(), epochs=3, every="epoch"),
    classifier(OneVsRestClassifier(linear()), epochs=3),
    classifier(OneVsOneClassifier(linear(loss="hinge")), epochs=3),
]


def raced(makes, options, n_threads=2):
    """Return what is known of the members of a halving, and the tournament."""
    tracker = MemoryTracker()
    experiments = [make(dataset=rows(), tracking=tracker) for make in makes]
    built = tuple(
        Built(member_called(number), experiment, RECIPE)
        for number, experiment in enumerate(experiments)
    )
    group = Group(built, experiments[0].dataset.split())
    tournament = Tournament(options, range(len(built)), group.total_rows, seed=3)
    with tracker.start_sweep("sweep") as sweep:
        standing = Standing([], sweep, Teller())
        run_group(replace(group, tournament=tournament), standing, threads=n_threads)
    pairs = zip(experiments, tracker.runs, strict=True)
    return [known(*pair) for pair in pairs], tournament


def member_called(number):
    composed = Composed(OmegaConf.create())
    return Member(number, f"{number}", {}, composed, f"key {number}", ())


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("hyperband", [False, True])
@pytest.mark.parametrize("by", ["progressive", "held_out"])
def test_who_survives_a_halving_has_the_bits_of_a_solo_run(by, hyperband, n_threads):
    options = Halving(first_rows=100, factor=2, by=by, hyperband=hyperband)
    found, tournament = raced(CANDIDATES, options, n_threads)
    stopped = {number: made.rows for made in tournament.decisions for number in made.stopped}
    assert 0 < len(stopped) < len(CANDIDATES)
    assert len(set(stopped.values())) >= 2, "on more than one rung"
    for number, (of, make) in enumerate(zip(found, CANDIDATES, strict=True)):
        assert of["status"] == "FINISHED"
        if number in stopped:
            assert f"after {stopped[number]:,} rows" in of["progress"]
            assert learned(of) == learned(cut_short(make, stopped[number]))
        else:
            assert of == alone(make, dataset=rows())


def cut_short(make, n_rows):
    """Return what is known of a member after a run of its own that ends after so many rows."""
    return alone(make, dataset=rows(), callbacks={"stop": partial(Stop, n_rows)})


def learned(of):
    """Return what was learned and how, but not why it ended."""
    return {key: of[key] for key in ("estimator", "model", "numbers", "blocks", "scores")}
