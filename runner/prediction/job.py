"""From a recorded run and a dataset to a folder of predictions."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runner.base import Block
from runner.config.recorded import recomposed
from runner.errors import ConfigError, RunnerWarning
from runner.prediction.answers import Answers
from runner.prediction.parts import Parts, free_folder
from runner.prediction.rows import rows_to_predict
from runner.steps import told
from runner.tracking.loading import load_model
from runner.tracking.record import find_run, kept_config
from runner.trial import source_of

ROW = "row"
WITHOUT_EFFECT = ("holdout", "holdout_by", "validation")


@dataclass(frozen=True)
class Prediction:
    """What was predicted, of what, and where it is."""

    run_id: str
    model: str
    folder: Path
    rows: int
    blocks: int
    columns: tuple[str, ...]


def predict(
    run_id: str,
    output: str | Path,
    overrides: Sequence[str] = (),
    *,
    columns: str | Sequence[str] = (),
    probabilities: bool | None = None,
) -> Prediction:
    """Predict every row of a dataset by the model of a run, block by block, to Parquet files.

    Never more than a few blocks are in memory. Each block becomes ``part-00000.parquet``, ...;
    one without rows becomes none. Its columns are ``row``, the number of the row in the dataset,
    then those asked for, then the answers of the model: ``prediction``, or ``prediction_0``, ...
    of several outputs, and ``probability_<class>``; of a model that only transforms,
    ``component_0``, ... . ``_predictions.json``, which counts them, is written last.

    Parameters
    ----------
    run_id : str
        The id of the run, or its beginning.
    output : str or Path
        The folder, which must be new or empty.
    overrides : sequence of str
        What to change in the run's dataset and stream, as on the command line:
        ``["dataset=parquet", "dataset.path=new.parquet"]``. The target is not needed.
    columns : str or sequence of str
        Further columns of the files to copy, such as an id.
    probabilities : bool, optional
        Whether to add the probability of each class; by default if the model can tell it.

    Raises
    ------
    RunnerError
        If something a person can mend is wrong. The parts that were finished stay; where there
        is none, no new folder stays.

    Warns
    -----
    RunnerWarning
        If a share to hold out is asked for, which there is not; or, if something goes wrong, with
        what is there already.
    """
    names = [columns] if isinstance(columns, str) else [str(name) for name in columns]
    folder = free_folder(output)
    run = find_run(run_id)
    kept = load_model(run)
    answers = Answers(kept.model, probabilities)
    _warn_of_split(overrides)
    experiment, recipe = recomposed(kept_config(run), overrides)
    part = rows_to_predict(experiment.dataset, kept.model, kept.feature_names, names)
    read = experiment.stream.in_order(experiment.stream.source(part))
    blocks = told("predict", read, part.n_rows)
    parts = Parts(folder, {"run": run.run_id, "model": kept.uri})
    n_blocks = n_rows = 0
    with parts.counted(), closing(blocks):
        for block in blocks:
            if block.n_rows:
                parts.write(block.place.number, _columns(block, answers))
            n_blocks += 1
            n_rows += block.n_rows
            del block
        source = source_of(recipe)
        kept_keys = source.keys() - set(WITHOUT_EFFECT)
        parts.finish(blocks=n_blocks, dataset={key: source[key] for key in kept_keys})
    return Prediction(run.run_id, kept.uri, folder, n_rows, n_blocks, tuple(parts.names))


def _columns(block: Block, answers: Answers) -> Mapping[str, Any]:
    """Put the row numbers, the columns asked for and the answers beside each other.

    Raises
    ------
    ConfigError
        If a column that is asked for is called like one of the others.
    """
    asked = (
        {} if block.y is None else dict(zip(block.y.column_names, block.y.columns, strict=True))
    )
    made = {ROW: np.arange(block.place.start, block.place.stop), **answers.of(block)}
    twice = asked.keys() & made.keys()
    if twice:
        raise ConfigError(
            "columns",
            "name columns that are called otherwise than those of the predictions",
            got=", ".join(sorted(twice)),
            remedy="Leave them out, or call them otherwise in the files.",
        )
    return {ROW: made.pop(ROW), **asked, **made}


def _warn_of_split(overrides: Sequence[str]) -> None:
    for text in overrides:
        key = text.lstrip("+~").partition("=")[0]
        if key.removeprefix("dataset.") in WITHOUT_EFFECT and key.startswith("dataset."):
            warnings.warn(
                f"{key} has no effect here: every row is predicted.", RunnerWarning, stacklevel=3
            )
