"""What a person sees of a sweep: its plan, each member as it ends, and the leaderboard."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from rich.text import Text

from runner.base import Split
from runner.callbacks.bars import Bars
from runner.protocols import SweepRun
from runner.records import Outcome
from runner.steps import listener, listening
from runner.sweeps.teller import Teller
from runner.terminal import (
    STYLES,
    count,
    score_text,
    seconds_text,
    show_line,
    show_pairs,
    show_plan,
    show_result,
    show_table,
)
from runner.tracking.leaderboard import ranked, scorers

if TYPE_CHECKING:
    from runner.experiment import Experiment
    from runner.saved import Resumed
    from runner.sweeps.plan import Group, Plan
    from runner.trial import Result

MOST_ROWS = 20


class Shown(Teller):
    """Writes results to standard output, and on the way bars or lines to standard error."""

    def around(self) -> AbstractContextManager[object]:
        """Show how far each long step comes."""
        return listening(Bars())

    def on_plan(self, plan: "Plan", *, is_dry: bool) -> None:
        """Write which members share their blocks, and what that saves."""
        n_groups, n_members = len(plan.groups), len(plan.built) + len(plan.refused)
        told = f"{count(n_members, 'member')} in {count(n_groups, 'group')}{_dealt(plan)}"
        sys.stdout.write(f"sweep of {told}\n")
        show_table(
            ["group", "members", "rows", "blocks", "epochs", "block reads", "one by one"],
            [_group_row(index, group, plan) for index, group in enumerate(plan.groups)],
        )
        alone = sum(group.reads_alone for group in plan.groups)
        together = sum(group.reads for group in plan.groups)
        if plan.is_shared and alone:
            saved = f"{alone:,} block reads become {together:,}"
            sys.stdout.write(f"{saved}: {1 - together / alone:.0%} are saved\n")
        elif not plan.is_shared:
            sys.stdout.write("this launcher reads the data for each member anew\n")
        if plan.n_workers != 0 and any(group.tournament for group in plan.groups):
            sys.stdout.write("members that a halving compares learn on one worker\n")
        for group in plan.groups:
            _write_brackets(group)
        if is_dry:
            sys.stdout.write("dry run: nothing was learned or logged\n")
        sys.stdout.flush()

    def on_dry_run(self, experiment: "Experiment", split: Split) -> None:
        """Write what a run would do."""
        show_plan(experiment, split)

    def on_result(self, experiment: "Experiment", result: "Result") -> None:
        """Write the scores of a run and where to look at it."""
        show_result(experiment, result)

    def on_resumed(self, resumed: "Resumed") -> None:
        """Write from where a run goes on."""
        at = resumed.saved.header if resumed.saved is not None else None
        begun = at is not None and at["rows"] > 0
        where = f"row {at['rows']:,} (epoch {at['epoch']})" if at and begun else "its beginning"
        sys.stderr.write(f"run {resumed.run_id[:8]} goes on from {where}\n")
        sys.stderr.flush()

    def on_member_end(self, outcome: Outcome) -> None:
        """Write a line on how a member ended; nothing of one that was only checked."""
        if outcome.status == "PENDING":
            return
        show_line("", line_of(outcome), STYLES.get(_status(outcome), ""), sys.stderr)
        sys.stderr.flush()

    def on_sweep_end(
        self, outcomes: Sequence[Outcome], run: SweepRun, verdicts: Sequence[str]
    ) -> None:
        """Write the leaderboard, what halving chose, and where to look at all of it."""
        names = scorers(outcomes)
        board = ranked(outcomes)
        show_table(
            ["member", "status", *names, "rows", "run"],
            [
                [
                    outcome.name,
                    Text(_status(outcome), STYLES.get(_status(outcome), "")),
                    *(
                        Text(score_text(outcome.scores[name]), "bold" if not place else "")
                        if name in outcome.scores
                        else "-"
                        for name in names
                    ),
                    f"{outcome.rows:,}",
                    outcome.run_id[:8] or "-",
                ]
                for place, outcome in enumerate(board[:MOST_ROWS])
            ],
        )
        if len(board) > MOST_ROWS:
            sys.stdout.write(f"and {len(board) - MOST_ROWS} more\n")
        rows = [("halving", verdict) for verdict in verdicts]
        if (steps := listener()) is not None:
            rows.append(("time", f"{seconds_text(steps.elapsed_s)} in all"))
        if run.url:  # else nothing is kept
            rows += [("sweep", run.run_id), ("record", run.url)]
            rows.append(("look", f"runner ui {run.run_id[:8]}"))
            if any(outcome.status != "FINISHED" for outcome in outcomes):
                rows.append(("go on", f"runner resume {run.run_id[:8]}"))
        if rows:
            show_pairs(rows)
        sys.stdout.flush()


def line_of(outcome: Outcome) -> str:
    """Say in one line how a member ended.

    Examples
    --------
    >>> line_of(Outcome(number=3, name="3: alpha=0.1", key="", status="FINISHED",
    ...     scores={"accuracy": 0.9}, rows=1000))
    '3: alpha=0.1  finished  accuracy 0.9000  1,000 rows'
    """
    parts = [outcome.name, _status(outcome)]
    parts += [f"{name} {score_text(score)}" for name, score in outcome.scores.items()]
    if outcome.rows:
        parts.append(f"{outcome.rows:,} rows")
    if outcome.stop_reason:
        parts.append(outcome.stop_reason)
    if outcome.error:
        parts.append(outcome.error)
    return "  ".join(parts)


def _dealt(plan: "Plan") -> str:
    """Say how members are dealt over the workers of a cluster, if there is one."""
    if plan.n_workers == 0:
        return ""
    if plan.n_workers is None:
        return ", in shards on as many workers as there are"
    return f", in {count(plan.n_shards, 'shard')} on {count(plan.n_workers, 'worker')}"


def _status(outcome: Outcome) -> str:
    return "stopped" if outcome.rung is not None else outcome.status.lower()


def _group_row(index: int, group: "Group", plan: "Plan") -> list[str]:
    train = group.split.train
    numbers = [group.reads if plan.is_shared else group.reads_alone, group.reads_alone]
    return [
        str(index),
        f"{len(group.built):,}",
        f"{train.n_rows:,}",
        f"{train.n_blocks:,}",
        f"{group.epochs:,}",
        *(f"{number:,}" for number in numbers),
    ]


def _write_brackets(group: "Group") -> None:
    if group.tournament is None:
        return
    brackets = [bracket for bracket in group.tournament.brackets if bracket.members]
    for bracket in brackets:
        left = [len(bracket.members), *bracket.survivors]
        pairs = zip(left[1:], bracket.rungs, strict=True)
        steps = [f"{n} from row {rows:,}" for n, rows in pairs]
        told = ", ".join([f"{left[0]} at first", *steps])
        sys.stdout.write(f"halving {bracket.number}: {told}\n")
    if not any(bracket.decides for bracket in brackets):
        told = f"a member learns {group.total_rows:,} rows"
        sys.stdout.write(f"halving decides nothing here: {told}, sweep.halving.first_rows is ")
        sys.stdout.write(f"{group.tournament.options.first_rows:,}\n")
