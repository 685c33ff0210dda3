"""Every estimator of scikit-learn that has partial_fit is learned, scored, kept and resumed.

``pytest -s tests/test_estimators.py`` writes the table at the end.
"""

import math
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import dask
import dask.array as da
import mlflow.sklearn
import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import (
    IncrementalPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
)
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.feature_selection import SelectFromModel
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import (
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import (
    BernoulliNB,
    CategoricalNB,
    ComplementNB,
    GaussianNB,
    MultinomialNB,
)
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor
from sklearn.preprocessing import (
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
)
from sklearn.utils import all_estimators

from runner.base import Callback
from runner.dataset.bundled import Bundled, SampleImages
from runner.dataset.dataset import Dataset
from runner.dataset.lazy import Arrays
from runner.dataset.text import StdlibLines
from runner.errors import RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.experiment import Experiment, run
from runner.fit.options import FitOptions
from runner.one_core import one_core
from runner.records import Recipe
from runner.tracking.birch import without_tree
from runner.tracking.client import connect
from runner.tracking.mlflow_tracker import MlflowTracker
from runner.tracking.model import pack
from runner.tracking.store import resolve
from runner.trial import Result

DEPRECATED = {"PassiveAggressiveClassifier", "PassiveAggressiveRegressor"}
WITHOUT_TREE = {"Birch"}  # which only learning needs, and skops cannot write
# Its components are a view that a file holds in another order, so products with them round
# otherwise; the components themselves are the same.
OTHER_LAYOUT = {"IncrementalPCA"}
PRIVATE = {"_stop_words_id"}  # where the stop words lay in memory
MODULES = ["json", "pickletools", "tarfile", "typing"]
TEN = list(range(10))


@dataclass(kw_only=True)
class DigitParts(Dataset):
    """Digits with two targets: which pair of digits, and which of the two."""

    def arrays(self) -> Arrays:
        """Return X of shape (1797, 64) and y of shape (1797, 2)."""
        X, digit = load_digits(return_X_y=True)
        y = np.column_stack([digit // 2, digit % 2])
        return Arrays(*(da.from_array(array, chunks=(self.chunks, -1)) for array in (X, y)))


@dataclass(kw_only=True)
class Lines(Dataset):
    """Lines of Python's standard library in a random order, labelled by their module."""

    def arrays(self) -> Arrays:
        """Return X and y of shape (n_rows,)."""
        source = StdlibLines(modules=MODULES).arrays()
        X, y = dask.compute(source.X, source.y, scheduler="sync")
        order = np.random.default_rng(0).permutation(len(y))
        return Arrays(*(da.from_array(array[order], chunks=self.chunks) for array in (X, y)))


@dataclass(kw_only=True)
class Tumours(Dataset):
    """Tumours with a y as outlier detectors know it: 1 for the benign, -1 for the malignant."""

    def arrays(self) -> Arrays:
        """Return X of shape (569, 30) and y of shape (569,)."""
        X, y = load_breast_cancer(return_X_y=True)
        return Arrays(da.from_array(X, (self.chunks, -1)), da.from_array(2 * y - 1, self.chunks))


@dataclass(kw_only=True)
class Case:
    """What an estimator learns, and what it must reach; without ``reaches`` it has no score."""

    estimator: Callable[[], Any]
    dataset: Dataset
    partial_fit: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    scoring: list[str] | None = None
    reaches: tuple[str, float] | None = None
    epochs: int = 1


def digits(**changes):
    return Bundled(**{"name": "digits", "chunks": 200} | changes)


def iris():
    return Bundled(name="iris", chunks=20)


def lines():
    return Lines(chunks=1200)


def images():
    return SampleImages(chunks=60_000)


def hashing(**changes):
    return {"hashing": HashingVectorizer(**{"n_features": 2**12} | changes)}


def counts(**changes):
    return hashing(alternate_sign=False, norm=None, **changes)


def linear(**changes):
    return SGDClassifier(**{"random_state": 0} | changes)


CLASSES = {"classes": TEN}

CASES = {
    "BernoulliNB": Case(
        estimator=lambda: BernoulliNB(binarize=8),
        dataset=digits(),
        partial_fit=CLASSES,
        reaches=("accuracy", 0.8),
    ),
    "BernoulliRBM": Case(
        estimator=lambda: BernoulliRBM(32, batch_size=200, random_state=0),
        dataset=digits(),
        preprocessing={"binarizer": Binarizer(threshold=8)},
        reaches=("mean_log_likelihood", -40),
        epochs=3,
    ),
    "Birch": Case(
        estimator=lambda: Birch(n_clusters=3),
        dataset=iris(),
        reaches=("adjusted_rand_score", 0.5),
    ),
    "CategoricalNB": Case(
        estimator=lambda: CategoricalNB(min_categories=17),
        dataset=digits(),
        partial_fit=CLASSES,
        reaches=("accuracy", 0.8),
    ),
    "ComplementNB": Case(
        estimator=ComplementNB,
        dataset=lines(),
        preprocessing=counts(),
        partial_fit={"classes": MODULES},
        reaches=("accuracy", 0.5),
    ),
    "GaussianNB": Case(
        estimator=GaussianNB,
        dataset=iris(),
        partial_fit={"classes": [0, 1, 2]},
        reaches=("accuracy", 0.9),
    ),
    "HashingVectorizer": Case(
        estimator=lambda: HashingVectorizer(n_features=2**12), dataset=lines()
    ),
    "IncrementalPCA": Case(
        estimator=lambda: IncrementalPCA(2),
        dataset=images(),
        reaches=("neg_reconstruction_error", -0.005),
    ),
    "LatentDirichletAllocation": Case(
        estimator=lambda: LatentDirichletAllocation(4, total_samples=9000, random_state=0),
        dataset=lines(),
        preprocessing=counts(n_features=64),
        reaches=("neg_perplexity", -100),
    ),
    "MLPClassifier": Case(
        estimator=lambda: MLPClassifier((32,), random_state=0, learning_rate_init=0.01),
        dataset=digits(),
        partial_fit=CLASSES,
        reaches=("accuracy", 0.8),
        epochs=5,
    ),
    "MLPRegressor": Case(
        estimator=lambda: MLPRegressor(
            hidden_layer_sizes=(16,), random_state=0, learning_rate_init=0.1
        ),
        dataset=Bundled(name="diabetes", chunks=40),
        reaches=("r2", 0.3),
        epochs=20,
    ),
    "MaxAbsScaler": Case(estimator=MaxAbsScaler, dataset=lines(), preprocessing=hashing()),
    "MinMaxScaler": Case(estimator=MinMaxScaler, dataset=digits()),
    "MiniBatchDictionaryLearning": Case(
        estimator=lambda: MiniBatchDictionaryLearning(
            16, random_state=0, transform_algorithm="lars"
        ),
        dataset=digits(),
        reaches=("neg_reconstruction_error", -10),
    ),
    "MiniBatchKMeans": Case(
        estimator=lambda: MiniBatchKMeans(8, random_state=0),
        dataset=images(),
        reaches=("neg_inertia", -2000),
    ),
    "MiniBatchNMF": Case(
        estimator=lambda: MiniBatchNMF(16, random_state=0),
        dataset=lines(),
        preprocessing=counts(),
        reaches=("neg_reconstruction_error", -0.01),
    ),
    "MultiOutputClassifier": Case(
        estimator=lambda: MultiOutputClassifier(linear()),
        dataset=DigitParts(chunks=200),
        partial_fit={"classes": [np.arange(5), [0, 1]]},
        reaches=("accuracy", 0.6),
    ),
    "MultiOutputRegressor": Case(
        estimator=lambda: MultiOutputRegressor(SGDRegressor(random_state=0, eta0=0.1)),
        dataset=Bundled(name="linnerud", chunks=3),
        preprocessing={"normalizer": Normalizer()},
        scoring=["neg_mean_absolute_error"],
        reaches=("neg_mean_absolute_error", -20),
        epochs=20,
    ),
    "MultinomialNB": Case(
        estimator=MultinomialNB,
        dataset=lines(),
        preprocessing=counts(),
        partial_fit={"classes": MODULES},
        reaches=("accuracy", 0.5),
    ),
    "OneVsOneClassifier": Case(
        estimator=lambda: OneVsOneClassifier(linear()),
        dataset=digits(),
        partial_fit=CLASSES,
        reaches=("accuracy", 0.8),
    ),
    "OneVsRestClassifier": Case(
        estimator=lambda: OneVsRestClassifier(linear()),
        dataset=digits(),
        partial_fit=CLASSES,
        reaches=("accuracy", 0.8),
    ),
    "PassiveAggressiveClassifier": Case(
        estimator=lambda: PassiveAggressiveClassifier(random_state=0),
        dataset=digits(),
        partial_fit=CLASSES,
        reaches=("accuracy", 0.8),
    ),
    "PassiveAggressiveRegressor": Case(
        estimator=lambda: PassiveAggressiveRegressor(random_state=0, C=3),
        dataset=Bundled(name="diabetes", chunks=40),
        reaches=("r2", 0.1),
        epochs=5,
    ),
    "Perceptron": Case(
        estimator=lambda: Perceptron(random_state=0),
        dataset=lines(),
        preprocessing=hashing(),
        partial_fit={"classes": MODULES},
        reaches=("accuracy", 0.5),
        epochs=2,
    ),
    "SGDClassifier": Case(
        estimator=lambda: linear(loss="log_loss", average=True),
        dataset=lines(),
        preprocessing=hashing(),
        partial_fit={"classes": MODULES},
        scoring=["accuracy", "roc_auc_ovr"],
        reaches=("accuracy", 0.5),
    ),
    "SGDOneClassSVM": Case(
        estimator=lambda: SGDOneClassSVM(nu=0.4, random_state=0),
        dataset=Tumours(chunks=60),
        preprocessing={
            "standard_scaler": StandardScaler(),
            "rbf_sampler": RBFSampler(gamma=0.02, n_components=200, random_state=0),
        },
        scoring=["roc_auc"],
        reaches=("roc_auc", 0.6),
        epochs=3,
    ),
    "SGDRegressor": Case(
        estimator=lambda: SGDRegressor(random_state=0, eta0=0.1),
        dataset=Bundled(name="diabetes", chunks=40),
        reaches=("r2", 0.1),
        epochs=20,
    ),
    "SelectFromModel": Case(
        estimator=lambda: SelectFromModel(linear()), dataset=digits(), partial_fit=CLASSES
    ),
    "StandardScaler": Case(estimator=StandardScaler, dataset=digits()),
}

found = {name: kind for name, kind in all_estimators() if hasattr(kind, "partial_fit")}


@pytest.mark.parametrize("name", found)
def test_an_estimator_is_in_the_table(name):
    assert name in CASES, f"{name} learns block by block and has no row in CASES"


def test_the_table_has_no_estimator_that_scikit_learn_has_not():
    assert CASES.keys() <= found.keys()


class Copies(Callback):
    """Keeps a copy of what was learned; the blocks themselves go."""

    def __init__(self):
        self.blocks = []

    def on_block_end(self, progress, block):
        target = () if block.y is None else (block.y.copy(),)
        self.blocks.append((block.X.copy(), *target))


def expected(name: str) -> AbstractContextManager[Any]:
    """Expect the warnings that are part of what is tested; any other is an error."""
    if name in DEPRECATED:
        return pytest.warns((FutureWarning, RunnerWarning), match="deprecated")
    return nullcontext()


def experiment_of(case: Case, copies: Copies) -> Experiment:
    return Experiment(
        name="each",
        dataset=case.dataset,
        estimator=case.estimator(),
        tracking=MlflowTracker(),
        partial_fit=case.partial_fit,
        preprocessing=case.preprocessing,
        evaluation=Evaluation(scoring=case.scoring),
        fit=FitOptions(epochs=case.epochs),
        callbacks={"copies": copies},
        seed=0,
    )


ROWS: dict[str, tuple[str, ...]] = {}


@pytest.fixture(scope="module", autouse=True)
def table():
    """Write, at the end, what was learned of each estimator."""
    yield
    head = ("estimator", "blocks", "score", "kept", "resumed identically")
    rows = [head, *(ROWS[name] for name in sorted(ROWS))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        sys.stdout.write(f"\n{'  '.join(cells).rstrip()}")
    sys.stdout.write("\n")


@pytest.mark.parametrize("name", CASES)
def test_an_estimator_learns_is_scored_kept_and_resumed(name, project, schema):
    shutil.copy(schema, project / "mlflow.db")
    case, copies = CASES[name], Copies()
    with expected(name):
        result = run(experiment_of(case, copies), Recipe("each", {}))
        assert result.progress.blocks == len(copies.blocks) >= 5
        score = reached(result, case)
        kept = check_kept(name, result, case)
        with one_core():
            check_resumed(name, result, copies.blocks, case.partial_fit)
    ROWS[name] = (name, str(result.progress.blocks), score, kept, "yes")


def reached(result: Result, case: Case) -> str:
    """See that the score is what the table says, and return it as text."""
    if case.reaches is None:
        assert result.scores == {}
        return "none"
    scorer, least = case.reaches
    assert math.isfinite(result.scores[scorer])
    assert result.scores[scorer] >= least
    return f"{scorer} {result.scores[scorer]:.4g}"


def check_kept(name: str, result: Result, case: Case) -> str:
    """See that the model in the store answers with the same bits, if one can be kept."""
    client = connect(resolve())
    outputs = client.get_run(result.run_id).outputs.model_outputs
    entry = client.get_logged_model(outputs[0].model_id)
    assert entry.status == "READY"
    loaded = mlflow.sklearn.load_model(entry.artifact_location)
    X = case.dataset.split()[1].X[:1000].compute(scheduler="sync")
    assert dict(numbers(loaded)) == dict(numbers(without_tree(result.model)))
    ours, theirs = answers(result.model, X), answers(loaded, X)
    assert ours
    if name not in OTHER_LAYOUT:
        assert dict(numbers(theirs)) == dict(numbers(ours))
        return "bit for bit"
    for method, answer in ours.items():
        np.testing.assert_allclose(theirs[method], answer, rtol=1e-5, atol=1e-12)
    return "to rounding"


def check_resumed(name: str, result: Result, blocks: list[Any], arguments: Any) -> None:
    """See that half a fit goes on from a pickle, and from a skops file, to the same numbers.

    The loops by hand use one core, as a fit does.
    """
    whole = dict(numbers(result.estimator))
    half = len(blocks) // 2
    first = learned(clone(result.estimator), blocks[:half], arguments)
    copies = [pickle.loads(pickle.dumps(first))]  # noqa: S301  (our own)
    if name not in WITHOUT_TREE:
        packed = pack(first)
        import skops.io

        copies.append(skops.io.loads(packed.content, trusted=packed.trusted))
    for copy in copies:
        assert dict(numbers(learned(copy, blocks[half:], arguments))) == whole


def learned(estimator: Any, blocks: list[Any], arguments: Any) -> Any:
    for block in blocks:
        estimator.partial_fit(*block, **arguments)
    return estimator


def answers(model: Any, X: Any) -> dict[str, Any]:
    methods = ("predict", "transform", "decision_function", "predict_proba", "score_samples")
    return {method: getattr(model, method)(X) for method in methods if hasattr(model, method)}


def numbers(value: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield every number and text inside of something, and where it is."""
    seen = set() if seen is None else seen
    inside = what_is_inside(value)
    if inside is None:
        is_number = isinstance(value, int | float | np.generic | np.ndarray)
        known = np.asarray(value).tobytes() if is_number else value
        yield path, known if isinstance(known, bytes | str) else type(value).__name__
    elif id(value) not in seen:
        seen.add(id(value))
        for key, item in inside.items():
            if key not in PRIVATE:
                yield from numbers(item, f"{path}.{key}", seen)


def what_is_inside(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=False)
    if scipy.sparse.issparse(value):
        value = value.tocsr()
        return {"data": value.data, "columns": value.indices, "rows": value.indptr}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return dict(enumerate(value.tolist()))
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, Mapping):
        return value
    return vars(value) if hasattr(value, "__dict__") and not callable(value) else None


@pytest.mark.parametrize(
    "changed",
    [
        lambda machine: machine.components_.__setitem__((0, 0), 0.5),
        lambda machine: machine.random_state_.uniform(),
        lambda machine: setattr(machine, "learning_rate", np.nextafter(0.1, 1)),
    ],
    ids=["a weight", "the state of a generator", "the last bit of a setting"],
)
def test_what_is_compared_notices_a_difference(changed):
    X = np.eye(4)
    machine = BernoulliRBM(2, random_state=0)
    machine.partial_fit(X)
    before = dict(numbers(machine))
    assert dict(numbers(pickle.loads(pickle.dumps(machine)))) == before  # noqa: S301
    changed(machine)
    assert dict(numbers(machine)) != before
