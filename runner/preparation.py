"""What is made ready before the first epoch: labels counted, stages fitted, held-out scores."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import cache
from typing import Any

from runner.base import Block, Part, Remark, Split
from runner.evaluation.evaluation import Evaluation
from runner.fit.classes import check_inferred, check_weighted, infers, listed
from runner.fit.held_out import HeldOut
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.inspection import Inspection
from runner.fit.labels import Labels, LabelWeights, count_labels
from runner.fit.loop import fit_loop
from runner.fit.options import BALANCED, FitOptions
from runner.fit.progressive import Progressive
from runner.preprocessing.stages import Stages
from runner.stream.source import BlockSource, Transform
from runner.stream.stream import Stream


def counting(train: Part, stream: Stream) -> Callable[[int], Labels]:
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
        only_y = Part(y, None, None, train.places)
        with closing(stream.in_order(stream.source(only_y))) as blocks:
            return count_labels(blocks, max_classes)

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


def fit_stages(stages: Stages, train: Part, stream: Stream) -> None:
    """Fit the stages that stay fixed, each by one pass over the training blocks.

    A stage sees what the stages before it make of the blocks, in the dataset's order; one that
    learns from a single block sees the first, of mixed rows if the stream has a buffer.

    Raises
    ------
    FitError
        If a stage refuses a block.
    """
    stages.name_columns(train.feature_names, is_frame=train.frame is not None)
    for stage in stages.passes():
        source = stream.source(train, stages.transform)
        blocks = _first(stream, source) if stage.only_first else stream.in_order(source)
        _learn(stage, blocks)
        stage.finish()


def _learn(stage: Any, blocks: Generator[Block]) -> None:
    fit_loop([IncrementalFit(stage)], lambda _: blocks)


def _first(stream: Stream, source: BlockSource) -> Generator[Block]:
    """Yield the first block that is not empty; no other is read unless rows are mixed."""
    plain = Stream(shuffle=False, prefetch=0)
    with closing((stream if stream.buffer_blocks else plain).epoch(source, 0)) as blocks:
        for block in blocks:
            yield block
            if block.n_rows:
                return


def inspection(
    stages: Stages,
    learner: Any,
    train: Part,
    arguments: Mapping[str, Any],
    tell: Callable[[Remark], None],
) -> Inspection:
    """Return what looks at the first blocks, as the stages make them, before they are learned."""
    return Inspection(
        learner,
        tell,
        has_classes=listed(arguments, train) is not None,
        feature_names=None if stages.transform else train.feature_names,
    )


def progressive(fit: FitOptions, evaluation: Evaluation) -> Progressive | None:
    """Return what scores each block before it is learned, if it is asked for."""
    window = fit.progressive_window
    return Progressive(evaluation.score_block, window) if window else None


def held_out(
    evaluation: Evaluation, every: int | str | None, split: Split, transform: Transform | None
) -> HeldOut | None:
    """Return what scores rows on the way that are not learned from, if it is asked for.

    These are the validation rows, or else those of the final scores. They are read one block at a
    time, because training blocks are waiting in memory meanwhile.
    """
    part = split.validation or split.holdout
    if every is None or part is None:
        return None
    return HeldOut(evaluation.measure, reading(part, transform), every, evaluation.growth)


def reading(part: Part, transform: Transform | None) -> Callable[[], Generator[Block]]:
    """Return what yields the blocks of a part one at a time, while others wait in memory."""
    stream = Stream(shuffle=False, prefetch=0)
    source = stream.source(part, transform)
    return lambda: stream.in_order(source)
