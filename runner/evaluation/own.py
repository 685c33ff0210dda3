"""What scikit-learn has no scorer for: rows without a target, several outputs of many classes."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score

MOST_NUMBERS = 1 << 21  # of dense rows at a time, which are 16 MiB


def ask_score(estimator: Any, X: Any, sample_weight: Any) -> np.ndarray:
    """Return ``estimator.score`` of all rows, as an array of one number."""
    weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
    return np.array([estimator.score(X, **weighted)])


def ask_errors(estimator: Any, X: Any, _: Any = None) -> np.ndarray:
    """Return how far each row is from what its transformation still tells of it.

    Only some rows at a time are made dense.

    Parameters
    ----------
    estimator : fitted transformer with ``inverse_transform``
        What the rows are sent through and back.
    X : array, sparse array or data frame of shape (n_rows, n_features)
        The rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        The mean over the features of the squared differences.

    Examples
    --------
    >>> from sklearn.decomposition import IncrementalPCA
    >>> X = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0], [1.0, -3.0]])
    >>> ask_errors(IncrementalPCA(1).fit(X), X).round(6)
    array([0.5, 0.5, 0. , 0. ])
    """
    codes = estimator.transform(X)
    parts = []
    for rows in _dense_parts(X):
        lost = _dense(X[rows]) - _dense(estimator.inverse_transform(codes[rows]))
        parts.append(np.mean(lost**2, axis=1, dtype=np.float64))
    return np.concatenate(parts)


def ask_perplexity(topics: Any, X: Any, _: Any = None) -> np.ndarray:
    """Return what the perplexity of a topic model follows from, which adds up over blocks.

    scikit-learn's bound on the log-likelihood has a part for the documents and one for the topics;
    the latter is the same for any rows, and is all there is for a document without words.

    Returns
    -------
    ndarray of shape (1, 3)
        The documents' part, the topics' part, and the number of words.
    """
    of_topics = topics.score(X[:1] * 0)
    return np.array([[topics.score(X) - of_topics, of_topics, np.sum(X.sum())]])


def inertia(replay: Any, *_: Any) -> float:
    """Return minus the sum of the squared distances of rows to their cluster's centre."""
    return math.fsum(replay.score())


def reconstruction(replay: Any, *_: Any, sample_weight: Any = None) -> float:
    """Return minus the mean of the rows' errors."""
    return -float(np.average(replay.inverse_transform(), weights=sample_weight))


def perplexity(replay: Any, *_: Any) -> float:
    """Return minus the perplexity: as many words, all alike, would be as hard to guess."""
    documents, of_topics, words = replay.perplexity().T
    if not words.any():
        raise ValueError("the rows hold no words")
    return -math.exp(-(math.fsum(documents) + of_topics[0]) / math.fsum(words))


def log_likelihood(replay: Any, *_: Any, sample_weight: Any = None) -> float:
    """Return the mean of the rows' log-likelihoods."""
    return float(np.average(replay.score_samples(), weights=sample_weight))


def accuracy(y: Any, predicted: Any, sample_weight: Any = None) -> float:
    """Return the share of rows of which every output is right.

    It is scikit-learn's, which is not defined for several outputs of more than two classes; there
    it is what ``MultiOutputClassifier.score`` returns.

    Parameters
    ----------
    y, predicted : array of shape (n_rows,) or (n_rows, n_outputs)
        True and predicted labels.
    sample_weight : array of shape (n_rows,), optional
        Weights of the rows.

    Examples
    --------
    >>> accuracy(np.array([[0, 2], [1, 1]]), np.array([[0, 2], [1, 0]]))
    0.5
    """
    if np.ndim(y) == 1 or np.shape(y)[1] == 1:
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))
    return float(np.average((y == predicted).all(axis=1), weights=sample_weight))


def _dense_parts(X: Any) -> Iterator[slice]:
    """Yield which rows are made dense together: ``MOST_NUMBERS`` numbers, or one row."""
    n_rows, n_features = X.shape
    step = max(1, MOST_NUMBERS // max(1, n_features))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def _dense(X: Any) -> np.ndarray:
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)
