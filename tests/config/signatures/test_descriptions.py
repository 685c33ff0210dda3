import inspect

import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.utils import all_estimators

from runner.config.signatures.descriptions import MOST_CHARACTERS, descriptions_of
from runner.dataset.npy import Npy
from runner.experiment import Experiment


class Marked:
    """One.

    Parameters
    ----------
    link : int
        See `the pages <https://pages.org>`_, :ref:`this one <there>`, :func:`~a.b` [1]_.
    strong : int
        **Never** give *more* than 2 * n * m, or `0 <= x < 1`, as ``{"a": 1}``.
    long : int
        %s
    empty : int
    listed : int
        One of:

        - a
        - b
    **others : object
        More, e.g. Words.

        .. versionadded:: 3
    """

    __doc__ = (__doc__ or "") % ("Words go on. " * 60)


def test_markup_is_left_out():
    told = descriptions_of(Marked)
    assert told["link"] == "See the pages, this one, a.b."
    assert told["strong"] == 'Never give more than 2 * n * m, or 0 <= x < 1, as {"a": 1}.'
    assert told["listed"] == "One of."
    assert told["others"] == "More, e.g. Words."
    assert "empty" not in told


def test_whole_sentences_are_kept_as_far_as_they_fit():
    said = descriptions_of(Marked)["long"]
    assert said.startswith("Words go on. Words")
    assert said.endswith("go on.")
    assert MOST_CHARACTERS - 15 < len(said) <= MOST_CHARACTERS


def test_a_sentence_that_is_too_long_is_cut_between_words():
    class Endless:
        __doc__ = f"A.\n\nParameters\n----------\na : int\n    {'word ' * 100}\n"

    said = descriptions_of(Endless)["a"]
    assert said.endswith("word ...")
    assert len(said) <= MOST_CHARACTERS


def test_a_parameter_of_a_base_is_described_there():
    told = descriptions_of(Npy)
    assert told["holdout"].startswith("The share in [0, 1)")
    assert told["X"]


@pytest.mark.parametrize("kind", [SGDClassifier, Experiment])
def test_every_parameter_is_described(kind):
    assert {*inspect.signature(kind).parameters} <= {*descriptions_of(kind)}


def test_scikit_learn_is_described_nearly_everywhere():
    parameters = [
        (kind, name) for _, kind in all_estimators() for name in inspect.signature(kind).parameters
    ]
    told = [name in descriptions_of(kind) for kind, name in parameters]
    assert sum(told) > 0.98 * len(told)


@pytest.mark.parametrize("doc", [None, "", "Parameters", "Parameters\n----------", "----\n----"])
def test_a_docstring_that_tells_nothing_is_no_error(doc):
    assert descriptions_of(type("Silent", (), {"__doc__": doc})) == {}
