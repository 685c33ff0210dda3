import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.errors import ConfigError, RunnerWarning
from runner.prediction.parts import SUMMARY, Parts, free_folder


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path / "deep" / "out", {"run": "abc"})


def test_a_part_holds_numpy_and_arrow_columns_and_the_metadata(parts):
    who = pa.chunked_array([["x"], [None]])
    parts.write(3, {"row": np.arange(2), "who": who, "label": np.array(["a", "bc"])})
    path = parts.folder / "part-00003.parquet"
    table = pq.read_table(path)
    assert table.to_pydict() == {"row": [0, 1], "who": ["x", None], "label": ["a", "bc"]}
    assert pq.read_schema(path).metadata[b"run"] == b"abc"
    assert (parts.n_parts, parts.n_rows, parts.names) == (1, 2, ["row", "who", "label"])


def test_a_folder_is_read_as_one_table_beside_its_summary(parts):
    for number in range(3):
        parts.write(number, {"row": np.arange(number * 2, number * 2 + 2)})
    parts.finish(blocks=4)
    assert pq.read_table(parts.folder)["row"].to_pylist() == list(range(6))
    told = json.loads((parts.folder / SUMMARY).read_text())
    assert told == {"run": "abc", "rows": 6, "parts": 3, "columns": ["row"], "blocks": 4}


def test_a_flipped_bit_in_a_part_does_not_go_unnoticed(parts):
    parts.write(0, {"score": np.random.default_rng(0).normal(size=1000)})
    (path,) = parts.folder.glob("*.parquet")
    column = pq.read_metadata(path).row_group(0).column(0)
    raw = bytearray(path.read_bytes())
    first = column.dictionary_page_offset or column.data_page_offset
    raw[first + column.total_compressed_size - 1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


def test_a_part_that_cannot_be_written_leaves_nothing_behind(parts, monkeypatch):
    def full(table, where, **options):
        where.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(ConfigError, match=r"output must be a folder .* got OSError: No space"):
        parts.write(0, {"row": np.arange(2)})
    assert list(parts.folder.iterdir()) == []
    assert parts.n_parts == 0


def test_what_is_there_is_said_when_something_goes_wrong(parts):
    def interrupted():
        with parts.counted():
            parts.write(0, {"row": np.arange(2)})
            raise KeyboardInterrupt

    said = pytest.warns(RunnerWarning, match="holds 1 finished part with 2 rows")
    with said, pytest.raises(KeyboardInterrupt):
        interrupted()


@pytest.mark.parametrize("was_there", [True, False])
def test_folders_made_for_nothing_are_removed_and_no_others(tmp_path, was_there):
    out = tmp_path / "deep" / "out"
    if was_there:
        out.mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt), Parts(out, {}).counted():
        raise KeyboardInterrupt
    assert out.exists() == was_there
    assert (tmp_path / "deep").exists() == was_there
    assert tmp_path.exists()


def test_nothing_is_said_when_all_went_well(parts):
    with parts.counted():
        parts.write(0, {"row": np.arange(2)})


def test_a_new_folder_and_an_empty_one_are_free_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert free_folder("new") == tmp_path / "new"
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    assert free_folder(tmp_path / "empty") == tmp_path / "empty"


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("s3://bucket/out", "output must be a local folder; got 's3://bucket/out'"),
        ("file", r"output must be a folder; got the file .*file\."),
        (".", r"output must be a new folder, or an empty one; got .*, which holds files"),
    ],
)
def test_a_place_that_is_not_free_is_refused(tmp_path, monkeypatch, output, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=told):
        free_folder(output)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="output must be a folder that can be written"):
        Parts(tmp_path / "file" / "out", {})
