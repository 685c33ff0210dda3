"""The benchmarks tell what they measured, and what they could not."""

import importlib.util
import json
import sys
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import PROMISES, STUDIES
from benchmarks.report import Section, about_machine, picture, table
from benchmarks.row import Row, at_least, at_most
from benchmarks.turns import ROOT, alternate, command

FOLDER = ROOT / "benchmarks"


def taken_of(**walls):
    """Return what contenders took in as many turns as there are values."""
    values = {name: iter(each) for name, each in walls.items()}
    ways = {name: lambda each=each: {"wall": next(each)} for name, each in values.items()}
    return alternate(ways, len(next(iter(walls.values()))), warm=False)


def test_a_ratio_is_the_median_of_the_ratios_turn_by_turn():
    row = taken_of(ours=[1, 4, 3], theirs=[2, 4, 12]).row("fit", "ours", "theirs")
    assert row.figures == [0.5, 1, 0.25]
    assert row.cells()[3] == "0.50 (0.25 to 1.00)"


@pytest.mark.parametrize(
    ("reach", "met"), [(at_most(0.5), True), (at_most(0.4), False), (at_least(0.6), False)]
)
def test_a_reach_is_met_or_not(reach, met):
    assert taken_of(ours=[1], theirs=[2]).row("fit", "ours", "theirs", reach=reach).met is met


def test_the_turn_before_is_not_counted():
    walls = iter([9, 1, 2])
    taken = alternate({"ours": lambda: {"wall": next(walls)}}, 2)
    assert [found["wall"] for found in taken.of["ours"]] == [1, 2]


def test_a_contender_that_fails_is_told_and_the_others_go_on(capsys):
    ways = {
        "bad": lambda: {"wall": command([sys.executable, "-c", "1 / 0"])[0]},
        "good": lambda: {"wall": 1.0},
        "other": lambda: {"wall": 2.0},
    }
    taken = alternate(ways, 2)
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert taken.row("fit", "good", "bad").failed
    assert taken.row("fit", "other", "good").figures == [2, 2]


def test_a_contender_whose_library_is_absent_is_no_failure():
    ways = {"theirs": lambda: {"wall": 1}, "ours": lambda: {"wall": 1}}
    row = alternate(ways, 1, needs={"theirs": "no_such_library"}).row("fit", "theirs", "ours")
    assert not row.failed
    assert "not measured: no_such_library is not installed" in row.line()


def test_contenders_that_end_differently_have_failed(capsys):
    taken = alternate({name: lambda name=name: {"wall": 1, "coef": name} for name in "ab"}, 1)
    taken.same("coef", "a", "b")
    assert taken.row("fit", "a", "b").failed
    assert "not all of a, b ended with the same coef" in capsys.readouterr().err


def test_what_is_less_than_nothing_is_not_within_reach():
    taken = taken_of(whole=[1], start=[2])
    row = taken.row(
        "less the start", "whole", "start", figure=lambda a, b: a - b, reach=at_most(1)
    )
    assert row.met is None
    assert not row.failed


def test_a_row_survives_as_json():
    row = taken_of(a=[1.0], b=[2.0]).row("fit", "a", "b", reach=at_most(1))
    assert Row.from_json(json.loads(json.dumps(row.to_json()))).line() == row.line()


def test_the_table_and_the_picture_show_every_row(tmp_path):
    taken = taken_of(a=[1.0, 2.0], b=[2.0, 3.0])
    rows = [taken.row(f"fit {i}", "a", "b", reach=at_most(i)) for i in (0.1, 0.9)]
    section = Section("one_fit", (0.1, 0.2, 0.3), rows)
    text = table([section], about_machine())
    assert all(row.line() in text for row in rows)
    assert "scikit-learn 1" in text
    assert "0.10 0.20 0.30" in text
    picture([section], tmp_path / "picture.svg")
    ElementTree.parse(tmp_path / "picture.svg")  # noqa: S314  it was written here


def test_every_promise_is_a_file_that_the_page_names():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in PROMISES:
        assert importlib.util.find_spec(f"benchmarks.{name}") is not None
        assert f"[{name}.py]({name}.py)" in page
    assert all(f"`{name}.py`" in page for name in STUDIES)
