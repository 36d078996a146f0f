"""Helpers for sentences: lists of names, counts with their noun, short names of workloads."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.records import Workload

IN_REGIME = {"batch": "full batch", "mini-batch": "mini-batches", "sgd": "single examples"}
"""Regime -> what an update sees, in prose."""


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a, b and c``; well past `most` names ``a, b, c and 4 more``."""
    shown = list(names if len(names) <= most + 1 else names[:most])
    if len(names) > len(shown):
        return ", ".join(shown) + f" and {len(names) - len(shown)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def short_names(workloads: Sequence[Workload]) -> list[str]:
    """Names for prose: the dataset, and in brackets what else differs between the workloads."""
    parts = [
        (
            w.dataset,
            w.network,
            w.initialization,
            IN_REGIME[w.regime],
            f"B={w.batch_size}",
            f"{w.epochs} epochs",
        )
        for w in workloads
    ]
    sizes = {w.batch_size for w in workloads if w.regime == "mini-batch"}
    differ = [len({p[i] for p in parts}) > 1 for i in range(6)]
    keep = [True, *differ[1:4], len(sizes) > 1, differ[5]]
    kept = [[x for x, k in zip(p, keep, strict=True) if k] for p in parts]
    return [name + (f" ({', '.join(rest)})" if rest else "") for name, *rest in kept]


def count(n: int, noun: str) -> str:
    """``1 workload``, ``2 workloads``."""
    return f"{n} {noun}" + ("" if n == 1 else "s")
