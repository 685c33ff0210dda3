"""Pictures of how the members of a sweep compare, which need no network to be looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from runner.records import Outcome
from runner.tracking.leaderboard import scorers
from runner.tracking.params import value_as_text
from runner.tracking.plots.canvas import laid_out, plain, png
from runner.tracking.sweep_axes import Axis, axis, floor, grid, measured, scored, varying
from runner.tracking.sweep_colours import OKABE_ITO, distinct

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORES, CURVES = "sweep/scores.png", "sweep/curves.png"
WIDTH = 5.2  # inches; wider ones push what MLflow shows beside a description off the page
MOST_AXES, MOST_LINES, FEW_LINES = 5, 1000, 50
MOST_CELLS, FEW_CELLS = 12, 6
BEST_ONES = len(OKABE_ITO)  # as many curves as colours that everybody tells apart
MAP, LINES, BEST, REST = "viridis", "viridis_r", "#d55e00", "#c8c8c8"
_LONGEST, _SHORT, _FAN, _DARK = 56, 14, 0.05, 0.55

Curves = Mapping[int, Sequence[tuple[int, float]]]


def pictures(outcomes: Sequence[Outcome], curves: Curves) -> dict[str, Callable[[], bytes]]:
    """Return what can be drawn of a sweep: by path, the function that draws the PNG.

    Parameters
    ----------
    outcomes : sequence of Outcome
        How the members ended.
    curves : mapping of int to sequence of (int, float)
        The rows seen and the progressive score then, by the member's number.
    """
    drawn: dict[str, Callable[[], bytes]] = {}
    scorer = next(iter(scorers(outcomes)), "")
    members, keys = scored(outcomes, scorer), varying(outcomes)
    if len(members) > 1 and keys:
        drawn[SCORES] = _scores(outcomes, members, keys, scorer)
    if any(len(curve) > 1 for curve in curves.values()):
        drawn[CURVES] = partial(progress, outcomes, curves, scorer)
    return drawn


def _scores(
    outcomes: Sequence[Outcome], members: Sequence[Outcome], keys: Sequence[str], scorer: str
) -> Callable[[], bytes]:
    """Choose how the scores are drawn: over one param, in the cells of two, or over many."""
    if len(keys) == 1:
        return partial(over_param, members, keys[0], scorer)
    params = [outcome.params for outcome in outcomes]
    is_small = all(len(distinct(params, key)) <= MOST_CELLS for key in keys)
    if is_small and grid(outcomes, keys):
        return partial(heat_map, outcomes, keys, scorer)
    return partial(parallel_coordinates, members, keys, scorer)


def over_param(members: Sequence[Outcome], key: str, scorer: str) -> bytes:
    """Draw the score of each member over the one param that differs."""
    drawn = laid_out(WIDTH, 3.8)
    axes = drawn.subplots()
    along = _axis(members, key)
    scores = _clipped(members, scorer)
    points = sorted(zip(along.places, scores, strict=True))
    style = "-" if along.is_measured else "none"  # between words there is nothing
    looks: dict[str, Any] = {"color": OKABE_ITO[0], "marker": "o", "linestyle": style}
    axes.plot(*zip(*points, strict=True), **looks)
    axes.plot(along.places[0], scores[0], "o", color=BEST, markersize=10, label="best")
    _ticks(axes, along)
    axes.set_xlabel(_named(along))
    axes.set_ylabel(_scored(scorer))
    axes.grid(alpha=0.3)
    axes.set_title(_title(members, scorer), fontsize=9)
    axes.legend()
    return png(drawn)


def heat_map(outcomes: Sequence[Outcome], keys: Sequence[str], scorer: str) -> bytes:
    """Draw the score of each combination of two params in a cell of its own; a frame is best."""
    import numpy as np

    members = scored(outcomes, scorer)
    params = [outcome.params for outcome in outcomes]
    across, down = sorted((axis(params, key) for key in keys), key=lambda a: -len(set(a.places)))
    columns, rows = (sorted(set(each.places)) for each in (across, down))
    clipped = dict(zip((o.number for o in members), _clipped(members, scorer), strict=True))
    cells = np.full((len(rows), len(columns)), np.nan)
    drawn = laid_out(WIDTH, min(1.4 + 0.45 * len(rows), 6.0))
    size = 8 if len(columns) <= FEW_CELLS else 5.5
    axes = drawn.subplots()
    middle = min(clipped.values()) * (1 - _DARK) + max(clipped.values()) * _DARK
    for outcome, across_at, down_at in zip(outcomes, across.places, down.places, strict=True):
        x, y = columns.index(across_at), rows.index(down_at)
        score = clipped.get(outcome.number)
        cells[y, x] = np.nan if score is None else score
        told = _cell(outcome, scorer, is_scored=score is not None)
        colour = "w" if score is not None and score < middle else "k"
        axes.text(x, y, told, ha="center", va="center", color=colour, size=size)
        if outcome is members[0]:
            axes.add_patch(_frame(x, y))
    axes.imshow(cells, cmap=MAP, aspect="auto", origin="lower")
    for each, label in ((across, axes.set_xticks), (down, axes.set_yticks)):
        texts = {
            at: value_as_text(p.get(each.key)) for at, p in zip(each.places, params, strict=True)
        }
        label(range(len(texts)), [_short(texts[at]) for at in sorted(texts)], size=size)
    axes.set_xlabel(plain(across.key, _LONGEST), size=9)
    axes.set_ylabel(plain(down.key, _LONGEST), size=9)
    axes.set_title(_title(members, scorer), fontsize=9)
    return png(drawn)


def parallel_coordinates(members: Sequence[Outcome], keys: Sequence[str], scorer: str) -> bytes:
    """Draw a line for each member through its values and its score, the best one thick."""
    import numpy as np
    from matplotlib.collections import LineCollection

    members = members[:MOST_LINES]
    scores = _clipped(members, scorer)
    score = measured(scorer, scores)
    drawn_axes = [*(_axis(members, key) for key in keys[:MOST_AXES]), score]
    drawn = laid_out(WIDTH, 4.4)
    axes = drawn.subplots()
    places = np.array([each.places for each in drawn_axes]).T
    # Lines through the same value lie side by side, the better ones higher.
    places[:, :-1] += np.linspace(_FAN, -_FAN, len(members))[:, None] / 2
    lines = [np.column_stack([np.arange(len(drawn_axes)), line]) for line in places]
    width = 1.6 if len(members) <= FEW_LINES else 0.7
    axes.add_collection(
        LineCollection(lines[::-1], array=np.array(scores[::-1]), cmap=LINES, linewidths=width)
    )
    axes.plot(
        *lines[0].T, color=BEST, linewidth=3.5, label=f"best: {plain(members[0].name, _LONGEST)}"
    )
    for number, each in enumerate(drawn_axes):
        _upright(axes, number, each, is_last=each is score)
    axes.set_xlim(-0.35, len(drawn_axes) - 0.6)
    axes.set_ylim(-0.08, 1.08)
    named = [_named(each, "\n") for each in drawn_axes]
    axes.set_xticks(range(len(named)), named, size=8)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    more = len(keys) - MOST_AXES
    rest = f"\n{more} more params differ" if more > 0 else ""
    axes.set_title(_title(members, scorer) + rest, fontsize=9)
    _below(drawn)
    return png(drawn)


def progress(outcomes: Sequence[Outcome], curves: Curves, scorer: str) -> bytes:
    """Draw the progressive score of the members over the rows seen, the best ones in colour."""
    members = [o for o in scored(outcomes, scorer) if curves.get(o.number)]
    best = {outcome.number: place for place, outcome in enumerate(members[:BEST_ONES])}
    drawn = laid_out(WIDTH, 4.8)
    axes = drawn.subplots()
    for number, curve in curves.items():
        if curve and number not in best:
            axes.plot(*zip(*curve, strict=True), color=REST, linewidth=1.0)
    for outcome in members[:BEST_ONES]:
        place = best[outcome.number]
        axes.plot(
            *zip(*curves[outcome.number], strict=True),
            color=OKABE_ITO[place],
            linewidth=1.6 if place else 3.0,
            zorder=3 + BEST_ONES - place,
            label=f"#{place + 1}  {plain(outcome.name, _LONGEST)}",
        )
    ends = [score for curve in curves.values() for _, score in curve[len(curve) // 4 :]]
    top = max(score for curve in curves.values() for _, score in curve)
    least = floor(ends)
    axes.set_ylim(least - 0.05 * (top - least or 1.0), top + 0.05 * (top - least or 1.0))
    axes.set_xlabel("rows seen")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel(f"progressive {plain(scorer)}")
    axes.set_title("Each block is scored before it is learned", fontsize=9)
    axes.grid(alpha=0.3)
    if members:
        rest = "" if len(curves) <= len(best) else f", {len(curves) - len(best)} others grey"
        _below(drawn, f"best on the holdout{rest}")
    return png(drawn)


def _axis(members: Sequence[Outcome], key: str) -> Axis:
    """Return the axis of a param, whose words come in the order of the sweep."""
    ordered = sorted(members, key=lambda outcome: outcome.number)
    drawn = axis([outcome.params for outcome in ordered], key)
    places = {o.number: place for o, place in zip(ordered, drawn.places, strict=True)}
    return replace(drawn, places=tuple(places[outcome.number] for outcome in members))


def _clipped(members: Sequence[Outcome], scorer: str) -> list[float]:
    scores = [outcome.scores[scorer] for outcome in members]
    least = floor(scores)
    return [max(score, least) for score in scores]


def _title(members: Sequence[Outcome], scorer: str) -> str:
    scores = [outcome.scores[scorer] for outcome in members]
    least = floor(scores)
    n_low = sum(score < least for score in scores)
    low = f"\n{n_low} below {least:.3g} drawn there" if n_low else ""
    return f"{plain(scorer)} of {len(members):,} members, best {scores[0]:.6g}{low}"


def _cell(outcome: Outcome, scorer: str, *, is_scored: bool) -> str:
    if not is_scored:
        return outcome.status.lower() if outcome.status != "FINISHED" else "none"
    return f"{outcome.scores[scorer]:.4g}" + ("\nstopped" if outcome.stop_reason else "")


def _frame(x: int, y: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=BEST, linewidth=3, zorder=4)


def _ticks(axes: "Axes", along: Axis) -> None:
    places, texts = zip(*along.ticks, strict=True)
    axes.set_xticks(places, [_short(text) for text in texts])


def _upright(axes: "Axes", number: int, drawn: Axis, *, is_last: bool) -> None:
    """Draw an axis of parallel coordinates with its values beside it."""
    axes.axvline(number, color="0.3", linewidth=1.0)
    for place, text in drawn.ticks:
        axes.text(
            number + (0.04 if is_last else -0.04),
            place,
            _short(text),
            ha="left" if is_last else "right",
            va="center",
            size=7,
            zorder=5,
            bbox={"facecolor": "w", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
        )


def _below(drawn: "Figure", title: str = "") -> None:
    """Say below the axes which line is which."""
    beside = {"title": title, "frameon": False, "fontsize": 8}
    drawn.legend(loc="outside lower center", **beside)


def _named(drawn: Axis, joint: str = " ") -> str:
    told = _short(drawn.key.rpartition(".")[2]) if joint == "\n" else plain(drawn.key, _LONGEST)
    return told + (f"{joint}(log)" if drawn.is_logarithmic else "")


def _scored(scorer: str) -> str:
    return f"{plain(scorer, _LONGEST)} on the holdout"


def _short(text: str) -> str:
    """Cut the middle out of a long text, whose end may be what differs.

    Examples
    --------
    >>> _short("some_long_param_2"), _short("modified_huber")
    ('some_..ram_2', 'modified_huber')
    """
    flat = plain(text, len(text) + 1)
    return flat if len(flat) <= _SHORT else f"{flat[:5]}..{flat[-5:]}"
