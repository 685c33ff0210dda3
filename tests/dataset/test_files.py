from threading import Barrier

import fsspec
import pytest

from runner.dataset.files import THREADS, find_files, natural_key, of_each, reading
from runner.errors import ConfigError, DatasetError


@pytest.fixture
def folder(tmp_path):
    rows = tmp_path / "rows"
    for name in ("b/part-2.csv", "a/part-10.csv", "a/part-9.csv", "a/notes.md"):
        (rows / name).parent.mkdir(parents=True, exist_ok=True)
        (rows / name).write_text("")
    for name in ("_SUCCESS", ".hidden.csv", "a/_metadata.csv", "_old/part-1.csv"):
        (rows / name).parent.mkdir(parents=True, exist_ok=True)
        (rows / name).write_text("")
    return rows


def names(files, folder):
    return [path.removeprefix(f"{folder}/") for path in files.paths]


def test_a_file_is_itself_whatever_its_suffix(folder):
    assert names(find_files(f"{folder}/a/notes.md", (".csv",)), folder) == ["a/notes.md"]


def test_a_folder_is_the_visible_files_below_it_in_natural_order(folder):
    assert names(find_files(str(folder), (".csv",)), folder) == [
        "a/part-9.csv",
        "a/part-10.csv",
        "b/part-2.csv",
    ]
    assert "a/notes.md" in names(find_files(str(folder)), folder)


def test_a_hidden_folder_may_be_asked_for(folder):
    assert names(find_files(f"{folder}/_old"), folder) == ["_old/part-1.csv"]


def test_a_glob_is_what_matches_in_natural_order(folder):
    found = find_files(f"{folder}/*/part-*.csv")
    assert names(found, folder)[-2:] == ["a/part-10.csv", "b/part-2.csv"]


def test_a_name_with_brackets_is_a_file_first(tmp_path):
    (tmp_path / "rows[1].csv").write_text("")
    assert find_files(f"{tmp_path}/rows[1].csv").paths == (f"{tmp_path}/rows[1].csv",)


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_local_path_may_have_its_protocol(folder, prefix):
    assert find_files(f"{prefix}{folder}/b").is_local


def test_other_protocols_are_read_where_they_are():
    fsspec.filesystem("memory").pipe("/files/x.csv", b"1")
    found = find_files("memory://files", (".csv",))
    assert found.paths == ("/files/x.csv",)
    assert not found.is_local


def test_a_relative_path_starts_where_the_command_does(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert names(find_files("b"), folder) == ["b/part-2.csv"]


def test_a_stamp_changes_with_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1")
    before = find_files(str(path)).stamps
    assert find_files(str(path)).stamps == before
    path.write_text("12")
    assert find_files(str(path)).stamps != before


def test_a_missing_file_is_told_with_its_neighbours(folder):
    with pytest.raises(DatasetError) as error:
        find_files(f"{folder}/b/prat-2.csv")
    assert str(error.value) == (
        "dataset.path must name a file, a folder or a glob that exists; "
        f"got '{folder}/b/prat-2.csv'. In {folder}/b: Did you mean 'part-2.csv'?"
    )


def test_a_missing_folder_is_told_where_the_path_goes_wrong(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(DatasetError, match=f"In {tmp_path}: Did you mean 'train'"):
        find_files(f"{tmp_path}/trian/2024/*.csv", key="dataset.X")


def test_a_missing_path_elsewhere_is_told_too():
    with pytest.raises(DatasetError, match="'/nowhere/at/all'"):
        find_files("memory://nowhere/at/all")


def test_a_glob_without_a_match_is_missing(folder):
    with pytest.raises(DatasetError, match="must name a file, a folder or a glob that exists"):
        find_files(f"{folder}/*.parquet")


def test_a_folder_without_files_is_told_what_it_lacks(folder):
    with pytest.raises(DatasetError) as error:
        find_files(str(folder), (".parquet", ".pq"))
    assert str(error.value) == (
        f"dataset.path must name a folder with files to read; got '{folder}', with no .parquet "
        "or .pq file in it. Name another folder, or the files themselves with a glob."
    )


@pytest.mark.parametrize("path", ["nosuch://bucket/x", "abfs://bucket/x"])
def test_a_protocol_that_is_not_here_is_told(path):
    with pytest.raises(DatasetError, match=f"a protocol that is installed here; got '{path}'"):
        find_files(path)


def test_a_path_that_is_not_text_is_told():
    with pytest.raises(ConfigError, match=r"dataset\.X must be a path; got 3\. Write dataset\.X"):
        find_files(3, key="dataset.X")


def test_numbers_sort_by_value_and_equal_ones_by_spelling():
    paths = ["f/2", "f/10", "f/02", "f10/1", "f9/1"]
    assert sorted(paths, key=natural_key) == ["f9/1", "f10/1", "f/02", "f/2", "f/10"]


def test_other_errors_pass_through():
    with pytest.raises(ZeroDivisionError), reading("a.csv", "be readable", "Mend it."):
        1 / 0  # noqa: B018


def test_an_error_of_reading_keeps_its_cause():
    cause = OSError("no luck.\n  At all.")
    with (
        pytest.raises(DatasetError, match=r"got OSError: no luck\. At all\. Mend it\.") as error,
        reading("a.csv", "be readable", "Mend it."),
    ):
        raise cause
    assert error.value.__cause__ is cause


def test_something_is_found_of_several_files_at_a_time_in_their_order():
    together = Barrier(THREADS)

    def find(path, _):
        together.wait(timeout=60)
        return path * 2

    paths = [str(i) for i in range(3 * THREADS)]
    assert of_each(paths, find) == [path * 2 for path in paths]


def test_the_error_is_that_of_the_first_file_and_no_other_file_is_begun():
    begun, waiting = [], Barrier(THREADS)

    def find(path, stopped):
        begun.append(path)
        if len(begun) <= THREADS:
            waiting.wait(timeout=60)
        if path in ("1", "2"):
            raise OSError(path)
        assert path == "0" or stopped.wait(60)

    with pytest.raises(OSError, match="1"):
        of_each([str(i) for i in range(100)], find)
    assert len(begun) < 100
