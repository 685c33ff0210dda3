"""Look at the record and at the installation."""

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.collecting import importing
from runner.errors import ConfigError, Terminated
from runner.verbs.arguments import JSON, WRONG, parser_of

if TYPE_CHECKING:
    from runner.tracking.record import RecordedRun

LAST_PORT = 65_535


def ui(rest: list[str]) -> int:
    """Serve MLflow's user interface until Ctrl-C, and open it where a person sits."""
    with importing():
        from runner.tracking.client import import_ahead
        from runner.tracking.server import serve
        from runner.tracking.termination import terminated_by_signal

    parser = parser_of("ui")
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--no-open", action="store_true")
    asked = parser.parse_args(rest)
    if not 0 <= asked.port <= LAST_PORT:
        raise ConfigError(
            "--port", f"be 0 to {LAST_PORT}", got=asked.port, remedy="Leave it out for 5000."
        )
    import_ahead()
    chosen = _chosen(asked.runs)
    stops = suppress(KeyboardInterrupt, Terminated)
    with stops, terminated_by_signal(), serve(port=asked.port) as interface:
        link = _link(interface.base_url, chosen)
        sys.stdout.write(f"{link}\n")
        if interface.was_there:
            sys.stdout.write("it is served there already, by another process\n")
        elif interface.process is not None:
            sys.stdout.write("Ctrl-C ends it\n")
        sys.stdout.flush()
        if sys.stdout.isatty() and not asked.no_open:
            _open(link)
        interface.wait()
    return 0


def _chosen(asked: list[str]) -> "list[RecordedRun]":
    """Return the runs that are asked for, each once; without any the latest, if it is a sweep."""
    from runner.tracking.record import find_run, recent_runs

    if asked:
        return list({run.run_id: run for run in map(find_run, asked)}.values())
    return [run for run in recent_runs(limit=1) if run.is_sweep]


def _link(base_url: str, chosen: "list[RecordedRun]") -> str:
    from runner.tracking.links import compare_page
    from runner.tracking.record import run_link

    if len(chosen) <= 1:
        return run_link(base_url, chosen[0] if chosen else None)
    experiments = [run.experiment_id for run in chosen]
    return compare_page(base_url, experiments, [run.run_id for run in chosen])


def _open(link: str) -> None:
    """Open a page in the person's browser, where there is one with a window."""
    import webbrowser

    with suppress(webbrowser.Error, OSError):
        browser = webbrowser.get()
        # One without a window would take the terminal; who names one wants it.
        if type(browser) is not webbrowser.GenericBrowser or "BROWSER" in os.environ:
            browser.open(link)


def doctor(rest: list[str]) -> int:
    """Check the installation and the record."""
    from runner.doctor import examine
    from runner.terminal import show_findings, show_json
    from runner.verbs import documents

    parser = parser_of("doctor")
    parser.add_argument("--sync", action="store_true")
    parser.add_argument(JSON, action="store_true")
    asked = parser.parse_args(rest)
    findings = examine(send=asked.sync)
    if asked.json:
        show_json(documents.findings(findings))
    else:
        show_findings(findings)
    return 0 if all(finding.ok for finding in findings) else WRONG
