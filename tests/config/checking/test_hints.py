"""What was meant by a key in the wrong place."""

import pytest

from runner.config.checking.hints import at_root, in_section, nested, of_target
from runner.config.signatures.signature import signature_of

KNOWN = [*signature_of("_target_", "runner.experiment.Experiment").parameters]
CONFIG = {
    "estimator": {"_target_": "sklearn.linear_model.SGDClassifier"},
    "fit": {"_target_": "runner.fit.options.FitOptions"},
    "stream": {"_target_": "runner.stream.stream.Stream"},
    "callbacks": {"limit": {"_target_": "runner.callbacks.time_limit.TimeLimit"}},
    "dataset": {"_target_": "sklearn.NoSuchThing"},
    "experiment": "quickstart",
}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("epochs", "did you mean fit.epochs?"),
        ("alpha", "did you mean estimator.alpha?"),
        ("shuffle", "did you mean stream.shuffle or estimator.shuffle?"),
        ("minutes", "did you mean callbacks.limit.minutes?"),
        ("classes", "did you mean partial_fit.classes?"),
        ("halving", "did you mean sweep.halving?"),
        ("sede", "did you mean 'seed'?"),
        ("default", "did you mean 'defaults'?"),
        ("fit.epochs", "write it as fit: {epochs: ...}"),
        ("fti.epochs", "write it as fit: {epochs: ...}"),
        ("experiment", "to begin with another experiment, write `defaults: [quickstart]`"),
    ],
)
def test_a_key_at_the_top_is_led_home(name, told):
    assert at_root(name, KNOWN, CONFIG) == told


def test_a_key_without_a_home_is_answered_with_the_choice():
    assert at_root("zebra", KNOWN, CONFIG).startswith(
        "choose one of: callbacks, cluster, dataset, def"
    )
    assert at_root("zebra.x", KNOWN, CONFIG).startswith(
        "choose one of: callbacks, cluster, dataset, def"
    )


@pytest.mark.parametrize(
    ("key", "name", "told", "hint"),
    [
        ("estimator.epochs", "epochs", "choose one of: alpha", "did you mean fit.epochs?"),
        ("fit.epoch", "epoch", "did you mean 'epochs'?", "did you mean 'epochs'?"),
        ("fit.zebra", "zebra", "choose one of: epochs", "choose one of: epochs"),
        ("fit.fit.epochs", "fit.epochs", "", "write it as fit: {epochs: ...}"),
        ("callbacks.a.b.c", "b.c", "", "write it as callbacks: {a: {b: {c: ...}}}"),
        ("estimator._tagret_", "_tagret_", "", "did you mean '_target_'?"),
        ("estimator._partial_", "_partial_", "", "leave it out"),
    ],
)
def test_a_key_of_another_section_is_led_home(key, name, told, hint):
    assert in_section(name, key, told, CONFIG) == hint


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("SGDClassifier", "did you mean sklearn.linear_model.SGDClassifier?"),
        ("sklern.linear_model.SGDClassifier", "did you mean sklearn.linear_model.SGDClassifier?"),
        ("sklearn.linear_model.SGDClasifier", "did you mean sklearn.linear_model.SGDClassifier?"),
        ("elsewhere.Thing", "told"),
    ],
)
def test_a_class_is_known_by_its_name(named, hint):
    assert of_target("estimator", named, "told") == hint


def test_a_function_is_for_datasets_only():
    told = "A function that makes a dataset goes under dataset=function."
    assert of_target("dataset", "sklearn.datasets.load", told) == told
    assert of_target("estimator", "sklearn.datasets.load", told).startswith("name a class")


def test_a_key_without_dots_is_no_section():
    assert nested("seed") == "seed: ..."
