"""An estimator goes to a block, learns it there, and comes back; or it is as it was before."""

import pickle
from dataclasses import replace

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from runner.base import Block, Place
from runner.elsewhere import about, standing_for
from runner.errors import ClusterError, ConfigError, DatasetError, FitError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.fit.bad_blocks import BadBlocks
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.inspection import Inspection
from runner.fit.progressive import Progressive
from runner.fit.sent import heavy
from runner.preprocessing.running import RunningPipeline
from tests.apart import Apart

CLASSES = {"classes": [0, 1]}


def block_of(number, n_rows=50, scale=1.0, **changed):
    rng = np.random.default_rng(number)
    X = rng.normal(size=(n_rows, 3)) * [1, 1, scale]
    place = Place(number, n_rows * number, n_rows * (number + 1))
    rows = {"X": X, "y": (X[:, 0] > 0).astype(int), "sample_weight": None, "place": place}
    return Block(**rows | changed)


def there(block):
    """Return what stands for a block elsewhere, and is asked by pickled questions only."""
    (held,) = Apart().held(made, None, [block], about)
    return standing_for(held)


def made(_, block):
    return block


def fit_of(estimator, told=None, **parts):
    tell = (lambda remark: None) if told is None else told.append
    return IncrementalFit(
        estimator,
        CLASSES,
        score=Progressive(Evaluation().score_block, 3),
        inspect=Inspection(estimator, tell, has_classes=True),
        **parts,
    )


def running():
    stages = [("scaler", StandardScaler()), ("estimator", SGDClassifier(random_state=0))]
    return RunningPipeline(stages)


@pytest.mark.parametrize(
    "make", [lambda: SGDClassifier(random_state=0, average=3), GaussianNB, running]
)
def test_what_learns_is_the_same_object_and_has_the_same_bits(make):
    here, away = fit_of(make()), fit_of(make())
    before = away.estimator, [*getattr(away.estimator, "named_steps", {}).values()]
    for number in range(4):
        here.step(block_of(number))
        away.step(there(block_of(number)))
        assert joblib.hash(away.estimator) == joblib.hash(here.estimator)
        assert away.progress.scores == here.progress.scores
    assert before[0] is away.estimator
    parts = [*getattr(away.estimator, "named_steps", {}).values()]
    assert all(one is other for one, other in zip(before[1], parts, strict=True))
    assert away.progress.fit_s > 0


def failing(kind):
    return {
        "a number that is not finite": block_of(3, X=np.full((50, 3), np.nan)),
        "a label that is not listed": block_of(3, y=np.full(50, 7)),
        "too few features": block_of(3, X=np.ones((50, 2))),
        "one that cannot be read": block_of(
            3, X=np.empty((0, 1)), error=DatasetError("a", "be b", got="c", remedy="D.")
        ),
    }[kind]


KINDS = (
    "a number that is not finite",
    "a label that is not listed",
    "too few features",
    "one that cannot be read",
)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_has_the_same_text_and_leaves_no_trace(kind):
    errors = []
    for place in (lambda block: block, there):
        fit = fit_of(SGDClassifier(random_state=0))
        for number in range(3):
            fit.step(place(block_of(number)))
        before = joblib.hash(fit.estimator)
        with pytest.raises((DatasetError, FitError)) as refused:
            fit.step(place(failing(kind)))
        errors.append((type(refused.value), str(refused.value), repr(refused.value.__cause__)))
        assert place is not there or (fit.is_whole and joblib.hash(fit.estimator) == before)
    assert errors[0] == errors[1]


class OddError(Exception):
    """One that cannot be made again from what it says."""

    def __init__(self, number, what):
        super().__init__(f"{what} {number}")


class Oddly(GaussianNB):
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        raise OddError(3, "apples")


def test_an_error_arrives_also_where_its_cause_cannot():
    import distributed  # noqa: F401  (which lets errors be pickled with all that led to them)

    told = []
    for place in (lambda block: block, there):
        with pytest.raises(FitError) as refused:
            fit_of(Oddly()).step(place(block_of(0)))
        told.append(str(refused.value))
    assert "OddError: apples 3" in told[0]
    assert told[0] == told[1]


class Half(SGDClassifier):
    """Refuses a block when it has learned half of it."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X[:20], y[:20], classes, sample_weight)
        if X[0, 0] > 5:
            raise ValueError("half")
        return super().partial_fit(X[20:], y[20:], classes, sample_weight)


@pytest.mark.parametrize("place", [lambda block: block, there])
def test_what_is_half_learned_and_passed_over_is_as_if_it_had_not_been_there(place):
    bad = block_of(7, X=block_of(7).X + 9)
    blocks = [
        replace(block, position=position)
        for position, block in enumerate([block_of(0), block_of(1), bad, block_of(2)])
    ]
    read = []

    def read_again(epoch, position):
        read.append((epoch, position))
        yield from blocks[position:]

    fit = fit_of(Half(random_state=0), bad_blocks=BadBlocks(2, read_again))
    fit.begin()
    for block in blocks[:2]:
        fit.step(place(block))
    with pytest.warns(RunnerWarning, match=r"Passed over: Block 7 \(rows .* half"):
        fit.step(place(blocks[2]))
    fit.step(place(blocks[3]))
    without = fit_of(Half(random_state=0))
    for number in range(3):
        without.step(block_of(number))
    assert joblib.hash(fit.estimator) == joblib.hash(without.estimator)
    assert fit.progress.scores == without.progress.scores
    assert bool(read) == (place is not there), "elsewhere there is nothing to mend"


def test_what_is_remarkable_is_told_here_in_the_same_words_and_once():
    told = []
    for place in (lambda block: block, there):
        told.append([])
        fit = fit_of(SGDClassifier(random_state=0), told[-1])
        for number, scale in enumerate((1.0, 1e6, 1e6, 1.0)):
            fit.step(place(block_of(number, scale=scale)))
    assert told[0] == told[1]
    assert [remark.name for remark in told[1]] == ["wild-scale"]


def test_what_telling_raises_ends_the_fit_before_anything_was_learned():
    def refuse(remark):
        raise ConfigError("a", "be b", got=remark.name, remedy="C.")

    estimator = SGDClassifier(random_state=0)
    inspection = Inspection(estimator, refuse, has_classes=True)
    fit = IncrementalFit(estimator, CLASSES, inspect=inspection)
    with pytest.raises(ConfigError, match="got wild-scale"):
        fit.step(there(block_of(0, scale=1e6)))
    assert not hasattr(estimator, "coef_")
    assert fit.is_whole


def test_what_was_told_before_an_error_is_told():
    told = []
    fit = fit_of(SGDClassifier(random_state=0), told)
    X = block_of(0, scale=1e6).X
    X[3, 0] = np.nan
    with pytest.raises(FitError):
        fit.step(there(block_of(0, X=X)))
    here = []
    with pytest.raises(FitError):
        fit_of(SGDClassifier(random_state=0), here).step(block_of(0, X=X))
    assert told == here


def test_a_first_block_that_is_refused_is_refused_with_the_same_words():
    def refused(place):
        estimator = MiniBatchKMeans(60, random_state=0)
        fit = IncrementalFit(estimator, inspect=Inspection(estimator, print, has_classes=False))
        with pytest.raises(ConfigError) as error:
            fit.step(place(block_of(0)))
        return str(error.value)

    assert refused(there) == refused(lambda block: block)


def test_an_estimator_that_is_large_beside_a_block_is_told_of_at_the_first():
    told = []
    fit = fit_of(MLPClassifier((9_000,), random_state=0), told)
    for number in range(2):
        fit.step(there(block_of(number)))
    assert [remark.name for remark in told] == ["heavy-estimator"]
    assert "set cluster.placement=client" in told[0].text.lower()


@pytest.mark.parametrize(("of_state", "of_block"), [(999_000, 10), (1_999_000, 100_000_000)])
def test_one_that_is_small_is_not_told_of(of_state, of_block):
    assert heavy(GaussianNB(), of_state, of_block) is None


class Heavy(GaussianNB):
    """Holds much."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.ballast_ = np.zeros(200_000)
        return super().partial_fit(X, y, classes, sample_weight)


def test_one_is_compared_with_a_block_that_has_labels_and_weights():
    told = []
    block = block_of(0, n_rows=20_000, sample_weight=np.ones(20_000))
    fit_of(Heavy(), told).step(there(block))
    assert "Heavy, of 1.6 MB, is 200% of a block of 0.8 MB" in told[0].text


class Sees(GaussianNB):
    """Notes how scikit-learn is set, and whether its rows can be written."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.saw_ = sklearn.get_config()["assume_finite"], X.flags.writeable
        return super().partial_fit(X, y, classes, sample_weight)


def test_scikit_learn_is_set_there_as_it_is_here_and_the_rows_cannot_be_written():
    fit = fit_of(Sees())
    with sklearn.config_context(assume_finite=True):
        fit.step(there(block_of(0)))
    assert fit.estimator.saw_ == (True, False)


class Secret(GaussianNB):
    """Holds what no other process can be given."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.lock_ = (each for each in ())
        return super().partial_fit(X, y, classes, sample_weight)


def test_an_estimator_that_cannot_come_back_or_go_is_told_of():
    fit = fit_of(Secret())
    with pytest.raises(ConfigError, match="placement must be client where Secret cannot be sent"):
        fit.step(there(block_of(0)))
    assert fit.is_whole
    fit.estimator.lock_ = (each for each in ())
    with pytest.raises(ConfigError, match="placement must be client where Secret cannot be sent"):
        fit.step(there(block_of(0)))


def test_a_cluster_that_is_lost_is_told_as_it_is():
    class Lost:
        about = about(block_of(0))

        def ask(self, function, *arguments):
            raise ClusterError("It", "answer", got="nothing", remedy="Look.")

    fit = fit_of(GaussianNB())
    with pytest.raises(ClusterError, match="It must answer"):
        fit.step(standing_for(Lost()))
    assert fit.is_whole
    assert pickle.dumps(fit.estimator) == pickle.dumps(GaussianNB())
