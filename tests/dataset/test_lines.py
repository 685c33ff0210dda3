from threading import Event

import fsspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset import lines
from runner.dataset.lines import STEP, index_files, index_lines, line_starts
from runner.errors import DatasetError

BLANK = bytes(range(33))
MEMORY, LOCAL = fsspec.filesystem("memory"), fsspec.filesystem("file")


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(lines, "PIECE_NBYTES", 7)


def write(text, path="/lines/a"):
    MEMORY.pipe(path, text)
    return path


def index(text, *, quoted):
    return index_lines(MEMORY, write(text), quoted=quoted)


def read(found, start, stop):
    raw = bytes(found.read(MEMORY, start, stop))
    with found.part(MEMORY, start, stop) as part:
        assert part.open().read() == raw
    return raw


def read_here(text, path, start, stop, *, quoted):
    path.write_bytes(text)
    with index_lines(LOCAL, str(path), quoted=quoted).part(LOCAL, start, stop) as part:
        assert part.open().read() == part.open().read()
        return part.open().read()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("lines") / "a"


text_lines = st.lists(
    st.sampled_from([b"", b" ", b"\t\r", b"a", b" bc", b"d" * 9, "é".encode(), b'"', b"\x0c"]),
    max_size=300,
)


@settings(deadline=None, max_examples=60)
@given(text_lines, st.booleans(), st.sampled_from([3, 50, 2**20]), st.data())
def test_any_lines_of_any_text_are_read(path, written, ends, piece_nbytes, data):
    text = b"\n".join(written) + (b"\n" if ends else b"")
    kept = [line for line in text.split(b"\n") if line.strip(BLANK)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE_NBYTES", piece_nbytes)
        found = index(text, quoted=False)

    assert found.n_lines == len(kept)
    assert found.n_bytes == len(text)
    assert len(found.offsets) == -(-len(kept) // STEP) + 1
    if kept:
        start = data.draw(st.integers(0, len(kept) - 1))
        stop = data.draw(st.integers(start + 1, len(kept)))
        raw = read(found, start, stop)
        assert [line for line in raw.split(b"\n") if line.strip(BLANK)] == kept[start:stop]
        assert read_here(text, path, start, stop, quoted=False) == raw


records = st.lists(
    st.sampled_from([b"1,2", b'"a\nb",2', b'"a""\n\n""b\r\n",3', b" ", b"\t", b'""']), max_size=200
)
endings = st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n\r\n"])


@settings(deadline=None, max_examples=60)
@given(
    written=records,
    newline=endings,
    ends=st.booleans(),
    piece_nbytes=st.sampled_from([3, 50, 2**20]),
    data=st.data(),
)
def test_any_records_of_any_csv_are_read(path, *, written, newline, ends, piece_nbytes, data):
    text = newline.join(written) + (newline if ends else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE_NBYTES", piece_nbytes)
        found = index(text, quoted=True)

    assert found.n_lines == len(written)
    if written:
        start = data.draw(st.integers(0, len(written) - 1))
        stop = data.draw(st.integers(start + 1, len(written)))
        raw = read(found, start, stop)
        assert raw.strip(b"\r\n") == newline.join(written[start:stop])
        assert read_here(text, path, start, stop, quoted=True) == raw


def test_spaces_make_a_line_blank_only_where_there_are_no_cells():
    assert index(b" \n\t\na\n", quoted=False).n_lines == 1
    assert index(b" \n\t\na\n", quoted=True).n_lines == 3


def test_an_empty_file_has_no_line():
    found = index(b"", quoted=True)
    assert (found.n_lines, found.n_bytes, found.offsets.tolist()) == (0, 0, [0])


def test_only_the_needed_bytes_are_read():
    text = b"".join(b"%06d\n" % i for i in range(10 * STEP))
    found = index(text, quoted=False)
    asked = []

    class Spy:
        def cat_file(self, path, start, end):
            asked.append((start, end))
            return MEMORY.cat_file(path, start=start, end=end)

    assert found.read(Spy(), 2 * STEP, 3 * STEP) == text[14 * STEP : 21 * STEP]
    assert asked == [(14 * STEP, 21 * STEP)]


def test_every_64th_line_is_remembered_and_no_other():
    found = index(b"x\n" * 1000, quoted=False)
    assert found.offsets.dtype == np.int64
    assert found.offsets.tolist() == [*range(0, 2000, 2 * STEP), 2000]


def test_every_line_has_room_in_the_longest():
    found = index(b"a\n" * 100 + b"b" * 500 + b"\n" + b"c\n" * 200, quoted=False)
    assert found.longest(0, STEP) == 2 * STEP
    assert found.longest(STEP, 2 * STEP) > 500
    assert found.longest(0, 301) > 500
    assert found.longest(200, 201) == 2 * STEP


@pytest.mark.usefixtures("small_pieces")
def test_a_quote_that_is_never_closed_is_told():
    with pytest.raises(DatasetError) as error:
        index(b'a,b\n1,2\n3,"4\n5,6\n', quoted=True)
    assert str(error.value) == (
        "Line 2 of /lines/a must end within 64 MiB; got no end, or a double quote that is never "
        "closed. Close the quote, or leave the file out of dataset.path."
    )


@pytest.mark.usefixtures("small_pieces")
def test_a_line_without_end_is_not_gathered_for_ever(monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE_NBYTES", 100)
    write(b"x" * 10_000)
    most = []

    def watched(text, *, quoted):
        most.append(len(text))
        return line_starts(text, quoted=quoted)

    monkeypatch.setattr(lines, "line_starts", watched)
    with pytest.raises(DatasetError, match="Line 0 of /lines/a must end within"):
        index_lines(MEMORY, "/lines/a", quoted=False)
    assert max(most) < 120


def test_a_long_line_is_looked_through_a_few_times_only(monkeypatch):
    monkeypatch.setattr(lines, "PIECE_NBYTES", 100)
    seen = []

    def watched(text, *, quoted):
        seen.append(len(text))
        return line_starts(text, quoted=quoted)

    monkeypatch.setattr(lines, "line_starts", watched)
    assert index(b"a\n" + b"x" * 100_000 + b"\nb\n", quoted=False).n_lines == 3
    assert sum(seen) < 5 * 100_000


def test_files_are_indexed_in_their_order_as_one_by_one():
    paths = [write(b"x\n" * n, f"/lines/{n}") for n in (300, 5, 100, 0, 7, 70)]
    found = index_files(MEMORY, paths, quoted=True)
    assert [(each.path, each.n_lines) for each in found] == [
        (path, int(path.removeprefix("/lines/"))) for path in paths
    ]
    alone = [index_lines(MEMORY, path, quoted=True) for path in paths]
    for ours, theirs in zip(found, alone, strict=True):
        np.testing.assert_array_equal(ours.offsets, theirs.offsets, strict=True)
        assert ours.stamp == theirs.stamp


def test_the_first_of_several_bad_files_is_named():
    paths = [write(b"1\n" * 10_000 * i + b'"2\n', f"/lines/{i}") for i in (9, 0, 4)]
    for _ in range(5):
        with pytest.raises(DatasetError, match="Line 90000 of /lines/9 must end"):
            index_files(MEMORY, [write(b"1\n", "/lines/good"), *paths], quoted=True)


@pytest.mark.usefixtures("small_pieces")
def test_a_pass_that_nobody_waits_for_ends(monkeypatch):
    stopped, seen = Event(), []

    def watched(text, *, quoted):
        seen.append(text)
        stopped.set()
        return line_starts(text, quoted=quoted)

    monkeypatch.setattr(lines, "line_starts", watched)
    index_lines(MEMORY, write(b"abcdef\n" * 100), stopped, quoted=False)
    assert seen == [b"abcdef\n"]


def test_a_local_file_whose_name_is_no_text_is_read(tmp_path):
    path = tmp_path / "\udcff"
    assert read_here(b"a\nb\n", path, 1, 2, quoted=False) == b"b\n"


def test_the_bytes_of_a_local_file_are_never_fetched_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(LOCAL, "cat_file", None)
    path = tmp_path / "a"
    path.write_bytes(b"x\n" * 1000)
    with index_lines(LOCAL, str(path), quoted=False).part(LOCAL, 100, 900) as part:
        assert part.open().read(4) == b"x\nx\n"


@pytest.mark.parametrize("text", [b"other lines, as many bytes", b"none"])
def test_a_local_file_that_changes_while_it_is_read_is_named(tmp_path, text):
    path = tmp_path / "a"
    path.write_bytes(b"x\n" * 13)
    found = index_lines(LOCAL, str(path), quoted=False)
    with (
        pytest.raises(DatasetError, match=f"{path} must stay as it is while a run reads it"),
        found.part(LOCAL, 0, 13),
    ):
        path.write_bytes(text)


def test_a_file_elsewhere_with_other_lines_of_the_same_size_is_named():
    found = index(b"x\n" * 100, quoted=False)
    write(b"x" * 199 + b"\n")
    with pytest.raises(DatasetError, match="be readable at lines 5 to 9; got OSError: other"):
        read(found, 5, 10)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DatasetError, match=f"The file {tmp_path} must be readable; got IsADirect"):
        index_lines(LOCAL, str(tmp_path), quoted=False)


def test_a_file_that_vanishes_or_shrinks_is_named():
    found = index(b"abc\n" * 100, quoted=False)
    write(b"abc\n")
    with pytest.raises(DatasetError, match=r"/lines/a must be readable at lines 64 to 69; got"):
        read(found, 64, 70)
    MEMORY.rm("/lines/a")
    with pytest.raises(
        DatasetError, match=r"FileNotFoundError: /lines/a\. Check that it is still"
    ):
        read(found, 0, 1)
