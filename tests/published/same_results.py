"""Compares a study that was trained again with the published one, number by number.

    optbench run quick --out again
    python -m tests.published.same_results results/quick again

Prints each field of ``leaderboard.json`` that differs, how often, and the largest relative
difference. Fields that depend on seconds are counted apart, because they differ on every machine.
The exit code is 1 if anything else differs.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OF_SECONDS = re.compile(r"seconds|profiles\[seconds\]|overall.*times\[seconds\]|text$")
"""Fields that are measured in seconds; sentences name the time that more replicates take."""


def differences(a: Any, b: Any, field: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each field of two JSON documents that differs, with both values.

    Lists of records with an ``axis`` are named by it, other lists have no numbers.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from differences(a.get(key), b.get(key), f"{field}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for x, y in zip(a, b, strict=True):
            axis = x.get("axis", "") if isinstance(x, dict) else ""
            yield from differences(x, y, f"{field}[{axis}]")
    elif a != b:
        yield field, a, b


def relative(a: Any, b: Any) -> float:
    """Return the relative difference of two numbers; infinity for anything else."""
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (a, b))
    return abs(a - b) / max(abs(a), abs(b)) if numbers else float("inf")


def compare(published: Path, again: Path) -> tuple[int, dict[str, list[float]]]:
    """Return the number of fields that differ in seconds, and the others with their differences."""
    documents = [
        json.loads((folder / "leaderboard.json").read_text()) for folder in (published, again)
    ]
    seconds, others = 0, defaultdict(list)
    for field, a, b in differences(*documents):
        if OF_SECONDS.search(field):
            seconds += 1
        else:
            others[field].append(relative(a, b))
    return seconds, dict(others)


def main() -> int:
    """Print the differences."""
    seconds, others = compare(*map(Path, sys.argv[1:]))
    for field, found in others.items():
        print(f"{field}: {len(found)} differ, by {max(found):.2g} at most")
    print(
        f"{sum(map(len, others.values()))} values differ; besides, {seconds} that depend on seconds"
    )
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
