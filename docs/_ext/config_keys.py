"""The page of the config keys, from the schema of the config."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import yaml
from tables import CONF, Option, code, escaped, keyed, options, own_keys, plain, row, table

from runner.config.app import prepare
from runner.config.reading.shipped import chosen_always
from runner.config.signatures.editor import experiment_schema
from runner.config.signatures.signature import (
    EXPERIMENT,
    HALVING,
    TARGET,
    signature_from,
    signature_of,
)
from runner.schemas import names

DATASET = "runner.dataset.dataset.Dataset"
SKLEARN = "https://scikit-learn.org/stable/modules/generated/{}.html"

HEAD = """\
# Config keys

Every key of an experiment's file, with what it may be and what it is when the file does not say. A
file chooses one option of a group under `defaults`, and sets keys below it:

```yaml
defaults:
  - override /dataset: digits
  - override /estimator: sgd_classifier
dataset: {chunks: 200}
estimator: {alpha: 1.0e-3}
```

On the command line a key is set by its whole name, and an option is chosen by the group's:

```console
$ runner run quickstart fit.epochs=3 estimator=perceptron
```

Any value may also be that of another key, `${seed}`; `???` stands for one that is given later.
`runner validate` checks all that stands here, `runner schema --write` tells it to an editor, and
`runner show NAME` prints what an experiment comes to.
"""


def config_page() -> str:
    """Return the text of ``config.md``."""
    parts = [HEAD]
    parts += [_top(), *_dataset(), *_single("stream"), *_preprocessing(), *_estimator()]
    parts += [*_partial_fit(), *_single("fit"), *_evaluation(), *_callbacks()]
    parts += [*_chosen("tracking", "none"), *_chosen("cluster", "local"), *_sweep(), *_hydra()]
    return "\n".join(parts)


def _top() -> str:
    own = _base()
    signature = signature_of(TARGET, EXPERIMENT)
    rows = [row("", name, signature, own[name]) for name in ("name", "seed", "strict")]
    return f"## name, seed, strict\n\n{keyed(rows)}"


def _dataset() -> Iterator[str]:
    base, common = _base()["dataset"], signature_from(_class(DATASET))
    yield f"## dataset\n\n{_told('dataset')} {_choose('dataset', 'parquet')}"
    yield "Every dataset has these keys:\n"
    rows = [row("dataset", name, common, base.get(name)) for name in common.parameters]
    yield keyed(rows)
    by_target: dict[str, list[Option]] = {}
    for option in options("dataset"):
        by_target.setdefault(option.target, []).append(option)
    for target, alike in by_target.items():
        listed = ", ".join(f"`{option.name}`" for option in alike)
        yield f"### dataset: {listed}\n"
        yield _list(alike) if len(alike) > 1 else f"{_sentence(alike[0].told)}\n"
        yield own_keys("dataset", signature_of(TARGET, target), alike, without=common.parameters)


def _single(group: str) -> Iterator[str]:
    (option,) = options(group)
    yield f"## {group}\n\nWhen the file says nothing: {option.told}.\n"
    yield own_keys(group, signature_of(TARGET, option.target), [option])


def _evaluation() -> Iterator[str]:
    yield from _single("evaluation")
    (option,) = options("evaluation")
    known = names(signature_of(TARGET, option.target).parameters["scoring"])
    yield f"The scorers: {', '.join(f'`{name}`' for name in dict.fromkeys(known))}.\n"


def _preprocessing() -> Iterator[str]:
    choose = _choose_some("preprocessing", "log1p", "standard_scaler")
    yield f"## preprocessing\n\n{_told('preprocessing')} {choose}"
    yield (
        "Each is a section of its name, whose keys are the parameters of the class, such as\n"
        "`preprocessing.normalizer.norm`. One of another name is written with its `_target_`.\n"
    )
    rows = [[_named(option), option.told, _sets(option)] for option in options("preprocessing")]
    yield table(("option", "what it does", "what it sets"), rows)


def _estimator() -> Iterator[str]:
    yield f"## estimator\n\n{_told('estimator')} {_choose('estimator', 'sgd_classifier')}"
    yield (
        "The keys are the parameters of the class, such as `estimator.alpha`. Any other class\n"
        "with `partial_fit` is written with its `_target_`. The last column is what the section\n"
        "[partial_fit](#partial_fit) takes.\n"
    )
    rows = []
    for option in options("estimator"):
        taken = signature_of(TARGET, option.target).partial_fit or ()
        arguments = ", ".join(f"`{name}`" for name in taken)
        rows.append([_named(option), option.told, _sets(option), arguments])
    yield table(("option", "what it is", "what it sets", "partial_fit"), rows)


def _partial_fit() -> Iterator[str]:
    yield f"## partial_fit\n\n{_told('partial_fit')}\n"
    told = "The labels there are, of all blocks; `infer` finds them in a pass over y."
    rows = [["`partial_fit.classes`", "a list of labels, or infer", "not given", told]]
    yield keyed(rows)


def _callbacks() -> Iterator[str]:
    choose = _choose_some("callbacks", "progress_bar", "early_stopping")
    yield f"## callbacks\n\n{_told('callbacks')} {choose}"
    for option in options("callbacks"):
        section = f"callbacks.{option.name}"
        yield f"### {section}\n\n{_sentence(option.told)}\n"
        yield own_keys(section, signature_of(TARGET, option.target), [option])


def _chosen(group: str, example: str) -> Iterator[str]:
    yield f"## {group}\n\n{_told(group)} {_choose(group, example)}"
    for option in options(group):
        yield f"### {group}: `{option.name}`\n\n{_sentence(option.told)}\n"
        yield own_keys(group, signature_of(TARGET, option.target), [option])


def _sweep() -> Iterator[str]:
    base, schema = _base()["sweep"], experiment_schema()["properties"]["sweep"]
    yield f"## sweep\n\n{schema['description']} [Sweeps](../how-to/sweeps.md) tells more.\n"
    kinds = {"grid": "lists by key", "zip": "lists by key", "runs": "a list of sections"}
    kinds["halving"] = "a section, or null"
    rows: list[Sequence[str]] = [
        [f"`sweep.{key}`", kinds[key], code(base[key]), escaped(said["description"])]
        for key, said in schema["properties"].items()
    ]
    yield keyed(rows)
    yield "### sweep.halving\n\nLeft out, no member is stopped.\n"
    halving = signature_of(TARGET, HALVING)
    rows = [row("sweep.halving", name, halving) for name in halving.parameters]
    yield keyed(rows)


def _hydra() -> Iterator[str]:
    yield "## hydra\n\nOf Hydra's own keys there are few; only the first may stand in a file.\n"
    prepare()  # which makes the plugins importable
    rows = []
    for group in ("hydra/sweeper", "hydra/launcher"):
        for option in options(group):
            signature = signature_from(_class(option.target))
            keys = [key for key in option.node if not key.startswith("_")]
            rows += [
                row(group.replace("/", "."), key, signature, option.node[key]) for key in keys
            ]
    yield keyed(rows)
    yield "The launchers, chosen by `hydra/launcher=NAME`:\n"
    yield _list(options("hydra/launcher"))


def _list(alike: list[Option]) -> str:
    return "".join(f"- `{option.name}`: {option.told}\n" for option in alike)


def _choose(group: str, name: str) -> str:
    return f"Chosen by `- override /{group}: {name}`, or `{group}={name}`.\n"


def _choose_some(group: str, *listed: str) -> str:
    always = chosen_always()[group] or ["nothing"]
    default = ", ".join(f"`{name}`" if name != "nothing" else name for name in always)
    return (
        f"Several may be chosen, `- override /{group}: [{', '.join(listed)}]`; when the file\n"
        f"says nothing it is {default}.\n"
    )


def _sets(option: Option) -> str:
    """Return what an option sets; of what it builds inside, the class alone."""
    told = {
        key: value[TARGET].rpartition(".")[2] if isinstance(value, Mapping) else value
        for key, value in option.node.items()
        if key != TARGET
    }
    return ", ".join(f"`{key}: {plain(value)}`" for key, value in told.items())


def _named(option: Option) -> str:
    """Return the name of an option, and that of its class with a link to its page."""
    target = option.target
    return f"`{option.name}`<br>[{target.rpartition('.')[2]}]({SKLEARN.format(target)})"


@cache
def _base() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))
    return found


def _class(dotted: str) -> type:
    module, _, name = dotted.rpartition(".")
    found: type = getattr(import_module(module), name)
    return found


def _told(section: str) -> str:
    return escaped(signature_of(TARGET, EXPERIMENT).parameters[section]["description"])


def _sentence(told: str) -> str:
    return f"{told[0].upper()}{told[1:].rstrip('.')}."
