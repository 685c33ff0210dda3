import sys

from hypothesis import given
from hypothesis import strategies as st

from runner.tracking.asked import MOST_CALL, Shape, asked_lines, call, class_tags, shapes

SGD = {"estimator._target_": "sklearn.linear_model.SGDClassifier"}
SIDES = {"train": Shape(1200, 12, 64), "holdout": Shape(300, 3, 64)}


def test_the_lines_say_which_estimator_learns_what_and_how():
    params = {
        **SGD,
        "estimator.alpha": 0.0001,
        "estimator.loss": "log_loss",
        "dataset._target_": "runner.dataset.bundled.Bundled",
        "dataset.name": "digits",
        "preprocessing.unit._target_": "sklearn.preprocessing.Normalizer",
        "preprocessing.unit.norm": "l1",
        "fit.epochs": 1,
        "seed": 3,
    }
    assert "sklearn.linear_model" in sys.modules
    assert asked_lines(params, SIDES) == [
        '- Estimator: `SGDClassifier(loss="log_loss")`',
        '- Dataset: `Bundled(name="digits")`: 1,200 training rows in 12 blocks, 64 features, '
        "300 rows held out",
        "- Preprocessing: `Normalizer`",
        "- Fit: 1 epoch, seed 3",
    ]


def test_of_a_run_that_is_gone_on_with_the_texts_of_the_record_say_the_same():
    values = {"alpha": 0.5, "loss": "log_loss", "shuffle": False, "class_weight": {"a": 2}}
    asked = SGD | {f"estimator.{name}": value for name, value in values.items()}
    texts = {"alpha": "0.5", "loss": "log_loss", "shuffle": "false", "class_weight": '{"a": 2}'}
    kept = SGD | {f"estimator.{name}": text for name, text in texts.items()}
    assert call(asked, "estimator") == call(kept, "estimator")
    assert 'class_weight={"a": 2}' in call(kept, "estimator")


def test_a_default_that_is_a_tuple_and_an_inner_estimator_are_told_shortly():
    params = {
        "estimator._target_": "sklearn.neural_network.MLPClassifier",
        "estimator.hidden_layer_sizes": [100],
        "estimator.inner._target_": "sklearn.svm.LinearSVC",
        "estimator.inner.C": 2.0,
    }
    import sklearn.neural_network  # noqa: F401

    assert call(params, "estimator") == "MLPClassifier(inner=LinearSVC(...))"


def test_no_argument_tells_a_password():
    params = {"dataset._target_": "a.B", "dataset.uri": "http://ann:hunter2@example.org"}
    assert "hunter2" not in call(params, "dataset")
    assert "example.org" in call(params, "dataset")


def test_all_arguments_of_an_unknown_class_are_told():
    params = {"estimator._target_": "no.such.Thing", "estimator.a": 1, "estimator.b": None}
    assert call(params, "estimator") == "Thing(a=1, b=null)"


@given(st.dictionaries(st.text(), st.text() | st.floats() | st.lists(st.text())))
def test_a_call_is_short_and_one_line_whatever_is_asked(values):
    params = {"dataset._target_": "a.B"} | {f"dataset.{key}": v for key, v in values.items()}
    assert len(call(params, "dataset")) <= MOST_CALL + 4
    assert all("\n" not in line and line.count("`") == 2 for line in asked_lines(params, {}))


def test_only_classes_that_are_asked_for_are_tags():
    assert class_tags(SGD) == {"runner.estimator": "SGDClassifier"}
    assert class_tags({}) == {}


def test_the_sides_are_counted_and_lines_of_text_have_no_features(points, make_part):
    part = make_part(*points)
    lines = make_part(points[0][:, 0], points[1])
    found = shapes({"train": part, "holdout": lines})
    assert found["train"] == Shape(100, 4, points[0].shape[1])
    assert found["holdout"].features is None
    told = asked_lines({}, {"train": found["holdout"], "validation": found["train"]})
    assert told == ["- Dataset: 100 training rows in 4 blocks, 100 rows to validate"]
