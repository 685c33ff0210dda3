import dataclasses
import logging

import dask
import fsspec
import numpy as np
import pandas as pd
import pytest
import yaml
from dask._task_spec import DataNode
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.dataset.csv import HEAD_LINES, Csv
from runner.dataset.csv_rows import Cells
from runner.dataset.dataset import Dataset
from runner.errors import ConfigError, DatasetError, RunnerWarning
from runner.project import builtin


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "rows"
    path.mkdir()
    for name, start, stop in (("1", 0, 40), ("10", 80, 95), ("2", 40, 80)):
        lines = [f"{i},{i / 8},{-i}" for i in range(start, stop)]
        (path / f"part-{name}.csv").write_text("y,a,b\n" + "\n".join(lines) + "\n")
    return path


def dataset(path, **options):
    return Csv(**({"path": str(path), "target": "y", "chunks": 10} | options))


def computed(arrays):
    wanted = [part for part in (arrays.X, arrays.y, arrays.sample_weight) if part is not None]
    return dask.compute(*wanted, scheduler="sync")


def of_text(path, text, **options):
    path = path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return dataset(path, **options)


def refusal(made):
    with pytest.raises(DatasetError) as error:
        made.arrays()
    return str(error.value)


def test_the_blocks_are_the_rows_in_the_order_of_the_files(folder):
    arrays = dataset(folder).arrays()
    X, y = computed(arrays)
    np.testing.assert_array_equal(y, np.arange(95), strict=True)
    np.testing.assert_array_equal(X, np.column_stack([y / 8, -y]), strict=True)
    assert arrays.feature_names == ("a", "b")


def test_the_chunks_are_exact(folder):
    arrays = dataset(folder, chunks=33).arrays()
    assert arrays.X.chunks == ((33, 33, 29), (2,))
    assert arrays.y.chunks == ((33, 33, 29),)
    assert dataset(folder, chunks="1 KiB").arrays().X.chunks[0] == (64, 31)


def test_other_file_systems_are_read_as_well(folder):
    memory = fsspec.filesystem("memory")
    for path in folder.iterdir():
        memory.pipe(f"/csv/{path.name}", path.read_bytes())
    here, there = dataset(folder).arrays(), dataset("memory://csv/*.csv").arrays()
    for ours, theirs in zip(computed(here), computed(there), strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


def test_the_split_holds_rows_out(folder):
    train, holdout, _ = dataset(folder, holdout=0.3).split()
    y = [
        dask.get(dict(part.y.__dask_graph__()), part.y.__dask_keys__())
        for part in (train, holdout)
    ]
    assert sorted(np.concatenate([block for blocks in y for block in blocks])) == list(range(95))
    assert train.feature_names == ("a", "b")


def test_the_one_scan_is_said(folder, caplog):
    with caplog.at_level(logging.INFO, "runner"):
        dataset(folder).arrays()
    assert caplog.messages == [f"Reading {folder} once, to count its rows."]


def test_the_type_of_x_is_asked_for(folder):
    arrays = dataset(folder, dtype="float32").arrays()
    assert arrays.X.dtype == np.float32
    assert computed(arrays)[0].dtype == np.float32


def test_weights_and_several_targets_are_read_in_the_same_go(tmp_path):
    made = of_text(
        tmp_path, "x,y,w,z\n1,2,3,4.5\n5,6,7,8.5\n", target=["z", "y"], sample_weight="w"
    )
    X, y, weight = computed(made.arrays())
    np.testing.assert_array_equal(X, [[1], [5]])
    np.testing.assert_array_equal(y, [[4.5, 2], [8.5, 6]])
    np.testing.assert_array_equal(weight, [3.0, 7.0], strict=True)


def test_without_a_target_there_is_no_y(folder):
    arrays = dataset(folder, target=None, features=["b", "y"]).arrays()
    assert arrays.y is None
    assert arrays.feature_names == ("b", "y")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2"], np.array([1, 2])),
        (["1", "2.5"], np.array([1.0, 2.5])),
        (["true", "false"], np.array([True, False])),
        (["no", "maybe"], np.array(["no", "maybe"])),
        (["2024-01-02", "2024-01-03"], np.array(["2024-01-02", "2024-01-03"])),
        (["12:30:00", "x"], np.array(["12:30:00", "x"])),
        (['"a,b"', '"c\nd"'], np.array(["a,b", "c\nd"])),
    ],
)
def test_the_type_of_the_target_is_that_of_the_first_rows(tmp_path, cells, expected):
    text = "x,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells))
    _, y = computed(of_text(tmp_path, text).arrays())
    np.testing.assert_array_equal(y, expected, strict=True)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("str", np.array(["1", "2"])),
        ("float64", np.array([1.0, 2.0])),
        ("int64", np.array([1, 2])),
    ],
)
def test_the_type_of_the_target_may_be_asked_for(tmp_path, asked, expected):
    arrays = of_text(tmp_path, "x,y\n0,1\n0,2\n", target_dtype=asked).arrays()
    np.testing.assert_array_equal(computed(arrays)[1], expected, strict=True)


def test_the_first_rows_of_every_file_decide_together(tmp_path):
    (tmp_path / "1.csv").write_text("x,y\n0,1\n")
    (tmp_path / "2.csv").write_text("x,y\n0,1.5\n")
    np.testing.assert_array_equal(computed(dataset(tmp_path).arrays())[1], [1.0, 1.5], strict=True)
    (tmp_path / "2.csv").write_text("x,y\n0,yes\n")
    assert refusal(dataset(tmp_path)) == (
        f"The column 'y' must have types that fit together in all files; got int64 in "
        f"{tmp_path}/1.csv and string in {tmp_path}/2.csv. Write the files again with one type, "
        "or leave some out of dataset.path."
    )
    assert computed(dataset(tmp_path, target_dtype="str").arrays())[1].tolist() == ["1", "yes"]


def test_what_comes_after_the_first_rows_must_keep_to_their_type(tmp_path):
    text = "x,y\n" + "0,1\n" * HEAD_LINES + "0,1.5\n"
    arrays = of_text(tmp_path, text, chunks=HEAD_LINES).arrays()
    assert arrays.y.dtype == np.int64
    with pytest.raises(DatasetError, match=f"got invalid value '1.5' in its row {HEAD_LINES}"):
        computed(arrays)


@pytest.mark.parametrize(("cell", "expected"), [("-nan", True), ("nan", False), ("", False)])
def test_the_first_rows_of_all_files_tell_what_is_to_be_expected(tmp_path, cell, expected):
    (tmp_path / "1.csv").write_text("x,y\n0,1\n")
    (tmp_path / "2.csv").write_text(f"x,y\n{cell},1\n")
    arrays = dataset(tmp_path).arrays()
    [read] = [task.value for task in arrays.X.dask.values() if isinstance(task, DataNode)]
    assert read.cells.has_rare_nulls is expected
    np.testing.assert_array_equal(computed(arrays)[0], [[0], [np.nan]], strict=True)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_may_be_another(tmp_path, delimiter):
    text = "x,y\n1,2\n,4\n".replace(",", delimiter)
    X, y = computed(of_text(tmp_path, text, delimiter=delimiter).arrays())
    np.testing.assert_array_equal(X, [[1], [np.nan]])
    assert y.tolist() == [2, 4]


def test_a_byte_order_mark_and_quoted_names_are_no_part_of_the_names(tmp_path):
    made = of_text(tmp_path, '\ufeff"x","the ""y"""\r\n1,2\r\n', target='the "y"')
    assert made.arrays().feature_names == ("x",)
    assert computed(made.arrays())[1].tolist() == [2]


def test_a_header_alone_is_no_row(tmp_path):
    with pytest.raises(DatasetError, match="The dataset must have at least one row"):
        of_text(tmp_path, "x,y").split()


@pytest.mark.parametrize("text", ["", "\n\n", b"\xff\xfe\x00x\n1\n"])
def test_a_file_that_is_no_csv_is_named(tmp_path, text):
    message = refusal(of_text(tmp_path, text, target="x"))
    assert message.startswith(
        f"The file {tmp_path}/a.csv must be CSV in UTF-8 with a line of column "
    )


@pytest.mark.parametrize(("row", "n_cells"), [("1", 1), ("1,2,3", 3)])
def test_a_row_of_another_length_is_told_before_the_first_block(tmp_path, row, n_cells):
    assert refusal(of_text(tmp_path, f"x,y\n1,2\n\n{row}\n", target="x")) == (
        f"The file {tmp_path}/a.csv must have 2 cells in each row; got {n_cells} in its row 1. "
        "Mend the row, or set dataset.delimiter to what stands between the cells."
    )


def test_other_names_in_another_file_are_told(folder):
    path = folder / "part-2.csv"
    path.write_text("y,a,c\n1,2,3\n")
    assert refusal(dataset(folder)) == (
        f"The file {path} must begin with the same column names as {folder}/part-1.csv; got "
        "differences at 'b', 'c'. Write the files again with one header, or leave some out of "
        "dataset.path."
    )
    path.write_text("y,b,a\n1,2,3\n")
    assert "got another order. Write" in refusal(dataset(folder))


def test_a_missing_column_or_path_is_told(folder):
    assert refusal(dataset(folder, target="x")).endswith("got 'x'. Choose one of: a, b, y.")
    assert refusal(dataset(folder / "part-3.csv")).startswith("dataset.path must name a file, ")
    assert refusal(dataset(folder, features=["a", "a"])).startswith("Each column must be there")


def test_an_unclosed_quote_is_told_before_the_first_block(tmp_path):
    text = "x,y\n" + "1,2\n" * 2000 + '"3,4\n'
    assert "Line 2001 of" in refusal(of_text(tmp_path, text))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ";;"}, "dataset.delimiter must be one character; got ';;'."),
        ({"dtype": "int8"}, "dataset.dtype must be float32 or float64; got 'int8'."),
        (
            {"target_dtype": "date"},
            "dataset.target_dtype must be int64, float64 or str, or null",
        ),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ConfigError) as error:
        dataset("x", **options)
    assert message in str(error.value)


def test_the_option_names_every_key():
    option = yaml.safe_load((builtin("conf") / "dataset" / "csv.yaml").read_text())
    assert option.pop("_target_") == f"{Csv.__module__}.{Csv.__qualname__}"
    own = {field.name for field in dataclasses.fields(Csv)}
    assert set(option) == own - {field.name for field in dataclasses.fields(Dataset)}
    assert dataset("x").delimiter == option["delimiter"]


MIXED = "color,yes,n,day,y\n" + "".join(
    f"{color},{yes},{n},2024-01-0{1 + i % 9},{i}\n"
    for i, (color, yes, n) in enumerate(
        [("red", "true", 1), ("", "False", ""), ('"a,""b"', "", 2.5), ("NA", "true", "NA")] * 10
    )
)


@settings(deadline=None, max_examples=20)
@given(chunks=st.integers(1, 41), dtype=st.sampled_from(["float32", "float64"]))
def test_columns_of_text_make_blocks_frames_of_the_same_types(tmp_path_factory, chunks, dtype):
    made = of_text(tmp_path_factory.mktemp("mixed"), MIXED, chunks=chunks, dtype=dtype)
    arrays = made.arrays()
    assert arrays.X.dtype == object
    graph = dict(arrays.X.__dask_graph__())
    blocks = [dask.get(graph, row[0]) for row in arrays.X.__dask_keys__()]
    for block in blocks:
        pd.testing.assert_series_equal(block.dtypes, arrays.frame.dtypes)
    nan = np.nan
    expected = pd.DataFrame(
        {
            "color": pd.Series(["red", nan, 'a,"b', "NA"] * 10, dtype=object),
            "yes": pd.Series([1, 0, nan, 1] * 10, dtype=dtype),
            "n": pd.Series([1, nan, 2.5, nan] * 10, dtype=dtype),
            "day": pd.Series([f"2024-01-0{1 + i % 9}" for i in range(40)], dtype=object),
        }
    )
    pd.testing.assert_frame_equal(pd.concat(blocks, ignore_index=True), expected)


def test_true_and_false_are_read_as_1_and_0(tmp_path):
    X, _ = computed(of_text(tmp_path, "x,y\ntrue,0\nfalse,1\n,2\n").arrays())
    np.testing.assert_array_equal(X, [[1.0], [0.0], [np.nan]], strict=True)
    text = "x,y\n" + "true,0\n" * HEAD_LINES + "7,1\n"
    with pytest.raises(DatasetError) as error:
        computed(of_text(tmp_path, text).arrays())
    assert str(error.value) == (
        f"The column 'x' of {tmp_path}/a.csv must hold true and false only; got invalid value '7' "
        f"in its row {HEAD_LINES}. Mend the cell, or leave the column out."
    )


def test_a_column_that_is_text_in_one_file_is_text_in_all(tmp_path):
    (tmp_path / "1.csv").write_text("x,y\n1.50,0\n")
    (tmp_path / "2.csv").write_text("x,y\nmany,1\n")
    arrays = dataset(tmp_path, chunks=2).arrays()
    block = dask.get(dict(arrays.X.__dask_graph__()), arrays.X.__dask_keys__()[0][0])
    assert block["x"].tolist() == ["1.50", "many"]


def test_text_after_the_first_rows_of_a_column_of_numbers_is_told(tmp_path):
    text = "color,x,y\n" + "red,1,0\n" * HEAD_LINES + "red,many,1\n"
    arrays = of_text(tmp_path, text).arrays()
    assert arrays.frame.dtypes.astype(str).to_dict() == {"color": "object", "x": "float64"}
    with pytest.raises(DatasetError) as error:
        dask.compute(arrays.X.blocks[HEAD_LINES // 10], scheduler="sync")
    assert str(error.value) == (
        f"The column 'x' of {tmp_path}/a.csv must hold numbers only; got invalid value 'many' in "
        f"its row {HEAD_LINES}. Mend the cell, or leave the column out."
    )


def test_text_is_refused_where_no_frame_is_wanted(tmp_path):
    assert "got 'color' (string), 'day' (string). Name the columns" in refusal(
        of_text(tmp_path, MIXED, as_frame=False)
    )


def test_y_alone_decodes_the_target_columns_only(tmp_path, monkeypatch):
    made = of_text(tmp_path, MIXED, target=["y", "day"], target_dtype="str")
    arrays = made.arrays()
    parse, decoded = Cells.parse, []

    def spy(self, lines, longest):
        table = parse(self, lines, longest)
        decoded.append(table.column_names)
        return table

    monkeypatch.setattr(Cells, "parse", spy)
    y_only = arrays.y_only.compute(scheduler="sync")
    assert set(map(tuple, decoded)) == {("y", "day")}
    np.testing.assert_array_equal(y_only, arrays.y.compute(scheduler="sync"), strict=True)


def test_y_alone_is_there_where_a_feature_cannot_be_read(tmp_path):
    text = "x,y\n" + "1,0\n" * HEAD_LINES + "many,1\n"
    arrays = of_text(tmp_path, text).arrays()
    assert arrays.y_only.compute(scheduler="sync").sum() == 1
    with pytest.raises(DatasetError, match="The column 'x'"):
        arrays.y.compute(scheduler="sync")


@pytest.mark.parametrize(("mark", "written"), [(";", '";"'), ("\t", '"\\t"'), ("|", '"|"')])
def test_a_header_that_is_not_cut_names_the_delimiter(tmp_path, mark, written):
    file = tmp_path / "rows.csv"
    file.write_text(f"a{mark}b{mark}y\n1{mark}2{mark}0\n")
    for target in ("y", None):
        with pytest.raises(DatasetError) as caught:
            Csv(path=str(file), target=target).arrays()
        assert str(caught.value) == (
            "dataset.delimiter must part the names of the columns in the first line; got ',', "
            f"which leaves one column, {f'a{mark}b{mark}y'!r}. Write delimiter: {written} under "
            "dataset in the file."
        )
    assert Csv(path=str(file), target="y", delimiter=mark).arrays().X.shape == (1, 2)


def test_a_column_that_is_asked_for_may_be_called_as_one_pleases(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("a|b\n1\n2\n")
    assert Csv(path=str(file), target=None, features=["a|b"]).arrays().X.shape == (2, 1)


def test_the_cell_that_makes_text_of_a_column_of_numbers_is_told(tmp_path):
    rows = "\n".join(["a,b,y", *(f"{i},{i},0" for i in range(9)), "1,twelve,0"])
    dataset = of_text(tmp_path, rows + "\n", target="y")
    with pytest.warns(RunnerWarning) as caught:
        assert dataset.arrays().frame.dtypes["b"].kind == "O"
    (told,) = caught
    assert str(told.message) == (
        f"The column 'b' is taken for text because of 'twelve' in row 9 of {tmp_path}/a.csv. Mend "
        "the cell if it should be a number."
    )


@pytest.mark.parametrize("cells", [["a", "b", "1"], ["a1", "a2", "a3"], ["1", "2", "3"]])
def test_nothing_is_said_of_a_column_of_words_or_of_one_that_is_not_asked_for(tmp_path, cells):
    text = "a,b,y\n" + "".join(f"1,{cell},0\n" for cell in cells)
    of_text(tmp_path, text, target="y").arrays()
    text += "1,2,0\n" * 9
    of_text(tmp_path, text, target="y", features=["a"]).arrays()
