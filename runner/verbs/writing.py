"""Write what helps to write experiments."""

import sys

from runner.config.words import is_name
from runner.errors import ConfigError, nearest
from runner.project import option_groups, project_root
from runner.verbs.arguments import check_flags, value_of


def new(rest: list[str]) -> int:
    """Begin an experiment of one's own."""
    from runner.starting import start, told

    origin, others = value_of("--from", "an experiment", rest)
    check_flags("new", others, ["--from"])
    if len(others) != 1 or not is_name(others[0]):
        raise ConfigError(
            "The new experiment",
            "be named, and nothing else",
            got=" ".join(others) or "nothing",
            remedy="Write `runner new NAME`, or `runner new NAME --from X`.",
        )
    started = start(others[0], origin or "quickstart")
    sys.stdout.write(told(started, option_groups()))
    return 0


def schema(rest: list[str]) -> int:
    """Write the JSON Schema of an experiment, to the project or to standard output."""
    from runner.config.signatures.editor import schema_text
    from runner.starting import schema_comment, write_schema

    check_flags("schema", [word for word in rest if word != "--write"], ["--write"])
    others = [word for word in rest if word != "--write"]
    if others:
        raise ConfigError(
            "`runner schema`",
            "stand alone, or with --write",
            got=" ".join(others),
            remedy="Write `runner schema --write`.",
        )
    if "--write" not in rest:
        sys.stdout.write(schema_text().rstrip("\n") + "\n")
        return 0
    file = write_schema(schema_text())
    sys.stdout.write(
        f"wrote {file.relative_to(project_root())} in {project_root()}\n"
        "an editor reads it by this comment, behind the first line of a file in experiments/:\n"
        f"{schema_comment()}\n"
    )
    return 0


def completion(rest: list[str]) -> int:
    """Write the script that lets a shell complete what is typed."""
    from runner.completion import SCRIPTS

    if len(rest) != 1 or rest[0] not in SCRIPTS:
        got = " ".join(rest) or "nothing"
        raise ConfigError(
            "The shell", f"be one of {', '.join(SCRIPTS)}", got=got, remedy=nearest(got, SCRIPTS)
        )
    sys.stdout.write(SCRIPTS[rest[0]])
    return 0
