"""Start an experiment of one's own, and a project where there is none.

Standard library only, so that it is quick.
"""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ConfigError, cause, nearest
from runner.project import experiment_files, is_path, project_root

SCHEMA_FILE = Path(".runner") / "experiment.schema.json"
IGNORED = ("/.runner/", "/mlflow.db*", "/mlruns/")
MOST_CHARACTERS = 100
MOST_BYTES = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_MODELINE = re.compile(r"#\s*yaml-language-server:")
_NO_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True)
class Started:
    """What was made for a new experiment.

    Parameters
    ----------
    project : Path
        The folder of the project.
    made : tuple of Path
        Files, the experiment's first.
    origin : str
        The experiment that it was made from.
    hides : bool
        Whether an experiment of that name comes along with the runner.
    """

    project: Path
    made: tuple[Path, ...]
    origin: str
    hides: bool = False


def start(name: str, origin: str = "quickstart") -> Started:
    """Write a new experiment into the project; without one, the working directory becomes one.

    Parameters
    ----------
    name : str
        Its name; letters, digits, ``_`` and ``-``.
    origin : str
        The experiment that it begins as, by its name or by the path of its file.

    Raises
    ------
    ConfigError
        If the name is no plain one, the experiment is there already, there is nothing to make it
        from, or it cannot be written.
    """
    _check_name(name)
    source = _source(origin)
    project = project_root()
    folder = project / "experiments"
    file = folder / f"{name}.yaml"
    is_first = not folder.is_dir()
    _check_inside(folder, project)
    hides = name in experiment_files()
    has_schema = (project / SCHEMA_FILE).is_file()
    text = written_anew(_read(source), source.stem, name, has_schema=has_schema)
    try:
        folder.mkdir(exist_ok=True)
        _write_new(file, text)
        made = [file]
        ignored = project / ".gitignore"
        if is_first and not os.path.lexists(ignored):
            _write_new(ignored, "\n".join(["# what runs leave", *IGNORED]) + "\n")
            made.append(ignored)
    except FileExistsError:
        raise ConfigError(
            f"The experiment {name}",
            "not be there yet",
            got=str(file),
            remedy="Take another name, or edit the file.",
        ) from None
    except OSError as error:
        raise _unwritable(project, error) from error
    return Started(project, tuple(made), origin, hides)


def written_anew(text: str, old: str, new: str, *, has_schema: bool = False) -> str:
    r"""Return the text of an experiment under another name.

    Parameters
    ----------
    text : str
        Of the file.
    old, new : str
        The names.
    has_schema : bool
        Whether a comment tells editors of the project's schema. It stands behind the first
        comments, because the very first one is the description in ``runner list``.

    Examples
    --------
    >>> print(written_anew("# rows\n#   runner run a seed=1\nname: a\n", "a", "b"), end="")
    # rows
    #   runner run b seed=1
    name: b
    """
    command = re.compile(rf"(\brunner \w+ )(?:\S*/)?{re.escape(old)}(?:\.yaml)?(?=[\s`'\",.;)]|$)")
    named = re.compile(r"^name:.*?(?=\s+#|$)")
    lines = [
        command.sub(rf"\g<1>{new}", named.sub(f"name: {_scalar(new)}", line))
        for line in text.splitlines()
        if not _MODELINE.match(line)
    ]
    if not lines or not lines[0].startswith("#"):
        lines.insert(0, f"# {new}, which began as {old}")
    if has_schema:
        n_first = next((i for i, line in enumerate(lines) if line[:1] != "#"), len(lines))
        lines.insert(n_first, schema_comment())
    return "\n".join(lines) + "\n"


def schema_comment() -> str:
    """Return the comment that tells an editor where the schema of an experiment is.

    Examples
    --------
    >>> schema_comment()
    '# yaml-language-server: $schema=../.runner/experiment.schema.json'
    """
    return f"# yaml-language-server: $schema=../{SCHEMA_FILE.as_posix()}"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > MOST_CHARACTERS:
        rule = f"be 1 to {MOST_CHARACTERS} letters, digits, _ and -, with no - at the beginning"
    elif _is_number(name) or name.lower() in ("null", "true", "false"):
        rule = "be a word, which the command line cannot take for something else"
    else:
        return
    raise ConfigError(
        "The name of an experiment",
        rule,
        got=repr(name),
        remedy="Write a name such as my_rows; the file will be experiments/my_rows.yaml.",
    )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _scalar(name: str) -> str:
    """Return a name as YAML reads it as text.

    Examples
    --------
    >>> _scalar("my_rows"), _scalar("no")
    ('my_rows', '"no"')
    """
    is_plain = name[0].isalpha() and name.lower() not in _NO_TEXT
    return name if is_plain else json.dumps(name)


def _source(origin: str) -> Path:
    if is_path(origin):
        path = Path(origin)
        if path.is_file():
            return path
        remedy = "Check the path, or see `runner list` for the names."
        raise ConfigError("The experiment's file", "exist", got=origin, remedy=remedy)
    known = experiment_files()
    if origin in known:
        return known[origin]
    raise ConfigError(
        "The experiment after --from",
        "be one of those there are",
        got=origin,
        remedy=nearest(origin, known),
    )


def _read(source: Path) -> str:
    try:
        with source.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        got = cause(error)
    else:
        if len(text) <= MOST_BYTES:
            return text
        got = "a larger one"
    raise ConfigError(
        f"The experiment's file {source}",
        f"be text of at most {MOST_BYTES:,} characters",
        got=got,
        remedy="Name an experiment that `runner show` can show.",
    )


def _check_inside(folder: Path, project: Path) -> None:
    is_folder = folder.is_dir() or not os.path.lexists(folder)
    if not is_folder or not folder.resolve().is_relative_to(project.resolve()):
        raise ConfigError(
            f"{folder}",
            "be a folder in the project",
            got=str(folder.resolve()),
            remedy=f"Make it a folder of {project} itself, no file and no link.",
        )


def _write_new(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)


def told(started: Started, folders: Iterable[str]) -> str:
    """Say what was made and what comes next.

    Parameters
    ----------
    started : Started
        By ``start``.
    folders : iterable of str
        The groups that options can be added to.
    """
    name = started.made[0].stem
    made = [file.relative_to(started.project) for file in started.made]
    lines = [f"made {made[0]} from {started.origin}, in {started.project}"]
    lines += [f"made {file}, which leaves out what runs leave" for file in made[1:]]
    if started.hides:
        lines.append(f"it comes before the {name} that `runner list` showed until now")
    lines.append(f"own options go into conf/GROUP/NAME.yaml; GROUP: {', '.join(folders)}")
    lines.append(f"next: runner run {name}")
    return "\n".join(lines) + "\n"


def write_schema(text: str) -> Path:
    """Put the schema of an experiment where the comment of ``schema_comment`` finds it.

    Raises
    ------
    ConfigError
        If it cannot be written there.
    """
    project = project_root()
    file = project / SCHEMA_FILE
    _check_inside(file.parent, project)
    try:
        file.parent.mkdir(exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise _unwritable(project, error) from error
    return file


def _unwritable(project: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The project {project}",
        "be a folder that can be written to",
        got=cause(error),
        remedy="Make it writable, or go to another folder.",
    )
