import fsspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset import lines
from runner.dataset.lines import STEP, index_lines, line_starts
from runner.errors import DatasetError

BLANK = bytes(range(33))
MEMORY = fsspec.filesystem("memory")


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(lines, "PIECE_NBYTES", 7)


def write(text, path="/lines/a"):
    MEMORY.pipe(path, text)
    return path


def index(text, *, quoted):
    return index_lines(MEMORY, write(text), quoted=quoted)


def read(found, start, stop):
    return found.read(MEMORY, start, stop)


text_lines = st.lists(
    st.sampled_from([b"", b" ", b"\t\r", b"a", b" bc", b"d" * 9, "é".encode(), b'"', b"\x0c"]),
    max_size=300,
)


@settings(deadline=None, max_examples=60)
@given(text_lines, st.booleans(), st.sampled_from([3, 50, 2**20]), st.data())
def test_any_lines_of_any_text_are_read(written, ends, piece_nbytes, data):
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


records = st.lists(
    st.sampled_from([b"1,2", b'"a\nb",2', b'"a""\n\n""b\r\n",3', b" ", b"\t", b'""']), max_size=200
)
endings = st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n\r\n"])


@settings(deadline=None, max_examples=60)
@given(records, endings, st.booleans(), st.sampled_from([3, 50, 2**20]), st.data())
def test_any_records_of_any_csv_are_read(written, newline, ends, piece_nbytes, data):
    text = newline.join(written) + (newline if ends else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "PIECE_NBYTES", piece_nbytes)
        found = index(text, quoted=True)

    assert found.n_lines == len(written)
    if written:
        start = data.draw(st.integers(0, len(written) - 1))
        stop = data.draw(st.integers(start + 1, len(written)))
        assert read(found, start, stop).strip(b"\r\n") == newline.join(written[start:stop])


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


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DatasetError, match=f"The file {tmp_path} must be readable; got IsADirect"):
        index_lines(fsspec.filesystem("file"), str(tmp_path), quoted=False)


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
