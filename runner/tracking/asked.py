"""What was asked of a run, in lines that a person reads."""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from runner.base import Part
from runner.tracking.markdown import code
from runner.tracking.params import value_as_text
from runner.tracking.tags import DATASET, ESTIMATOR

MOST_CALL, MOST_ARGUMENT = 400, 80


class Shape(NamedTuple):
    """How much one side of the split holds; the features are None where they are not known."""

    rows: int
    blocks: int
    features: int | None


def shapes(parts: Mapping[str, Part]) -> dict[str, Shape]:
    """Return how much each side of a split holds."""
    return {
        name: Shape(part.n_rows, part.n_blocks, _n_features(part)) for name, part in parts.items()
    }


def asked_lines(params: Mapping[str, Any], sides: Mapping[str, Shape]) -> list[str]:
    """Tell the estimator, the dataset, the preprocessing and the fit, one line of Markdown each.

    Parameters
    ----------
    params : mapping of str to object
        By dotted key; the values may be texts, as the record gives them back.
    sides : mapping of str to Shape
        The sides of the split, as far as they are known.

    Examples
    --------
    >>> asked_lines({"fit.epochs": 3, "seed": 0}, {"train": Shape(1200, 12, 64)})
    ['- Dataset: 1,200 training rows in 12 blocks, 64 features', '- Fit: 3 epochs, seed 0']
    """
    stages = [
        class_of(params, key)
        for key in params
        if key.startswith("preprocessing.") and key.endswith("._target_")
    ]
    fit = [_epochs(params["fit.epochs"])] if "fit.epochs" in params else []
    fit += [f"seed {params['seed']}"] if "seed" in params else []
    data = ": ".join(filter(None, [_code(call(params, "dataset")), _sides(sides)]))
    told = {
        "Estimator": _code(call(params, "estimator")),
        "Dataset": data,
        "Preprocessing": ", ".join(_code(name) for name in stages),
        "Fit": ", ".join(fit),
    }
    return [f"- {noun}: {text}" for noun, text in told.items() if text]


def class_tags(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags by which runs of an estimator, or on a kind of dataset, are found.

    Examples
    --------
    >>> class_tags({"estimator._target_": "sklearn.linear_model.SGDClassifier"})
    {'runner.estimator': 'SGDClassifier'}
    """
    nouns = {ESTIMATOR: "estimator", DATASET: "dataset"}
    named = {tag: class_of(params, f"{noun}._target_") for tag, noun in nouns.items()}
    return {tag: name for tag, name in named.items() if name}


def class_of(params: Mapping[str, Any], key: str) -> str:
    """Return the bare name of the class that a key holds, "" where it holds none.

    Examples
    --------
    >>> class_of({"preprocessing.unit._target_": "sklearn.preprocessing.Normalizer"},
    ...          "preprocessing.unit._target_")
    'Normalizer'
    """
    return str(params.get(key, "")).rpartition(".")[2]


def call(params: Mapping[str, Any], noun: str) -> str:
    """Write what a section makes as a call, without the arguments that equal their defaults.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> sgd = {"estimator._target_": "sklearn.linear_model.SGDClassifier"}
    >>> call({**sgd, "estimator.alpha": 0.0001, "estimator.loss": "log_loss"}, "estimator")
    'SGDClassifier(loss="log_loss")'
    >>> call({}, "estimator")
    ''
    """
    target = f"{noun}._target_"
    if target not in params:
        return ""
    text = f"{class_of(params, target)}({', '.join(_arguments(params, noun))})"
    return text if len(text) <= MOST_CALL else f"{text[:MOST_CALL]} ..."


def _arguments(params: Mapping[str, Any], noun: str) -> Iterator[str]:
    defaults = _defaults(str(params[f"{noun}._target_"]))
    for key, value in params.items():
        name = key.removeprefix(f"{noun}.")
        if name in (key, "_target_"):
            continue
        if name.endswith("._target_"):
            yield f"{name.removesuffix('._target_')}={class_of(params, key)}(...)"
        elif "." not in name and _text(value) != defaults.get(name):
            yield f"{name}={_argument(value)}"


def _defaults(target: str) -> dict[str, str]:
    """Return the defaults of a class that is imported already, as texts."""
    module, _, name = target.rpartition(".")
    with suppress(Exception):  # it may be anybody's class, and this is only a description
        parameters = inspect.signature(getattr(sys.modules[module], name)).parameters.values()
        return {each.name: _text(each.default) for each in parameters}
    return {}


def _text(value: Any) -> str:
    return value_as_text(list(value) if isinstance(value, tuple) else value)


def _argument(value: Any) -> str:
    with suppress(ValueError, TypeError):
        value = json.loads(value)
    told = value_as_text(value)
    text = json.dumps(told, ensure_ascii=False) if isinstance(value, str) else told
    return text if len(text) <= MOST_ARGUMENT else f"{text[:MOST_ARGUMENT]} ..."


def _sides(sides: Mapping[str, Shape]) -> str:
    if "train" not in sides:
        return ""
    rows, blocks, features = sides["train"]
    told = [f"{rows:,} training rows in {blocks:,} blocks"]
    told += [f"{features:,} features"] if features is not None else []
    told += [f"{sides['validation'].rows:,} rows to validate"] if "validation" in sides else []
    told += [f"{sides['holdout'].rows:,} rows held out"] if "holdout" in sides else []
    return ", ".join(told)


def _n_features(part: Part) -> int | None:
    return int(part.X.shape[1]) if len(part.X.shape) > 1 else None


def _epochs(epochs: Any) -> str:
    return f"{epochs} epoch{'' if str(epochs) == '1' else 's'}"


def _code(text: str) -> str:
    return code(text, MOST_CALL + MOST_ARGUMENT) if text else ""
