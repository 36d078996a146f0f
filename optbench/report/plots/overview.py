"""Plots of the whole comparison: ranking, performance profiles, budget curves, rank flips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.view_records import Profile, RegimeView
from optbench.analysis.views.regime_views import ranks_in_regimes
from optbench.report.format import numbers as text
from optbench.report.format.palette import Look
from optbench.report.plots import figures as base
from optbench.report.plots import labels as naming

AXIS_NAMES = {
    "updates": "updates",
    "examples": "examples seen",
    "epochs": "epochs",
    "seconds": "seconds of training",
}


def ranking(board: Leaderboard, looks: dict[str, Look]) -> base.Sheet:
    """Bars of the score with its interval, best first, and the places that remain open."""
    rows = board.overall
    names = [naming.shown(row.label) for row in rows]
    made = base.sheet(
        "Ranking" + (f": {naming.shown(board.title, 60)}" if board.title else ""),
        "Score: share of the possible progress in log loss, inter-quartile mean over workloads and "
        "seeds.\nLine: 95% bootstrap interval. Place: what the paired tests leave open; whoever "
        "shares a letter\ncannot be told apart.",
        width=4.4,
        height=0.3 * len(rows) + 0.15,
        left=0.3 + 0.075 * max(map(len, names), default=4),
        right=1.55,
        between=0.28,
    )
    (axes,) = made.axes
    axes.set_xlim(0, 1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), names, color=base.INK, fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("score (higher is better)")
    at_text = axes.get_yaxis_transform()
    for x, heading in ((1.03, "score"), (1.14, "place"), (1.27, "ties")):
        axes.text(x, -0.62, heading, transform=at_text, color=base.SOFT, size=7.5, va="bottom")
    for i, row in enumerate(rows):
        score = row.score.value or 0.0
        axes.barh(i, score, height=0.62, color=looks[row.label].colour)
        if row.score.low is not None and row.score.high is not None:
            for width, colour in ((3.2, "white"), (1.3, base.INK)):
                axes.plot([row.score.low, row.score.high], [i, i], color=colour, linewidth=width)
        axes.text(1.03, i, text.fixed(row.score.value), transform=at_text, va="center")
        axes.text(1.14, i, text.place(*row.place), transform=at_text, va="center")
        mark = _runs(row.tie_groups) + (" *" if row.edges else "") + (" †" if row.partial else "")
        axes.text(1.27, i, mark, transform=at_text, va="center", color=base.SOFT)
    return made


def _runs(letters: str) -> str:
    """Letters with runs of three and more in short: ``abcdik`` becomes ``a-dik``."""
    groups: list[str] = []
    for letter in letters:
        if groups and ord(letter) == ord(groups[-1][-1]) + 1:
            groups[-1] += letter
        else:
            groups.append(letter)
    return "".join(g if len(g) < 3 else f"{g[0]}-{g[-1]}" for g in groups)


def profiles(board: Leaderboard, looks: dict[str, Look]) -> base.Sheet:
    """Share of workloads solved within tau times the best time, on two cost axes."""
    wanted = [p for p in board.profiles if p.axis in ("examples", "seconds") and p.rho]
    labels = sorted({label for p in wanted for label in p.rho})
    direct = naming.fits_directly(labels)
    made = base.sheet(
        "Performance profiles: time to target",
        "Share of the workloads on which the target loss was reached within τ times the least time "
        "of anyone.\nAt τ = 1: how often it was the fastest. Higher is better.",
        n=len(wanted),
        columns=2,
        width=3.1,
        height=2.3,
        left=0.7,
        right=0.25 + (0.082 * max(map(len, labels), default=0) if direct else 0),
        legend=0 if direct else naming.legend_shape(labels, 7.9)[1],
    )
    for axes, profile in zip(made.axes, wanted, strict=True):
        _profile_panel(axes, profile, looks, direct)
    made.axes[0].set_ylabel("workloads solved")
    if not direct:
        naming.legend(made, labels, looks)
    return made


def _profile_panel(axes: Axes, profile: Profile, looks: dict[str, Look], direct: bool) -> None:
    axes.set_title(AXIS_NAMES[profile.axis])
    base.log_axis(axes, "x", 1, max(profile.tau[-1], 1.01))
    axes.set_ylim(-0.03, 1.03)
    base.percent_axis(axes)
    axes.set_xlabel("τ: time / least time")
    ends = {}
    for i, (label, rho) in enumerate(sorted(profile.rho.items())):
        shift = 0.004 * (i - (len(profile.rho) - 1) / 2)  # so that equal steps both stay visible
        axes.step(
            profile.tau,
            np.array(rho) + shift,
            where="post",
            color=looks[label].colour,
            linestyle=base.linestyle(looks[label]),
            linewidth=1.5,
        )
        ends[label] = (profile.tau[-1], rho[-1])
    if direct:
        naming.label_ends(axes, ends, looks)


def budget(board: Leaderboard, looks: dict[str, Look]) -> base.Sheet:
    """Expected best score after the first k trials on the tuning seeds, mean over workloads."""
    curves = [b for b in board.budgets if not b.workload and b.score]
    labels = sorted({b.label for b in curves})
    direct = naming.fits_directly(labels)
    made = base.sheet(
        "What tuning is worth",
        "Expected score of the best of k trials on the tuning seeds, mean over workloads; not the "
        "leaderboard's score. Flat: needs no tuning.",
        width=4.6,
        height=2.6,
        between=0.3,
        right=0.35 + (0.082 * max(map(len, labels), default=0) if direct else 0),
        legend=0 if direct else naming.legend_shape(labels, 5.4)[1],
    )
    (axes,) = made.axes
    values = np.array([v for b in curves for v in b.score])
    room = max(float(np.ptp(values)) * 0.06, 0.01)
    axes.set_ylim(float(values.min()) - room, float(values.max()) + room)
    most = max(len(b.score) for b in curves)
    base.log_axis(axes, "x", 1, max(most, 2))
    axes.set_xticks([k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256) if k <= max(most, 2)])
    for b in curves:
        axes.plot(
            range(1, len(b.score) + 1),
            b.score,
            color=looks[b.label].colour,
            linestyle=base.linestyle(looks[b.label]),
            linewidth=1.6,
            marker="o",
            markersize=2.6,
            clip_on=False,
        )
    axes.set_xlabel("trials k")
    axes.set_ylabel("expected score")
    if direct:
        naming.label_ends(axes, {b.label: (len(b.score), b.score[-1]) for b in curves}, looks)
    else:
        naming.legend(made, labels, looks)
    return made


def rank_flips(
    views: Sequence[RegimeView], titles: Sequence[str], looks: dict[str, Look]
) -> base.Sheet:
    """Rank by final validation loss in each regime; crossing lines are flips."""
    labels = sorted({row.label for view in views for row in view.rows})
    longest = max(map(len, map(naming.shown, labels)), default=0)
    direct = longest <= naming.LONGEST_DIRECT
    made = base.sheet(
        "Does the winner depend on the regime?",
        "Rank by validation loss at an equal number of examples, within each regime. Lines that "
        "cross\nare flips; a thick line is part of one that holds beyond the spread of the seeds.",
        n=len(views),
        columns=3,
        width=2.2,
        height=0.22 * max(len(labels), 3) + 0.5,
        left=0.45,
        right=0.25 + (0.082 * longest if direct else 0),
        bottom=0.3,
        legend=0 if direct else naming.legend_shape(labels, 8.0)[1],
    )
    for axes, view, title in zip(made.axes, views, titles, strict=True):
        clear = {name for f in view.order_flips if f.clear for name in (f.first, f.second)}
        ranks = ranks_in_regimes(view)
        axes.set_title(naming.shown(title, 40))
        axes.set_xlim(-0.08, len(view.regimes) - 0.92)
        axes.set_ylim(len(labels) + 0.4, 0.6)
        axes.set_xticks(range(len(view.regimes)), view.regimes)
        axes.set_yticks(range(1, len(labels) + 1))
        axes.grid(axis="y", visible=False)
        places = np.arange(len(view.regimes))
        heights = {
            label: np.array([row.get(regime, np.nan) for regime in view.regimes])
            for label, row in ranks.items()
        }
        for held, width in ((False, 1.1), (True, 2.4)):
            own = [label for label in heights if (label in clear) == held]
            base.draw_lines(axes, [(places, heights[k], looks[k]) for k in own], width)
        base.draw_points(
            axes,
            np.tile(places, len(heights)),
            np.concatenate(list(heights.values())),
            [looks[label].colour for label in heights for _ in places],
            "o",
            5,
            linewidths=0,
            clip_on=False,
        )
        last = {label: float(rank[-1]) for label, rank in heights.items()}
        ends = {k: (places[-1] + 0.02, rank) for k, rank in last.items() if np.isfinite(rank)}
        if direct:
            naming.label_ends(axes, ends, looks)
    if not direct:
        naming.legend(made, labels, looks)
    return made
