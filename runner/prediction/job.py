"""From a recorded run and a dataset to a folder of predictions."""

import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from runner.base import Block, Part
from runner.config.recorded import recomposed
from runner.elsewhere import answered
from runner.errors import ConfigError, RunnerWarning
from runner.experiment import Experiment
from runner.one_core import one_core
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

    Never more than a few blocks are in memory. The threads that read them ask the model, each a
    copy of its own, and numerical libraries use one core in each, so that the files are the same
    bytes with any number of cores, and on a cluster. Each block becomes
    ``part-00000.parquet``, ...; one without rows becomes none. Its columns are ``row``, the number
    of the row in the dataset, then those asked for, then the answers of the model: ``prediction``,
    or ``prediction_0``, ... of several outputs, and ``probability_<class>``; of a model that only
    transforms, ``component_0``, ... . ``_predictions.json``, which counts them, is written last.

    Parameters
    ----------
    run_id : str
        The id of the run, or its beginning.
    output : str or Path
        The folder, which must be new or empty.
    overrides : sequence of str
        What to change in the run's dataset and stream, as on the command line:
        ``["dataset=parquet", "dataset.path=new.parquet"]``. The target is not needed. A cluster
        is used only if one is named here: ``["cluster=local"]``.
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
    parts = Parts(folder, {"run": run.run_id, "model": kept.uri})
    n_blocks = n_rows = 0
    with parts.counted(), one_core(), closing(_read(experiment, part, answers)) as blocks:
        for block in blocks:
            if block.n_rows:
                parts.write(block.place.number, block.answers or _columns(block, answers))
            n_blocks += 1
            n_rows += block.n_rows
            del block
        source = source_of(recipe).items()
        told_of = {key: value for key, value in source if key not in WITHOUT_EFFECT}
        parts.finish(blocks=n_blocks, dataset=told_of)
    return Prediction(run.run_id, kept.uri, folder, n_rows, n_blocks, tuple(parts.names))


@dataclass(frozen=True)
class Predicting:
    """What is made of a block where it is read: the columns, in place of its rows."""

    answers: Answers

    def __call__(self, block: Block) -> Block:
        """Return the block with its columns as ``answers``."""
        columns = _columns(block, self.answers) if block.n_rows else {}
        return answered(block, {name: compact(each) for name, each in columns.items()})


def compact(column: Any) -> Any:
    """Return a column that holds no more than its own rows, which else are sent with all others.

    Examples
    --------
    >>> import pyarrow as pa
    >>> column = pa.chunked_array([pa.array(range(1000))])[10:12]
    >>> column.get_total_buffer_size(), compact(column).get_total_buffer_size()
    (8000, 16)
    """
    if not isinstance(column, pa.ChunkedArray):
        return column
    chunks = (pa.record_batch([chunk], ["column"]) for chunk in column.chunks)
    own = [pa.ipc.read_record_batch(each.serialize(), each.schema)[0] for each in chunks]
    return pa.chunked_array(own, column.type)


def _read(experiment: Experiment, part: Part, answers: Answers) -> Generator[Block]:
    """Yield all blocks; the workers of a cluster, or the threads that read, predict them."""
    with experiment.cluster.open() as workers:
        if workers is not None:
            workers.check_files(experiment.dataset.fingerprint())
        stream = experiment.stream.on(workers)
        blocks = stream.in_order(stream.source(part), Predicting(answers))
        yield from told("predict", blocks, part.n_rows)


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
