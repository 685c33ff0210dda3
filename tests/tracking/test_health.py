import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing

import pytest

from runner.tracking.health import LEAST_FREE, check_database, check_space
from runner.tracking.store import Store, resolve


def test_a_whole_database_is_told_with_its_size(store):
    finding = check_database(store.file)
    assert finding.ok
    assert finding.told == f"{store.file.stat().st_size / 1e6:.1f} MB, whole"


def test_a_damaged_page_is_found(store):
    with closing(sqlite3.connect(store.file)) as database:
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'alembic_version'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with store.file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    finding = check_database(store.file)
    assert not finding.ok
    assert "damaged" in finding.told
    assert f"sqlite3 {store.file} .recover" in finding.told
    assert "\n" not in finding.told


def test_what_is_no_database_is_found(project):
    file = project / "mlflow.db"
    file.write_text("these are no pages of a database, " * 100)
    assert "not a database" in check_database(file).told


def test_a_database_that_somebody_writes_is_left_alone(store, monkeypatch):
    monkeypatch.setattr("runner.tracking.health.PATIENCE_S", 0.1)
    with closing(sqlite3.connect(store.file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        finding = check_database(store.file)
    assert finding.ok
    assert "somebody is writing" in finding.told


def test_room_is_told_for_the_project_and_for_a_store_elsewhere(project, tmp_path):
    elsewhere = Store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    told = check_space(elsewhere, 0).told
    assert f"free in {project}; " in told
    assert told.endswith(f"free in {tmp_path}")
    assert check_space(resolve(), 0).told.count("free in") == 1
    assert check_space(Store("http://host"), 0) == check_space(None, 0)


@pytest.mark.parametrize(
    ("free", "largest", "ok"),
    [
        (LEAST_FREE, 0, True),
        (LEAST_FREE - 1, 0, False),
        (2 * LEAST_FREE, LEAST_FREE, False),
        (3 * LEAST_FREE, LEAST_FREE, True),
    ],
)
def test_too_little_room_is_told(free, largest, ok, project, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, free))
    finding = check_space(resolve(), largest)
    assert finding.ok == ok
    assert ("free some" in finding.told) != ok
