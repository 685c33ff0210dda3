"""Which names a file may have built: scikit-learn's and ours, and what the project allows."""

import os
import re
import tomllib
from functools import lru_cache
from inspect import isclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from runner.errors import ConfigError
from runner.names import find
from runner.project import project_root

ALLOW_VARIABLE = "RUNNER_ALLOW"
BUILTIN = ("runner", "sklearn")
# Nothing else of ours is a part of an experiment; more of it writes files and starts processes.
OPTION_MODULES = (
    *("runner.callbacks", "runner.cluster", "runner.dataset", "runner.evaluation.evaluation"),
    *("runner.experiment", "runner.fit.options", "runner.stream.stream", "runner.sweeps.halving"),
    *("runner.tracking.memory_tracker", "runner.tracking.mlflow_tracker"),
)
OPTIONS = frozenset(  # a class is one, or is derived from one
    {
        "runner.base.Callback",
        "runner.cluster.cluster.Cluster",
        "runner.dataset.dataset.Dataset",
        "runner.evaluation.evaluation.Evaluation",
        "runner.experiment.Experiment",
        "runner.fit.options.FitOptions",
        "runner.stream.stream.Stream",
        "runner.sweeps.halving.Halving",
        "runner.tracking.memory_tracker.MemoryTracker",
        "runner.tracking.mlflow_tracker.MlflowTracker",
    }
)
NOT_OF_SKLEARN = re.compile(r"sklearn(\.\w+)*\.(callback|conftest|externals|tests)(\.|$)")
MAKERS = "sklearn.datasets._samples_generator"
MOST_CHARACTERS = 200  # of a name
DASK = frozenset({"arange", "eye", "full", "indices", "linspace", "ones", "tri", "zeros"})
DASK_RANDOM = frozenset(
    {
        *("beta", "binomial", "chisquare", "exponential", "f", "gamma", "geometric", "gumbel"),
        *("hypergeometric", "laplace", "logistic", "lognormal", "logseries", "multinomial"),
        *("negative_binomial", "noncentral_chisquare", "noncentral_f", "normal", "pareto"),
        *("poisson", "power", "randint", "random", "random_integers", "random_sample"),
        *("rayleigh", "standard_cauchy", "standard_exponential", "standard_gamma"),
        *("standard_normal", "standard_t", "triangular", "uniform", "vonmises", "wald"),
        *("weibull", "zipf"),
    }
)
COMPUTE = ("sklearn.datasets.make_*", "NumPy's ufuncs", "what makes an array in dask.array")


def allowed_packages() -> tuple[str, ...]:
    """Return the packages and modules whose names may be built.

    Ours are scikit-learn and the runner. A project adds its own in its ``pyproject.toml``::

        [tool.runner]
        allow = ["my_package"]

    and a shell in ``$RUNNER_ALLOW``, separated by commas. An experiment's file cannot.
    """
    named = os.environ.get(ALLOW_VARIABLE, "").split(",")
    extra = (*_from_pyproject(project_root() / "pyproject.toml"), *map(str.strip, named))
    return (*BUILTIN, *(name for name in extra if name))


def allows_code() -> bool:
    """Say whether the project, or the shell, allows code of its own."""
    return len(allowed_packages()) > len(BUILTIN)


def resolve(key: str, dotted: str) -> Any:
    """Import what a dotted name means, if the name and where it is defined are allowed.

    Nothing outside the allowed packages is imported or passed through. Of scikit-learn and the
    runner it is a class: an estimator or a kernel, and a part of an experiment.

    Parameters
    ----------
    key : str
        Where the name stands in the config, for messages.
    dotted : str
        Such as ``sklearn.linear_model.SGDClassifier`` or ``my_package.datasets:load``.

    Raises
    ------
    ConfigError
        If it is not allowed, is private, or there is no such thing.
    """
    packages = allowed_packages()
    own = packages[len(BUILTIN) :]
    if not is_inside(dotted, own) and is_inside(dotted, ("runner",)):
        packages = (*OPTION_MODULES, *own)
    found = _found(key, dotted, packages)
    if is_inside(getattr(found, "__module__", None) or "", own):
        return found
    if not isclass(found):
        _refuse(
            key,
            dotted,
            "a class",
            "A function that makes a dataset goes under dataset=function.",
        )
    if is_inside(found.__module__, ("runner",)):
        lineage = {f"{base.__module__}.{base.__qualname__}" for base in found.__mro__}
        if not lineage & OPTIONS:
            _refuse(key, dotted, "a part of an experiment", "`runner list` shows the options.")
    elif not hasattr(found, "get_params"):
        _refuse(key, dotted, "an estimator", "`runner list` shows the options.")
    return found


def resolve_function(key: str, dotted: str) -> Any:
    """Import a function that a file names, if it only computes or the project allows it.

    Of the libraries only what makes data or is a ufunc is allowed: a function is called with the
    arguments of the file, and others of theirs delete, read or write files.

    Raises
    ------
    ConfigError
        If it is not allowed, or there is no such thing.
    """
    own = allowed_packages()[len(BUILTIN) :]
    if is_inside(dotted, own):
        return _found(key, dotted, own)
    module, _, name = dotted.replace(":", ".").rpartition(".")
    if module == "numpy" and (ufunc := _ufunc(name)) is not None:
        return ufunc
    makes_data = module == "sklearn.datasets" and name.startswith("make_")
    if makes_data:
        return _found(key, dotted, (MAKERS, "sklearn.datasets"))
    if name in {"dask.array": DASK, "dask.array.random": DASK_RANDOM}.get(module, ()):
        return find(key, dotted)
    raise _refused(key, dotted, (*COMPUTE, *own))


def forbidden_value(target: type | str, name: str, value: object) -> str | None:
    """Say why an argument of a target must not have a value, though the target would take it.

    Parameters
    ----------
    target : type or str
        A class, or its dotted name; a name is not imported.
    name : str
        Of the argument.
    value : object
        As a file gives it.

    Returns
    -------
    str or None
        Such as "must be null; got '/tmp': ..."; None if there is nothing against it.

    Examples
    --------
    >>> print(forbidden_value("sklearn.pipeline.Pipeline", "memory", "/tmp"))
    must be null; got '/tmp': it would write files there that no record knows of
    >>> forbidden_value("sklearn.linear_model.SGDClassifier", "loss", "hinge")
    """
    modules = [base.__module__ for base in target.__mro__] if isclass(target) else [str(target)]
    if not any(is_inside(module, ("sklearn",)) for module in modules):
        return None
    if name == "memory" and value is not None:
        return f"must be null; got {value!r}: it would write files there that no record knows of"
    if name == "input" and value != "content":
        return f"must be content; got {value!r}: it would open the files that the rows name"
    return None


def is_inside(dotted: str, packages: tuple[str, ...]) -> bool:
    """Say whether a name is that of one of some packages or modules, or of something in them.

    Examples
    --------
    >>> is_inside("sklearn.svm:SVC", ("sklearn",)), is_inside("sklearnfake", ("sklearn",))
    (True, False)
    """
    dotted = dotted.replace(":", ".")
    return any(dotted == name or dotted.startswith(f"{name}.") for name in packages)


def _found(key: str, dotted: str, packages: tuple[str, ...]) -> Any:
    """Import a public name, and go through no module of another package."""
    named = dotted.replace(":", ".")
    parts = named.split(".")
    is_no_name = len(dotted) > MOST_CHARACTERS or any(part.startswith("_") for part in parts)
    if is_no_name or NOT_OF_SKLEARN.match(named) or not is_inside(dotted, packages):
        raise _refused(key, dotted, packages)

    def check(found: Any) -> None:
        is_module = isinstance(found, ModuleType)
        defined = found.__name__ if is_module else getattr(found, "__module__", None) or ""
        # The packages around an allowed module are gone through, and are no answer.
        around = any(is_inside(name, (defined,)) for name in packages) and is_module
        if NOT_OF_SKLEARN.match(defined) or not (is_inside(defined, packages) or around):
            raise _refused(key, dotted, packages)

    return find(key, dotted, check)


def _ufunc(name: str) -> Any:
    import numpy as np

    found = vars(np).get(name)
    return found if isinstance(found, np.ufunc) else None


def _refuse(key: str, dotted: str, kind: str, remedy: str) -> NoReturn:
    raise ConfigError(key, f"name {kind}", got=dotted, remedy=remedy)


def _refused(key: str, dotted: str, packages: tuple[str, ...]) -> ConfigError:
    own = dotted[:MOST_CHARACTERS].replace(":", ".").split(".")[0]
    named = dict.fromkeys("runner" if is_inside(name, ("runner",)) else name for name in packages)
    if own in BUILTIN:
        remedy = "Choose one of their public classes; `runner list` shows the options."
    else:
        remedy = (
            f'If you trust it, add allow = ["{own}"] under [tool.runner] in the '
            f"project's pyproject.toml, or set {ALLOW_VARIABLE}={own} in the shell."
        )
    rule = f"name something of {', '.join(named)}"
    cut = dotted if len(dotted) <= MOST_CHARACTERS else f"{dotted[:MOST_CHARACTERS]} ..."
    return ConfigError(key, rule, got=cut, remedy=remedy)


def _from_pyproject(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    found = path.stat()
    return _allowed_in(path, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(maxsize=4)  # it is asked for each target of each member of a sweep
def _allowed_in(path: Path, _stamp: tuple[int, int, int]) -> tuple[str, ...]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            str(path), "be readable TOML", got=str(error), remedy="Mend the file."
        ) from error
    ours = table.get("tool", {}).get("runner", {})
    unknown = [key for key in ours if key != "allow"] if isinstance(ours, dict) else []
    if unknown:
        raise ConfigError(
            f"[tool.runner] of {path}",
            "have the key allow, and no other",
            got=", ".join(unknown),
            remedy='Write allow = ["my_package"].',
        )
    allowed = ours.get("allow", []) if isinstance(ours, dict) else ours
    if not isinstance(allowed, list) or not all(isinstance(name, str) for name in allowed):
        raise ConfigError(
            f"[tool.runner] of {path}",
            "have a list of names as allow",
            got=repr(allowed),
            remedy='Write allow = ["my_package"].',
        )
    return tuple(allowed)
