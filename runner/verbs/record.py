"""Look at the record and at the installation."""

import sys
from contextlib import suppress

from runner.errors import ConfigError, Terminated
from runner.verbs.arguments import WRONG, parser_of


def runs(rest: list[str]) -> int:
    """Write recent runs as a table."""
    from runner.terminal import show_runs
    from runner.tracking.record import recent_runs

    parser = parser_of("runs")
    parser.add_argument("--limit", type=int, default=20)
    limit = parser.parse_args(rest).limit
    if limit < 1:
        raise ConfigError("--limit", "be at least 1", got=limit, remedy="Leave it out for 20.")
    show_runs(recent_runs(limit=limit))
    return 0


def ui(rest: list[str]) -> int:
    """Serve MLflow's user interface until Ctrl-C."""
    from runner.tracking.record import find_run, run_link
    from runner.tracking.server import serve
    from runner.tracking.termination import terminated_by_signal

    parser = parser_of("ui")
    parser.add_argument("run", nargs="?")
    parser.add_argument("--port", type=int, default=5000)
    asked = parser.parse_args(rest)
    run = find_run(asked.run) if asked.run else None
    stops = suppress(KeyboardInterrupt, Terminated)
    with stops, terminated_by_signal(), serve(port=asked.port) as interface:
        sys.stdout.write(f"{run_link(interface.base_url, run)}\n")
        if interface.process is not None:
            sys.stdout.write("Ctrl-C ends it\n")
        sys.stdout.flush()
        interface.wait()
    return 0


def doctor(rest: list[str]) -> int:
    """Check the installation and the record."""
    from runner.doctor import examine
    from runner.terminal import show_findings

    parser = parser_of("doctor")
    parser.add_argument("--sync", action="store_true")
    findings = examine(send=parser.parse_args(rest).sync)
    show_findings(findings)
    return 0 if all(finding.ok for finding in findings) else WRONG
