"""A whole sweep: its plan, its one run in the record, its members, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from runner.checks import check
from runner.config.compose import Composed
from runner.config.recipe import recipe, sweep_text
from runner.errors import ConfigError
from runner.experiment import MOST_NAME
from runner.one_core import one_core
from runner.protocols import SweepRun, Tracker
from runner.records import Outcome, Recipe
from runner.saved import Resumed
from runner.sweeps import kept
from runner.sweeps.brackets import Known
from runner.sweeps.halving import Halving, Tournament
from runner.sweeps.job import Job
from runner.sweeps.launch import Launch
from runner.sweeps.members import Member
from runner.sweeps.plan import Group, Plan, Refusal, planned
from runner.sweeps.race import check_scored, verdict
from runner.sweeps.shared_pass import FailFast
from runner.sweeps.standing import Standing
from runner.sweeps.trials import entry_of, failed, pending
from runner.tracking.tags import HALVING
from runner.tracking.termination import terminated_by_signal


@dataclass(frozen=True)
class Earlier:
    """What a sweep that is resumed did before.

    Parameters
    ----------
    run_id : str
        Its run.
    outcomes : mapping of str to Outcome
        How its members ended, by key.
    wanted : set of str
        The keys of the members to be run now.
    known : mapping of str to mapping of int to Known
        Scores at the rungs of a halving, by key.
    resumed : mapping of str to Resumed
        The runs and saved states of those that do not begin anew, by key.
    data : str or None
        What its data were, as ``kept.data_as_text`` wrote it; None where that was not kept.
    is_forced : bool
        Whether it goes on although they are not what they were.
    """

    run_id: str
    outcomes: Mapping[str, Outcome]
    wanted: frozenset[str]
    known: Mapping[str, Mapping[int, Known]] = field(default_factory=dict)
    resumed: Mapping[str, Resumed] = field(default_factory=dict)
    data: str | None = None
    is_forced: bool = False


def conduct(
    members: Sequence[Member],
    base: Composed,
    job: Job,
    launch: Launch,
    earlier: Earlier | None = None,
) -> None:
    """Run the members of a sweep, under one run of the record, and tell what came of it.

    Parameters
    ----------
    members : sequence of Member
        All of the sweep, those that ended before, too.
    base : Composed
        What they have in common, with the section ``sweep``.
    job : Job
        Gets the outcomes.
    launch : Launch
        Runs them.
    earlier : Earlier, optional
        What was done before, of a sweep that is resumed.

    Raises
    ------
    RunnerError
        If no member can begin, or the record cannot be kept.
    """
    whole = _with_tournaments(planned(members, is_shared=launch.is_shared), base, earlier)
    if not whole.groups:
        raise whole.refused[0].error
    plan = launch.dealt(whole if earlier is None else _left(whole, earlier))
    job.teller.on_plan(plan, is_dry=job.dry_run)
    if job.dry_run:
        outcomes = [*_refused(plan), *_checked(plan)]
        job.outcomes = sorted(outcomes, key=lambda outcome: outcome.number)
        for outcome in job.outcomes:
            job.teller.on_member_end(outcome)
        return
    tracking = whole.built[0].experiment.tracking
    tracking.check()
    asked, resumed = _asked(whole, base), earlier.run_id if earlier else None
    with (
        terminated_by_signal(),
        tracking.start_sweep(_name(members), command=asked.command, resumed=resumed) as run,
        _said_to_go_on(run),
    ):
        if earlier is None:
            with one_core():  # as the members learn, for the record of the environment
                run.log_sweep(asked, _files(members, whole))
        standing = Standing(_begun(members, earlier), run, job.teller)
        try:
            _run(plan, standing, job, launch, tracking)
        finally:
            job.run_id, job.outcomes = run.run_id, standing.outcomes
            run.log_leaderboard(job.outcomes, final=True)
            job.url = run.url
        job.verdicts = list(_verdicts(whole, job.outcomes))
        if job.verdicts:
            run.log_tags({HALVING: "; ".join(job.verdicts)})
    job.teller.on_sweep_end(job.outcomes, run, job.verdicts)


@contextmanager
def _said_to_go_on(run: SweepRun) -> Iterator[None]:
    """Let what ends a sweep say how to go on with it."""
    try:
        yield
    except BaseException as error:
        if run.url:  # else nothing is kept
            error.add_note(f"`runner resume {run.run_id[:8]}` goes on with it")
        raise


def _files(members: Sequence[Member], plan: Plan) -> dict[str, str]:
    return {kept.PATH: kept.as_text(members), kept.DATA: kept.data_as_text(plan.groups)}


def _name(members: Sequence[Member]) -> str:
    names = dict.fromkeys(str(member.composed.config.name) for member in members)
    return ", ".join(names)[:MOST_NAME]


def _run(plan: Plan, standing: Standing, job: Job, launch: Launch, tracking: Tracker) -> None:
    """Record the members that cannot begin, and launch the others."""
    for refusal in plan.refused:
        standing.ended(_recorded(refusal, tracking, standing.run))
    if not (job.fail_fast and plan.refused):
        with suppress(FailFast):  # then others are pending, and the sweep is not whole
            launch(plan, standing, job)


def _with_tournaments(plan: Plan, base: Composed, earlier: Earlier | None) -> Plan:
    """Let a halving, if there is one, be held in each group."""
    groups, refused = [], list(plan.refused)
    for group in plan.groups:
        options = _halving(group, base, is_shared=plan.is_shared)
        if options is None:
            groups.append(group)
            continue
        able = []
        for built in group.built:
            try:
                check_scored(built.member.name, built.experiment, options, group.split)
            except ConfigError as error:
                refused.append(Refusal(built.member, error))
            else:
                able.append(built)
        if able:
            left = replace(group, built=tuple(able))
            groups.append(replace(left, tournament=_tournament(left, options, earlier)))
    return replace(plan, groups=tuple(groups), refused=tuple(refused))


def _halving(group: Group, base: Composed, *, is_shared: bool) -> Halving | None:
    """Return how members of a group are stopped, if that is asked for."""
    own = group.built[0].member.composed.sweep or base.sweep or {}
    if own.get("halving") is None:
        return None
    options = Halving.from_plain(own["halving"])
    if not is_shared:
        raise ConfigError(
            "sweep.halving",
            "be null with a launcher that runs members one by one",
            got="a halving, which compares members while they learn from the same blocks",
            remedy="Leave hydra/launcher out, or set sweep.halving=null.",
        )
    lead = group.lead
    names = lead.evaluation.names(lead.estimator, group.split.train.y is not None)
    return replace(options, scorer=options.scorer or next(iter(names), None))


def _tournament(group: Group, options: Halving, earlier: Earlier | None) -> Tournament:
    lead, members = group.lead, [built.member for built in group.built]
    known = earlier.known if earlier else {}
    scores = {each.number: known[each.key] for each in members if each.key in known}
    numbers = [each.number for each in members]
    learning = [each.number for each in members if earlier is None or each.key in earlier.wanted]
    return Tournament(options, numbers, group.total_rows, lead.seed, scores, learning=learning)


def _left(plan: Plan, earlier: Earlier) -> Plan:
    """Return the plan of what is to be run now, from data that are as they were."""
    groups = []
    for group in plan.groups:
        built = tuple(
            replace(each, resumed=earlier.resumed.get(each.member.key))
            for each in group.built
            if each.member.key in earlier.wanted
        )
        if built:
            groups.append(replace(group, built=built))
    if earlier.data is not None:
        kept.check_data(earlier.run_id, earlier.data, groups, is_forced=earlier.is_forced)
    refused = tuple(each for each in plan.refused if each.member.key in earlier.wanted)
    return replace(plan, groups=tuple(groups), refused=refused)


def _refused(plan: Plan) -> list[Outcome]:
    return [failed(each.member.called, each.error) for each in plan.refused]


def _recorded(refusal: Refusal, tracking: Tracker, sweep: SweepRun) -> Outcome:
    """Keep a run of a member that cannot begin, and return its outcome."""
    member = refusal.member
    composed, entry = member.composed, entry_of(member.called, sweep)
    outcome = failed(member.called, refusal.error)
    asked = Recipe(member.name, dict(member.params))
    with suppress(Exception):  # what is wrong with it may be that it cannot be resolved
        asked = recipe(composed.config, composed.overrides, composed.selection)
    begun = tracking.start_run(
        entry.name, command=asked.command, parent=entry.parent, tags=entry.tags
    )
    with suppress(Exception), begun as run:
        outcome = replace(outcome, run_id=run.run_id, url=run.url)
        run.log_params(asked)
        raise refusal.error
    return outcome


def _checked(plan: Plan) -> Iterator[Outcome]:
    """Yield how each member would begin, as far as that is known before the first block."""
    for group in plan.groups:
        for built in group.built:
            called = built.member.called
            try:
                check(built.experiment, group.split)
            except Exception as error:  # noqa: BLE001  (each is told)
                yield failed(called, error)
            else:
                yield pending(called)


def _begun(members: Sequence[Member], earlier: Earlier | None) -> Iterator[Outcome]:
    outcomes = earlier.outcomes if earlier else {}
    wanted = earlier.wanted if earlier else frozenset()
    for member in members:
        known = outcomes.get(member.key)
        if known is None or member.key in wanted:
            yield pending(member.called)
        else:
            yield replace(known, **member.called._asdict())


def _asked(plan: Plan, base: Composed) -> Recipe:
    """Return what was asked of all members: params that they share, and the whole config."""
    try:
        asked = recipe(base.config, base.overrides, base.selection)
    except Exception:  # noqa: BLE001  (it may lack what every member has)
        asked = recipe(plan.built[0].member.composed.config, base.overrides, base.selection)
    first, *others = [built.recipe.params for built in plan.built]
    params = {
        key: value
        for key, value in first.items()
        if all(key in each and each[key] == value for each in others)
    }
    return replace(asked, params=params, config=f"{asked.config}{sweep_text(base)}")


def _verdicts(plan: Plan, outcomes: Sequence[Outcome]) -> Iterator[str]:
    by_number: dict[int, Any] = {outcome.number: outcome for outcome in outcomes}
    for group in plan.groups:
        if group.tournament is not None:
            rows = group.split.train.n_rows
            whole = {b.member.number: b.experiment.fit.epochs * rows for b in group.built}
            yield verdict(group.tournament, [by_number[number] for number in whole], whole)
