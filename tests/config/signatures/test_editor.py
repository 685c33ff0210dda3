import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from omegaconf import OmegaConf

from runner.config.signatures.editor import experiment_schema, schema_text
from runner.project import builtin, option_files

FILES = sorted(builtin("experiments").glob("*.yaml"))
SGD = {
    "defaults": [{"override /dataset": "digits"}, {"override /estimator": "sgd_classifier"}],
    "dataset": {"chunks": 100},
}


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(experiment_schema())


def is_valid(node: Any) -> bool:
    return validator().is_valid(node)


def written(path) -> dict[str, Any]:
    return OmegaConf.to_container(OmegaConf.load(path), resolve=False)


def keys(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(node, dict):
            yield (*at, key)
        if isinstance(value, dict | list):
            yield from keys(value, (*at, key))


def misspelt(key: str) -> Iterator[str]:
    head, dot, tail = key.partition(".")  # of a swept key, the noun
    middle = len(head) // 2
    yield f"{head[:middle]}{head[middle + 1 :]}{dot}{tail}"
    yield f"{head}s{dot}{tail}"
    yield f"{head[0]}{head[2:1:-1]}{head[1]}{head[3:]}{dot}{tail}"


def renamed(node: Any, at: tuple[Any, ...], name: str) -> Any:
    node = deepcopy(node)
    inner = node
    for key in at[:-1]:
        inner = inner[key]
    inner[name] = inner.pop(at[-1])
    return node


def over(**sections: Any) -> dict[str, Any]:
    return {**SGD, **sections}


def test_the_schema_is_one_of_the_draft_that_it_names():
    schema = experiment_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_its_text_is_json_and_always_the_same():
    text = schema_text()
    assert json.loads(text) == experiment_schema()
    assert text == schema_text()
    assert text.endswith("}\n")


def test_every_reference_leads_somewhere():
    def references(node: Any) -> Iterator[str]:
        items = node.values() if isinstance(node, dict) else node
        for value in items if isinstance(node, dict | list) else ():
            yield from references(value)
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/$defs/")

    schema = experiment_schema()
    assert {*references(schema)} <= {*schema["$defs"]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_experiment_is_valid(path):
    assert [error.message for error in validator().iter_errors(written(path))] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_misspelt_key_of_a_shipped_experiment_is_valid(path):
    node = written(path)
    tried = [(at, typo) for at in keys(node) for typo in misspelt(str(at[-1])) if typo != at[-1]]
    assert len(tried) > 15
    assert [(at, typo) for at, typo in tried if is_valid(renamed(node, at, typo))] == []


@pytest.mark.parametrize(
    "node",
    [
        *({}, SGD, {"name": None, "seed": "${oc.env:SEED}", "strict": True}),
        {"defaults": ["_self_", "quickstart"], "stream": {"prefetch": 0}, "dataset": {"a": 1}},
        {"defaults": [{"override /tracking": "none"}], "tracking": {}},
        over(stream={"shuffle": False}, fit={"class_weight": "balanced"}),
        over(estimator={"alpha": "${seed}", "loss": "???", "class_weight": {0: 1.0, "a": 2}}),
        over(estimator={"_target_": "sklearn.naive_bayes.GaussianNB", "var_smoothing": 1e-9}),
        over(estimator={"_target_": "my_package.Learner", "anything": 1}),
        over(
            estimator={"_target_": "my_package.Learner"}, partial_fit={"anything": [1], "more": 2}
        ),
        over(partial_fit={"classes": "infer"}),
        over(partial_fit={"classes": "${dataset.modules}"}),
        over(preprocessing={"own": {"_target_": "my_package.Stage", "a": 1}}),
        over(preprocessing={"hashing": {"n_features": 16}}, callbacks={"checkpoint": {"cost": 1}}),
        over(tracking={"uri": None, "tags": {"team": "a"}}),
        over(sweep={"grid": {"estimator.alpha": [1, 2], "seed": [1]}, "halving": None}),
        over(sweep={"grid": {"estimator": {"alpha": [1, 2]}}, "zip": None, "runs": None}),
        over(sweep={"runs": [{"estimator": "perceptron"}, {"+estimator.eta0": 1}, {}]}),
        over(sweep={"halving": {"first_rows": 10, "by": "held_out"}}),
        over(hydra={"sweeper": {"params": {"seed": "1,2"}}}),
    ],
)
def test_what_may_be_written_is_valid(node):
    assert [error.message for error in validator().iter_errors(node)] == []


@pytest.mark.parametrize(
    "node",
    [
        *([], "text", {"sed": 1}, {"seed": -1}, {"seed": 1.5}, {"strict": "yes"}, {"name": ""}),
        *({"_target_": "runner.experiment.Experiment"}, {"dataset": "digits"}),
        {"defaults": [{"override /estimator": "sdg_classifier"}]},
        {"defaults": [{"override /estimators": "sgd_classifier"}]},
        {"defaults": [{"dataset": "digits"}]},
        {"defaults": ["quikstart"]},
        {"defaults": [{"override /dataset": ["digits"]}]},
        over(estimator={"loss": "log_los"}),
        over(estimator={"alpha": -1}),
        over(estimator={"alpha": "small"}),
        over(estimator={"penalty": True}),
        over(estimator={"_target_": "sklearn.naive_bayes.GaussianNB", "alpha": 1}),
        over(dataset={"holdout": 1}),
        over(dataset={"n_samples": 10}),
        over(stream={"prefech": 1}),
        over(fit={"epochs": 0}),
        over(evaluation={"scoring": ["acuracy"]}),
        over(partial_fit={"clases": [0]}),
        over(partial_fit={"classes": "guess"}),
        over(preprocessing={"hashng": {"n_features": 16}}),
        over(preprocessing={"hashing": {"n_features": 0}}),
        over(callbacks={"early_stopping": {"patiense": 3}}),
        over(tracking={"url": "x"}),
        over(sweep={"gird": {}}),
        over(sweep={"grid": {"estimater.alpha": [1]}}),
        over(sweep={"grid": {"estimator.alpha": []}}),
        over(sweep={"grid": {"estimator.alpha": "1,2"}}),
        over(sweep={"halving": {"factor": 1}}),
        over(hydra={"job": {"chdir": True}}),
        {"defaults": [{"override /estimator": "birch"}], "partial_fit": {"classes": [0]}},
    ],
)
def test_a_mistake_is_not_valid(node):
    assert not is_valid(node)


def test_an_option_of_the_project_is_known_too(project, tmp_path, monkeypatch):
    (project / "conf" / "estimator").mkdir(parents=True)
    (project / "conf" / "estimator" / "own.yaml").write_text(
        "_target_: sklearn.naive_bayes.GaussianNB\n"
    )
    (project / "conf" / "dataset").mkdir()
    (project / "conf" / "dataset" / "broken.yaml").write_text("{")
    assert "own" in option_files("estimator")
    own = Draft202012Validator(experiment_schema())
    chosen = {"defaults": [{"override /estimator": "own"}, {"override /dataset": "broken"}]}
    assert own.is_valid({**chosen, "estimator": {"var_smoothing": 0.1}, "dataset": {"a": 1}})
    assert not own.is_valid({**chosen, "estimator": {"alpha": 0.1}})
    assert not is_valid(chosen)


def test_what_a_key_means_is_told():
    schema = experiment_schema()
    sgd = schema["$defs"]["sklearn.linear_model.SGDClassifier"]["properties"]
    assert sgd["alpha"]["description"].startswith("Constant that multiplies")
    assert sgd["alpha"]["default"] == 0.0001
    assert schema["properties"]["seed"]["description"].startswith("From which every random")
    assert schema["properties"]["dataset"]["description"].startswith("Where X and y come from")
