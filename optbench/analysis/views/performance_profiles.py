"""Performance profiles of the time to target, with the leave-one-out check."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.analysis.cost_axes import CostAxis
from optbench.analysis.statistics import scoring
from optbench.analysis.statistics.ranking import order_of
from optbench.analysis.view_records import Profile
from optbench.contracts import Array

PROFILE_END = 4.0
PROFILE_TAUS = tuple(round(1 + 0.05 * i, 2) for i in range(61))
TAIL = 60
"""Points of a profile beyond `PROFILE_END`, up to the last step of any curve."""


def profile_areas(times: Array) -> Array:
    """Integral of rho_s(tau) over 1 <= tau <= 4, divided by 3, shape (S,).

    Args:
        times: time to target, shape (S, W), infinite where missed, NaN where not entered (an
            entrant that entered nothing gets NaN); every workload solved by someone.
    """
    ratios = time_ratios(times)
    known = ~np.isnan(ratios)
    gain = np.where(known, np.clip(PROFILE_END - ratios, 0, 3) / 3, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(gain / known.sum(axis=1))


def time_ratios(times: Array) -> Array:
    """Each time over the best of any entrant on the workload; 1 for a best time of 0."""
    best = np.nanmin(times, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(times == best, 1.0, times / best)


def performance_profile(
    axis: CostAxis, times: Array, labels: Sequence[str], workloads: Sequence[str]
) -> Profile | None:
    """Dolan and More's performance profile, and whether leaving anyone out changes the order.

    Args:
        axis: cost axis of the times.
        times: median time to target, shape (S, W), infinite where missed, NaN where not entered.
        labels: names of the entrants.
        workloads: names of the workloads.

    Returns:
        None when no workload was solved by anyone.
    """
    solved = np.asarray(np.isfinite(times).any(axis=0))
    kept = times[:, solved]
    entered = np.asarray(~np.isnan(kept).all(axis=1))
    if not entered.any():
        return None
    names = [label for label, there in zip(labels, entered, strict=True) if there]
    kept = kept[entered]
    ratios, areas = time_ratios(kept), profile_areas(kept)
    known = ~np.isnan(ratios)
    taus = _taus(ratios)
    rho = [(ratios <= tau).sum(axis=1) / known.sum(axis=1) for tau in taus]
    return Profile(
        axis=axis,
        tau=taus,
        rho={name: tuple(float(r[i]) for r in rho) for i, name in enumerate(names)},
        area={name: float(area) for name, area in zip(names, areas, strict=True)},
        unsolved=tuple(w for w, s in zip(workloads, solved, strict=True) if not s),
        order=tuple(names[i] for i in order_of(areas)),
        flips=tuple(_profile_flips(kept, areas, names)),
    )


def _taus(ratios: Array) -> tuple[float, ...]:
    """Where a profile is drawn: to 4, or a little beyond the last step of any curve."""
    last = float(np.max(ratios, where=np.isfinite(ratios), initial=1.0))
    if last <= PROFILE_END:
        return PROFILE_TAUS
    return PROFILE_TAUS + tuple(np.geomspace(PROFILE_END, 1.05 * last, TAIL + 1)[1:].tolist())


def _profile_flips(times: Array, areas: Array, names: Sequence[str]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for out in range(len(names)):
        rest = times.copy()
        rest[out] = np.nan
        solved = np.isfinite(rest).any(axis=0)
        others = np.asarray(~np.isnan(rest[:, solved]).all(axis=1))
        if others.sum() < 2:
            continue
        after = np.full(len(names), np.nan)
        after[others] = profile_areas(rest[np.ix_(others, solved)])
        found += scoring.flips(areas, after, out, names)
    return found
