import dataclasses
import sysconfig

import dask
import fsspec
import numpy as np
import pytest
import yaml

from runner.dataset.dataset import Dataset
from runner.dataset.text import STDLIB_MODULES, StdlibLines, TextLines
from runner.errors import ConfigError, DatasetError
from runner.project import builtin

FILES = {
    "sad/b-2.txt": "alas\n\n  alack\r\n",
    "sad/b-10.txt": "oh no",
    "glad/a.txt": "hooray\nhurrah\n",
    "glad/b-2.txt": "yes\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return str(tmp_path / "texts")


def computed(arrays):
    X, y = dask.compute(arrays.X, arrays.y, scheduler="sync")
    return X.tolist(), None if y is None else y.tolist()


def test_lines_are_labelled_by_their_file(folder):
    X, y = computed(TextLines(path=folder).arrays())
    assert X == ["hooray", "hurrah", "yes", "alas", "  alack", "oh no"]
    assert y == ["a", "a", "b-2", "b-2", "b-2", "b-10"]


def test_lines_are_labelled_by_their_folder(folder):
    arrays = TextLines(path=folder, label="folder", chunks=4).arrays()
    assert arrays.X.chunks == arrays.y.chunks == ((4, 2),)
    assert computed(arrays)[1] == ["glad"] * 3 + ["sad"] * 3
    assert arrays.y.dtype == np.dtype("<U4")


def test_lines_need_no_label(folder):
    arrays = TextLines(path=f"{folder}/sad/*.txt", label=None).arrays()
    assert arrays.y is None
    assert computed(arrays)[0] == ["alas", "  alack", "oh no"]


def test_interleaved_files_of_one_label_follow_each_other(folder):
    X, y = computed(TextLines(path=folder, interleave=True).arrays())
    assert X == ["hooray", "hurrah", "yes", "alas", "  alack", "oh no"]
    assert y == ["a", "a", "b-2", "b-2", "b-2", "b-10"]
    X, _ = computed(TextLines(path=folder, interleave=True, label=None).arrays())
    assert len(X) == 6


def test_other_file_systems_are_read_as_well(folder):
    memory = fsspec.filesystem("memory")
    for name, text in FILES.items():
        memory.pipe(f"/texts/{name}", text.encode())
    here = computed(TextLines(path=folder).arrays())
    assert computed(TextLines(path="memory://texts").arrays()) == here


def test_the_split_holds_lines_out(folder):
    train, holdout, _ = TextLines(path=folder, chunks=2, holdout=0.3).split()
    lines = [
        line
        for part in (train, holdout)
        for block in dask.get(dict(part.X.__dask_graph__()), part.X.__dask_keys__())
        for line in block
    ]
    assert sorted(lines) == sorted(["hooray", "hurrah", "yes", "alas", "  alack", "oh no"])


def test_a_folder_of_blank_lines_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("\n  \n")
    with pytest.raises(DatasetError, match="The dataset must have at least one row"):
        TextLines(path=str(tmp_path)).split()


def test_a_missing_path_is_told(folder):
    with pytest.raises(DatasetError, match="Did you mean 'sad'"):
        TextLines(path=f"{folder}/sadd").arrays()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "line"}, "dataset.label must be file or folder, or null; got 'line'."),
        ({"encoding": "utf-16"}, "dataset.encoding must be an encoding in which lines end as in"),
        ({"encoding": "utf-88"}, "got 'utf-88'. Correct it, or leave it out for the default,"),
        ({"encoding": None}, "got None."),
        ({"interleave": "yes"}, "dataset.interleave must be true or false; got 'yes'."),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ConfigError) as error:
        TextLines(path="x", **options)
    assert message in str(error.value)


def test_the_standard_library_has_more_than_100_000_lines_of_every_module():
    arrays = StdlibLines(chunks=5_000).arrays()
    assert arrays.X.shape[0] > 100_000
    y = arrays.y.compute(scheduler="sync")
    assert set(y) == set(STDLIB_MODULES)
    assert len(STDLIB_MODULES) == 20
    for start in range(0, len(y) - 5_000, 5_000):
        assert len(set(y[start : start + 5_000])) == 20


def test_the_order_of_the_standard_library_does_not_depend_on_the_chunks():
    names = ["json", "typing", "xml"]
    X, y = computed(StdlibLines(modules=names, chunks=777).arrays())
    assert (X, y) == computed(StdlibLines(modules=names, chunks=5_000).arrays())
    assert "from .decoder import JSONDecoder, JSONDecodeError" in X


def test_folders_of_tests_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    for name in ("pack/__init__.py", "pack/sub/m.py", "pack/test/t.py", "pack/sub/tests/t.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "single.py").write_text("one = 1\n")
    X, y = computed(StdlibLines(modules=["single", "pack"]).arrays())
    assert X == ["one = 1", "pack/__init__.py", "pack/sub/m.py"]
    assert y == ["single", "pack", "pack"]


def test_a_module_that_is_not_there_is_told():
    with pytest.raises(DatasetError) as error:
        StdlibLines(modules=["jsn"]).arrays()
    assert str(error.value) == (
        "dataset.modules must name modules of the standard library in "
        f"{sysconfig.get_path('stdlib')}; got 'jsn'. Did you mean 'json'?"
    )


@pytest.mark.parametrize("modules", [[], "json", [1]])
def test_modules_must_be_names(modules):
    with pytest.raises(ConfigError, match=r"dataset\.modules must be a list, each item text"):
        StdlibLines(modules=modules)


@pytest.mark.parametrize(
    ("name", "kind"), [("text_lines", TextLines), ("stdlib_lines", StdlibLines)]
)
def test_the_option_names_every_key(name, kind):
    option = yaml.safe_load((builtin("conf") / "dataset" / f"{name}.yaml").read_text())
    assert option.pop("_target_") == f"{kind.__module__}.{kind.__qualname__}"
    own = {field.name for field in dataclasses.fields(kind)}
    assert set(option) == own - {field.name for field in dataclasses.fields(Dataset)}
    assert kind(**option) == kind(**({"path": "???"} if name == "text_lines" else {}))
