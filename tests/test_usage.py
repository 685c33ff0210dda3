"""What `runner help` says."""

import re

from runner.cli import VERBS
from runner.usage import USAGE


def test_every_verb_is_told_and_no_other():
    told = re.findall(r"^  runner (\w+)(?= |$)", USAGE, flags=re.MULTILINE)
    assert sorted({verb for verb in told if verb != "experiment"}) == sorted(VERBS)


def test_it_fits_on_a_terminal():
    lines = USAGE.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 40
