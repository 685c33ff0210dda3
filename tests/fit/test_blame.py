"""Which block, row, column or label is at fault."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from runner.base import Block, Place
from runner.errors import FitError
from runner.fit.blame import blame, check_block, check_labels
from runner.preprocessing.kinds import learning_of
from runner.preprocessing.running import RunningPipeline
from runner.preprocessing.stages import Pass

WHOLE = Place(number=1, start=100, stop=103)


def block_of(X, y=None, sample_weight=None, place=WHOLE):
    return Block(X, y, sample_weight, place)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        ([0, 1], [0, 1, 1]),
        ([0, 1, 2], [0, 0, 0]),
        ([0.0, 1.0], [0, 1, 1]),
        ([False, True], [0, 1, 1]),
        (["a", "b"], ["a", "b", "a"]),
        ([-1, 1], [-1, 1, 1]),
    ],
)
def test_listed_labels_pass(classes, labels):
    check_labels(classes, block_of(np.ones((3, 1)), np.array(labels)))


@pytest.mark.parametrize(
    ("classes", "labels", "strange"),
    [
        ([0, 1], [0, 2, 2], "[2]"),
        ([0, 1], [0.0, 0.5, 1.0], "[0.5]"),
        (["a", "b"], ["a", "c", "d"], "['c', 'd']"),
        (["a"], ["a", "abcdef", "a"], "['abcdef']"),
    ],
)
def test_unlisted_labels_are_told(classes, labels, strange):
    with pytest.raises(FitError) as caught:
        check_labels(classes, block_of(np.ones((3, 1)), np.array(labels)))
    assert f"got {strange}, first in row 101." in str(caught.value)


def test_only_ten_labels_are_listed():
    with pytest.raises(FitError) as caught:
        check_labels([0, 1], block_of(np.ones((3, 1)), np.arange(5, 35)))
    assert "[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, ...]" in str(caught.value)


def test_without_classes_or_labels_there_is_nothing_to_check():
    check_labels(None, block_of(np.ones((3, 1)), np.array([0, 1, 2])))
    check_labels([0, 1], block_of(np.ones((3, 1))))


def test_rows_are_counted_from_the_first_taken_where_the_block_is_not_whole():
    part_of_it = Place(number=1, start=100, stop=200)
    X = np.array([[1.0], [np.inf], [1.0]])
    said = str(blame(object(), block_of(X, place=part_of_it), ValueError("x")))
    assert "got inf in row 1 of its rows, column 0." in said
    with pytest.raises(FitError) as caught:
        check_labels([0, 1], block_of(X, np.array([0, 5, 1]), place=part_of_it))
    assert "got [5], first in row 1 of its rows. Add" in str(caught.value)


def test_a_target_or_weight_that_is_not_finite_is_told():
    y = np.array([0.0, 1.0, np.nan])
    assert "finite numbers in y; got nan in row 102." in str(
        blame(object(), block_of(np.ones((3, 1)), y), ValueError("x"))
    )
    assert "finite numbers in sample_weight; got nan in row 102." in str(
        blame(object(), block_of(np.ones((3, 1)), np.ones(3), y), ValueError("x"))
    )


def test_sparse_values_are_looked_at_too():
    X = scipy.sparse.csr_matrix(np.array([[0.0, np.nan], [1.0, 0.0], [0.0, 0.0]]))
    said = str(blame(object(), block_of(X), ValueError("x")))
    assert "finite numbers in X; got nan in row 100, column 1." in said


def test_a_label_missing_among_numbers_is_told_as_such():
    with pytest.raises(FitError, match=r"finite numbers in y; got nan in row 101\."):
        check_labels([0, 1], block_of(np.ones((3, 1)), np.array([0, np.nan, 7])))


def test_a_label_missing_among_texts_is_told():
    y = np.array(["a", None, "b"], dtype=object)
    with pytest.raises(FitError, match=r"got \[None\], first in row 101\."):
        check_labels(["a", "b"], block_of(np.ones((3, 1)), y))


def test_each_of_several_targets_has_labels_of_its_own():
    y = np.array([[0, 5], [1, 6], [0, 7]])
    check_labels([[0, 1], [5, 6, 7]], block_of(np.ones((3, 1)), y))
    with pytest.raises(FitError) as caught:
        check_labels([[0, 1], [5, 6]], block_of(np.ones((3, 1)), y))
    assert "partial_fit.classes, [5, 6]; got [7], first in row 102." in str(caught.value)


def test_several_columns_of_one_multilabel_target_are_left_to_the_estimator():
    check_labels([0, 1, 2], block_of(np.ones((3, 1)), np.eye(3, dtype=int)))


def test_what_an_estimator_says_in_several_lines_is_put_in_one():
    said = str(blame(object(), block_of(np.ones((3, 1))), ValueError("no\n  luck.")))
    assert "got ValueError: no luck. Check" in said


ABSURD = np.array([[1.0, 2.0], [1.0, 1e200], [1.0, 2.0]])


def inside(stage):
    return Pass("stage", learning_of("preprocessing.stage", stage))


@pytest.mark.parametrize(
    "estimator",
    [
        SGDClassifier(),
        GaussianNB(),
        MultinomialNB(),
        MiniBatchKMeans(),
        OneVsRestClassifier(SGDClassifier()),
        inside(StandardScaler()),
        RunningPipeline([("scaler", StandardScaler()), ("estimator", BernoulliNB())]),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_number_that_cannot_be_squared_is_refused_where_it_would_be(estimator):
    with pytest.raises(FitError, match=r"too large to be squared; got 1e\+200 in row 101, column"):
        check_block(estimator, None, block_of(ABSURD))
    check_block(estimator, None, block_of(np.full((3, 2), 1e150)))


@pytest.mark.parametrize(
    "estimator",
    [
        BernoulliNB(),
        inside(MaxAbsScaler()),
        RunningPipeline([("scaler", MinMaxScaler()), ("estimator", SGDClassifier())]),
        object(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_large_number_is_left_to_those_that_can_take_it(estimator):
    check_block(estimator, None, block_of(ABSURD))


def test_what_is_refused_would_be_learned_wrongly_without_an_error():
    y = np.array([0, 1, 1])
    model = GaussianNB()
    with pytest.warns(RuntimeWarning, match="overflow"):
        model.partial_fit(ABSURD, y, classes=[0, 1])
    assert not np.isfinite(model.var_).all()


def test_labels_are_checked_with_the_numbers():
    with pytest.raises(FitError, match=r"got \[7\], first in row 102\."):
        check_block(SGDClassifier(), [0, 1], block_of(np.ones((3, 1)), np.array([0, 1, 7])))


def test_labels_of_another_kind_than_the_classes_are_answered_with_how_yaml_reads_them():
    y = np.array(["0", "1", "1"], dtype=object)
    with pytest.raises(FitError, match=r"In YAML, \[0, 1\] are numbers and \['0', '1'\] are text"):
        check_labels([0, 1], block_of(np.ones((3, 1)), y))


def said_by(call, X, y=None, estimator=None):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return str(blame(estimator or object(), block_of(X, y), caught.value))


def test_the_first_negative_number_is_named():
    X = np.array([[1, 2], [3, 4], [-5, -6]])
    said = said_by(lambda: MultinomialNB().partial_fit(X, [0, 1, 1], classes=[0, 1]), X)
    assert "(input X), as -5 in row 102, column 0 of X. Put min_max_scaler" in said
    said = said_by(
        lambda: MultinomialNB().partial_fit(X, [0, 1, 1], classes=[0, 1]),
        scipy.sparse.csr_array(X.astype(float)),
    )
    assert "as -5.0 in row 102, column 0 of X." in said


def test_the_first_cell_of_text_is_named():
    X = np.array([[1, "2"], [3, "n/a"], ["?", 4]], dtype=object)
    said = said_by(lambda: SGDRegressor().partial_fit(X, [0, 1, 1]), X)
    assert "'n/a', as n/a in row 101, column 1 of X. Mend these cells at the source." in said
    frame = pd.DataFrame(X, columns=["a", "b"])
    said = said_by(lambda: SGDRegressor().partial_fit(frame, [0, 1, 1]), frame)
    assert "as n/a in row 101, column 'b' of X." in said


def test_the_first_target_of_text_is_named():
    y = np.array(["1", "2", "three"])
    said = said_by(lambda: SGDRegressor().partial_fit(np.ones((3, 1)), y), np.ones((3, 1)), y)
    assert "as three in row 102 of y." in said


def test_the_first_nan_among_objects_is_named():
    X = np.array([[1, 2], [3, np.nan], [5, 6]], dtype=object)
    said = said_by(lambda: SGDRegressor().partial_fit(X, [0, 1, 1]), X)
    assert "as nan in row 101, column 1 of X." in said


def test_a_column_in_the_place_of_another_is_named():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0], "c": [3.0]})
    model = SGDRegressor().partial_fit(frame, [1.0])
    X = frame[["a", "c", "b"]]
    said = said_by(lambda: model.predict(X), X, estimator=model)
    assert "as they were in fit, as 'c' in the place of 'b'. See that every block has" in said
