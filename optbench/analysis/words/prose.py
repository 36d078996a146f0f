"""Helpers for sentences: what looks promise, short names of workloads."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.records import ALPHA, Look, Workload
from optbench.support.text import count

UNKNOWN = "–"
"""What stands in a table for an unknown number."""
IN_REGIME = {"batch": "full batch", "mini-batch": "mini-batches", "sgd": "single examples"}
"""Regime -> its name in a sentence."""

STANDING = (
    "A verdict stands from the first look that supports it, with the p of that look; the "
    "intervals are those of the last one."
)
"""Why the interval of a decided pair may hold 0, in a study with several looks."""


def looks_notes(looks: Sequence[Look]) -> list[str]:
    """Return which error rate the verdicts of a growing study have; nothing for a single look."""
    last, rate = looks[-1], sum(look.level for look in looks)
    if not rate:
        return ["No verdicts: the study was interrupted before it was first analyzed."]
    if len(looks) == 1 and last.level == ALPHA:
        return []
    note = (
        f"Look {len(looks)}, at {count(last.replicates, 'replicate')}. Intervals have level "
        f"{100 * (1 - last.level):.1f}%. At all looks together, the probability of any false "
        f"'better' on a board is at most {100 * rate:.1f}%, and so is that of any wrong 'equal'."
    )
    return [f"{note} {STANDING}" if len(looks) > 1 else note]


def short_names(workloads: Sequence[Workload]) -> list[str]:
    """Return the dataset of each workload, and in brackets what else tells it from the others."""
    rows = [
        (
            w.dataset,
            w.network,
            w.initialization,
            IN_REGIME[w.regime],
            f"B={w.batch_size}",
            count(w.epochs, "epoch"),
        )
        for w in workloads
    ]
    network, initializer, regime, _, epochs = (
        len(set(column)) > 1 for column in list(zip(*rows, strict=True))[1:]
    )
    batch_size = len({w.batch_size for w in workloads if w.regime == "mini-batch"}) > 1
    differs = (network, initializer, regime, batch_size, epochs)
    names = []
    for dataset, *parts in rows:
        telling = [part for part, keep in zip(parts, differs, strict=True) if keep]
        names.append(dataset + (f" ({', '.join(telling)})" if telling else ""))
    return names
