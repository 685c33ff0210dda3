"""Files that changed are told, in words, and those that did not are not."""

import os
import re

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.dataset.fingerprint import changed, digested, stamp, stamp_of, unchanged
from runner.errors import DatasetError

LOCAL, MEMORY = fsspec.filesystem("file"), fsspec.filesystem("memory")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("1,2\n")
    return path


def later(path, ns=1):
    """Let a file have been written a little later."""
    written = path.stat().st_mtime_ns + ns
    os.utime(path, ns=(written, written))


def test_a_stamp_is_the_size_and_the_time_to_the_nanosecond(path):
    before = stamp(LOCAL, str(path))
    assert before == f"4 {path.stat().st_mtime_ns}"
    path.read_text()
    path.chmod(0o600)
    assert stamp(LOCAL, str(path)) == before
    later(path)
    assert stamp(LOCAL, str(path)) != before


def test_elsewhere_a_stamp_is_what_the_store_tells():
    MEMORY.pipe("/fingerprint/a.csv", b"1,2\n")
    before = stamp(MEMORY, "/fingerprint/a.csv")
    assert before.startswith("4 2")
    assert stamp(MEMORY, "/fingerprint/a.csv") == before
    MEMORY.pipe("/fingerprint/a.csv", b"1,3\n")
    assert stamp(MEMORY, "/fingerprint/a.csv") != before


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"size": 3, "ETag": "e1", "LastModified": "monday"}, "3 e1"),
        ({"size": 3, "etag": None, "mtime": "monday"}, "3 monday"),
        ({"size": 3}, "3"),
    ],
)
def test_the_surest_thing_that_a_store_tells_is_taken(described, expected):
    assert stamp_of(described) == expected


STAMPS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1 1", "1 2", "2 1"]))


@given(STAMPS, STAMPS)
def test_what_differs_is_told_file_by_file_and_nothing_else(before, now):
    told = changed(before, now)
    odd = [path for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    assert [each.split(":")[0] for each in told] == odd


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("2048 5", "1024 7", "a: 1,024 bytes, was 2,048"),
        ("9 5", "9 1795703547000000000", "a: written again at 2026-11-26 14:32:27 UTC"),
        ('9 "e1"', '9 "e2"', "a: another version"),
        ("1200 files 12ab", "1200 files 34cd", "a: other files"),
        ("1200 files 12ab", "1300 files 34cd", "a: 1,300 files, was 1,200"),
        (None, "9 5", "a: new"),
        ("9 5", None, "a: missing"),
    ],
)
def test_each_difference_has_its_words(before, now, said):
    was, is_now = ({} if each is None else {"a": each} for each in (before, now))
    assert changed(was, is_now) == [said]


def test_many_files_are_a_digest_below_the_folder_they_share():
    stamps = {f"/data/{year}/{i}.csv": "9 5" for year in (2025, 2026) for i in range(600)}
    (folder, told), *others = digested(stamps).items()
    assert (folder, others) == ("/data", [])
    assert re.fullmatch("1200 files [0-9a-f]{16}", told)
    assert digested(dict(reversed(stamps.items()))) == {folder: told}
    assert digested(stamps | {"/data/2025/7.csv": "9 6"}) != {folder: told}


def test_files_that_have_become_many_or_few_are_told_as_many():
    few = {f"/data/{i}.csv": "9 5" for i in range(1000)} | {"/y.npy": "9 5"}
    many = digested({f"/data/{i}.csv": "9 5" for i in range(1001)}) | {"/y.npy": "9 5"}
    assert changed(few, many) == ["/data: 1,001 files, was 1,000"]
    assert changed(many, few) == ["/data: 1,000 files, was 1,001"]


@given(STAMPS.filter(len), STAMPS.filter(len))
def test_digests_are_equal_where_the_stamps_are(some, others):
    assert (some == others) == (digested(some, most=0) == digested(others, most=0))


def test_a_file_that_stays_as_it_is_is_read(path):
    with unchanged(LOCAL, str(path), stamp(LOCAL, str(path))):
        assert path.read_text() == "1,2\n"


def test_a_file_that_is_not_as_it_was_is_not_read(path):
    before = stamp(LOCAL, str(path))
    path.write_text("1,2\n3,4\n")
    with (
        pytest.raises(DatasetError) as caught,
        unchanged(LOCAL, str(path), before),
    ):
        pytest.fail("it is read")
    assert str(caught.value) == (
        f"The file {path} must stay as it is while a run reads it; got 8 bytes, was 4. See that "
        "nothing writes to it, and run again."
    )


def test_a_file_that_is_written_while_it_is_read_is_told_in_place_of_what_that_led_to(path):
    def read():
        with unchanged(LOCAL, str(path), stamp(LOCAL, str(path))):
            later(path, ns=10**9)
            raise ValueError("a page that cannot be decoded")

    with pytest.raises(DatasetError, match=r"got written again at 20.* UTC\. See that"):
        read()


def test_a_file_that_is_gone_is_told(path):
    before = stamp(LOCAL, str(path))
    path.unlink()
    with (
        pytest.raises(DatasetError, match=f"The file {path} must stay.*got FileNotFoundError"),
        unchanged(LOCAL, str(path), before),
    ):
        pytest.fail("it is read")


def test_elsewhere_nothing_is_asked():
    with unchanged(MEMORY, "/fingerprint/not-there.csv", "9 5"):
        pass
