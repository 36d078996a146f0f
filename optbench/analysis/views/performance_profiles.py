"""Performance profiles of the time to target, and pairs whose order depends on a third entrant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.analysis.cost_axes import COST_AXES, CostAxis
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import Profile
from optbench.contracts import Array

PROFILE_END = 4.0
"""Ratio up to which the area under a profile is measured."""
PROFILE_TAUS = tuple(round(1 + 0.05 * i, 2) for i in range(61))
TAIL_POINTS = 60
"""Points of a profile beyond `PROFILE_END`, up to the last step of any curve."""


def profile_areas(times: Array) -> Array:
    """Return the integral of rho_s(tau) over 1 <= tau <= 4, divided by 3, shape (S,).

    Args:
        times: Time to target, shape (S, W), infinite where missed, NaN where not entered. Every
            workload is solved by at least one entrant.
    """
    ratios = time_ratios(times)
    known = ~np.isnan(ratios)
    gain = np.where(known, np.clip(PROFILE_END - ratios, 0, 3) / 3, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(gain / known.sum(axis=1))


def time_ratios(times: Array) -> Array:
    """Return each time over the best of any entrant on the workload; 1 for a best time of 0."""
    best = np.nanmin(times, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(times == best, 1.0, times / best)


def performance_profiles(study: StudyArrays, measured: RunMetrics) -> tuple[Profile, ...]:
    """Return one profile for each cost axis; none if no workload has a target that was reached."""
    profiles = [
        performance_profile(axis, measured.median_times[axis], study.labels, study.workload_labels)
        for axis in COST_AXES
    ]
    return tuple(profile for profile in profiles if profile is not None)


def performance_profile(
    axis: CostAxis, times: Array, labels: Sequence[str], workloads: Sequence[str]
) -> Profile | None:
    """Return Dolan and More's performance profile on one cost axis.

    Args:
        axis: Cost axis of the times.
        times: Median time to target, shape (S, W), infinite where missed, NaN where not entered.
        labels: Names of the entrants.
        workloads: Names of the workloads.

    Returns:
        The profile, or None if no entrant solved any workload.
    """
    solved = np.asarray(np.isfinite(times).any(axis=0))
    entered = np.asarray(~np.isnan(times[:, solved]).all(axis=1))
    if not entered.any():
        return None
    names = [label for label, is_in in zip(labels, entered, strict=True) if is_in]
    solved_times = times[np.ix_(entered, solved)]
    ratios, areas = time_ratios(solved_times), profile_areas(solved_times)
    known = ~np.isnan(ratios)
    taus = _taus(ratios)
    rho = [(ratios <= tau).sum(axis=1) / known.sum(axis=1) for tau in taus]
    return Profile(
        axis=axis,
        tau=taus,
        rho={name: tuple(float(r[i]) for r in rho) for i, name in enumerate(names)},
        area={name: float(area) for name, area in zip(names, areas, strict=True)},
        unsolved=tuple(w for w, s in zip(workloads, solved, strict=True) if not s),
        order=tuple(names[i] for i in np.argsort(-areas, kind="stable")),
        flips=tuple(_profile_flips(solved_times, areas, names)),
    )


def _taus(ratios: Array) -> tuple[float, ...]:
    """Return where a profile is drawn: up to 4, or a little beyond the last step of any curve."""
    last = float(np.max(ratios, where=np.isfinite(ratios), initial=1.0))
    if last <= PROFILE_END:
        return PROFILE_TAUS
    return PROFILE_TAUS + tuple(
        np.geomspace(PROFILE_END, 1.05 * last, TAIL_POINTS + 1)[1:].tolist()
    )


def _profile_flips(times: Array, areas: Array, names: Sequence[str]) -> list[tuple[str, str, str]]:
    flips: list[tuple[str, str, str]] = []
    for left_out in range(len(names)):
        rest = times.copy()
        rest[left_out] = np.nan
        solved = np.isfinite(rest).any(axis=0)
        others = np.asarray(~np.isnan(rest[:, solved]).all(axis=1))
        if others.sum() < 2:
            continue
        after = np.full(len(names), np.nan)
        after[others] = profile_areas(rest[np.ix_(others, solved)])
        flips += _flips(areas, after, left_out, names)
    return flips


def _flips(
    before: Array, after: Array, left_out: int, labels: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Return (a, b, left out) with a ahead of b before, b ahead of a after; higher is better."""
    before, after = np.round(before, 12), np.round(after, 12)
    change = (before[:, None] > before[None, :]) & (after[:, None] < after[None, :])
    change[left_out, :] = change[:, left_out] = False
    return [(labels[a], labels[b], labels[left_out]) for a, b in np.argwhere(change)]
