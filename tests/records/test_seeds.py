"""Seeds: their ranges, and that no two runs of a workload share one by accident."""

from __future__ import annotations

import pytest

from optbench.records import MAX_REPLICATES, MAX_SEEDS, is_evaluation
from optbench.records.seeds import evaluation_seed, replicate_of, tuning_seed

LAST_REPLICATE = 2 * MAX_REPLICATES - 2
"""``first_replicate`` and ``replicates`` as large as they may be."""


@pytest.mark.parametrize("replicate", [0, 1, 7, LAST_REPLICATE])
def test_seeds_lie_in_the_range_of_their_role(replicate: int) -> None:
    """The role of a run follows from its seed."""
    for index in (0, 1, 1999):
        seed = tuning_seed("moons | batch", replicate, index)
        assert 2**29 <= seed < 2**30
        assert not is_evaluation(seed)
    for index in (0, 1, MAX_SEEDS - 1):
        seed = evaluation_seed("moons | batch", replicate, index)
        assert 2**30 <= seed < 2**31
        assert is_evaluation(seed)


@pytest.mark.parametrize("replicates", [range(6), range(LAST_REPLICATE - 5, LAST_REPLICATE + 1)])
def test_replicates_share_no_seed(replicates: range) -> None:
    """Not by luck: replicates and indices are mapped one to one onto seeds."""
    tuning = {tuning_seed("iris | sgd", r, i) for r in replicates for i in range(2000)}
    assert len(tuning) == 6 * 2000
    indices = [*range(1000), *range(MAX_SEEDS - 1000, MAX_SEEDS)]
    evaluation = {evaluation_seed("iris | sgd", r, i) for r in replicates for i in indices}
    assert len(evaluation) == 6 * 2000


def test_the_replicate_of_a_seed_is_known() -> None:
    """It is recovered from the seed; seeds of other origins have none."""
    for replicate in (0, 1, LAST_REPLICATE):
        for index in (0, 1999):
            assert replicate_of("iris | sgd", tuning_seed("iris | sgd", replicate, index)) == (
                replicate
            )
        for index in (0, MAX_SEEDS - 1):
            seed = evaluation_seed("iris | sgd", replicate, index)
            assert replicate_of("iris | sgd", seed) == replicate
    assert [replicate_of("iris | sgd", seed) for seed in (0, 1_000_003, 2**31)] == [None] * 3


def test_workloads_have_their_own_seeds() -> None:
    """Luck on one workload says nothing about another."""
    labels = [f"moons | {width} relu | batch" for width in range(50)]
    for seed_of in (tuning_seed, evaluation_seed):
        assert len(
            {seed_of(label, r, i) for label in labels for r in range(3) for i in range(8)}
        ) == (50 * 3 * 8)


def test_seeds_are_the_same_on_every_machine() -> None:
    """They are part of the key of a run, by which stores are merged."""
    assert tuning_seed("moons", 2, 5) == 1_017_337_012
    assert evaluation_seed("moons", 2, 5) == 1_696_774_264
