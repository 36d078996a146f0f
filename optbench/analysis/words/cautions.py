"""What a reader must know before believing the leaderboard, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.equal_terms import unequal_terms
from optbench.analysis.words.prose import short_names
from optbench.contracts import Array
from optbench.records import Status
from optbench.support.text import count, join_names, plural

MOST_FLIPS = 3
"""Number of lines about orders in the performance profile that depend on a third entrant."""

HINTS = {
    "rule": " (`update` of a Rule returns the new theta first, as in "
    "`return (theta - h.lr * grad, ...)`)",
    "stepper": " (a Stepper writes into its arrays: `theta -= ...`, not `theta = theta - ...`)",
    "": "",
}
"""What is said to the author of an optimizer that trains nothing, by the kind of its entrant."""

UNFINISHED = "unfinished: "
"""How the caution about a study that lacks runs or shards begins."""


def unfinished_text(
    progress: tuple[int, int] | None, shards: Sequence[tuple[int, int]] = (), merged: bool = False
) -> str:
    """Return the caution about a study that was interrupted or lacks shards; empty for others.

    Args:
        progress: Finished and planned runs of an interrupted study.
        shards: The parts that a study has, each as its number and the number of all parts.
        merged: Whether the study was merged from others, which its own command does not train.

    Example:
        >>> unfinished_text((254, 1512))
        'unfinished: 254 of 1,512 runs; the same command continues'
        >>> unfinished_text((254, 1512), merged=True)
        'unfinished: 254 of 1,512 runs; finish the parts with their own commands, and merge again'
        >>> unfinished_text((80, 80))
        'unfinished: the look at 80 runs was interrupted; the same command continues'
        >>> unfinished_text(None, [(1, 3), (2, 3)])
        'unfinished: shard 3/3 is missing'
    """
    texts = []
    if missing := _missing_shards(shards):
        texts.append(
            f"{plural(len(missing), 'shard', 'shards')} {join_names(missing)} "
            f"{plural(len(missing), 'is', 'are')} missing"
        )
    if progress is not None:
        done, planned = progress
        texts.append(
            f"{done:,} of {count(planned, 'run')}"
            if done < planned
            else f"the look at {count(done, 'run')} was interrupted"
        )
        texts.append(
            "finish the parts with their own commands, and merge again"
            if merged
            else "the same command continues"
        )
    return UNFINISHED + "; ".join(texts) if texts else ""


def _missing_shards(shards: Sequence[tuple[int, int]]) -> list[str]:
    """Return the parts that are missing, such as ``"3/3"``."""
    totals = sorted({total for _, total in shards})
    return [
        f"{number}/{total}"
        for total in totals
        for number in range(1, total + 1)
        if (number, total) not in shards
    ]


def unfinished_caution(board: Leaderboard) -> str:
    """Return the caution that a study lacks runs or shards; empty if it does not."""
    return next((text for text in board.warnings if text.startswith(UNFINISHED)), "")


def cautions(
    board: Leaderboard, study: StudyArrays, measured: RunMetrics, scores: Array
) -> tuple[str, ...]:
    """Return every caution that applies to a leaderboard.

    Args:
        board: The leaderboard without its sentences.
        study: The runs.
        measured: Their metrics.
        scores: Values of the ``final-loss`` board, shape (S, W, K).
    """
    return (
        *_about_replicates(study),
        *_about_workloads(board, study, measured, scores),
        *_about_entrants(board, study),
        *_about_third_entrants(board),
    )


def _about_replicates(study: StudyArrays) -> Iterator[str]:
    seeds = {len(cell.evaluation) for cell in study.replicates.values()}
    if len(seeds) > 1:
        yield f"cells have {min(seeds)} to {max(seeds)} evaluation seeds: the study is unfinished"
    counts = Counter((s, w) for s, w, _ in study.replicates)
    of_entrant = [{n for (s, _), n in counts.items() if s == i} for i in range(len(study.labels))]
    most = max(counts.values(), default=0)
    shared = "pairs are compared on the replicates that both have"
    if any(len(numbers) > 1 for numbers in of_entrant):
        yield f"cells have {min(counts.values())} to {most} replicates: {shared}"
        return
    for fewer in sorted({n for numbers in of_entrant for n in numbers if n < most}):
        names = [name for name, n in zip(study.labels, of_entrant, strict=True) if n == {fewer}]
        verb = plural(len(names), "has", "have")
        yield f"{join_names(names)} {verb} {fewer} of {most} replicates: {shared}"


def _about_workloads(
    board: Leaderboard, study: StudyArrays, measured: RunMetrics, scores: Array
) -> Iterator[str]:
    flat = np.nan_to_num(scores).max(axis=(0, 2)) == 0
    names = short_names(study.workloads)
    if flat.any():
        where = join_names([name for name, is_flat in zip(names, flat, strict=True) if is_flat])
        yield f"no entrant does better than guessing on {where}: all score 0 there"
    derived = sorted({b.workload.dataset for b in board.workloads if not b.target_frozen})
    if derived:
        yield (
            f"no frozen target for {join_names(derived)}: targets and best known losses there are "
            "derived from this study, so its values cannot be compared with other studies"
        )
    solved = np.isfinite(measured.median_times["examples"]).any(axis=0)
    named = zip(names, solved | flat, strict=True)
    unsolved = [name for name, explained in named if not explained]
    if unsolved:
        yield (
            f"no entrant reached the {board.target_level} target in most of its runs on "
            f"{join_names(unsolved)}: left out of the performance profiles"
        )


def _about_entrants(board: Leaderboard, study: StudyArrays) -> Iterator[str]:
    yield from unequal_terms(study.cells.values(), board.protocol)
    kinds = {cell.entrant.label: cell.entrant.kind for cell in study.cells.values()}
    still = _rates_of_0(study)
    for s, (label, unmoved) in enumerate(zip(study.labels, _unmoved_runs(study), strict=True)):
        if unmoved:
            cause = f", because {still[s]} is 0" if s in still else HINTS[kinds[label]]
            yield (
                f"{label}: {count(unmoved, 'run')} ended with exactly the losses that they "
                f"started with: its parameters never changed{cause}"
            )
    yield from _about_class_changes(study)
    for row in board.overall:
        if row.partial:
            yield (
                f"{row.label} was evaluated on {row.workloads} of {len(board.workloads)} "
                "workloads: its score covers these, its comparisons the common ones"
            )
        if row.failed:
            reason = _first_reason(study, study.labels.index(row.label))
            failed = f"{row.label}: {count(row.failed, 'run')} failed ({reason})"
            yield f"{failed}; {_score_0(row.failed)}"
        elif row.divergence.count == row.divergence.total:
            total = row.divergence.total
            runs = plural(total, "the only run", f"all {total} runs")
            yield f"{row.label}: {runs} diverged; {_score_0(total)}"
        for (hyper, side), times in Counter((e.hyper, e.side) for e in row.edges).items():
            yield (
                f"{row.label}: the best {hyper} lies at the {side} edge of its search range on "
                f"{count(times, 'workload')}, even after widening; a better one may lie beyond"
            )


def _about_class_changes(study: StudyArrays) -> Iterator[str]:
    """Name the entrants whose runs changed the class of the optimizer."""
    for s, label in enumerate(study.labels):
        runs = [study.runs[i] for i in np.flatnonzero(study.place[:, 0] == s)]
        reasons = [run.reason for run in runs if run.status is Status.OK and run.reason]
        if reasons:
            yield (
                f"{label}: {count(len(reasons), 'run')} {reasons[0]}: a run may depend on those "
                "before it; keep everything in the state that `init` and `step` return"
            )


def _score_0(runs: int) -> str:
    return plural(runs, "it scores 0", "they score 0")


def _unmoved_runs(study: StudyArrays) -> list[int]:
    """Return the number of evaluation runs of each entrant that trained nothing."""
    entrants = study.place[study.unmoved, 0]
    return list(np.bincount(entrants, minlength=len(study.labels)))


def _rates_of_0(study: StudyArrays) -> dict[int, str]:
    """Return the name of the rate of each entrant whose unmoved runs all had a rate of 0."""
    named: dict[int, set[str]] = {}
    for i in np.flatnonzero(study.unmoved):
        (s, w), run = study.place[i, :2], study.runs[i]
        rate = study.cells[s, w].entrant.rate
        is_0 = run.spec.hyper.get(rate) == 0
        named.setdefault(int(s), set()).add(rate if is_0 else "")
    return {s: min(names) for s, names in named.items() if "" not in names}


def _first_reason(study: StudyArrays, s: int) -> str:
    """Return why the first failed run of an entrant failed."""
    rows = np.flatnonzero(study.failed & (study.place[:, 0] == s))
    return next((study.runs[i].reason for i in rows if study.runs[i].reason), "no reason given")


def _about_third_entrants(board: Leaderboard) -> Iterator[str]:
    """Name orders in the performance profile that change when a third entrant is left out."""
    for profile in board.profiles:
        if profile.axis == "examples":
            for a, b, left_out in profile.flips[:MOST_FLIPS]:
                yield f"without {left_out}, {b} would be ahead of {a} in the performance profile"
