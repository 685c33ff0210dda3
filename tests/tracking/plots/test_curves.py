import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from runner.records import Sample
from runner.tracking.plots.curves import calibration, precision_recall, rankings, roc

RNG = np.random.default_rng(0)


def sample(n_classes, n_rows=300, method="predict_proba", *, labels=None, whole=None):
    true = RNG.integers(0, n_classes, n_rows)
    answers = RNG.dirichlet(np.ones(n_classes), n_rows) + np.eye(n_classes)[true] / 2
    answers /= answers.sum(axis=1, keepdims=True)
    if method == "decision_function" and n_classes == 2:
        answers = answers[:, 1] - 0.5
    classes = np.array(range(n_classes) if labels is None else labels)
    return Sample(method, answers, whole or n_rows, classes[true], classes)


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_curves_are_drawn_of_every_kind_of_answer(n_classes, method, pixels):
    one = sample(n_classes, method=method)
    found = rankings(one)
    assert len(found) == (1 if n_classes == 2 else n_classes)
    for draw in (roc, precision_recall):
        assert pixels(draw(found, one)).std() > 5


def test_the_areas_are_those_of_scikit_learn(figures):
    drawn, one = figures("curves"), sample(3, labels=["cat", "dog", "eel"])
    found = rankings(one)
    roc(found, one)
    precision_recall(found, one)
    for figure, score, word in (
        (drawn[0], roc_auc_score, "AUC"),
        (drawn[1], average_precision_score, "AP"),
    ):
        expected = [
            f"{label} ({word} = {score(one.true == label, one.answers[:, column]):.2f})"
            for column, label in enumerate(["cat", "dog", "eel"])
        ]
        assert legend_of(figure.axes[0])[:3] == expected


def test_of_many_labels_those_are_drawn_that_most_rows_hold(figures):
    one = sample(40, 4000)
    found = rankings(one)
    counts = np.bincount(one.true)
    assert sorted(counts)[-10:] == sorted(int(each.is_label.sum()) for each in found)
    drawn = figures("curves")
    roc(found, one)
    assert drawn[0].axes[0].get_title() == "4,000 held-out rows, 10 of 40 labels"


def test_a_label_that_no_row_or_every_row_holds_has_no_curve():
    one = sample(3)
    never = Sample(one.method, one.answers, 300, np.where(one.true == 2, 1, one.true), one.classes)
    assert [each.label for each in rankings(never)] == ["0", "1"]
    always = Sample(one.method, one.answers, 300, np.zeros(300), one.classes)
    assert rankings(always) == []


def test_answers_that_are_no_ranking_have_no_curve():
    one = sample(3)
    assert rankings(Sample("predict", one.answers[:, 0], 300)) == []
    assert (
        rankings(Sample("decision_function", one.answers[:, :2], 300, one.true, one.classes)) == []
    )


def test_the_title_tells_how_many_rows_are_drawn(figures):
    drawn, one = figures("curves"), sample(2, whole=90_000)
    (found,) = rankings(one)
    roc([found], one)
    calibration(found, one)
    assert {figure.axes[0].get_title() for figure in drawn} == {"300 of 90,000 held-out rows"}


def test_calibration_is_drawn_over_the_probabilities_and_how_often_they_are(pixels, figures):
    one = sample(2, labels=["no", "yes $"])
    (found,) = rankings(one)
    assert pixels(calibration(found, one)).std() > 5
    drawn = figures("curves")
    calibration(found, one)
    above, below = drawn[0].axes
    assert sum(bar.get_height() for bar in below.patches) == 300
    assert "yes" in below.get_xlabel()
    assert "yes" in above.get_ylabel()
