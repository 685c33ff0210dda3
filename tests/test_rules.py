from dataclasses import dataclass, field

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.errors import ConfigError
from runner.rules import (
    boolean,
    check,
    check_parameters,
    integer,
    list_of,
    null,
    number,
    one_of,
    positive,
)

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("rule", "allowed", "refused"),
    [
        (integer(1), [1, 10**12, np.int64(3)], [0, -1, 1.0, "1", True, None, [1]]),
        (number(), [0, -1.5, 10**12, np.float32(2)], [NAN, INF, "1", True, None, [1.0]]),
        (number(least=0), [0, 1.5], [-1e-9, NAN, INF]),
        (number(least=0, most=1), [0, 0.5, 1], [-0.1, 1.1, NAN]),
        (positive(), [1e-9, 3], [0, -1, NAN, INF, True]),
        (boolean(), [True, False, np.True_], [0, 1, "true", None]),
        (null(), [None], [0, "", "null", False]),
        (one_of("float32", "float64"), ["float32"], ["float16", 64, None, np.float32]),
        (list_of(integer(0)), [[1], [0, 2]], [[], [-1], [1, "2"], 1, "12", (1, 2), None]),
        (integer(1) | null(), [1, None], [0, False, "1"]),
    ],
)
def test_a_rule_allows_what_its_words_say(rule, allowed, refused):
    assert [value for value in allowed if not rule.holds(value)] == []
    assert [value for value in refused if rule.holds(value)] == []


@dataclass
class Made:
    n_rows: int = 100
    box: list[float] = field(default_factory=lambda: [-1.0, 1.0])
    rank: int | None = None


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            Made(n_rows=0),
            "dataset.n_rows must be an integer of at least 1; got 0. "
            "Correct it, or leave it out for the default, 100.",
        ),
        (
            Made(box=[]),
            "dataset.box must be a list, each item a finite number; got []. "
            "Correct it, or leave it out for the default, [-1.0, 1.0].",
        ),
        (
            Made(rank="full"),
            "dataset.rank must be an integer of at least 1, or null; got 'full'. "
            "Correct it, or leave it out for the default, null.",
        ),
    ],
)
def test_a_broken_rule_names_the_key_and_its_default(made, said):
    with pytest.raises(ConfigError) as refused:
        check("dataset", made, n_rows=integer(1), box=list_of(number()), rank=integer(1) | null())
    assert str(refused.value) == said


def test_what_keeps_its_rules_passes():
    check("dataset", Made(), n_rows=integer(1), rank=integer(1) | null())


def test_parameters_that_scikit_learn_refuses_are_refused_with_what_it_says():
    check_parameters("estimator", SGDClassifier(), "Mend it.")
    with pytest.raises(ConfigError) as caught:
        check_parameters("estimator", SGDClassifier(alpha=-1.0), "Mend it.")
    assert str(caught.value) == (
        "estimator must have parameters that SGDClassifier accepts; got The 'alpha' parameter of "
        "SGDClassifier must be a float in the range [0.0, inf). Got -1.0 instead. Mend it."
    )


def test_parameters_of_another_library_are_left_alone():
    check_parameters("estimator", object(), "Mend it.")
