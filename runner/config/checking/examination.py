"""Everything that is wrong with an experiment's file and a command line, found at once."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import IConfigRepository
from hydra._internal.hydra import Hydra
from hydra.core.default_element import ResultDefault
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from runner.config.app import prepare
from runner.config.checking.axes import axis_problems, swept
from runner.config.checking.axis import Axis, params_axes
from runner.config.checking.defaults import default_problems, is_unreadable, leaving_out, parents
from runner.config.checking.parting import parted, rest_of
from runner.config.checking.placing import as_remark, causes, in_order, placed
from runner.config.checking.resolution import resolved
from runner.config.checking.shape import shape_problems
from runner.config.checking.typed import openly, read_line, values_of
from runner.config.checking.validation import CLASSES, missing, problems, unlabelled, unset
from runner.config.compose import Composed, located, opened, selected
from runner.config.messages import MISTAKES, translated
from runner.config.reading.scan import scanned, strict_problems
from runner.config.reading.sources import Sources, call, of_files, of_line, on_line
from runner.config.reading.traps import trap_problems
from runner.errors import ConfigError, InvalidConfigError, Problem
from runner.project import builtin, experiment_files
from runner.redaction import remember_under_keys

MOST_PROBLEMS = 100  # more are counted


@dataclass(frozen=True)
class Examination:
    """What was found.

    Parameters
    ----------
    problems : tuple of Problem
        In the order of the file, then of the command line.
    missing : tuple of str
        Keys whose value is still to be given.
    place : str
        What a person calls the file, "" without one.
    sources : Sources
        Who set each key.
    composed : Composed, optional
        The config, where it can be composed.
    """

    problems: tuple[Problem, ...]
    missing: tuple[str, ...] = ()
    place: str = ""
    sources: Sources = field(default_factory=lambda: Sources(()))
    composed: Composed | None = None

    def refuse(self) -> None:
        """Raise what keeps it from being run.

        Raises
        ------
        InvalidConfigError
            With every problem, and every value that is still to be given.
        """
        unset_ = [replace(unset(key), place=self.sources.place(key)) for key in self.missing]
        if self.problems or unset_:
            raise InvalidConfigError([*self.problems, *unset_])


def examined(name: str | None, overrides: Sequence[str] = ()) -> Examination:
    """Examine an experiment, by name or path, with what a command line changes; read no data.

    Parameters
    ----------
    name : str or None
        None where the command line alone describes it.
    overrides : sequence of str
        As they were typed, flags of Hydra among them.
    """
    prepare()
    found, typed = read_line(overrides)
    try:
        path = None if name is None else located(name)
        with _chosen(name) as choice:
            return _Examiner(path, choice, typed, found).examine()
    except ConfigError as error:
        return Examination((*error.problems, *found))


@contextmanager
def _chosen(name: str | None) -> Iterator[list[str]]:
    if name is None:
        yield []
        return
    with selected(name) as choice:
        yield [choice]


class _Examiner:
    """Examines one experiment.

    Parameters
    ----------
    path : Path or None
        Its file.
    choice : sequence of str
        The override that selects it.
    typed : sequence of (str, Override)
        The overrides that can be read.
    found : list of Problem
        What is known already.
    """

    def __init__(
        self,
        path: Path | None,
        choice: Sequence[str],
        typed: Sequence[tuple[str, Override]],
        found: Sequence[Problem],
    ) -> None:
        self._path = path
        self._typed = typed
        self._found = list(found)
        fixed = [(text, each) for text, each in typed if not each.is_sweep_override()]
        self._fixed = [*choice, *(openly(text, each) for text, each in fixed)]
        self._axes = [
            Axis(each.key_or_group, values_of(each), on_line(text), is_listed=False)
            for text, each in typed
            if each.is_discrete_sweep() and each.key_or_group != "experiment"
        ]

    def examine(self) -> Examination:
        """Look at everything, from the text of the file to the values of a sweep."""
        left_out = self._of_files(self._path) if self._path else {}
        if left_out is None:
            return self._ended()
        conf = str(builtin("conf"))
        with leaving_out(left_out), initialize_config_dir(version_base="1.3", config_dir=conf):
            loader = _Loader.of_hydra()
            try:
                config = _composed(loader, self._fixed)
                sources = self._sources(loader)
            except ConfigError as error:
                self._found += error.problems
                return self._ended()
            except MISTAKES as error:
                self._found += self._of_composing(error)
                return self._ended()
            return self._of_config(loader, config, sources)

    def _of_files(self, path: Path) -> dict[Path, frozenset[int]] | None:
        """Look at the files themselves; return what Hydra must leave out, None if all of it."""
        left_out: dict[Path, frozenset[int]] = {}
        can_be_composed = True
        waiting: list[tuple[Path, tuple[Path, ...]]] = [(path, (path,))]
        for file, lineage in waiting:
            root = scanned(Path(call(file)))
            strict = strict_problems(Path(call(file)), root)
            told, bad = default_problems(file, root, [each.stem for each in lineage])
            found = strict or [*shape_problems(file, root), *told]
            self._found += found
            is_readable = len(found) == len(told) and not strict and not is_unreadable(root)
            can_be_composed = can_be_composed and is_readable
            left_out[file.resolve()] = bad
            for name in parents(root):
                parent = experiment_files()[name]
                if parent not in [each for each, _ in waiting]:
                    waiting.append((parent, (*lineage, parent)))
        return left_out if can_be_composed else None

    def _of_composing(self, error: Exception) -> Sequence[Problem]:
        """Say what could not be composed, of the override that the error is about."""
        problems = translated(error).problems
        for text, override in self._typed:
            key = override.key_or_group
            if key in str(error):
                if override.is_delete():
                    return [Problem(key, "is not there to be removed", place=on_line(text))]
                return [replace(each, key=key, place=on_line(text)) for each in problems]
        return problems

    def _sources(self, loader: "_Loader") -> Sources:
        written = of_files(list(loader.repository.get_sources()), loader.defaults)
        texts, overrides = zip(*self._typed, strict=True) if self._typed else ((), ())
        return Sources([*written, *of_line(overrides, texts)])

    def _of_config(
        self, loader: ConfigLoaderImpl, config: DictConfig, sources: Sources
    ) -> Examination:
        composed, lost = parted(config)
        plain, unknown = resolved(composed.config if composed else rest_of(config))
        remember_under_keys(plain)
        found = [*(unknown or lost), *problems(plain)]
        params = OmegaConf.select(config, "hydra.sweeper.params")
        if params is not None:
            params = OmegaConf.to_container(params, resolve=False)
        axes = [*self._axes, *params_axes(params)]
        section = composed.sweep if composed else None
        decided = {each.key_or_group for _, each in self._typed}
        found += axis_problems(section, axes, plain, self._composing(loader), decided)
        if not found and not self._found:  # else that may be why
            found = unlabelled(plain)
        given = swept(section, axes)
        found = [each for each in found if not _is_left_to(each, given)]
        before = {each.key for each in self._found}
        typed = [text for text, _ in self._typed]
        new = [
            placed(each, sources, self._place(), typed) for each in found if each.key not in before
        ]
        told = {(each.place, each.key, each.said): each for each in [*self._found, *new]}
        said = {each.key for each in told.values()}
        more = [each for each in trap_problems(sources) if each.key not in said]
        return Examination(
            self._told([*told.values(), *more], sources),
            tuple(key for key in missing(plain) if not _is_given(key, given)),
            self._place(),
            sources,
            composed,
        )

    def _composing(self, loader: ConfigLoaderImpl) -> Any:
        def compose(choices: Sequence[str]) -> Mapping[str, Any] | None:
            try:
                config = _composed(loader, [*self._fixed, *choices])
            except MISTAKES:
                return None
            return resolved(Composed.from_hydra(config).config)[0]

        return compose

    def _place(self) -> str:
        return call(self._path) if self._path else ""

    def _ended(self) -> Examination:
        found = [
            each if each.place else replace(each, place=self._place()) for each in self._found
        ]
        return Examination(self._told(found, Sources(())), place=self._place())

    def _told(self, found: Sequence[Problem], sources: Sources) -> tuple[Problem, ...]:
        told = sorted(map(as_remark, causes(found, sources)), key=in_order)
        more = len(told) - MOST_PROBLEMS
        rest = [Problem("", f"and {more:,} more", place=self._place())] if more > 0 else []
        return (*told[:MOST_PROBLEMS], *rest)


def _is_given(key: str, swept_: Set[str]) -> bool:
    return any(f"{key}.".startswith(f"{each}.") for each in swept_)


def _is_left_to(problem: Problem, swept_: Set[str]) -> bool:
    """Say whether a value is missing that each member of a sweep has."""
    needed = {problem.key, "estimator"} if problem.key == CLASSES else {problem.key}
    is_unset = problem.said.startswith("must be set")
    return is_unset and any(_is_given(key, swept_) for key in needed)


class _Loader(ConfigLoaderImpl):
    """Composes configs as Hydra does, and keeps of which files the last one was composed.

    To ask Hydra for that apart takes as long again as a third of the composing.
    """

    defaults: Sequence[ResultDefault] = ()

    @classmethod
    def of_hydra(cls) -> Self:
        """Return one with the search path of the Hydra that is initialised."""
        hydra = cast("Hydra", GlobalHydra.instance().hydra)
        return cls(cast("ConfigLoaderImpl", hydra.config_loader).config_search_path)

    def _compose_config_from_defaults_list(
        self, defaults: list[ResultDefault], repo: IConfigRepository
    ) -> DictConfig:
        self.defaults = tuple(defaults)
        return super()._compose_config_from_defaults_list(defaults, repo)


def _composed(loader: ConfigLoaderImpl, overrides: Sequence[str]) -> DictConfig:
    return loader.load_configuration("config", opened(overrides), RunMode.RUN)
