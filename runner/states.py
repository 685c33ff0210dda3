"""The state of a learner, apart from the objects that have it."""

import pickle
import re
from collections.abc import Callable
from inspect import isclass
from io import BytesIO
from typing import Any, NoReturn

import numpy as np

from runner.allow import BUILTIN, NOT_OF_SKLEARN, allowed_packages, is_inside
from runner.errors import CheckpointError

# What a state may name: by these very names, which no other module passes on; each only puts
# together what it is given.
BY_NAME = frozenset(
    {
        *(("array", name) for name in ("array", "_array_reconstructor")),
        *(("builtins", name) for name in ("bytearray", "complex", "frozenset", "object")),
        *(("builtins", name) for name in ("range", "set", "slice")),
        *(("collections", name) for name in ("Counter", "OrderedDict", "defaultdict", "deque")),
        ("copyreg", "_reconstructor"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
        ("runner.tracking.spool", "Point"),
        ("scipy._lib.array_api_compat.numpy._aliases", "asarray"),
        ("scipy.interpolate._bsplines", "BSpline"),
        ("sklearn.cluster._kmeans", "_kmeans_single_elkan"),
        ("sklearn.cluster._kmeans", "_kmeans_single_lloyd"),
    }
)
OURS = ("runner.base", "runner.evaluation", "runner.preprocessing", "runner.stream")
GENERATORS = tuple(f"__{kind}_ctor" for kind in ("bit_generator", "generator", "randomstate"))
NUMBERS = (np.generic, np.dtype, np.random.SeedSequence)
MOST_POSITION = 624  # of MT19937, which does not check it itself
SCORES = "sklearn.feature_selection"
_REBUILDS = re.compile(r"__pyx_unpickle_\w+|newObj")  # what Cython makes, each for one class
_ACTS = re.compile(r"sklearn\.(datasets|utils)(\.|$)(?!_bunch$)")


def parts_of(learner: Any) -> list[Any]:
    """Return the learner, and its steps if it is a pipeline whose stages learn with it."""
    return [learner, *getattr(learner, "named_steps", {}).values()]


def state_of(learner: Any) -> list[dict[str, Any]]:
    """Return what the parts of a learner hold; not a copy."""
    return [vars(part) for part in parts_of(learner)]


def set_state(learner: Any, state: list[dict[str, Any]]) -> None:
    """Give the parts of a learner another state, in place."""
    for part, held in zip(parts_of(learner), state, strict=True):
        part.__dict__ = held
        _share_again(held.get("root_"))


def _share_again(node: Any) -> None:
    """Let the nodes of a tree of Birch be views of their own memory, as pickle leaves none.

    They change one array by the other, so that a tree without them would grow otherwise.
    """
    left = [node] if type(node).__name__ == "_CFNode" else []
    while left:
        node = left.pop()
        n_inside = len(node.subclusters_)
        node.centroids_ = node.init_centroids_[:n_inside]
        node.squared_norm_ = node.init_sq_norm_[:n_inside]
        left += [inside.child_ for inside in node.subclusters_ if inside.child_ is not None]


def dumps(learner: Any, value: Any) -> bytes:
    """Pickle something that may refer to the parts of a learner, which are not pickled.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> one, other = SGDClassifier(alpha=0.1), SGDClassifier()
    >>> loads(other, dumps(one, [one, "rows"])) == [other, "rows"]
    True
    >>> set_state(other, loads(other, dumps(one, state_of(one))))
    >>> other.alpha
    0.1
    """
    stream = BytesIO()
    _Pickler(stream, learner).dump(value)
    return stream.getvalue()


def loads(learner: Any, content: bytes, *, is_own: bool = False) -> Any:
    """Return what was pickled, with the parts of this learner in the place of that one's.

    Parameters
    ----------
    learner : object
        What it is of a package of one's own is trusted, as what the project allows.
    content : bytes
        By ``dumps``.
    is_own : bool
        Whether this process wrote it, so that it may hold whatever the learner does.

    Raises
    ------
    CheckpointError
        If it names what is no part of a learner; nothing of that is imported or called.
    """
    kind = _OwnUnpickler if is_own else _Unpickler
    return kind(BytesIO(content), learner).load()


def plain(content: bytes) -> Any:
    """Return what was pickled if it is made of nothing but plain values.

    Raises
    ------
    CheckpointError
        If it names anything.

    Examples
    --------
    >>> plain(pickle.dumps((b"stages", b"fit")))
    (b'stages', b'fit')
    """
    return _PlainUnpickler(BytesIO(content)).load()


class _Pickler(pickle.Pickler):
    def __init__(self, stream: BytesIO, learner: Any) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(part): number for number, part in enumerate(parts_of(learner))}

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        # A part of a larger array would come back in the order of C, and the last bits of a
        # product depend on which axis is next to which in memory.
        if type(obj) is np.ndarray and not obj.flags.forc:
            return obj.copy(order="K").__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return NotImplemented


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise _refused(module, name)


class _OwnUnpickler(pickle.Unpickler):
    def __init__(self, stream: BytesIO, learner: Any) -> None:
        super().__init__(stream)
        self._parts = parts_of(learner)

    def persistent_load(self, pid: Any) -> Any:
        return self._parts[pid]


class _Unpickler(_OwnUnpickler):
    """Finds what learners and their numbers are made of, and nothing else."""

    def __init__(self, stream: BytesIO, learner: Any) -> None:
        super().__init__(stream, learner)
        homes = {type(part).__module__.partition(".")[0] for part in self._parts}
        known = {*BUILTIN, "builtins", "numpy", "scipy"}
        self._own = (*allowed_packages()[len(BUILTIN) :], *(homes - known))
        self._generators: list[Any] = []

    def load(self) -> Any:
        """Return what was pickled, if no random generator in it would read beyond its memory."""
        found = super().load()
        for generator in self._generators:
            _check_position(generator)
        return found

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in BY_NAME:
            return super().find_class(module, name)
        if module == "numpy.random._pickle" and name in GENERATORS:
            return self._kept(super().find_class(module, name))
        is_own = is_inside(module, self._own)
        if "." in name or not (is_own or _may_import(module)):
            raise _refused(module, name)
        found = super().find_class(module, name)
        if isclass(found) and issubclass(found, np.random.BitGenerator):
            return found.__name__  # what makes one takes its name too, and is watched
        defined = getattr(found, "__module__", None) or ""
        if is_inside(defined, self._own) if is_own else _only_holds(found, defined, name):
            return found
        raise _refused(module, name)

    def _kept(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any) -> Any:
            self._generators.append(generator := make(*arguments))
            return generator

        return made


def _check_position(generator: Any) -> None:
    if isinstance(generator, np.random.RandomState):
        state = generator.get_state(legacy=False)
    else:
        state = getattr(generator, "bit_generator", generator).state
    position = dict(state["state"]).get("pos", 0)
    if not 0 <= position <= MOST_POSITION:
        raise CheckpointError(
            "A random generator of the saved state",
            f"stand at a position up to {MOST_POSITION}",
            got=position,
            remedy="Start the run anew.",
        )


def _may_import(module: str) -> bool:
    known = (*OURS, "numpy", "scipy.sparse", "sklearn")
    if module.startswith("numpy."):
        return is_inside(module, ("numpy._core", "numpy.dtypes", "numpy.random"))
    return is_inside(module, known) and not NOT_OF_SKLEARN.match(module)


def _only_holds(found: Any, defined: str, name: str) -> bool:
    """Say whether a class or a function of the libraries does no more than hold or compute."""
    if isinstance(found, np.ufunc):
        return True
    if not _may_import(defined):
        return False
    if not isclass(found):
        rebuilds = _REBUILDS.fullmatch(name) and is_inside(defined, ("sklearn",))
        return bool(rebuilds) or is_inside(defined, (SCORES,))
    if is_inside(defined, ("numpy",)):
        return found is np.ndarray or issubclass(found, NUMBERS)
    if is_inside(defined, ("sklearn",)):
        return not _ACTS.match(defined)
    return True


def _refused(module: str, name: str) -> CheckpointError:
    return CheckpointError(
        "The saved state",
        "hold nothing but what learners and numbers are made of",
        got=f"{module}.{name}",
        remedy="Start the run anew. If that is your own, allow its package as for a _target_: "
        "allow under [tool.runner] in the project's pyproject.toml.",
    )
