import json

from runner.tracking.tags import (
    DIFFERS,
    KEY,
    NUMBER,
    member_tags,
    rows_resumed_at,
    times_resumed,
)


def test_a_member_is_tagged_by_number_key_and_what_differs():
    tags = member_tags(3, "5f", {"a.b": [1, "x", None], "c": 1e-4})
    assert (tags[NUMBER], tags[KEY]) == ("3", "5f")
    assert json.loads(tags[DIFFERS]) == {"a.b": [1, "x", None], "c": 1e-4}


def test_a_secret_is_not_told_by_a_tag():
    assert "hunter2" not in member_tags(0, "k", {"uri": "http://u:hunter2@h"})[DIFFERS]


def test_what_is_no_number_counts_for_nothing():
    assert times_resumed({"runner.resumed": "often"}) == 0
    assert rows_resumed_at({"runner.resumed_at": "25,,x,50"}) == (25, 50)
