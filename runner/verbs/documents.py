"""What the command line says, as plain values for scripts."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runner.pace import Pace
from runner.records import Outcome
from runner.tracking.leaderboard import best

if TYPE_CHECKING:
    from runner.config.checking.examination import Examination
    from runner.errors import Problem
    from runner.experiment import Experiment
    from runner.prediction.job import Prediction
    from runner.reproduction.job import Reproduction
    from runner.sweeps.plan import Plan
    from runner.tracking.finding import Finding
    from runner.trial import Result

WORST_FIRST = ("FAILED", "KILLED", "PENDING")
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+):(?P<column>\d+)")


def run(experiment: "Experiment", result: "Result", pace: Pace) -> dict[str, Any]:
    """Return what came out of a run."""
    progress = result.progress
    return {
        "name": experiment.name,
        "run_id": result.run_id or None,
        "status": "FINISHED",
        "scores": dict(result.scores),
        "rows": progress.rows,
        "blocks": progress.blocks,
        "epochs": progress.epoch,
        "empty_blocks": progress.empty_blocks,
        "bad_blocks": progress.bad_blocks,
        "best_rows": progress.best_rows,
        "stop_reason": progress.stop_reason,
        "seconds": {
            "load": pace.load_s,
            "wait": pace.wait_s,
            "fit": pace.fit_s,
            "evaluate": pace.evaluate_s,
            "total": pace.total_s,
        },
        "rows_per_s": pace.rows_per_s,
        "bound": pace.bound or None,
        "cluster": experiment.cluster.told or None,
        "url": result.url or None,
    }


def dry_run(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return what a run would do, as it is told in words."""
    return {"dry_run": True, "plan": dict(pairs)}


def plan(plan: "Plan") -> dict[str, Any]:
    """Return which members of a sweep share their blocks, and what that saves."""
    groups = [
        {
            "members": [built.member.number for built in group.built],
            "rows": group.split.train.n_rows,
            "blocks": group.split.train.n_blocks,
            "epochs": group.epochs,
            "shards": group.n_shards,
            "block_reads": group.reads if plan.is_shared else group.reads_alone,
            "block_reads_alone": group.reads_alone,
        }
        for group in plan.groups
    ]
    return {"is_shared": plan.is_shared, "workers": plan.n_workers, "groups": groups}


def sweep(
    run_id: str, url: str, outcomes: Sequence[Outcome], verdicts: Sequence[str] = ()
) -> dict[str, Any]:
    """Return how the members of a sweep ended; ``best`` is the one to look at first.

    Examples
    --------
    >>> found = sweep("5eed", "", [Outcome(number=0, name="0", key="", status="FAILED")])
    >>> found["status"], found["best"], found["members"][0]["status"]
    ('FAILED', None, 'FAILED')
    """
    chosen = best(outcomes)
    statuses = {outcome.status for outcome in outcomes}
    return {
        "run_id": run_id or None,
        "status": next((status for status in WORST_FIRST if status in statuses), "FINISHED"),
        "url": url or None,
        "members": [member(outcome) for outcome in outcomes],
        "best": member(chosen) if chosen else None,
        "halving": list(verdicts),
    }


def member(outcome: Outcome) -> dict[str, Any]:
    """Return how a member of a sweep ended; ``rung`` is where a halving stopped it."""
    return {
        "number": outcome.number,
        "name": outcome.name,
        "run_id": outcome.run_id or None,
        "status": outcome.status,
        "params": dict(outcome.params),
        "scores": dict(outcome.scores),
        "rows": outcome.rows,
        "stop_reason": outcome.stop_reason,
        "rung": outcome.rung,
        "error": outcome.error,
        "url": outcome.url or None,
    }


def prediction(prediction: "Prediction") -> dict[str, Any]:
    """Return what was predicted and where it is."""
    return {
        "run_id": prediction.run_id,
        "model": prediction.model,
        "folder": str(prediction.folder),
        "rows": prediction.rows,
        "blocks": prediction.blocks,
        "columns": list(prediction.columns),
    }


def reproduction(reproduction: "Reproduction") -> dict[str, Any]:
    """Return how a run compares with the one that it repeats, and what changed since."""
    return {
        "identical": reproduction.is_identical,
        "run_id": reproduction.run.run_id,
        "again": reproduction.again.run_id,
        "name": reproduction.run.name,
        "aspects": [
            {"name": each.name, "verdict": each.verdict, "told": each.told}
            for each in reproduction.aspects
        ],
        "causes": [
            {"kind": each.kind, "told": each.told, "is_effective": each.is_effective}
            for each in reproduction.causes
        ],
        "url": reproduction.url or None,
    }


def examinations(found: Mapping[str, "Examination"]) -> dict[str, Any]:
    """Return the mistakes of experiments, by name."""
    return {
        "mistakes": sum(len(each.problems) for each in found.values()),
        "experiments": [
            {
                "name": name,
                "problems": [problem(each) for each in examination.problems],
                "missing": list(examination.missing),
            }
            for name, examination in found.items()
        ],
    }


def problem(found: "Problem") -> dict[str, Any]:
    """Return a mistake; line and column are None where it stands in no file.

    Examples
    --------
    >>> from runner.errors import Problem
    >>> problem(Problem("seed", "must be an integer", place="a.yaml:2:1"))["line"]
    2
    """
    at = _PLACE.fullmatch(found.place)
    return {
        "key": found.key,
        "said": found.said,
        "remedy": found.remedy or None,
        "place": found.place or None,
        "file": at["file"] if at else None,
        "line": int(at["line"]) if at else None,
        "column": int(at["column"]) if at else None,
    }


def findings(found: "Sequence[Finding]") -> dict[str, Any]:
    """Return what a check of the installation and the record found."""
    return {
        "ok": all(each.ok for each in found),
        "findings": [{"name": each.name, "ok": each.ok, "told": each.told} for each in found],
    }
