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
    assert len(lines) <= 45


def test_the_flags_that_are_told_are_those_of_each_verb():
    found = {verb: set(flags) for verb, flags in flags_of_verbs().items() if flags}
    assert found == {
        "new": {"--from"},
        "show": {"--why", "--diff"},
        "run": {"--dry-run", "--fail-fast"},
        "resume": {"--force", "--failed", "--dry-run", "--fail-fast"},
        "runs": {"--limit"},
        "ui": {"--port"},
        "doctor": {"--sync"},
        "schema": {"--write"},
    }
    assert set(flags_of_verbs()) == set(VERBS)
