"""The run that stands for a sweep in MLflow, open for writing."""

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from runner.errors import RunnerWarning
from runner.records import Outcome, Recipe
from runner.redaction import one_line, redacted
from runner.tracking.client import reported
from runner.tracking.leaderboard import (
    PATH,
    best,
    best_tags,
    counts,
    differing,
    scorers,
    table,
)
from runner.tracking.links import run_page, view_page
from runner.tracking.members import outcome_of
from runner.tracking.mending import end_orphans
from runner.tracking.open_run import OpenRun
from runner.tracking.params import key_of, params_as_text
from runner.tracking.record import RecordedRun, children_of, current
from runner.tracking.session import Session
from runner.tracking.spool import Claim, is_open
from runner.tracking.start_files import asked_files, environment_files
from runner.tracking.sweep_colours import colour
from runner.tracking.sweep_curves import MOST_CURVES, curves_of
from runner.tracking.sweep_note import sweep_note
from runner.tracking.sweep_pictures import CURVES, SCORES, pictures
from runner.tracking.tags import (
    ERROR,
    KEY,
    MEMBERS,
    NOTE,
    STOP_REASON,
    SUPERSEDED,
    TABLES,
    VIEW,
)
from runner.tracking.views import save_view

if TYPE_CHECKING:
    from mlflow.entities import Run

_TABLE_TAG = json.dumps([{"path": PATH, "type": "table"}])


class MlflowSweep(OpenRun):
    """One sweep of the record. Its members are child runs, opened with this as their parent.

    What is logged before the first member raises when the store refuses it; later nothing does.

    Parameters
    ----------
    session : Session
        The open store, which the members use too.
    started : mlflow.entities.Run
        The run as the store made it, or as it was before it is resumed.
    command : str
        What repeats the sweep.
    flush_every_s : float
        The shortest time in seconds between two leaderboards that are not final.
    claimed : Claim, optional
        The lock of a sweep that is resumed.
    """

    def __init__(
        self,
        session: Session,
        started: "Run",
        *,
        command: str,
        flush_every_s: float,
        claimed: Claim | None = None,
    ) -> None:
        super().__init__(session, started, flush_every_s=flush_every_s, claimed=claimed)
        self.name = str(started.info.run_name)
        self._command = redacted(command)
        self._every_s = flush_every_s
        self._params = dict(started.data.params)
        self._metrics = dict(started.data.metrics)
        self._tags = dict(started.data.tags)
        self._outcomes: tuple[Outcome, ...] = ()
        self._written: tuple[tuple[Outcome, ...], bool] | None = None
        self._written_at = -float("inf")
        self._view: tuple[list[str], list[str]] | None = None
        self._earlier: list[RecordedRun] = []

    @property
    def session(self) -> Session:
        """The open store, for the members to use too."""
        return self._session

    @property
    def url(self) -> str:
        """The table of the members on the server, or the store where there is no server."""
        if self._store.base_url is None or VIEW not in self._tags:
            return super().url
        return view_page(self._store.base_url, self._identity.experiment_id, self._tags[VIEW])

    def log_sweep(self, recipe: Recipe, files: Mapping[str, str]) -> None:
        """Keep what was asked of all members, and further texts by path.

        Of a sweep that is resumed the params are kept already.

        Raises
        ------
        TrackingError
            If the store refuses them.
        """
        from mlflow.entities import Param, RunTag

        texts = params_as_text(recipe.params)
        params = [Param(key, text) for key, text in texts.items() if key not in self._params]
        self._params |= texts
        with reported(self._store):
            tags = [RunTag(NOTE, self._note(None))]
            self._client.log_batch(self.run_id, params=params, tags=tags)
            self._log_texts(asked_files(recipe))
            self._log_texts(environment_files(self._session.git))
            self._log_texts({path: redacted(text) for path, text in files.items()})

    def log_leaderboard(self, outcomes: Sequence[Outcome], *, final: bool) -> None:
        """Keep how the members stand, each of them once; with ``final`` nothing more will change.

        What is not final is written when the last time is ``flush_every_s`` ago, or in the end.
        """
        self._outcomes = tuple(outcomes)
        for outcome in outcomes:
            if outcome.run_id:
                self.supersede(outcome.key, outcome.run_id)
        if final or time.monotonic() - self._written_at >= self._every_s:
            self._write(final=final)

    def members(self) -> dict[str, Outcome]:
        """Return how the members that began stand in the record, by the key of their config.

        Of several runs of a member it is the one that finished, else the latest.

        Raises
        ------
        TrackingError
            If the store does not answer.
        """
        runs = children_of(self._client, self._store, self.run_id)
        going_on = [run for run in runs if run.status == "RUNNING"]
        ended, _ = end_orphans(self._client, going_on)
        if ended:
            runs = children_of(self._client, self._store, self.run_id)
        found = current(runs)
        return {o.key: o for o in (outcome_of(run, self._page(run)) for run in found) if o.key}

    def supersede(self, key: str, run_id: str) -> None:
        """Let an earlier run of a member count no more, because it has a new one."""
        for run in [run for run in self._earlier if run.tags.get(KEY) == key]:
            if run.run_id != run_id:
                self._earlier.remove(run)
                self._outbox.attempt(partial(self._retire, run, run_id))

    def reopen(self, tags: Mapping[str, str]) -> None:
        """Go on with a sweep that had ended: it runs again, and what ended it is forgotten.

        Raises
        ------
        TrackingError
            If the store refuses it.
        """
        with reported(self._store):
            self._client.update_run(self.run_id, status="RUNNING")
            for name in (ERROR, STOP_REASON):
                if self._tags.pop(name, None) is not None:
                    self._client.delete_tag(self.run_id, name)
            runs = children_of(self._client, self._store, self.run_id)
            end_orphans(self._client, [run for run in runs if run.status == "RUNNING"])
            chosen = {run.tags.get(KEY): run for run in current(runs)}
            for run in runs:
                kept = chosen.get(run.tags.get(KEY), run)
                if kept is not run:
                    self._retire(run, kept.run_id)
            self._earlier = [run for run in chosen.values() if run.status != "FINISHED"]
        self._outbox.tag(dict(tags))

    def _retire(self, run: RecordedRun, new: str) -> None:
        self._client.set_tag(run.run_id, SUPERSEDED, new)
        if run.status == "RUNNING" and not is_open(run.run_id):
            self._client.set_terminated(run.run_id, "KILLED")

    def _status(self, error: BaseException | None) -> str:
        status = super()._status(error)
        is_whole = all(outcome.status == "FINISHED" for outcome in self._outcomes)
        return status if status != "FINISHED" or is_whole else "FAILED"

    def _tell_ending(self, status: str, error: BaseException | None) -> None:
        tags = self._ending_tags(status, error)
        if status == "FAILED" and error is None:
            failed = sum(outcome.status != "FINISHED" for outcome in self._outcomes)
            tags[ERROR] = f"{failed} of {len(self._outcomes)} members did not finish"
        if self._outcomes:
            self._write(final=True)
        self._log_cost()
        if error is not None:
            told = tags.get(ERROR) or f"{tags.get(STOP_REASON)} ended it before its end"
            tags[NOTE] = self._note(told)
        self._outbox.tag(tags)

    def _write(self, *, final: bool) -> None:
        outcomes = self._outcomes
        if self._written == (outcomes, final):
            return
        self._written, self._written_at = (outcomes, final), time.monotonic()
        content = json.dumps(table(outcomes), ensure_ascii=False)
        self._put(PATH, content.encode, at_once=True)
        if final:
            self._draw()
        tags = {NOTE: self._note(None), MEMBERS: str(len(outcomes)), TABLES: _TABLE_TAG}
        self._save_view()
        if self._view is not None:
            tags[VIEW] = self.run_id
        tags |= best_tags(outcomes, self._tags)
        self._tags |= tags
        self._outbox.tag(tags)
        if final:
            self._log_totals()
            self._outbox.attempt(partial(colour, self._client, outcomes))

    def _log_totals(self) -> None:
        """Log what the whole sweep came to, each value once."""
        from mlflow.entities import Param

        n, found = counts(self._outcomes), best(self._outcomes)
        values = {f"sweep/{kind}": float(n[kind]) for kind in ("finished", "failed", "stopped")}
        if found is not None:
            values |= {f"best/{name}": score for name, score in found.scores.items()}
        new = {key: value for key, value in values.items() if self._metrics.get(key) != value}
        self._metrics |= new
        self._outbox.log(new, 0)
        if found is None or n["finished"] < len(self._outcomes):
            return
        texts = params_as_text({f"best.{key}": value for key, value in found.params.items()})
        params = [Param(key, text) for key, text in texts.items() if key not in self._params]
        self._params |= texts
        self._outbox.attempt(partial(self._client.log_batch, self.run_id, params=params))

    def _draw(self) -> None:
        """Draw how the members compare, and their curves where they are not too many."""
        curves: dict[int, list[tuple[int, float]]] = {}
        if len(self._outcomes) <= MOST_CURVES:
            self._outbox.attempt(lambda: curves.update(curves_of(self._client, self._outcomes)))
        for path, draw in pictures(self._outcomes, curves).items():
            self._put(path, draw, at_once=True)

    def _save_view(self) -> None:
        """Save the view when its columns are new; without it the sweep is no worse."""
        params = [key_of(key) for key in differing(self._outcomes)]
        names = scorers(self._outcomes)
        metrics = [*(key_of(f"holdout/{name}") for name in names), "progress/rows"]
        if (params, metrics) == self._view or self._outbox.is_away:
            return
        experiment, title = (
            self._identity.experiment_id,
            f"Leaderboard {self.name} {self.run_id[:8]}",
        )
        try:
            save_view(self._client, experiment, self.run_id, title, params=params, metrics=metrics)
        except Exception as error:  # noqa: BLE001  (a view is not worth a sweep)
            warnings.warn(
                f"The table of the sweep {self.run_id} has no view of its own "
                f"({one_line(error)}).",
                RunnerWarning,
                stacklevel=2,
            )
            return
        self._view = (params, metrics)

    def _note(self, error: str | None) -> str:
        drawn = [path for path in (SCORES, CURVES) if path in self._files]
        page = f"#/experiments/{self._identity.experiment_id}/runs/{self.run_id}"
        said = (self.name, self._command, self._outcomes, error)
        return sweep_note(*said, page=page, pictures=drawn)

    def _page(self, run: RecordedRun) -> str:
        if self._store.base_url is None:
            return str(self._store)
        return run_page(self._store.base_url, run.experiment_id, run.run_id)
