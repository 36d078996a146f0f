"""Numbers of optimizers, datasets, suites and workloads in the documents are those that exist."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from optbench.plan import build_plan
from optbench.registry import default_registry
from optbench.suites import Suite, find_suite

ROOT = Path(__file__).parents[2]
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen")  # fmt: skip
"""Numbers as words, by value."""


def text_of(name: str) -> str:
    return " ".join((ROOT / name).read_text().split())


def builtin(kind: str) -> int:
    """Return how many of one kind come with optbench."""
    return sum(entry.is_builtin for entry in default_registry().entries(kind).values())


def suite_of(name: str) -> Suite:
    suites = {key: entry.item for key, entry in default_registry().entries("suites").items()}
    return find_suite(name, suites)


def test_the_changelog_counts_what_is_registered() -> None:
    """As `optbench list` does without further plugins."""
    kinds = ("optimizers", "initializers", "datasets", "suites")
    assert f"- {', '.join(f'{builtin(kind)} {kind}' for kind in kinds)};" in text_of("CHANGELOG.md")


def test_the_page_on_statistics_counts_the_pairs() -> None:
    """Those of the published leaderboard, and the comparisons with a baseline."""
    entrants, text = builtin("optimizers"), text_of("docs/statistics.md")
    pairs = math.comb(entrants, 2)
    assert entrants == 28
    assert f"Twenty-eight optimizers form {pairs} pairs" in text
    assert f"{entrants - 1} comparisons instead of {pairs}" in text
    assert f"about {entrants} optimizers" in text


@pytest.mark.parametrize(
    ("suite", "document", "claim"),
    [
        ("standard", "README.md", "every optimizer, {datasets} datasets"),
        ("standard", "", "every optimizer, {workloads} workloads of {datasets} datasets"),
        ("standard", "CHANGELOG.md", "`standard` {workloads} workloads of {datasets} datasets"),
        (
            "quick",
            "",
            "{entrants} classics, {workloads} workloads, {regimes} regimes, {replicates} rep",
        ),
    ],
)
def test_a_suite_has_as_much_as_is_said(suite: str, document: str, claim: str) -> None:
    """In a document, or in the summary of the suite itself."""
    chosen = suite_of(suite)
    plan = build_plan(chosen, default_registry())
    counts = {
        "entrants": len(plan.entrants),
        "workloads": len(plan.workloads),
        "datasets": len({workload.dataset for workload in plan.workloads}),
        "regimes": len({workload.regime for workload in plan.workloads}),
        "replicates": plan.protocol.replicates,
    }
    text = text_of(document) if document else chosen.summary
    words = {name: WORDS[number] for name, number in counts.items() if number < len(WORDS)}
    assert claim.format(**words) in text
