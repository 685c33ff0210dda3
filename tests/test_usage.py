"""What `runner help` says."""

import re

from runner.cli import VERBS
from runner.usage import USAGE, flags_of_verbs


def test_every_verb_is_told_and_no_other():
    told = re.findall(r"^  runner (\w+)(?= |$)", USAGE, flags=re.MULTILINE)
    assert sorted({verb for verb in told if verb != "experiment"}) == sorted(VERBS)


def test_it_fits_on_a_terminal():
    lines = USAGE.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 60


def test_the_flags_that_are_told_are_those_of_each_verb():
    found = {verb: set(flags) for verb, flags in flags_of_verbs().items() if flags}
    assert found == {
        "list": {"--json"},
        "new": {"--from"},
        "show": {"--why", "--diff", "--json"},
        "validate": {"--json"},
        "run": {"--dry-run", "--fail-fast", "--json", "--quiet"},
        "resume": {"--force", "--failed", "--dry-run", "--fail-fast", "--json", "--quiet"},
        "reproduce": {"--json", "--quiet"},
        "predict": {"--json", "--quiet"},
        "register": {"--alias", "--json"},
        "runs": {"--limit", "--status", "--experiment", "--filter", "--members", "--json"},
        "compare": {"--output", "--json"},
        "ui": {"--port", "--no-open"},
        "doctor": {"--sync", "--json"},
        "schema": {"--write"},
    }
    assert set(flags_of_verbs()) == set(VERBS)
