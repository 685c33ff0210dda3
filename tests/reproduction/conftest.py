"""Runs as the record keeps them, made up."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from runner.reproduction.record import Kept
from runner.tracking.record import RecordedRun

HASHES = {
    "runner.order_hash": "o0",
    "runner.model_hash": "m0",
    "runner.content.train": "c1",
    "runner.content.holdout": "c2",
    "runner.content.all": "c3",
}
GIT = {"commit": "a" * 40, "untracked_code": {"mine.py": "11"}}
ENVIRONMENT = {
    "python": "3.11.9",
    "platform": "Linux",
    "cpu": "A",
    "cpus": 2,
    "variables": {},
    "threads": [
        {
            "num_threads": 1,
            "user_api": "blas",
            "internal_api": "openblas",
            "version": "0.3.29",
            "architecture": "Haswell",
            "threading_layer": "pthreads",
        }
    ],
    "git": GIT,
}
STEPS = {
    "epoch": [0, 0, 0],
    "position": [0, 1, 2],
    "block": [2, 0, 1],
    "first_row": [50, 0, 25],
    "last_row": [74, 24, 49],
    "rows": [25, 25, 25],
    "content": [7, 5, 6],
}


def ledger(**changes):
    return pa.table({**STEPS, "mixed": [[], [], []], **changes})


@pytest.fixture
def make():
    """Return what makes a run as the record keeps it, with some changes."""
    run = RecordedRun(
        run_id="a" * 32,
        name="quickstart",
        status="FINISHED",
        started=datetime(2026, 1, 2, tzinfo=UTC),
        duration_s=1.0,
        scores={"accuracy": 0.5, "roc_auc": float("nan")},
        params={},
        experiment_id="1",
        tags=HASHES,
    )
    whole = Kept(
        run,
        curves={"train/progressive_accuracy": [(50, 0.25), (75, 0.5)]},
        ledger=ledger(),
        environment=ENVIRONMENT,
        requirements={"numpy": "2.4.5", "scipy": "1.14"},
    )

    def make(tags=None, scores=None, without=(), **changes):
        told = {**HASHES, **(tags or {})}
        told = {key: value for key, value in told.items() if key not in without}
        own = replace(run, tags=told, scores={**run.scores, **(scores or {})})
        return replace(whole, run=own, **changes)

    return make
