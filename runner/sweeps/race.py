"""A tournament among fits that learn from the same blocks."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, nan

from runner.base import Split
from runner.callbacks.watcher import PROGRESSIVE
from runner.contents import Contents
from runner.errors import ConfigError, nearest
from runner.experiment import Experiment
from runner.fit.held_out import HeldOut, Measure
from runner.fit.incremental_fit import IncrementalFit
from runner.fit.loop import Each, Fits, measure
from runner.preparation import held_out, reading_held_out
from runner.preprocessing.stages import Stages
from runner.records import Outcome
from runner.stream.stream import Stream
from runner.sweeps.brackets import Decision
from runner.sweeps.halving import Halving, Tournament
from runner.tracking.tags import HALVING, RUNG
from runner.trial import Trial

EVERY_BLOCK = 1


class Race:
    """Asks the fits for their scores when a rung is due, and stops those that lose.

    Parameters
    ----------
    tournament : Tournament
        Decides.
    trials : mapping of int to Trial
        Those that learn, by the number of their member.
    each : callable
        How something is done to each of several fits.
    """

    def __init__(self, tournament: Tournament, trials: Mapping[int, Trial], each: Each) -> None:
        self.tournament = tournament
        self._trials = trials
        self._each = each
        self._numbers: dict[int, int] = {}
        self._held_out: dict[int, HeldOut] = {}
        self._rungs: dict[int, int] = {}

    def on_begin(self, trials: Sequence[Trial], split: Split, stages: Stages) -> None:
        """Know what learns, and how the rows are read by which all are compared."""
        read = None
        if self.tournament.options.by != PROGRESSIVE:
            read = reading_held_out(split, stages.transform, Contents(Stream()))
        for number, trial in self._trials.items():
            if trial not in trials:
                continue
            if (rung := self.tournament.stopped_before(number, trial.progress)) is not None:
                self._rungs[number] = rung + 1
            self._numbers[id(trial.fit)] = number
            rows = held_out(trial.experiment.evaluation, EVERY_BLOCK, read)
            if rows is not None:
                self._held_out[id(trial.fit)] = rows

    def between_blocks(self, fits: Fits) -> None:
        """Decide every rung that is due, and stop those that lose."""
        if not fits or not self.tournament.due(rows := fits[0].progress.rows):
            return
        scores = self._scores(self._compared(fits))
        while scores and (due := self.tournament.due(rows)):
            for bracket in due:
                self._apply(self.tournament.decide(bracket, rows, scores))

    def on_end(self, fits: Fits) -> None:
        """Compare no more what has failed."""
        for fit in fits:
            if fit.failed:
                self.tournament.leave(self._numbers[id(fit)], failed=True)

    def rung_of(self, number: int) -> int | None:
        """Return the rung, counted from 1, on which a member was stopped."""
        return self._rungs.get(number)

    def _apply(self, decision: Decision) -> None:
        for number in decision.scores:
            if number not in self._trials:
                continue
            trial = self._trials[number]
            history = [record.as_plain() for record in self.tournament.history(number)]
            tags = {HALVING: json.dumps(history)}
            if number in decision.stopped:
                self._rungs[number] = decision.rung + 1
                tags[RUNG] = str(decision.rung + 1)
                trial.fit.progress.stop(decision.reason(number))
            trial.run.log_tags(tags)

    def _compared(self, fits: Fits) -> list[IncrementalFit]:
        """Return the fits that are still in it: with ``stop: false`` losers learn on."""
        out = set(self.tournament.would_be_stopped)
        return [fit for fit in fits if self._numbers[id(fit)] not in out]

    def _scores(self, fits: Fits) -> dict[int, float]:
        """Return the score of each member; none at the first block, before which nothing is."""
        if self.tournament.options.by != PROGRESSIVE:
            found = self._measured(fits)
        elif fits[0].progress.blocks > 1:
            found = [self._score(fit.progress.scores) for fit in fits]
        else:
            return {}
        return {self._numbers[id(fit)]: score for fit, score in zip(fits, found, strict=True)}

    def _measured(self, fits: Fits) -> list[float]:
        """Score rows that are not learned from; the callbacks of the fits hear nothing of it."""
        rows = [self._held_out[id(fit)] for fit in fits]
        begin = [_beginning(fit, each) for fit, each in zip(fits, rows, strict=True)]
        measure(fits, begin, rows[0].read, self._each)
        return [
            nan if fit.failed else self._score(fit.measurement.evaluated(warn=False).scores)
            for fit in fits
        ]

    def _score(self, scores: Mapping[str, float]) -> float:
        name = self.tournament.options.scorer or next(iter(scores), "")
        return scores.get(name, nan)


def _beginning(fit: IncrementalFit, rows: HeldOut) -> Measure:
    return lambda estimator: rows.begin(estimator, fit.progress.rows)


def check_scored(name: str, experiment: Experiment, options: Halving, split: Split) -> None:
    """Refuse a member that has not the score which is to be compared.

    Raises
    ------
    ConfigError
        Naming the member.
    """
    scorer, by = options.scorer, options.by
    names = experiment.evaluation.names(experiment.estimator, split.train.y is not None)
    if not names or (scorer is not None and scorer not in names):
        raise ConfigError(
            "sweep.halving.scorer",
            "be one of the scorers of every member",
            got=f"{scorer or 'null'} for {name}",
            remedy=nearest(scorer or "", names),
        )
    if by == PROGRESSIVE and not experiment.fit.progressive_window:
        raise ConfigError(
            "sweep.halving.by",
            "be held_out where there is no progressive score",
            got="progressive, with fit.progressive_window=0",
            remedy="Set fit.progressive_window=20.",
        )
    if by != PROGRESSIVE and split.validation is None and split.holdout is None:
        raise ConfigError(
            "sweep.halving.by",
            "be progressive where no rows are held out",
            got="held_out, with dataset.holdout=0 and dataset.validation=0",
            remedy="Set dataset.validation=0.1.",
        )


def verdict(tournament: Tournament, outcomes: Sequence[Outcome], whole: Mapping[int, int]) -> str:
    """Say what halving chose and spared, and what would have been chosen without, if known.

    Parameters
    ----------
    tournament : Tournament
        After its end.
    outcomes : sequence of Outcome
        Of the members of its group.
    whole : mapping of int to int
        How many rows each member learns that is stopped by nothing, by number.
    """
    options = tournament.options
    _decide_what_is_known(tournament)
    names = {outcome.number: outcome.name for outcome in outcomes}
    final = {o.number: _final(o, options.scorer) for o in outcomes if o.status == "FINISHED"}
    chosen = tournament.chosen(final)
    if chosen is None:
        return "halving chose nothing: no member has a score"
    told = f"{names[chosen]} ({_told(final.get(chosen, nan))})"
    if options.stop:
        stopped = [outcome for outcome in outcomes if outcome.rung is not None]
        rows = sum(whole[outcome.number] - outcome.rows for outcome in stopped)
        spared = rows / max(sum(whole.values()), 1)
        return (
            f"halving chose {told} and spared {spared:.0%} of the learning; what would have been "
            "chosen without it was not measured, as sweep.halving.stop=false does"
        )
    best = max(
        (number for number in final if isfinite(final[number])),
        key=lambda number: (final[number], -number),
        default=chosen,
    )
    would = f"halving would have chosen {told}"
    if final.get(best) == final.get(chosen):
        return f"{would}, which is also the best without it"
    return f"{would}; without it {names[best]} ({_told(final[best])}) is the best"


def _decide_what_is_known(tournament: Tournament) -> None:
    """Decide the rungs that only members reached which learned in an earlier process."""
    rows = tournament.total_rows
    while due := tournament.due(rows):
        for bracket in due:
            tournament.decide(bracket, rows, {})


def _final(outcome: Outcome, scorer: str | None) -> float:
    name = scorer or next(iter(outcome.scores), "")
    return outcome.scores.get(name, nan)


def _told(score: float) -> str:
    return f"{score:.4f}" if isfinite(score) else "no final score"
