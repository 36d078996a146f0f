"""Seeds of the runs of a study, from a hash of workload, replicate, role and index."""

from __future__ import annotations

import functools
import hashlib

from optbench.records.protocol import EVALUATION_SEED, MAX_REPLICATES, TUNING_SEED

TUNING_INDEX_BITS = 11
"""Binary digits of the index of a tuning seed: 1,000 seeds of a trial and 1,000 of a retest fit."""
EVALUATION_INDEX_BITS = 20
"""Binary digits of the index of an evaluation seed."""


def tuning_seed(workload: str, replicate: int, index: int) -> int:
    """Return a tuning seed, the same for every entrant.

    Seeds of one workload with different replicates or indices differ.

    Args:
        workload: Label of the workload.
        replicate: Number of the replicate, at least 0 and below 1,024.
        index: Number of the seed, at least 0 and below 2,048.

    Returns:
        A number in [2^29, 2^30).
    """
    place = (replicate << TUNING_INDEX_BITS) + index
    return TUNING_SEED + _scatter(place, workload, "tuning", EVALUATION_SEED - TUNING_SEED)


def evaluation_seed(workload: str, replicate: int, index: int) -> int:
    """Return an evaluation seed, the same for every entrant.

    Seeds of one workload with different replicates or indices differ.

    Args:
        workload: Label of the workload.
        replicate: Number of the replicate, at least 0 and below 1,024.
        index: Number of the seed, at least 0 and below 1,048,576.

    Returns:
        A number in [2^30, 2^31).
    """
    place = (replicate << EVALUATION_INDEX_BITS) + index
    return EVALUATION_SEED + _scatter(place, workload, "evaluation", EVALUATION_SEED)


def replicate_of(workload: str, seed: int) -> int | None:
    """Return the replicate to which a seed belongs, or None for a seed of another origin.

    Studies from before replicates count their seeds from 0; other seeds come from calls such as
    ``optbench.train(seed=1)``.

    Args:
        workload: Label of the workload.
        seed: Seed of a run.

    Example:
        >>> replicate_of("moons", tuning_seed("moons", 3, 0)), replicate_of("moons", 7)
        (3, None)
    """
    if TUNING_SEED <= seed < EVALUATION_SEED:
        role, first, size, bits = "tuning", TUNING_SEED, TUNING_SEED, TUNING_INDEX_BITS
    elif EVALUATION_SEED <= seed < 2 * EVALUATION_SEED:
        role, first, size, bits = (
            "evaluation", EVALUATION_SEED, EVALUATION_SEED, EVALUATION_INDEX_BITS
        )  # fmt: skip
    else:
        return None
    offset, factor = _constants(workload, role)
    replicate = ((seed - first - offset) * pow(factor, -1, size) % size) >> bits
    return replicate if replicate < 2 * MAX_REPLICATES else None


def _scatter(place: int, workload: str, role: str, size: int) -> int:
    """Map the numbers below `size`, a power of 2, one to one onto themselves."""
    offset, factor = _constants(workload, role)
    return (offset + place * factor) % size


@functools.lru_cache(maxsize=4096)
def _constants(workload: str, role: str) -> tuple[int, int]:
    """Return an offset and an odd factor, which depend on nothing but workload and role."""
    digest = hashlib.sha256(f"{role} | {workload}".encode()).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big") | 1
