"""What helps against what scikit-learn says, in the words of the file."""

import re
from typing import Any

from runner.errors import cause
from runner.kinds import last_step

# What is searched for in the estimator's class and what it said; the first row that fits counts.
REMEDIES = (
    (
        "Negative values .*CategoricalNB",
        "Put ordinal_encoder into preprocessing. Where it is, it makes its unknown_value, -1, of "
        "what it has not met: set that to a number above all codes, and estimator.min_categories "
        "to one more.",
    ),
    (
        "Negative values ",
        "Put min_max_scaler with clip: true into preprocessing; behind hashing, set "
        "preprocessing.hashing.alternate_sign=false instead.",
    ),
    (
        "CategoricalNB: IndexError",
        "Set estimator.min_categories to the number of codes, which is one more than the largest.",
    ),
    (
        "Cannot center sparse matrices",
        "Set with_mean=false of the scaler, or put max_abs_scaler in its place.",
    ),
    (
        "y should be a 1d array",
        "Choose estimator=multi_output_regressor or estimator=multi_output_classifier, or name "
        "one target.",
    ),
    (
        "y must have at least two dimensions",
        "There is one target: take the estimator inside alone, without the one around it.",
    ),
    (
        "could not convert string to float",
        "Mend these cells at the source. Where X holds text, put one_hot_encoder into "
        "preprocessing, or a ColumnTransformer that encodes these columns by their names; where y "
        "holds text, choose a classifier.",
    ),
    (
        "X has [0-9]+ features, but|feature names should match",
        "See that every block has the same columns in the same order at the source.",
    ),
    (
        "has no attribute 'lower'",
        "Hashing takes lines of text: choose a dataset of lines, or hash one column by its name "
        "in a ColumnTransformer.",
    ),
)


def remedy_of(error: Exception, estimator: Any, otherwise: str) -> str:
    """Return what helps against an error of scikit-learn.

    Parameters
    ----------
    error : Exception
        What was raised.
    estimator : object
        What raised it.
    otherwise : str
        What is to be done where nothing better is known.

    Examples
    --------
    >>> error = ValueError("Cannot center sparse matrices: pass `with_mean=False` instead.")
    >>> remedy_of(error, None, "Mend it.")
    'Set with_mean=false of the scaler, or put max_abs_scaler in its place.'
    >>> remedy_of(ValueError("no luck"), None, "Mend it.")
    'Mend it.'
    """
    said = f"{type(last_step(estimator)).__name__}: {cause(error)}"
    return next((remedy for pattern, remedy in REMEDIES if re.search(pattern, said)), otherwise)
