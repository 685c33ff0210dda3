"""What goes wrong with ``dask_ml.wrappers.Incremental`` and does not with ``runner.Incremental``.

Most tests are a function that takes either class: it holds with ours and, to show that the test
can fail, does not with theirs (dask-ml 2025.1.0).
"""

import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections import Counter

import dask
import dask.array as da
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import IncrementalPCA, LatentDirichletAllocation
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.metrics import fbeta_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import CategoricalNB, MultinomialNB
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

from runner.base import Callback
from runner.callbacks.best_snapshot import BestSnapshot
from runner.dataset.make_classification import MakeClassification
from runner.errors import ConfigError, DatasetError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run
from runner.fit.options import FitOptions
from runner.incremental import Incremental
from runner.records import Recipe
from runner.stream.stream import Stream
from runner.tracking.memory_tracker import MemoryTracker

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
NOT_RAISED = pytest.fail.Exception
CLASSES = {"classes": [0, 1]}


def linear(**settings):
    return SGDClassifier(**{"random_state": 0} | settings)


@pytest.fixture
def lazy(points):
    X, y = points
    return da.from_array(X, chunks=(25, 20)), da.from_array(y, chunks=25)


@pytest.fixture
def only_ours():
    """Return what sees that a check holds with our class, and fails with theirs in this way."""
    from dask_ml.wrappers import Incremental as Theirs

    def only_ours(holds, fails, match=None):
        holds(Incremental)
        with pytest.raises(fails, match=match):
            holds(Theirs)

    return only_ours


class Blocks:
    """Lazy blocks that know how often they are loaded and how many are alive."""

    def __init__(self, n_blocks, load_s=0.0, shape=(25, 20)):
        self._lock = threading.Lock()
        self._load_s = load_s
        self._shape = shape
        self.alive = self.most_alive = 0
        self.loads = Counter()
        lazy_blocks = [dask.delayed(self.load, pure=True)(i) for i in range(n_blocks)]
        self.array = da.concatenate(
            [da.from_delayed(block, shape, float) for block in lazy_blocks]
        )

    def load(self, i):
        time.sleep(self._load_s)
        rows = np.random.default_rng(i).normal(size=self._shape)
        with self._lock:
            self.loads[i] += 1
            self.alive += 1
            self.most_alive = max(self.most_alive, self.alive)
        weakref.finalize(rows, self._gone)
        return rows

    def _gone(self):
        with self._lock:
            self.alive -= 1

    def __reduce__(self):  # Dask names tasks by what they hold
        return (Blocks, (0,))


class Fake(BaseEstimator):
    """Has what theirs wants of an estimator beside ``partial_fit``."""

    def fit(self, X, y=None):
        return self

    def score(self, X, y=None):
        return 0.0


class Slow(Fake):
    """Takes its time over each block."""

    def __init__(self, seconds=0.02):
        self.seconds = seconds

    def partial_fit(self, X, y=None):
        time.sleep(self.seconds)
        return self


class Spy(Fake):
    """Remembers what it was given."""

    def partial_fit(self, X, y=None):
        self.seen_ = [*getattr(self, "seen_", []), (X, y)]
        return self


# D1: 35 to 40 of 40 blocks are alive at once: the graph loads as fast as it can while the fits
# wait for each other.
def test_memory_holds_prefetch_plus_one_blocks(only_ours):
    def holds(kind):
        blocks = Blocks(24, load_s=0.002)
        kind(Slow()).fit(blocks.array)
        assert blocks.most_alive <= 3

    only_ours(holds, AssertionError)


PEAK = """
import sys, time, warnings
warnings.simplefilter("ignore")
import dask, dask.array as da, numpy as np
from sklearn.base import BaseEstimator
if sys.argv[1] == "theirs":
    from dask_ml.wrappers import Incremental
else:
    from runner import Incremental

class Slow(BaseEstimator):
    def partial_fit(self, X, y=None):
        time.sleep(0.02)
        return self
    def fit(self, X, y=None):
        return self
    def score(self, X, y=None):
        return 0.0

def load(i):
    return np.full((20_000, 50), float(i))

def blocks(n):
    parts = [dask.delayed(load)(i) for i in range(n)]
    return da.concatenate([da.from_delayed(part, (20_000, 50), float) for part in parts])

def peak():  # getrusage would tell the peak of the process that started this one, if it is higher
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

Incremental(Slow()).fit(blocks(3))
before = peak()
Incremental(Slow()).fit(blocks(40))
print(peak() - before)
"""


# D2: so all of the data are in memory.
def test_peak_memory_does_not_grow_with_the_number_of_blocks():
    def growth(kind):
        command = [sys.executable, "-c", PEAK, kind]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1])

    block_mb = 20_000 * 50 * 8 / 2**20
    assert growth("ours") < 3 * block_mb
    assert growth("theirs") > 6 * block_mb


# D3: trains on the first chunk of columns only, and says nothing.
@pytest.mark.filterwarnings("ignore:X is cut along its features")
def test_every_column_is_learned_however_the_columns_are_cut(lazy, only_ours):
    def holds(kind):
        model = kind(linear()).fit(lazy[0].rechunk((25, 10)), lazy[1], **CLASSES)
        assert model.coef_.shape == (1, 20)

    only_ours(holds, AssertionError)


# D4: hands the estimator a tuple of a name and a number.
@pytest.mark.parametrize("targets", [0, 2])
def test_a_target_of_several_columns_or_none_arrives_as_it_is(lazy, only_ours, targets):
    X, y = lazy
    target = da.stack([y, y], axis=1).rechunk((25, 2)) if targets else None

    def holds(kind):
        for _, seen in kind(Spy()).fit(X, target).estimator_.seen_:
            assert seen is None if target is None else seen.shape == (25, 2)

    only_ours(holds, (AssertionError, AttributeError))


# D5: counts the rows as those of the first class.
def test_an_unseen_label_is_refused_with_its_block_and_row(points, only_ours):
    X, y = abs(points[0]), points[1].copy()
    y[60:80] = 7

    def holds(kind):
        with pytest.raises(FitError, match=r"Block 2 \(rows 50 to 74\).*got \[7\].*row 60"):
            kind(MultinomialNB(), shuffle_blocks=False).fit(
                da.from_array(X, chunks=(25, 20)), da.from_array(y, chunks=25), **CLASSES
            )

    only_ours(holds, NOT_RAISED)


# D6: hands each block the weights of all rows.
@pytest.mark.parametrize("wrap", [np.asarray, lambda w: da.from_array(w, chunks=25)])
def test_weights_are_split_with_the_blocks(points, lazy, only_ours, wrap):
    weight = np.random.default_rng(0).uniform(size=100)

    def holds(kind):
        model = kind(linear(), shuffle_blocks=False)
        model.fit(*lazy, sample_weight=wrap(weight), **CLASSES)
        hand = linear()
        for i in range(4):
            rows = slice(25 * i, 25 * i + 25)
            X, y = points[0][rows], points[1][rows]
            hand.partial_fit(X, y, sample_weight=weight[rows], **CLASSES)
        np.testing.assert_array_equal(model.coef_, hand.coef_)

    only_ours(holds, ValueError, "sample_weight.shape")


# D7: computes the labels of all blocks anew for each block: 200 loads for 8 blocks.
@pytest.mark.parametrize(("how", "most"), [("listed", 8), ("infer", 16), ("unique", 16)])
def test_classes_are_found_in_one_pass_over_y(only_ours, how, most):
    def holds(kind):
        blocks = Blocks(8)
        y = (blocks.array[:, 0] > 0).astype(int)
        X = da.zeros((200, 3), chunks=(25, 3))
        found = {"listed": [0, 1], "infer": "infer", "unique": da.unique(y)}[how]
        model = kind(linear()).fit(X, y, classes=found)
        np.testing.assert_array_equal(model.classes_, [0, 1])
        assert blocks.loads.total() <= most

    if how == "listed":
        holds(Incremental)
    else:
        only_ours(holds, (AssertionError, ValueError))


# D8: with an integer seed every pass has the same order; without, a fit cannot be repeated.
def test_the_order_is_new_in_each_pass_and_recorded(only_ours):
    X = da.arange(8, chunks=1).reshape(8, 1)

    def holds(kind):
        model = kind(Spy(), random_state=0)
        for _ in range(2):
            model.partial_fit(X, X[:, 0])
        learned = [int(rows[0, 0]) for rows, _ in model.estimator_.seen_]
        assert sorted(learned[:8]) == sorted(learned[8:]) == list(range(8))
        assert learned[:8] != learned[8:]
        assert model.order_ == [learned[:8], learned[8:]]

    only_ours(holds, AssertionError)


def test_a_fit_without_a_seed_can_be_repeated(lazy, only_ours):
    def holds(kind):
        model = kind(SGDClassifier()).fit(*lazy, **CLASSES)
        again = kind(SGDClassifier(), random_state=model.random_state_).fit(*lazy, **CLASSES)
        np.testing.assert_array_equal(again.coef_, model.coef_)

    only_ours(holds, AttributeError, "random_state_")


# D9: 13 of the 29 cannot be fitted, for want of a score or with a y of two columns.
CANNOT = {
    *("BernoulliRBM", "Birch", "HashingVectorizer", "IncrementalPCA", "MaxAbsScaler"),
    *("MinMaxScaler", "MiniBatchDictionaryLearning", "MiniBatchNMF", "MultiOutputClassifier"),
    *("MultiOutputRegressor", "SGDOneClassSVM", "SelectFromModel", "StandardScaler"),
}
WITHOUT_SCORE = {
    *("HashingVectorizer", "MaxAbsScaler", "MinMaxScaler", "SGDOneClassSVM", "SelectFromModel"),
    "StandardScaler",
}
MADE = {
    "BernoulliRBM": lambda: BernoulliRBM(batch_size=25),
    "CategoricalNB": lambda: CategoricalNB(min_categories=4),
    "LatentDirichletAllocation": lambda: LatentDirichletAllocation(total_samples=100),
    "MultiOutputClassifier": lambda: MultiOutputClassifier(linear()),
    "MultiOutputRegressor": lambda: MultiOutputRegressor(SGDRegressor()),
    "OneVsOneClassifier": lambda: OneVsOneClassifier(linear()),
    "OneVsRestClassifier": lambda: OneVsRestClassifier(linear()),
    "SelectFromModel": lambda: SelectFromModel(linear()),
}
LEARNERS = {name: kind for name, kind in all_estimators() if hasattr(kind, "partial_fit")}


def task_of(name):
    """Return what an estimator learns from: 100 rows of small counts, or text, in four blocks."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, size=(100, 20)).astype(float)
    y = (X[:, 0] > 1).astype(int)
    if name == "HashingVectorizer":
        X = np.array([" ".join(map(str, row)) for row in X], dtype=object)
    if name == "BernoulliRBM":
        X = X / 3
    arguments = {}
    if name.startswith("MultiOutput"):
        y = np.column_stack([y, 1 - y])
    if name == "MultiOutputClassifier":
        arguments = {"classes": [[0, 1], [0, 1]]}
    elif name.endswith(("NB", "Classifier", "Perceptron", "FromModel")):
        arguments = CLASSES
    X, y = (da.from_array(a, chunks=(25, *a.shape[1:])) for a in (X, y))
    return X, y, arguments


def test_there_are_29_estimators_of_which_theirs_cannot_fit_13():
    assert len(LEARNERS) == 29
    assert LEARNERS.keys() > CANNOT
    assert len(CANNOT) == 13


@pytest.mark.filterwarnings("ignore:deprecated")
@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_every_estimator_is_fitted_and_has_a_score_or_says_that_it_has_none(name, only_ours):
    X, y, arguments = task_of(name)

    def holds(kind):
        estimator = MADE.get(name, LEARNERS[name])()
        model = kind(estimator).fit(X, y, **arguments)
        assert type(model.estimator_) is type(estimator)

    if name in CANNOT:
        only_ours(holds, (TypeError, ValueError, AttributeError, AssertionError))
    model = Incremental(MADE.get(name, LEARNERS[name])(), random_state=0).fit(X, y, **arguments)
    assert model.progress_.rows == 100
    if name in WITHOUT_SCORE:
        with pytest.raises(ConfigError, match=f"scoring must be given, because {name} has no"):
            model.score(X, y)
    else:
        assert np.isfinite(model.score(X, y))


# D10: "cannot broadcast shape (nan,)".
def test_a_regressor_has_its_score(points, lazy, only_ours):
    def holds(kind):
        model = kind(SGDRegressor(random_state=0)).fit(*lazy)
        expected = model.estimator_.score(*points)
        assert model.score(*lazy) == pytest.approx(expected, rel=1e-12)

    only_ours(holds, ValueError)


# D11: knows four names, of which one fails.
@pytest.mark.parametrize(
    "scoring",
    [
        *("f1", "roc_auc", "neg_log_loss", "average_precision"),
        make_scorer(fbeta_score, beta=2),
        ["accuracy", "roc_auc"],
        {"area": "roc_auc"},
    ],
    ids=str,
)
def test_any_scorer_of_scikit_learn_gives_what_it_gives_for_the_whole(
    points, lazy, only_ours, scoring
):
    def holds(kind):
        model = kind(linear(loss="log_loss"), scoring=scoring).fit(*lazy, **CLASSES)
        score = model.score(*lazy)
        several = score if isinstance(score, dict) else {"": score}
        asked = (
            scoring if isinstance(scoring, dict) else dict(zip(several, [scoring], strict=False))
        )
        asked = {name: name for name in scoring} if isinstance(scoring, list) else asked
        for name, each in asked.items():
            scorer = each if callable(each) else get_scorer(each)
            expected = scorer(model.estimator_, *points)
            assert several[name] == pytest.approx(expected, rel=1e-12)

    only_ours(holds, (ValueError, TypeError))


# D12: the whole fit is lost, and a later one cannot know where it was.
def failing_at(number, lazy):
    def fail(block, block_info=None):
        if block_info[0]["chunk-location"][0] == number:
            raise OSError("the disk is gone")
        return block

    return lazy[0].map_blocks(fail, meta=np.empty((0, 20))), lazy[1]


def test_a_failure_keeps_the_model_and_tells_where_it_was(points, lazy, only_ours):
    def holds(kind):
        model = kind(linear(), shuffle_blocks=False)
        with pytest.raises((OSError, DatasetError)):
            model.fit(*failing_at(2, lazy), **CLASSES)
        hand = linear()
        for i in range(2):
            rows = slice(25 * i, 25 * i + 25)
            hand.partial_fit(points[0][rows], points[1][rows], **CLASSES)
        np.testing.assert_array_equal(model.estimator_.coef_, hand.coef_)
        assert model.progress_.blocks == 2

    only_ours(holds, AttributeError, "estimator_")


def test_nothing_lazy_trains_when_it_is_computed_again(lazy, only_ours):
    from dask_ml._partial import fit

    model = Incremental(linear()).fit(*lazy, **CLASSES)
    predicted = model.predict(lazy[0])
    np.testing.assert_array_equal(predicted.compute(), predicted.compute())
    assert model.t_ == 101
    with pytest.raises(ConfigError, match=r"partial_fit\.compute must be an argument"):
        Incremental(linear()).fit(*lazy, compute=False)
    theirs = fit(linear(), *lazy, compute=False, **CLASSES)
    assert [theirs.compute(scheduler="sync").t_ for _ in range(2)] == [101, 201]


# D13: an AssertionError without a word, an UnboundLocalError, and never the block.
def test_a_bad_block_is_named_with_its_rows(points, lazy, only_ours):
    rows = points[0].copy()
    rows[60, 4] = np.nan

    def holds(kind):
        told = r"Block 2 \(rows 50 to 74\).*nan in row 60, column 4"
        with pytest.raises(Exception, match=told):
            kind(linear()).fit(da.from_array(rows, chunks=(25, 20)), lazy[1], **CLASSES)

    only_ours(holds, AssertionError, "Regex pattern did not match")


@pytest.mark.parametrize("y_chunks", [50, (10, 40, 25, 25)])
def test_labels_that_are_cut_in_another_way_are_cut_as_the_rows(points, lazy, only_ours, y_chunks):
    def holds(kind):
        model = kind(linear(), shuffle_blocks=False)
        model.fit(lazy[0], lazy[1].rechunk((y_chunks,)), **CLASSES)
        assert model.estimator_.t_ == 101

    only_ours(holds, (AssertionError, ValueError))


def test_labels_may_be_in_memory_where_rows_are_lazy(points, lazy, only_ours):
    def holds(kind):
        assert kind(linear()).fit(lazy[0], points[1], **CLASSES).estimator_.t_ == 101

    only_ours(holds, UnboundLocalError)


def test_lengths_that_differ_are_told(lazy):
    with pytest.raises(DatasetError, match="got 100 rows of X and 75 of y"):
        Incremental(linear()).fit(lazy[0], lazy[1][:75], **CLASSES)


# D14: one partition without rows loses the whole fit.
def test_empty_blocks_are_passed_over_and_counted(points, only_ours):
    chunks = (25, 0, 75)
    X, y = (
        da.from_array(points[0], chunks=(chunks, 20)),
        da.from_array(points[1], chunks=(chunks,)),
    )

    def holds(kind):
        model = kind(linear()).fit(X, y, **CLASSES)
        assert model.estimator_.t_ == 101
        assert (model.progress_.blocks, model.progress_.empty_blocks) == (2, 1)
        assert model.predict(X).compute().shape == (100,)

    only_ours(holds, ValueError, "0 sample")


# D15: "does not implement 'partial_fit'".
def test_a_pipeline_is_fitted(points, lazy, only_ours):
    def holds(kind):
        model = kind(make_pipeline(StandardScaler(), linear())).fit(*lazy, **CLASSES)
        np.testing.assert_allclose(model.estimator_[0].mean_, points[0].mean(axis=0))

    only_ours(holds, ValueError, "partial_fit")


# D16: declares the width of the input, has no decision_function, and joins the rows' blocks.
@pytest.mark.parametrize(
    ("estimator", "width"),
    [
        (MiniBatchKMeans(8, random_state=0), 8),
        (LatentDirichletAllocation(3, total_samples=100, random_state=0), 3),
        (IncrementalPCA(2), 2),
    ],
    ids=str,
)
def test_a_transformation_has_the_shape_that_it_declares(lazy, only_ours, estimator, width):
    X = abs(lazy[0])

    def holds(kind):
        past_their_check = {} if kind is Incremental else {"scoring": "accuracy"}
        made = kind(clone(estimator), **past_their_check).fit(X, lazy[1]).transform(X)
        assert made.shape == made.compute().shape == (100, width)

    only_ours(holds, AssertionError)


def test_answers_keep_the_blocks_of_the_rows(lazy, only_ours):
    def holds(kind):
        model = kind(linear()).fit(*lazy, **CLASSES)
        assert model.predict(lazy[0].rechunk((25, 10))).chunks == ((25,) * 4,)

    only_ours(holds, AssertionError)


def test_there_is_a_decision_function(points, lazy, only_ours):
    def holds(kind):
        model = kind(linear()).fit(*lazy, **CLASSES)
        told = model.decision_function(lazy[0])
        np.testing.assert_allclose(told.compute(), model.estimator_.decision_function(points[0]))

    only_ours(holds, AttributeError, "decision_function")


# D17: the search wants a Client, holds all training data, and its last score is of the rows that
# it selected by.
def test_a_search_needs_no_cluster_and_holds_few_blocks():
    from dask_ml.model_selection import IncrementalSearchCV

    blocks = Blocks(24, load_s=0.002)
    y = np.arange(24 * 25) % 2
    search = GridSearchCV(
        Incremental(linear(), random_state=0),
        {"estimator__alpha": [1e-4, 1.0]},
        cv=2,
        error_score="raise",
    ).fit(blocks.array, y)
    assert set(search.best_params_) == {"estimator__alpha"}
    assert blocks.most_alive <= 3
    theirs = IncrementalSearchCV(linear(), {"alpha": [1e-4, 1.0]}, n_initial_parameters=2)
    with pytest.raises(ValueError, match="No clients found"):
        theirs.fit(blocks.array, da.from_array(y, chunks=25), **CLASSES)


def test_what_is_selected_is_scored_on_rows_that_did_not_select():
    class Chosen(Callback):
        def __init__(self):
            self.scores = []

        def on_held_out(self, progress):
            self.scores.append(progress.held_out["accuracy"])

    chosen = Chosen()
    dataset = MakeClassification(n_samples=2000, chunks=50, holdout=0.2, validation=0.2, seed=2)
    result = run(
        Experiment(
            name="third",
            dataset=dataset,
            estimator=linear(),
            tracking=MemoryTracker(),
            partial_fit=CLASSES,
            evaluation=Evaluation(scoring=["accuracy"], every=200),
            fit=FitOptions(epochs=2),
            stream=Stream(seed=1),
            callbacks={"best": BestSnapshot(), "chosen": chosen},
        ),
        Recipe("third", {}),
    )
    split = dataset.split()
    places = [{place.number for place in part.places} for part in split.parts.values()]
    assert len(set.union(*places)) == sum(map(len, places)) == 40

    def accuracy(part):
        return np.mean(result.model.predict(part.X.compute()) == part.y.compute())

    assert max(chosen.scores) == accuracy(split.validation)
    assert max(chosen.scores) > chosen.scores[-1]
    assert result.scores["accuracy"] == accuracy(split.holdout)
    assert result.scores["accuracy"] != max(chosen.scores)


# D18: nine of its parameters change nothing.
CHANGED = {
    "n_redundant": 3,
    "n_repeated": 3,
    "n_clusters_per_class": 1,
    "weights": [0.9],
    "flip_y": 0.5,
    "class_sep": 3.0,
    "hypercube": False,
    "shift": 5.0,
    "shuffle": False,
}


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_every_parameter_of_made_up_data_changes_them(name):
    from dask_ml.datasets import make_classification

    settings = {"n_samples": 200, "n_features": 20, "n_informative": 5, "random_state": 0}

    def ours(**changes):
        arrays = MakeClassification(**settings, chunks=50, **changes).arrays()
        return np.column_stack([arrays.X.compute(), arrays.y.compute()])

    def theirs(**changes):
        X, y = make_classification(**settings, chunks=50, **changes)
        return np.column_stack([X.compute(), y.compute()])

    changes = {name: CHANGED[name]}
    assert not np.array_equal(ours(**changes), ours())
    np.testing.assert_array_equal(theirs(**changes), theirs())


def test_an_unknown_parameter_of_made_up_data_is_refused():
    with pytest.raises(TypeError, match="class_seperation"):
        MakeClassification(class_seperation=3.0)


# D19: accepted without a word.
@pytest.mark.parametrize(
    "settings", [{"max_iter": 100}, {"tol": 0.1}, {"n_iter_no_change": 2}, {"warm_start": True}]
)
def test_a_setting_without_effect_is_told(lazy, only_ours, settings):
    (name,) = settings

    def holds(kind):
        with pytest.warns(RunnerWarning, match=rf"estimator\.{name}=.* has no effect"):
            kind(linear(**settings)).fit(*lazy, **CLASSES)

    def told(kind):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            holds(kind)

    only_ours(told, NOT_RAISED)
