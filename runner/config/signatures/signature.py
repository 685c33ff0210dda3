"""What may be written under a ``_target_``: from the class, or from a cache, importing nothing."""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from math import isfinite
from typing import Any

from runner.allow import BUILTIN, allowed_packages, is_inside, resolve
from runner.config.signatures import remembered
from runner.config.signatures.descriptions import descriptions_of
from runner.errors import ConfigError
from runner.project import project_root
from runner.rules import rules_of

EXPERIMENT = "runner.experiment.Experiment"
HALVING = "runner.sweeps.halving.Halving"
KINDS = {  # by the names of their classes, so that nothing is imported to compare with
    "runner.dataset.dataset.Dataset": "dataset",
    "runner.stream.stream.Stream": "stream",
    "runner.fit.options.FitOptions": "fit",
    "runner.evaluation.evaluation.Evaluation": "evaluation",
    "runner.base.Callback": "callbacks",
    "runner.cluster.cluster.Cluster": "cluster",
    EXPERIMENT: "",
    HALVING: "halving",
}
TARGET = "_target_"
TRACKER = ("check", "start_run", "start_sweep")  # the methods of runner.protocols.Tracker
ARGUMENTS = ("sklearn.base.BaseEstimator", "sklearn.gaussian_process.kernels.Kernel")
OURS = "runner"
SKLEARN = "sklearn"

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Signature:
    """What may be written under a ``_target_``.

    Parameters
    ----------
    name : str
        Of the class.
    parameters : mapping of str to mapping
        By name, what a value must be: JSON Schema, with a ``description`` where there is one.
    required : tuple of str
        Parameters that must be given.
    defaults : mapping of str to object
        Of the others, where YAML can say it.
    is_open : bool
        Whether it takes further keywords.
    slots : tuple of str
        The nouns whose place it can take; ``argument`` is that of another target's argument.
    partial_fit : tuple of str or None
        What its ``partial_fit`` takes besides X and y; None if it has none.
    partial_fit_is_open : bool
        Whether its ``partial_fit`` takes further keywords.
    """

    name: str
    parameters: Mapping[str, Schema]
    required: tuple[str, ...]
    defaults: Mapping[str, Any]
    is_open: bool
    slots: tuple[str, ...]
    partial_fit: tuple[str, ...] | None
    partial_fit_is_open: bool

    def __hash__(self) -> int:
        """Return a hash of the names."""
        return hash((self.name, tuple(self.parameters), self.required, self.slots))


def signature_of(key: str, dotted: str) -> Signature:
    """Return what may be written under a target; nothing is imported where that is known.

    Parameters
    ----------
    key : str
        Where the name stands in the config, for messages.
    dotted : str
        Such as ``sklearn.linear_model.SGDClassifier``.

    Raises
    ------
    ConfigError
        If it is not allowed, is private, there is no such thing, or it is no class.
    """
    known = _known(dotted)
    if known is not None:
        return known
    if ":" in dotted:  # Hydra builds none
        raise ConfigError(
            key, "have dots only", got=dotted, remedy=f"Write {dotted.replace(':', '.')}."
        )
    kind = resolve(key, dotted)
    if not inspect.isclass(kind):
        raise ConfigError(
            key,
            "name a class",
            got=dotted,
            remedy="A function that makes a dataset goes under dataset=function.",
        )
    signature = signature_from(kind)
    own = _own_packages()
    needs = any(is_inside(name, own[1:]) for name in (dotted, kind.__module__))
    content = {"allowed": [*own] * needs, "signature": asdict(signature)}
    if _is_as_written(kind):
        remembered.remember(dotted, content, kind.__mro__)
    return signature


def _is_as_written(kind: type) -> bool:
    """Say whether no method that decides about the signature was replaced in this process."""
    modules = [sys.modules.get(base.__module__) for base in kind.__mro__]
    files = {getattr(module, "__file__", None) for module in modules} | {"<string>"}
    methods = [getattr(kind, name, None) for name in ("__init__", "partial_fit")]
    codes = [getattr(inspect.unwrap(each), "__code__", None) for each in methods if each]
    return all(code is None or code.co_filename in files for code in codes)


def signature_in(node: Any) -> Signature | None:
    """Return what may be written in a section, by its target; None if that is none, or refused.

    Examples
    --------
    >>> signature_in({"_target_": "runner.fit.options.FitOptions"}).name
    'FitOptions'
    >>> signature_in({"_target_": "os.system"}), signature_in({"epochs": 3}), signature_in(None)
    (None, None, None)
    """
    named = node.get(TARGET) if isinstance(node, Mapping) else None
    try:
        return signature_of(TARGET, named) if isinstance(named, str) else None
    except ConfigError:
        return None


def signature_from(kind: type) -> Signature:
    """Return what a class takes.

    Examples
    --------
    >>> class Pause:
    ...     def __init__(self, every_s: float, said: str = "", **others): ...
    >>> signature = signature_from(Pause)
    >>> signature.parameters["said"], signature.required, signature.defaults, signature.is_open
    ({'type': 'string'}, ('every_s',), {'said': ''}, True)
    """
    named, is_open = _parameters(kind)
    schemas, told = _schemas(kind), descriptions_of(kind)
    defaults = {each.name: _default(kind, each) for each in named}
    learn = getattr(kind, "partial_fit", None)
    arguments, partial_fit_is_open = _parameters(learn) if callable(learn) else ([], False)
    return Signature(
        name=kind.__name__,
        parameters={
            each.name: {**schemas.get(each.name, {}), **_described(told.get(each.name))}
            for each in named
        },
        required=tuple(each.name for each in named if each.default is each.empty),
        defaults={name: default for name, default in defaults.items() if default is not MISSING},
        is_open=is_open,
        slots=tuple(_slots(kind)),
        partial_fit=_learns_with(arguments) if callable(learn) else None,
        partial_fit_is_open=partial_fit_is_open,
    )


def _known(dotted: str) -> Signature | None:
    """Return what is remembered of a name, if what the project had to allow is still allowed."""
    content = remembered.recalled(dotted)
    if content is None:
        return None
    if content["allowed"] and content["allowed"] != [*_own_packages()]:
        return None
    plain = content["signature"]
    listed = {name: tuple(plain[name]) for name in ("required", "slots")}
    learns_with = plain["partial_fit"]
    partial_fit = None if learns_with is None else tuple(learns_with)
    return Signature(**{**plain, **listed, "partial_fit": partial_fit})


def _own_packages() -> tuple[str, ...]:
    """Return what is allowed besides, and the project whose modules have these names."""
    return str(project_root()), *allowed_packages()[len(BUILTIN) :]


def _parameters(taken: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    try:
        parameters = inspect.signature(taken).parameters.values()
    except (TypeError, ValueError):  # what is written in C may not tell
        return [], True
    named = [
        each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return named, any(each.kind is each.VAR_KEYWORD for each in parameters)


def _schemas(kind: type) -> dict[str, Any]:
    if isinstance(getattr(kind, "_parameter_constraints", None), Mapping):
        from runner.config.signatures.constraints import constraints_of

        return constraints_of(kind)
    try:
        return {name: rule.schema for name, rule in rules_of(kind).items()}
    except (TypeError, ValueError):
        return {}


def _described(told: str | None) -> dict[str, str]:
    return {"description": told} if told else {}


def _learns_with(arguments: list[inspect.Parameter]) -> tuple[str, ...]:
    """Return the names of what ``partial_fit`` takes, without itself, X and y."""
    return tuple(each.name for each in arguments[2:] if each.name not in ("X", "y"))


def _slots(kind: type) -> Iterable[str]:
    names = {f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__}
    package = kind.__module__.partition(".")[0]

    def has(*methods: str) -> bool:
        return all(callable(getattr(kind, name, None)) for name in methods)

    if not inspect.isabstract(kind):
        yield from (slot for name, slot in KINDS.items() if name in names)
    if package != OURS and has("partial_fit"):
        yield "estimator"
    if package != OURS and has("transform") and (has("fit") or has("partial_fit")):
        yield "preprocessing"
    if has(*TRACKER):
        yield "tracking"
    if package not in (OURS, SKLEARN) or not names.isdisjoint(ARGUMENTS):
        yield "argument"


def _default(kind: type, parameter: inspect.Parameter) -> Any:
    default = parameter.default
    for field in fields(kind) if is_dataclass(kind) else ():
        if field.name == parameter.name and field.default_factory is not MISSING:
            default = field.default_factory()
    return _as_yaml(default)


def _as_yaml(value: Any) -> Any:
    """Return a value as YAML and JSON have it, ``MISSING`` if they cannot say it."""
    if isinstance(value, float) and not isfinite(value):
        return MISSING
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        items = [_as_yaml(item) for item in value]
        return MISSING if MISSING in items else items
    if type(value) is dict:
        values = {key: _as_yaml(item) for key, item in value.items()}
        is_plain = all(isinstance(key, str) for key in value) and MISSING not in values.values()
        return values if is_plain else MISSING
    return MISSING
