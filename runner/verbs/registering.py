"""Put the model of a run into MLflow's registry."""

import sys
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from runner.collecting import importing
from runner.verbs.arguments import JSON, parser_of

if TYPE_CHECKING:
    from runner.tracking.registry import Registered


def register(rest: list[str]) -> int:
    """Register the model of a run, or of a sweep's best member, under a name."""
    with importing():
        from runner.terminal import show_json
        from runner.tracking.client import import_ahead
        from runner.tracking.registry import register

    parser = parser_of("register")
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("--alias", action="append", default=[])
    parser.add_argument(JSON, action="store_true")
    asked = parser.parse_args(rest)
    import_ahead()
    registered = register(asked.run, asked.name, asked.alias)
    if asked.json:
        show_json({**asdict(registered), "uri": registered.uri})
    else:
        show(registered)
    return 0


def show(registered: "Registered") -> None:
    """Write which version of a name a model is, and how to load and to serve it."""
    from runner.redaction import redacted
    from runner.terminal import score_text, show_pairs

    version, uri = str(registered.version), registered.uri
    scores = [f"{name} {score_text(score)}" for name, score in registered.scores.items()]
    run = f"{registered.run_id} ({registered.run_name})"
    if registered.sweep:
        run += f", the best member of the sweep {registered.sweep[:8]}"
    rows = [("version", version if registered.is_new else f"{version}, as which it was there")]
    for alias in registered.aliases:
        before = registered.moved.get(alias)
        rows.append(("alias", f"{alias}, taken from version {before}" if before else alias))
    rows += [("run", run)]
    if registered.status != "FINISHED":
        rows.append(("note", f"the run did not finish: {registered.status}"))
    rows += [
        ("model", registered.model),
        ("scores", ", ".join(scores) or "none"),
        ("store", f"export MLFLOW_TRACKING_URI={quote(registered.store)}"),
        ("load", f'mlflow.pyfunc.load_model("{uri}")'),
        (
            "serve",
            f"{_where()}mlflow models serve -m {quote(uri)} --env-manager local --port 5001",
        ),
    ]
    sys.stdout.write(f"{redacted(registered.name)}\n")
    show_pairs(rows)


def _where() -> str:
    """Return what lets a shell find MLflow, and MLflow the server that it starts by its name."""
    from shutil import which

    return "" if which("uvicorn") else f"PATH={quote(str(Path(sys.executable).parent))}:$PATH "
