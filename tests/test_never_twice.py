"""An error in the middle of learning, however much was changed by then: no block counts twice."""

import shutil
import sys

import joblib
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from runner.cli import WRONG, main
from runner.config.job import run
from runner.errors import RunnerWarning
from runner.stream.stream import Stream
from runner.tracking.fingerprints import model_tags
from runner.tracking.record import recent_runs

BLOCKS, SIZE, EPOCHS, SEED = 30, 40, 2, 3
HOWS = ("before", "during", "after")
# Which blocks fail, by their position in the first epoch, and how.
TROUBLE = {at + i: how for at in (2, 12, 25) for i, how in enumerate(HOWS)}
FALTERING = '''
from pathlib import Path

from sklearn.linear_model import SGDClassifier

FOLDER = Path(__file__).parent


class Faltering(SGDClassifier):
    """Raises once for each block that ``trouble`` names by its first value, and says how."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        how = self.trouble(X)
        if how == "before":
            raise OSError("a cable was pulled")
        if how == "during" and hasattr(self, "coef_"):
            self.coef_ *= 2
            self.t_ += 7
            raise OSError("a cable was pulled")
        super().partial_fit(X, y, classes, sample_weight)
        if how is not None:
            raise OSError("a cable was pulled")
        return self

    def trouble(self, X):
        file = FOLDER / "trouble"
        lines = file.read_text().splitlines()
        for line in lines:
            first, how = line.split()
            if float(first) == X[0, 0]:
                file.write_text("\\n".join(each for each in lines if each != line))
                return how
        return None
'''
EXPERIMENT = """\
# an estimator that fails now and then
defaults:
  - override /dataset: npy
  - override /callbacks: [checkpoint]
dataset: {X: X.npy, y: y.npy, chunks: 40, holdout: 0}
estimator: {_target_: faltering.Faltering, random_state: 3}
partial_fit: {classes: [0, 1]}
fit: {epochs: 2}
evaluation: {scoring: []}
tracking: {log_model: false}
seed: 3
"""


@pytest.fixture
def rows(project, schema, monkeypatch):
    """Return the rows of a project whose estimator fails at some of their blocks."""
    shutil.copy(schema, project / "mlflow.db")
    (project / "faltering.py").write_text(FALTERING)
    (project / "pyproject.toml").write_text('[tool.runner]\nallow = ["faltering"]\n')
    (project / "experiments").mkdir()
    (project / "experiments" / "faltering.yaml").write_text(EXPERIMENT)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(BLOCKS * SIZE, 5))
    y = (X[:, 0] + rng.normal(size=len(X)) > 0).astype(int)
    np.save(project / "X.npy", X)
    np.save(project / "y.npy", y)
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "faltering", raising=False)
    yield X, y
    sys.modules.pop("faltering", None)


def write_trouble(project, X, trouble):
    order = Stream(seed=SEED).order(BLOCKS, 0)
    lines = [f"{X[order[at] * SIZE, 0]!r} {how}" for at, how in trouble.items()]
    (project / "trouble").write_text("\n".join(lines).replace("np.float64(", "").replace(")", ""))


def by_hand(X, y, without=()):
    """Return what an estimator learns that never fails, without some blocks of the first epoch."""
    model = SGDClassifier(random_state=SEED)
    for epoch in range(EPOCHS):
        for position, block in enumerate(Stream(seed=SEED).order(BLOCKS, epoch)):
            if epoch or position not in without:
                part = slice(block * SIZE, (block + 1) * SIZE)
                model.partial_fit(X[part], y[part], classes=[0, 1])
    return model


def test_what_is_passed_over_leaves_no_trace_however_it_failed(project, rows):
    write_trouble(project, rows[0], TROUBLE)
    with pytest.warns(RunnerWarning, match="Passed over"):
        result = run("faltering", ["fit.on_bad_block=skip"])
    expected = by_hand(*rows, without=TROUBLE)
    assert (project / "trouble").read_text() == ""
    assert result.model.t_ == expected.t_ == 1 + SIZE * (EPOCHS * BLOCKS - len(TROUBLE))
    assert joblib.hash(vars(result.model)) == joblib.hash(vars(expected))
    assert result.progress.bad_blocks == len(TROUBLE)


LONG = pytest.param(TROUBLE, marks=pytest.mark.slow)


@pytest.mark.parametrize("trouble", [dict(zip((0, 9, 24), HOWS, strict=True)), LONG])
def test_a_run_that_failed_and_is_resumed_learns_each_block_once(project, rows, trouble, capsys):
    write_trouble(project, rows[0], {})
    whole = run("faltering")
    assert joblib.hash(vars(whole.model)) == joblib.hash(vars(by_hand(*rows)))
    write_trouble(project, rows[0], trouble)
    assert main(["run", "faltering"]) == WRONG
    failed = recent_runs()[0]
    for _ in range(len(trouble) - 1):
        assert recent_runs()[0].status == "FAILED"
        assert main(["resume", failed.run_id[:12]]) == WRONG
        assert "a cable was pulled" in capsys.readouterr().err
    assert main(["resume", failed.run_id[:12]]) == 0
    resumed = recent_runs()[0]
    assert (resumed.run_id, resumed.status) == (failed.run_id, "FINISHED")
    assert resumed.rows == EPOCHS * BLOCKS * SIZE
    assert resumed.tags.items() >= model_tags(whole.model).items()
