"""A state goes from one learner to another of its kind, in place."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.cluster import Birch
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from runner.errors import CheckpointError
from runner.preprocessing.running import RunningPipeline
from runner.states import dumps, loads, parts_of, plain, set_state, state_of

X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def learner_of(kind):
    if kind is not RunningPipeline:
        return kind(random_state=0) if kind is not GaussianNB else kind()
    return RunningPipeline([("scaler", StandardScaler()), ("estimator", SGDClassifier())])


def learned(learner, *slices):
    for rows in slices:
        learner.partial_fit(X[rows], Y[rows], classes=[0, 1])
    return learner


@pytest.mark.parametrize("kind", [SGDClassifier, GaussianNB, MLPClassifier, RunningPipeline])
def test_a_learner_goes_on_from_the_state_of_another_with_the_same_bits(kind):
    first, second = slice(0, 30), slice(30, 60)
    whole = learner_of(kind)
    np.random.seed(1)  # noqa: NPY002  (SGD without a random_state draws from it)
    learned(whole, first)
    content = dumps(whole, state_of(whole))
    drawn = np.random.get_state()  # noqa: NPY002
    learned(whole, second)

    other = learner_of(kind)
    parts = parts_of(other)
    set_state(other, loads(other, content))
    np.random.set_state(drawn)  # noqa: NPY002
    learned(other, second)
    assert joblib.hash(whole) == joblib.hash(other)
    assert [id(part) for part in parts] == [id(part) for part in parts_of(other)]


def test_an_array_keeps_the_order_of_its_axes_in_memory():
    part = np.asfortranarray(X)[:7]
    assert not part.flags.forc
    back, same, whole = loads(None, dumps(None, [part, part, X]))
    assert back is same
    assert (back == part).all()
    assert back.flags.f_contiguous
    assert whole.flags.c_contiguous
    assert (X[:20] @ back.T == X[:20] @ part.T).all()


def test_what_is_pickled_is_not_changed_by_what_the_learner_does_later():
    learner = learned(learner_of(SGDClassifier), slice(0, 30))
    before = learner.coef_.copy()
    content = dumps(learner, state_of(learner))
    learned(learner, slice(30, 60))
    set_state(learner, loads(learner, content))
    assert (learner.coef_ == before).all()


class Canary:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def naming(module, name):
    """Return a pickle that only names something."""
    words = b"".join(b"\x8c" + bytes([len(word)]) + word.encode() for word in (module, name))
    return b"\x80\x04" + words + b"\x93."


def test_a_hostile_state_runs_nothing(tmp_path):
    import os

    flag = tmp_path / "ran"
    code = f"open({str(flag)!r}, 'w').close()"
    for canary in (Canary(exec, code), Canary(eval, code), Canary(os.system, f"touch {flag}")):
        for learner in (None, SGDClassifier()):
            with pytest.raises(
                CheckpointError, match="hold nothing but what learners and numbers"
            ):
                loads(learner, pickle.dumps({"learner": canary}))
        with pytest.raises(CheckpointError):
            plain(pickle.dumps((canary, b"")))
    assert not flag.exists()


@pytest.mark.parametrize(
    "named",
    [
        *("posix system", "os system", "builtins eval", "builtins getattr", "functools partial"),
        *("sklearn.utils os.system", "sklearn.datasets clear_data_home", "sklearn.base clone"),
        *(
            "sklearn.utils.parallel Parallel",
            "sklearn.externals._arff load",
            "sklearn.base warnings",
        ),
        *("sklearn.utils._testing TempMemmap", "sklearn.pipeline check_memory"),
        *(
            "numpy memmap",
            "numpy load",
            "numpy.testing._private.utils measure",
            "numpy.f2py compile",
        ),
        *("numpy.random._pickle sys", "scipy.sparse load_npz", "collections namedtuple"),
        *("pandas read_pickle", "joblib load", "joblib.memory Memory", "operator attrgetter"),
        *("runner.cli main", "runner.tracking.server Server", "runner.statefile save"),
        *("runner.preprocessing.learning importlib", "numpy.random.mtrand RandomState"),
    ],
)
def test_what_is_no_part_of_a_learner_is_refused(named):
    with pytest.raises((CheckpointError, AttributeError)):
        loads(SGDClassifier(), naming(*named.split()))


def test_nothing_is_imported_to_refuse_it():
    code = (
        "import sys, runner.states as s\n"
        f"try: s.loads(None, {naming('antigravity', 'x')!r})\n"
        "except s.CheckpointError: print('antigravity' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_what_this_process_wrote_may_hold_anything_the_learner_does():
    import fractions

    content = dumps(None, fractions.Fraction(1, 3))
    assert loads(None, content, is_own=True) == fractions.Fraction(1, 3)
    with pytest.raises(CheckpointError, match=r"got fractions\.Fraction\. Start the run anew"):
        loads(None, content)


def test_what_the_project_allows_is_read(monkeypatch):
    import fractions

    monkeypatch.setenv("RUNNER_ALLOW", "fractions")
    assert loads(None, dumps(None, fractions.Fraction(1, 3))) == fractions.Fraction(1, 3)


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.MT19937, np.random.default_rng])
def test_a_random_generator_goes_on_where_it_stood(make):
    generator = make(1)
    same = loads(None, dumps(None, generator))
    assert type(same) is type(generator)
    draw = "random_raw" if make is np.random.MT19937 else "standard_normal"
    assert getattr(same, draw)() == getattr(generator, draw)()


@pytest.mark.parametrize("position", [-5, 625, 10**6])
def test_a_generator_that_would_read_beyond_its_memory_is_refused(position):
    generator = np.random.MT19937(1)
    state = generator.state
    state["state"]["pos"] = position
    generator.state = state  # NumPy takes it, and would end the process when it draws
    for each in (generator, np.random.RandomState(generator), np.random.Generator(generator)):
        with pytest.raises(CheckpointError, match="stand at a position up to 624"):
            loads(None, dumps(None, each))


def test_a_tree_of_birch_goes_on_as_if_it_had_not_been_kept():
    rows = np.random.default_rng(3).normal(size=(1200, 2))
    blocks = np.split(rows, 12)
    settings = {"threshold": 0.15, "branching_factor": 8, "n_clusters": None}
    whole, kept = Birch(**settings), Birch(**settings)
    for block in blocks:
        whole.partial_fit(block)
        kept.partial_fit(block)
        other = Birch(**settings)
        set_state(other, loads(other, dumps(kept, state_of(kept))))
        kept = other
    np.testing.assert_array_equal(kept.subcluster_centers_, whole.subcluster_centers_)
    root = kept.root_
    assert np.shares_memory(root.centroids_, root.init_centroids_)
    assert np.shares_memory(root.squared_norm_, root.init_sq_norm_)
