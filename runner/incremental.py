"""The runner's fit as a scikit-learn estimator, for notebooks."""

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from runner.base import Part
from runner.blockwise import answer
from runner.dataset.given import given, is_lazy
from runner.fit.classes import INFER
from runner.fit.options import FitOptions
from runner.kinds import last_step, takes_classes
from runner.learner import Learner, Options, in_memory
from runner.scoring import Scoring, evaluation_of, scored
from runner.seeds import seed_estimator
from runner.stream.stream import Stream

MOST_SEED = 2**31 - 1


def _can(method: str) -> Callable[[Any], bool]:
    def can(self: Any) -> bool:
        getattr(self.__dict__.get("estimator_", self.estimator), method)
        return True

    return can


def _answers(method: str, what: str) -> Any:
    def ask(self: Any, X: Any) -> Any:
        check_is_fitted(self, "estimator_")
        return answer(self.estimator_, method, X, getattr(self, f"{method}_meta", None))

    ask.__name__ = method
    ask.__doc__ = f"Return {what}; of lazy rows a lazy Dask array in their blocks."
    return available_if(_can(method))(ask)


class Incremental(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Let an estimator learn block by block, from data that need not fit in memory.

    X, y and weights are Dask arrays or dataframes, of which at most ``prefetch + 1`` blocks are in
    memory, or anything that scikit-learn takes. The first arguments are those of
    ``dask_ml.wrappers.Incremental``, by name and by position.

    Parameters
    ----------
    estimator : object with ``partial_fit``, or Pipeline of which the last step has one
        It is cloned, not changed. The steps before the last are fitted as ``preprocessing`` says.
    scoring : str, callable, list or tuple of str, mapping of str to either, or None
        What ``score`` computes. None is the first of what suits the estimator, such as
        ``accuracy`` or ``r2``; see ``runner.evaluation.evaluation.Evaluation``.
    shuffle_blocks : bool
        Learn the blocks in a new random order in each pass.
    random_state : int, RandomState or None
        From which the orders follow, and every ``random_state`` inside of the estimator that is
        None. None is drawn anew by each ``fit``; ``random_state_`` is what was drawn.
    assume_equal_chunks : bool
        Without effect, for compatibility: the sizes of all blocks are checked in any case.
    predict_meta, predict_proba_meta, transform_meta : array-like, optional
        An example of an answer; seldom needed, because the estimator is asked about one row.
    epochs : int
        The passes of ``fit`` over the blocks; ``partial_fit`` makes one.
    prefetch : int
        How many blocks are read ahead, each in a thread.
    buffer_blocks : int
        Mix the rows of so many blocks; see ``runner.stream.stream.Stream``.
    chunks : int or str, optional
        Rows per block, or bytes such as ``"64MiB"``. None keeps the blocks of Dask's arrays, and
        takes anything else for one block.
    preprocessing : {"first_pass", "running"} or mapping of str to one of these
        Whether the steps of a Pipeline learn in passes over the rows of ``fit``, or of the first
        ``partial_fit``, and stay as they are; or along with the estimator.
    class_weight : "balanced" or mapping of label to float or None
        What rows weigh by label; balanced by the rows of the call.
    max_classes : int
        The most labels that are taken for classes where these are found in y.
    progressive_window : int
        The blocks over which the test-then-train scores in ``progress_.scores`` are averaged; 0
        computes none. Scorers that are callables are left out.
    callbacks : mapping of str to Callback, optional
        Told how each call goes.

    Attributes
    ----------
    estimator_ : estimator
        What learned, in place. After an error in some block it is as the block before left it,
        and ``partial_fit`` goes on from there. What it has learned is there on this object too,
        such as ``coef_``; of a Pipeline also what its last step has.
    progress_ : Progress
        ``rows``, ``blocks``, ``empty_blocks`` and passes (``epoch``) learned since ``fit``.
    order_ : list of list of int
        The blocks of each pass, in the order they were to be delivered.
    random_state_ : int
        Passed as ``random_state`` it repeats the fit, bit for bit.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.linear_model import SGDClassifier
    >>> X = da.random.default_rng(0).normal(size=(1000, 2), chunks=(100, 2))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = Incremental(SGDClassifier(), random_state=0, epochs=3).fit(X, y, classes=[0, 1])
    >>> model.score(X, y) > 0.95, model.progress_.rows
    (True, 3000)
    >>> model.predict(X)
    dask.array<predict, shape=(1000,), dtype=int64, chunksize=(100,), chunktype=numpy.ndarray>
    """

    def __init__(  # noqa: PLR0917  (the positions are dask-ml's)
        self,
        estimator: Any = None,
        scoring: Scoring = None,
        shuffle_blocks: bool = True,
        random_state: Any = None,
        assume_equal_chunks: bool = True,
        predict_meta: Any = None,
        predict_proba_meta: Any = None,
        transform_meta: Any = None,
        *,
        epochs: int = 1,
        prefetch: int = 2,
        buffer_blocks: int = 0,
        chunks: int | str | None = None,
        preprocessing: str | Mapping[str, str] = "first_pass",
        class_weight: str | Mapping[Any, float] | None = None,
        max_classes: int = 1000,
        progressive_window: int = 0,
        callbacks: Mapping[str, Any] | None = None,
    ) -> None:
        self.estimator = estimator
        self.scoring = scoring
        self.shuffle_blocks = shuffle_blocks
        self.random_state = random_state
        self.assume_equal_chunks = assume_equal_chunks
        self.predict_meta = predict_meta
        self.predict_proba_meta = predict_proba_meta
        self.transform_meta = transform_meta
        self.epochs = epochs
        self.prefetch = prefetch
        self.buffer_blocks = buffer_blocks
        self.chunks = chunks
        self.preprocessing = preprocessing
        self.class_weight = class_weight
        self.max_classes = max_classes
        self.progressive_window = progressive_window
        self.callbacks = callbacks

    def fit(self, X: Any, y: Any = None, **arguments: Any) -> "Incremental":
        """Let a clone of the estimator learn all blocks, ``epochs`` times.

        Parameters
        ----------
        X : rows of shape (n_rows, n_features), or (n_rows,) for lines of text
        y : targets of shape (n_rows,) or (n_rows, n_outputs), or None
        **arguments
            Of every ``partial_fit`` call. ``sample_weight``, of shape (n_rows,), is split with the
            blocks. ``classes`` may be lazy; "infer", or none for a classifier, finds them in one
            pass over y.

        Raises
        ------
        RunnerError
            If something cannot work; if only some block shows it, the error names the block.

        Warns
        -----
        RunnerWarning
            With what is remarkable of the settings and the data.
        """
        if y is not None and takes_classes(last_step(self.estimator)):
            arguments.setdefault("classes", INFER)
        part, arguments = self._taken(X, y, arguments)
        self._begin(part, arguments)
        self._learner.learn(self._setup(), part, arguments, self.epochs)
        return self

    def partial_fit(self, X: Any, y: Any = None, **arguments: Any) -> "Incremental":
        """Let the estimator go on learning with one pass over these blocks.

        As ``fit``, but that the first call of a classifier must be told its ``classes``.
        """
        part, arguments = self._taken(X, y, arguments)
        if "estimator_" not in self.__dict__:
            self._begin(part, arguments)
        self._learner.learn(self._setup(), part, arguments, 1)
        return self

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Score what was learned on all rows, which are never held in memory.

        Returns
        -------
        float, or dict of str to float where ``scoring`` are several
            The same as scikit-learn's scorer gives for the whole arrays.

        Raises
        ------
        ConfigError
            If there is no such scorer, or it does not suit the estimator.
        """
        check_is_fitted(self, "estimator_")
        part = given(X, y, sample_weight, None if is_lazy(X) else self.chunks)
        stream = Stream(prefetch=self.prefetch)
        return scored(self.estimator_, self.scoring, X, part, stream)

    predict = _answers("predict", "what is predicted of each row")
    predict_proba = _answers("predict_proba", "the probability of each class")
    predict_log_proba = _answers("predict_log_proba", "the logarithms of the probabilities")
    decision_function = _answers("decision_function", "how far on which side each row is")
    score_samples = _answers("score_samples", "the score of each row")
    transform = _answers("transform", "what the transformer makes of each row")
    inverse_transform = _answers("inverse_transform", "the rows that were transformed")

    def __getattr__(self, name: str) -> Any:
        """Return what the estimator has learned."""
        fitted = self.__dict__.get("estimator_")
        if fitted is not None and name.endswith("_") and not name.startswith("_"):
            for model in (fitted, last_step(fitted)):
                if hasattr(model, name):
                    return getattr(model, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator, so that this is a classifier where that is one."""
        has_tags = hasattr(self.estimator, "__sklearn_tags__")
        return get_tags(self.estimator) if has_tags else super().__sklearn_tags__()

    def _taken(self, X: Any, y: Any, arguments: dict[str, Any]) -> tuple[Part, dict[str, Any]]:
        """Return the rows as a part, and the other arguments in memory."""
        part = given(X, y, arguments.pop("sample_weight", None), self.chunks)
        return part, in_memory(arguments)

    def _begin(self, part: Part, arguments: Mapping[str, Any]) -> None:
        """Start anew; what was learned before is let go only if nothing is wrong."""
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(MOST_SEED)
        estimator = clone(self.estimator, safe=False)
        seed_estimator(estimator, int(seed))
        learner = Learner(estimator, self.preprocessing)
        learner.begin(self._setup(int(seed)), part, arguments)
        self._learner, self.random_state_ = learner, int(seed)
        self.estimator_, self.progress_, self.order_ = estimator, learner.progress, learner.order

    def _setup(self, seed: int | None = None) -> Options:
        return Options(
            Stream(
                shuffle=self.shuffle_blocks,
                prefetch=self.prefetch,
                buffer_blocks=self.buffer_blocks,
                seed=self.random_state_ if seed is None else seed,
            ),
            FitOptions(
                epochs=self.epochs,
                progressive_window=self.progressive_window,
                class_weight=self.class_weight,
                max_classes=self.max_classes,
                preprocessing=self.preprocessing,
            ),
            evaluation_of(self.scoring),
            self.callbacks or {},
        )
