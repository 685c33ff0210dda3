import pickle
from concurrent.futures import ThreadPoolExecutor

import fsspec
import numpy as np
import pytest
from dask._task_spec import DataNode
from dask.base import tokenize
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset import line_blocks
from runner.dataset.line_blocks import ReadLines, Source, arrays_of_lines
from runner.dataset.lines import index_lines
from runner.dataset.stripes import Stripes
from runner.errors import DatasetError

MEMORY = fsspec.filesystem("memory")
BLANK = "".join(map(chr, range(33)))


def source(name, texts, label=None):
    paths = []
    for i, text in enumerate(texts):
        paths.append(f"/line_blocks/{name}-{i}.txt")
        MEMORY.pipe(paths[-1], text if isinstance(text, bytes) else text.encode())
    return Source(tuple(paths), label)


def arrays(sources, *, interleave=False, chunks=10, encoding="utf-8"):
    return arrays_of_lines(MEMORY, sources, chunks, encoding, interleave=interleave)


def computed(array):
    return array.compute(scheduler="sync")


texts = st.text(st.sampled_from("aé \t\r\n\u2028x"), max_size=60)


def lines_of(text):
    return [line.removesuffix("\r") for line in text.split("\n") if line.strip(BLANK)]


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, min_size=1, max_size=4), st.integers(1, 20))
def test_the_rows_are_the_lines_file_by_file(files, chunks):
    expected = [line for text in files for line in lines_of(text)]
    X = arrays([source(str(i), [text]) for i, text in enumerate(files)], chunks=chunks).X
    assert X.shape == (len(expected),)
    if expected:
        assert computed(X).tolist() == expected


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=3), min_size=1, max_size=4),
    st.integers(1, 50),
)
def test_interleaved_rows_are_all_lines_in_an_order_without_chunks(sizes, chunks):
    sources = [
        source(f"s{i}", ["".join(f"{i}.{j}.{k}\n" for k in range(n)) for j, n in enumerate(each)])
        for i, each in enumerate(sizes)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "STRIPE_ROWS", 16)
        found = arrays(sources, interleave=True, chunks=chunks)
        whole = arrays(sources, interleave=True, chunks=1000)
    n_rows = sum(map(sum, sizes))
    if n_rows:
        assert computed(found.X).tolist() == computed(whole.X).tolist()
        assert len(set(computed(found.X))) == n_rows


def test_every_stripe_has_its_share_of_every_label():
    found = arrays(
        [
            source("big", ["b\n" * 30_000], "big"),
            source("small", ["s\n" * 5_000, "s\n" * 5_000], "small"),
        ],
        interleave=True,
        chunks=4_000,
    )
    y = computed(found.y)
    np.testing.assert_array_equal(y == "small", computed(found.X) == "s")
    for start in range(0, 40_000, 4_000):
        assert abs((y[start : start + 4_000] == "small").mean() - 0.25) < 0.06


def test_without_labels_there_is_no_y():
    found = arrays([source("a", ["x\ny\n"])])
    assert found.y is None
    assert found.X.dtype == object
    assert computed(found.X).tolist() == ["x", "y"]


def test_a_block_may_be_asked_for_in_bytes_of_text():
    assert arrays([source("a", ["x" * 9 + "\n"] * 10)], chunks="50 B").X.chunks == ((5, 5),)


def test_each_file_is_read_once_per_run_of_rows():
    file = source("a", ["".join(f"{i:04}\n" for i in range(640))])
    asked = []

    class Spy:
        def cat_file(self, path, start, end):
            asked.append((start, end))
            return MEMORY.cat_file(path, start=start, end=end)

    index = index_lines(MEMORY, file.paths[0], quoted=False)
    read = ReadLines(Spy(), ((index,),), Stripes(np.array([640]), 1), None, "utf-8")
    X, _ = read(128, 192)
    assert asked == [(640, 960)]
    assert X[0] == "0128"


def test_y_alone_is_told_without_reading_a_line():
    sources = [source("a", ["a\nb\n"], "a"), source("b", ["c\n"] * 3, "b")]
    found = arrays(sources, interleave=True, chunks=2)
    for path in (path for each in sources for path in each.paths):
        MEMORY.rm(path)
    assert computed(found.y_only).tolist() == ["a", "a", "b", "b", "b"]
    with pytest.raises(DatasetError):
        computed(found.y)


def test_any_number_of_threads_read_the_same_rows():
    found = arrays([source("a", ["".join(f"{i}\n" for i in range(1000))])], chunks=70)
    [read] = [task.value for task in found.X.dask.values() if isinstance(task, DataNode)]
    starts = list(range(0, 1000, 70)) * 4
    with ThreadPoolExecutor(8) as pool:
        blocks = list(pool.map(lambda start: read(start, min(start + 70, 1000))[0], starts))
    for start, block in zip(starts, blocks, strict=True):
        assert block.tolist() == [str(i) for i in range(start, min(start + 70, 1000))]
    assert pickle.loads(pickle.dumps(read))(0, 2)[0].tolist() == ["0", "1"]  # noqa: S301
    assert tokenize(read) == tokenize(pickle.loads(pickle.dumps(read)))  # noqa: S301


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "gbk"])
def test_another_encoding_is_decoded(encoding):
    text = "é\nü x\n" if encoding != "gbk" else "中文\n字\n"
    found = arrays([source("a", [text.encode(encoding)])], encoding=encoding, chunks=1)
    assert computed(found.X).tolist() == text.split()[:1] + text.splitlines()[1:]


def test_text_that_cannot_be_decoded_is_told_at_its_block():
    raw = b"fine\n" * 25 + b"\xe9t\xe9\n" + b"fine\n"
    found = arrays([source("a", [raw])], chunks=20)
    assert found.X.blocks[0].compute(scheduler="sync").shape == (20,)
    with pytest.raises(DatasetError) as error:
        computed(found.X.blocks[1])
    assert str(error.value) == (
        "The file /line_blocks/a-0.txt must be utf-8 text in its lines 20 to 26; got "
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 25: invalid "
        "continuation byte. Set dataset.encoding to the encoding of the files, or mend this one."
    )


def test_a_file_with_other_lines_than_before_is_told():
    found = arrays([source("a", ["ab\ncd\n"])])
    source("a", ["abcde\n"])
    with pytest.raises(DatasetError, match="got EOFError: 1 lines"):
        computed(found.X)
