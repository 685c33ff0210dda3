"""What is made ready before the first epoch: labels counted, stages fitted, held-out scores."""

import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from runner.base import Block, Part, Remark, Split
from runner.contents import Contents
from runner.elsewhere import DATA
from runner.errors import ClusterError, RunnerWarning
from runner.evaluation.evaluation import Evaluation
from runner.fit.bad_blocks import BadBlocks, ReadAgain
from runner.fit.classes import check_inferred, check_weighted, infers, listed
from runner.fit.held_out import HeldOut, ReadBlocks
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.inspection import Inspection
from runner.fit.labels import Labels, LabelWeights, count_labels
from runner.fit.loop import fit_loop
from runner.fit.options import BALANCED, FitOptions
from runner.fit.progressive import Progressive
from runner.preprocessing.stages import Stages
from runner.steps import told
from runner.stream.reading import Transform
from runner.stream.source import BlockSource
from runner.stream.stream import Stream

if TYPE_CHECKING:
    from runner.cluster.workers import Workers


def read_by(
    workers: "Workers | None", stream: Stream, stages: Stages, learners: Sequence[Any]
) -> Stream:
    """Return a stream whose blocks are read by workers, if there are some.

    Workers that cannot import what learns are not asked about held-out rows, which come here.

    Raises
    ------
    ClusterError
        If they cannot import the stages; or what learns, where the model goes to the blocks.

    Warns
    -----
    RunnerWarning
        If they cannot import what learns.
    """
    if workers is None:
        return stream
    workers.check_loads(list(stages.named.values()))
    try:
        workers.check_loads(list(learners))
    except ClusterError as error:
        if workers.placement == DATA:
            raise
        told = f"{error} Until then held-out rows come here to be scored."
        warnings.warn(told, RunnerWarning, stacklevel=2)
        return stream.on(workers, asks=False)
    return stream.on(workers)


def counting(train: Part, stream: Stream, *, tolerant: bool = False) -> Callable[[int], Labels]:
    """Return what counts the labels of the training blocks, at most so many, in one pass.

    The pass is over y alone, and X is not read if the source can do without. It is made once,
    however often the counts are asked for.

    Raises
    ------
    FitError
        When it is called: if a label is missing or of another type than others.
    ConfigError
        If there are more than ``max_classes``.
    """

    @cache
    def count(max_classes: int) -> Labels:
        y = train.y if train.y_only is None else train.y_only
        assert y is not None, "what has no labels has none to count"  # noqa: S101
        only_y = Part(y, None, None, train.places, rows=train.rows)
        source = stream.source(only_y, tolerant=tolerant)
        with closing(told("labels", stream.in_order(source), train.n_rows)) as blocks:
            return count_labels((b for b in blocks if b.error is None), max_classes)

    return count


def learned_labels(
    partial_fit: Mapping[str, Any], fit: FitOptions, train: Part, count: Callable[[int], Labels]
) -> tuple[dict[str, Any], LabelWeights | None, Labels | None]:
    """Return the arguments of ``partial_fit``, what the labels weigh, and the labels if counted.

    They are counted only if ``classes: infer`` or balanced weights ask for it.

    Raises
    ------
    FitError
        If a label is missing or of another type than others.
    ConfigError
        If there are more than ``fit.max_classes``, or a single one, or weights for others.
    """
    arguments, given = dict(partial_fit), fit.class_weight
    weights = LabelWeights(given) if isinstance(given, Mapping) else None
    is_inferred = infers(arguments.get("classes"))
    if train.y is None or not (is_inferred or given == BALANCED):
        return arguments, weights, None
    labels = count(fit.max_classes)
    if is_inferred:
        check_inferred(labels.classes)
        check_weighted(given, labels.classes[0])
        arguments["classes"] = labels.argument
    return arguments, LabelWeights(labels.balanced()) if given == BALANCED else weights, labels


def fit_stages(
    stages: Stages,
    train: Part,
    stream: Stream,
    options: FitOptions | None = None,
    saved: bytes | None = None,
) -> None:
    """Fit the stages that stay fixed, each by one pass over the training blocks.

    A stage sees what the stages before it make of the blocks, in the dataset's order; one that
    learns from a single block sees the first, of mixed rows if the stream has a buffer. Bad
    blocks are passed over if the options say so. No pass is made where a state was saved.

    Raises
    ------
    FitError
        If a stage refuses a block.
    """
    stages.name_columns(train.feature_names, is_frame=train.frame is not None)
    if saved is not None:
        stages.restore(saved)
        return
    skips = options is not None and options.skips
    for stage in stages.passes():
        source = stream.source(train, stages.transform, tolerant=skips)
        blocks = _first(stream, source) if stage.only_first else stream.once(source)
        again = partial(stream.one_by_one().epoch, source)
        bad = BadBlocks(options.max_bad_blocks, again) if options and skips else None
        total_rows = None if stage.only_first else train.n_rows
        _learn(stage, told(f"preprocessing.{stage.name}", blocks, total_rows), bad)
        stage.finish()


def _learn(stage: Any, blocks: Generator[Block], bad_blocks: BadBlocks | None) -> None:
    fit_loop([IncrementalFit(stage, bad_blocks=bad_blocks)], lambda _: blocks)


def _first(stream: Stream, source: BlockSource) -> Generator[Block]:
    """Yield the first block that is not empty; no other is read unless rows are mixed."""
    with closing(
        (stream if stream.buffer_blocks else stream.one_by_one()).epoch(source, 0)
    ) as blocks:
        for block in blocks:
            yield block
            if block.n_rows:
                return


def reading_from(stream: Stream, source: BlockSource, fits: Sequence[IncrementalFit]) -> ReadAgain:
    """Return what yields the training blocks of an epoch from a position on.

    Blocks that a fit could not read are not read again, and have no rows in a buffer.
    """

    def read(epoch: int, start: int) -> Generator[Block]:
        bad_blocks = [fit.bad_blocks for fit in fits if fit.bad_blocks is not None]
        gone = {number for bad in bad_blocks for at, number in bad.unread if at == epoch}
        places = enumerate(source.part.places)
        unread = [index for index, place in places if place.number in gone]
        return stream.epoch(source.without(unread), epoch, start, unread)

    return read


def inspection(
    stages: Stages,
    learner: Any,
    train: Part,
    arguments: Mapping[str, Any],
    tell: Callable[[Remark], None],
    *,
    goes_on: bool = False,
) -> Inspection:
    """Return what looks at the first blocks, as the stages make them, before they are learned."""
    return Inspection(
        learner,
        tell,
        has_classes=listed(arguments, train) is not None,
        feature_names=None if stages.transform else train.feature_names,
        goes_on=goes_on,
    )


def progressive(fit: FitOptions, evaluation: Evaluation) -> Progressive | None:
    """Return what scores each block before it is learned, if it is asked for."""
    window = fit.progressive_window
    return Progressive(evaluation.score_block, window) if window else None


def held_out(
    evaluation: Evaluation, every: int | str | None, read: ReadBlocks | None
) -> HeldOut | None:
    """Return what scores rows on the way that are not learned from, if it is asked for.

    ``read(then)`` yields them; None where no rows are held out.
    """
    if every is None or read is None:
        return None
    return HeldOut(evaluation.measure, read, every, evaluation.growth)


def reading_held_out(
    split: Split, transform: Transform | None, contents: Contents, *, tolerant: bool = False
) -> ReadBlocks | None:
    """Return what yields the validation rows, or else those of the final scores."""
    for name in ("validation", "holdout"):
        if name in split.parts:
            part = split.parts[name]
            read = contents.reading(name, part, transform, tolerant=tolerant)
            return lambda then=None: told(name, read(then), part.n_rows)
    return None
