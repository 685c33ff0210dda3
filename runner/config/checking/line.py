"""What a command line must not ask of Hydra, told before Hydra sees it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from runner.config.reading.nodes import refuse
from runner.config.reading.scan import climbs, reaches_hydra
from runner.config.reading.sources import on_line
from runner.errors import Problem
from runner.project import overlay, project_root
from runner.redaction import redacted
from runner.spelling import similar

FLAGS: Mapping[str, Sequence[str]] = {  # and what may follow; of "" anything
    **dict.fromkeys(("--help", "-h", "--hydra-help", "--version", "--resolve"), ()),
    **dict.fromkeys(("--multirun", "-m", "--run", "-r", "--shell-completion", "-sc"), ()),
    **dict.fromkeys(("--cfg", "-c"), ("job", "hydra", "all")),
    **dict.fromkeys(("--package", "-p"), ("",)),
    **dict.fromkeys(
        ("--info", "-i"), ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
    ),
}
OPTIONAL = ("--info", "-i")
OURS = ("--dry-run", "--fail-fast", "--quiet", "--json")  # flags of `runner run`, taken out before
_OWN_FOLDERS = "put options into the project's conf/ and experiments into its experiments/"
REFUSED = {
    "--experimental-rerun": (
        "must not be used: it reads a pickle, which can run any code",
        "use `runner resume` or `runner reproduce`",
    ),
    "--config-dir": ("must not be used: it reads options of any folder", _OWN_FOLDERS),
    "--config-path": ("must not be used: it replaces the runner's own options", _OWN_FOLDERS),
    "--config-name": (
        "must not be used: it replaces the runner's own config",
        "name the experiment, or its file: runner run path/to/file.yaml",
    ),
}
SHORT = {"-cd": "--config-dir", "-cp": "--config-path", "-cn": "--config-name"}
FREE = ("verbose", "mode")
SECTIONS = ("launcher", "sweeper")
INSTEAD = {
    "callbacks": "choose from the group callbacks",
    "job": "set variables in the shell",
    "run": "MLflow keeps the files of a run: see `runner runs`",
    "sweep": "MLflow keeps the files of a run: see `runner runs`",
    "output_subdir": "MLflow keeps the files of a run: see `runner runs`",
    "searchpath": "name folders inside the project, as in hydra.searchpath=[file://${PWD}/more]",
}
MOST_CHARACTERS, MOST_DEPTH = 10_000, 50
OPTION = "write the name of a file in the project's conf/, without .. and without references"


def line_problems(arguments: Sequence[str]) -> list[Problem]:
    """Return what a command line must not say, which Hydra would do.

    Parameters
    ----------
    arguments : sequence of str
        Without the verb and without flags of our own.

    Returns
    -------
    list of Problem
        Each with the argument, without secrets, as its place.

    Raises
    ------
    InvalidConfigError
        If an argument is too large to be read.

    Examples
    --------
    >>> print(*line_problems(["--multrun", "seed=1,2", "hydra.run.dir=/tmp"]), sep=chr(10))
    command line (--multrun): --multrun: is no flag of the runner
        did you mean '--multirun'?
    command line (hydra.run.dir=/tmp): hydra.run.dir: must not be set on the command line
        MLflow keeps the files of a run: see `runner runs`
    """
    for text in arguments:
        _check_size(text)
    found = []
    asks = bool({*OPTIONAL} & {*arguments})
    rest = iter(arguments)
    for text in rest:
        if text.startswith("-"):
            found += _of_flag(text, rest)
        elif asks and text in FLAGS["--info"]:
            continue
        elif "=" not in text and not text.startswith("~"):
            key, colon, value = text.partition(":")
            remedy = f"write {key}={value}" if colon else f"write {text}=..."
            found.append(Problem(text, "sets nothing", remedy, on_line(text)))
        else:
            found += _of_override(text)
    return found


def _check_size(text: str) -> None:
    """Refuse an argument that is too large, or too deep, to be read at all."""
    depth = most = 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        most = max(most, depth)
    key = text.partition("=")[0][:40]
    remedy = "write an experiment's file"
    if len(text) > MOST_CHARACTERS:
        said = f"must have at most {MOST_CHARACTERS:,} characters; got {len(text):,}"
        refuse(on_line(key), said, remedy)
    if most > MOST_DEPTH:
        said = f"must be nested at most {MOST_DEPTH} levels deep; got {most}"
        refuse(on_line(key), said, remedy)


def _of_flag(text: str, rest: Iterator[str]) -> list[Problem]:
    flag, equals, value = text.partition("=") if text.startswith("--") else (text, "", "")
    choices = FLAGS.get(flag)
    if choices is None or (equals and not choices):
        return [_no_flag(text, flag)]
    if not choices or (flag in OPTIONAL and not equals):
        return []
    value = value if equals else next(rest, "")
    if value and (value in choices or ("" in choices and not value.startswith("-"))):
        return []
    said = f"must be followed by {' or '.join(filter(None, choices)) or 'a name'}"
    return [Problem(flag, f"{said}; got {redacted(value) or 'nothing'}", "", on_line(text))]


def _no_flag(text: str, flag: str) -> Problem:
    short = flag[:3] if flag[:2] != "--" else ""
    meant = SHORT.get(short) or _abbreviated(flag, REFUSED)
    if meant and not _abbreviated(flag, FLAGS):
        return Problem(meant, *REFUSED[meant], on_line(text))
    if flag.startswith("--") and "=" in text:
        return Problem(flag, "is no flag of the runner", f"write {text[2:]}", on_line(text))
    names = [*OURS, *(name for name in FLAGS if name.startswith("--"))]
    near = [name for name in [_abbreviated(flag, FLAGS)] if name] or similar(flag, names)
    one_letter = flag[:2] if flag[:2] in FLAGS else ""
    guess = f"{one_letter} {flag[2:]}" if one_letter and FLAGS[one_letter] else one_letter
    told = near[0] if near else guess
    remedy = f"did you mean '{told}'?" if told else "see `runner --help`"
    return Problem(flag, "is no flag of the runner", remedy, on_line(text))


def _abbreviated(flag: str, names: Mapping[str, Any]) -> str:
    """Return the one long name that an abbreviation may mean, "" if there is none or several."""
    found = [name for name in names if flag.startswith("--") and name.startswith(flag)]
    return found[0] if len(found) == 1 and len(flag) > len("--") else ""


def _of_override(text: str) -> list[Problem]:
    typed, _, value = text.partition("=")
    key = typed.lstrip("+~")
    if not key.strip() or "@" in key:
        said = "must be the key of a setting, or a group of options"
        return [Problem(key or "=", said, "write group=option or key=value", on_line(text))]
    if reaches_hydra(key):
        refused = _of_hydra(text, key, value)
        return [] if refused is None else [refused]
    if _is_group(key) and _leaves(value):
        said = f"must name an option of its group; got {redacted(value)}"
        return [Problem(key, said, OPTION, on_line(text))]
    return []


def _of_hydra(text: str, key: str, value: str) -> Problem | None:
    first, *names = re.split(r"[./]", key)
    name = names[0] if names else ""
    is_plain = first == "hydra" and re.fullmatch(r"hydra([./][\w-]+)+", key) is not None
    if not text.startswith("~") and is_plain and _is_open(key, name, names[1:], value):
        return None
    remedy = INSTEAD.get(name, "leave it out")
    if name in (*SECTIONS, *FREE):
        remedy = "leave out whatever names code, another place, or a reference"
    return Problem(key, "must not be set on the command line", remedy, on_line(text))


def _is_open(key: str, name: str, inner: list[str], value: str) -> bool:
    """Say whether a setting of Hydra's can do no more than choose how the runs are launched."""
    if name in FREE or key == "hydra.job.name":
        return not inner[1:] and not _leaves(value) and "/" not in value
    if name == "searchpath":
        return not inner and _is_inside(value)
    if name not in SECTIONS:
        return False
    if key.startswith("hydra/"):
        return not inner and not _leaves(value)
    own = not any(part.startswith("_") or part == "hydra" for part in inner)
    return own and _is_plain(_value_of(value))


def _value_of(value: str) -> Any:
    """Read a value as Hydra does; what it cannot read it refuses itself."""
    with suppress(HydraException):
        return OverridesParser.create().parse_override(f"x={value}").value()
    return None


def _is_plain(value: Any) -> bool:
    """Say whether no key of Hydra's, such as ``_target_``, is in a value, nor a way to one."""
    if isinstance(value, Mapping):
        keys = [str(key).strip(" \\") for key in value]
        named = any(key.startswith("_") or reaches_hydra(key) for key in keys)
        return not named and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    inner = getattr(value, "list", None)  # of a choice between several
    if inner is not None:
        return all(map(_is_plain, inner))
    told = re.sub(r"\$\{oc\.env:\w+\}", "", str(value))
    return "${" not in told and "_target_" not in told


def _is_inside(value: str) -> bool:
    folders = _value_of(value)
    if not isinstance(folders, list) or not all(isinstance(each, str) for each in folders):
        return False
    root = project_root().resolve()
    for each in folders:
        scheme, _, folder = each.rpartition("://")
        path = Path(folder).resolve()
        if scheme not in ("", "file", "experiments") or "${" in each:
            return False
        if not path.is_relative_to(root):
            return False
    return True


def _is_group(key: str) -> bool:
    if "." in key:
        return False
    folders = [folder / key for folder in overlay("conf")]
    return key == "experiment" or "/" in key or any(folder.is_dir() for folder in folders)


def _leaves(value: str) -> bool:
    """Say whether a choice, or one of several, is no name of an option of its group.

    Examples
    --------
    >>> [_leaves(text) for text in ("iris", "[a,'../b']", "choice(a,/b)", "${a}", "{a: ../b}")]
    [False, True, True, True, False]
    """
    if value.lstrip().startswith("{"):  # the values of keys: no choice at all
        return False
    words = re.split(r"[\s,()\[\]'\"=]+", value.replace("\\", ""))
    return "${" in value or any(map(climbs, words))
