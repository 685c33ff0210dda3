"""Show the record as a table, and runs side by side."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from runner.collecting import importing
from runner.config.words import is_name
from runner.errors import ConfigError, cause, nearest
from runner.verbs.arguments import JSON, check_flags, parser_of, taken, value_of

STATUSES = ("FINISHED", "FAILED", "KILLED", "RUNNING")
OUTPUT, SUFFIX = "--output", ".png"
MOST_NAMED = 4  # runs whose ids are in the name of the picture


def runs(rest: list[str]) -> int:
    """Write recent runs as a table, or for scripts."""
    with importing():
        from runner.compared import show_runs, show_runs_json
        from runner.tracking.client import import_ahead
        from runner.tracking.record import recent_runs

    parser = parser_of("runs")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--status", default="")
    parser.add_argument("--experiment")
    parser.add_argument("--filter", default="")
    parser.add_argument("--members", action="store_true")
    parser.add_argument(JSON, action="store_true")
    asked = parser.parse_args(rest)
    if asked.limit < 1:
        raise ConfigError(
            "--limit", "be at least 1", got=asked.limit, remedy="Leave it out for 20."
        )
    import_ahead()
    found = recent_runs(
        limit=asked.limit,
        parents_only=not asked.members,
        experiment=asked.experiment,
        filter_string=" AND ".join(filter(None, [asked.filter.strip(), _status(asked.status)])),
    )
    if asked.json:
        show_runs_json(found)
    else:
        show_runs(found, is_asked=bool(asked.status or asked.experiment or asked.filter))
    return 0


def _status(asked: str) -> str:
    """Return the filter that finds runs of a status."""
    status = asked.upper()
    if status and status not in STATUSES:
        raise ConfigError(
            "--status", "be one that runs have", got=asked, remedy=nearest(status, STATUSES)
        )
    return f"attributes.status = '{status}'" if status else ""


def compare(rest: list[str]) -> int:
    """Write what differs between runs, and draw their curves."""
    with importing():
        from runner.compared import legend, show_compared, show_compared_json
        from runner.tracking.client import import_ahead
        from runner.tracking.comparison import compare as compared
        from runner.tracking.overlay import overlay

    words = [f"--{word}" if word.startswith("output=") else word for word in rest]
    output, words = value_of(OUTPUT, "FILE.png", words)
    is_json, names = taken(JSON, words)
    check_flags("compare", names, [OUTPUT, JSON])
    unknown = next((word for word in names if not is_name(word)), None)
    if unknown:
        raise ConfigError(
            "`runner compare`",
            "be given runs, and output=FILE.png",
            got=unknown,
            remedy="Runs are compared as the record holds them; leave it out.",
        )
    file = None if output is None else _checked(Path(output))
    import_ahead()
    comparison = compared(names)
    drawn = overlay(legend(comparison), comparison.curves)
    written = None
    if drawn is not None:
        written = _write(drawn, file or _usual([run.run_id for run in comparison.runs]))
    (show_compared_json if is_json else show_compared)(comparison, written)
    return 0


def _checked(file: Path) -> Path:
    """Refuse, before the record is read, a file that cannot become the picture.

    Raises
    ------
    ConfigError
        If it has another suffix, or its folder is not there.
    """
    if file.suffix.lower() != SUFFIX:
        raise ConfigError(
            OUTPUT, f"be a {SUFFIX} file", got=file, remedy=f"Write {file.stem or 'it'}{SUFFIX}."
        )
    if not file.parent.is_dir():
        raise ConfigError(
            OUTPUT,
            "lie in an existing folder",
            got=f"{file.parent}, which is not there",
            remedy="Make the folder, or write the file elsewhere.",
        )
    return file


def _usual(run_ids: Sequence[str]) -> Path:
    """Return the file, in the project's own folder, that the picture is kept in."""
    from runner.project import project_root

    name = "-".join(["compare", *(run_id[:8] for run_id in run_ids)])
    if len(run_ids) > MOST_NAMED:
        name = f"compare-{len(run_ids)}-{sha256(name.encode()).hexdigest()[:8]}"
    return project_root() / ".runner" / f"{name}{SUFFIX}"


def _write(drawn: bytes, file: Path) -> Path:
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(drawn)
    except OSError as error:
        raise ConfigError(
            OUTPUT,
            "be a file that can be written",
            got=cause(error),
            remedy="Write output=FILE.png with another one.",
        ) from error
    return file.resolve()
