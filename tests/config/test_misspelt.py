"""Any slip of the fingers in any key of any shipped experiment is told, with the right word.

Run it with ``-s`` to see the share of the right words.
"""

import random
import re
import string
import sys
from dataclasses import dataclass

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.config.checking.examination import examined
from runner.config.checking.hints import BESIDES, LISTED, NOUNS, OF_SWEEP
from runner.config.reading.scan import scalars
from runner.config.signatures.signature import signature_of
from runner.project import builtin, option_files, option_groups

SEED, N_CASES, N_CASES_SLOW = 7, 40, 5000
LEAST_SHARE = 0.95
SHIPPED = sorted((builtin("experiments")).glob("*.yaml"))
LETTERS = string.ascii_lowercase + "_"
HALVING = "runner.sweeps.halving.Halving"
ROOT = "runner.experiment.Experiment"


@dataclass(frozen=True)
class Word:
    """A word of a file that may be misspelt: where it stands, and what else it may be."""

    name: str
    text: str
    start: int
    allowed: frozenset[str]

    def with_(self, slip):
        return self.text[: self.start] + slip + self.text[self.start + len(self.name) :]


def parameters(dotted):
    return {*signature_of("_target_", dotted).parameters}


def allowed_below(path, config):
    """Return the names that are allowed below some keys, by what the section is built from."""
    node = config
    for name in path:
        node = node.get(name, {}) if isinstance(node, dict) else {}
    target = node.get("_target_") if isinstance(node, dict) else None
    own = parameters(target) if target else set()
    known = {
        (): parameters(ROOT) | {*BESIDES},
        ("partial_fit",): {*signature_of("_target_", config["estimator"]["_target_"]).partial_fit},
        ("sweep",): {*OF_SWEEP},
        ("sweep", "halving"): parameters(HALVING),
    }
    options = {*option_files(path[0])} if path and path[0] in LISTED and len(path) == 1 else set()
    return own | known.get(path, set()) | options


class Words:
    """The words of an experiment that are keys, or name a group or an option."""

    def __init__(self, path):
        self.text = path.read_text(encoding="utf-8")
        self.config = plain_of(path.stem)

    def __iter__(self):
        yield from self.walk(yaml.compose(self.text), ())

    def word(self, start, name, allowed):
        assert self.text[start : start + len(name)] == name
        return Word(name, self.text, start, frozenset(allowed))

    def chosen(self, node):
        for item in node.value:
            ((group, option),) = item.value
            name = group.value.rpartition("/")[2]
            yield self.word(
                group.start_mark.index + group.value.rindex(name), name, option_groups()
            )
            for each in scalars(option):
                yield self.word(each.start_mark.index, each.value, option_files(name))

    def dotted(self, key):
        at = key.start_mark.index
        sections = key.value.split(".")
        for depth, name in enumerate(sections):
            yield self.word(at, name, allowed_below(tuple(sections[:depth]), self.config))
            at += len(name) + 1

    def walk(self, node, inside):
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if inside == ("sweep", "grid"):
                yield from self.dotted(key)
                continue
            yield self.word(key.start_mark.index, key.value, allowed_below(inside, self.config))
            if key.value == "defaults":
                yield from self.chosen(value)
            else:
                yield from self.walk(value, (*inside, key.value))


def plain_of(name):
    from omegaconf import OmegaConf

    return OmegaConf.to_container(examined(name).composed.config)


def slips_of(name, letter, at):
    """Return what a name becomes by each kind of slip at a place."""
    at %= len(name)
    swapped = name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :]
    return (
        name[:at] + name[at + 1 :],
        name[:at] + name[at] + name[at:],
        swapped,
        name[:at] + letter + name[at + 1 :],
        name[:at] + letter + name[at:],
    )


def is_a_slip(word, slip):
    return bool(slip) and slip != word.name and slip not in word.allowed and slip[0] != "_"


@pytest.fixture(scope="session")
def words():
    return [(path.stem, word) for path in SHIPPED for word in Words(path)]


def told(project, name, word, slip):
    folder = project / "experiments"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(word.with_(slip), encoding="utf-8")
    return examined(name).problems


def is_right(word, problems):
    asked = [each.remedy for each in problems if "did you mean" in each.remedy]
    return any(re.search(rf"(?<!\w){re.escape(word.name)}(?!\w)", remedy) for remedy in asked)


def count(project, words, n):
    """Return how many of some slips are accepted, and which are told without the right word."""
    rng = random.Random(SEED)  # noqa: S311
    accepted, without = [], []
    done = 0
    while done < n:
        name, word = rng.choice(words)
        slip = rng.choice(slips_of(word.name, rng.choice(LETTERS), rng.randrange(len(word.name))))
        if not is_a_slip(word, slip):
            continue
        done += 1
        problems = told(project, name, word, slip)
        if not problems:
            accepted.append((name, word.name, slip))
        elif not is_right(word, problems):
            without.append((name, word.name, slip, str(problems[0])))
    share = 1 - len(without) / n
    sys.stdout.write(f"\n{n} misspelt words: {len(accepted)} accepted, {share:.2%} set right\n")
    sys.stdout.writelines(f"{each}\n" for each in without)
    return accepted, without


def test_every_kind_of_word_is_misspelt(words):
    names = {word.name for _, word in words}
    assert names >= {"defaults", "dataset", "sgd_classifier", "sweep", "grid", "alpha", "halving"}
    assert names >= {*NOUNS} - {"tracking", "callbacks", "stream", "cluster"}
    assert len(words) > 100


def test_a_misspelt_word_is_never_accepted_and_nearly_always_set_right(project, words):
    accepted, without = count(project, words, N_CASES)
    assert accepted == []
    assert len(without) <= (1 - LEAST_SHARE) * N_CASES


@pytest.mark.slow
def test_of_many_misspelt_words_none_is_accepted(project, words):
    accepted, without = count(project, words, N_CASES_SLOW)
    assert accepted == []
    assert len(without) <= (1 - LEAST_SHARE) * N_CASES_SLOW


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_slip_of_the_fingers_is_accepted(project, words, data):
    name, word = data.draw(st.sampled_from(words))
    at = data.draw(st.integers(0, len(word.name) - 1))
    slip = data.draw(st.sampled_from(slips_of(word.name, data.draw(st.sampled_from(LETTERS)), at)))
    assert not is_a_slip(word, slip) or told(project, name, word, slip)
