import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.chunks import AUTO_NBYTES, row_chunks
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("chunks", "rows"),
    [
        (25, 25),
        (1, 1),
        ("8kB", 1000),
        ("8 kB", 1000),
        ("8KiB", 1024),
        ("8 kib", 1024),
        ("0.5MiB", 65536),
        (".5MiB", 65536),
        ("80B", 10),
        ("1B", 1),
        ("auto", 10_000),
    ],
)
def test_a_block_has_so_many_rows(chunks, rows):
    assert row_chunks(chunks, n_rows=100_000, row_nbytes=8)[0] == rows


@pytest.mark.parametrize(
    "chunks",
    [
        *(0, -1, 2.5, 1e4, True, None, [25], float("nan")),
        *("", " ", "100", "1e3", "100.0", "kB", "64 miles", "-1MB", "0kB", "0.4B", "automatic"),
        *("1 2MB", "nan", "infMB", "1e400MB", f"{'9' * 400}MB", "MiB64", "64MiB!"),
    ],
)
def test_anything_else_is_refused_with_the_ways_to_write_it(chunks):
    with pytest.raises(ConfigError) as refused:
        row_chunks(chunks, n_rows=100, row_nbytes=8)
    assert str(refused.value) == (
        f"dataset.chunks must be a number of rows, a size in bytes, or auto; got {chunks!r}. "
        "Write dataset.chunks=10000, dataset.chunks=64MiB or dataset.chunks=auto."
    )


@settings(deadline=None, max_examples=200)
@given(
    chunks=st.integers(1, 500) | st.sampled_from(["1kB", "3 KiB", "64MiB", "auto"]),
    n_rows=st.integers(0, 2000),
    row_nbytes=st.floats(0, 10**6),
)
def test_all_rows_are_in_blocks_of_one_size_and_perhaps_a_smaller_last(chunks, n_rows, row_nbytes):
    sizes = row_chunks(chunks, n_rows, row_nbytes)
    assert sum(sizes) == n_rows
    assert len(set(sizes[:-1])) <= 1
    assert all(0 < size <= sizes[0] for size in sizes)


@settings(deadline=None, max_examples=200)
@given(n_rows=st.integers(10, 10**7), row_nbytes=st.integers(1, 10**5))
def test_auto_makes_at_least_ten_blocks_of_at_most_64_mib(n_rows, row_nbytes):
    sizes = row_chunks("auto", n_rows, row_nbytes)
    assert len(sizes) >= 10
    assert max(sizes) * row_nbytes <= AUTO_NBYTES


def test_a_row_larger_than_the_size_is_a_block_of_its_own():
    assert row_chunks("1kB", n_rows=3, row_nbytes=10**6) == (1, 1, 1)
    assert row_chunks("auto", n_rows=3, row_nbytes=10**9) == (1, 1, 1)
