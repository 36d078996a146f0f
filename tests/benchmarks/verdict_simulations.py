"""Measures the error rates and the power of the verdicts on made-up studies with a known truth.

    python -m tests.benchmarks.verdict_simulations [--studies 2000] [--only both_kinds]

Each line has the figure that was measured, the goal, and whether it is met. A study is an array of
values (entrants, workloads, replicates) as a board has them; everything after that is the code that
makes boards.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from optbench.analysis.statistics import multiplicity
from optbench.analysis.statistics.contrasts import (
    Contrasts,
    all_pairs,
    cluster_means,
    pair_contrasts,
)
from optbench.analysis.statistics.decisions import Answer, Closed, answer_all, decide
from optbench.analysis.statistics.multiplicity import adjusted_p_values, may_be_best
from optbench.analysis.statistics.ranking import place_ranges
from optbench.analysis.statistics.spending import level_of_either, look_sizes, planned_looks
from optbench.contracts import Array
from optbench.records import ALPHA, Look
from tests.benchmarks import record_simulations
from tests.benchmarks.figures import Figure, share

REGION = 0.03
"""Half width of the region of practical equivalence, as on the boards of losses."""
TUNING_SD, SEED_SD = 0.04, 0.075
"""Standard deviations of a cell between tuning draws and between seeds."""
GAPS = np.array([0.0, 0.01, 0.02, 0.04, 0.06])
"""True values of five entrants in studies of power."""
PAIR_SD = 0.02
"""SD of the difference of two entrants in one replicate, over all workloads."""


def answers(
    values: Array,
    region: float = REGION,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = ALPHA,
) -> tuple[Contrasts, Array, list[Answer]]:
    """Return the contrasts, adjusted p-values and verdicts of all pairs of one study."""
    entrants = len(values)
    contrasts = pair_contrasts(values, *all_pairs(entrants), clusters)
    none: list[Closed | None] = [None] * contrasts.estimate.size
    adjusted, _, verdicts = answer_all(contrasts, region, entrants, alpha, none)
    return contrasts, adjusted, verdicts


def better_matrix(entrants: int, contrasts: Contrasts, verdicts: Sequence[Answer]) -> Array:
    """Return which entrant is better than which, shape (entrants, entrants)."""
    better = np.zeros((entrants, entrants), dtype=bool)
    for a, b, estimate, verdict in zip(
        *all_pairs(entrants), contrasts.estimate, verdicts, strict=True
    ):
        if verdict == "better":
            better[(a, b) if estimate > 0 else (b, a)] = True
    return better


def replicate_values(
    rng: np.random.Generator, truth: Array, workloads: int, replicates: int, pair_sd: float
) -> Array:
    """Return normal values whose mean difference has a given SD in one replicate."""
    spread = pair_sd * math.sqrt(workloads / 2)
    shape = (len(truth), workloads, replicates)
    return truth[:, None, None] + spread * rng.normal(size=shape)


# -- the tests -----------------------------------------------------------------------------------


def population_errors(rng: np.random.Generator, studies: int) -> list[Figure]:
    """1: all equal, workloads of a dataset correlated; statement about workloads like these."""
    figures = []
    for entrants, datasets in ((5, 3), (28, 10)):
        for icc in (0.0, 0.21, 0.4):
            names = np.repeat(np.arange(datasets), 3).tolist()
            found = []
            for _ in range(studies):
                own = rng.normal(size=(entrants, 3 * datasets, 1))
                common = rng.normal(size=(entrants, datasets, 1)).repeat(3, axis=1)
                values = 0.1 * (math.sqrt(icc) * common + math.sqrt(1 - icc) * own)
                _, p, _ = answers(cluster_means(values, names))
                found.append(bool((p <= ALPHA).any()))
            name = f"1 false better, like these, {entrants} x {3 * datasets}, ICC {icc}"
            figures.append(share(name, found, most=0.065))
    return figures


def fixed_errors(rng: np.random.Generator, studies: int) -> list[Figure]:
    """2: all equal on fixed workloads, with luck of tuning and of seeds."""
    found = []
    spread = math.hypot(TUNING_SD, SEED_SD / math.sqrt(5))
    for _ in range(studies):
        _, p, _ = answers(spread * rng.normal(size=(5, 9, 6)))
        found.append(bool((p <= ALPHA).any()))
    return [share("2 false better, these workloads, 5 x 9, 6 replicates", found, most=0.065)]


def baseline_errors(rng: np.random.Generator, studies: int) -> list[Figure]:
    """2: comparisons with a baseline, where all are equal, from few units and from many."""
    figures = []
    for entrants, workloads in ((5, 9), (28, 30)):
        for replicates in (6, 16):
            found = []
            for _ in range(studies):
                values = rng.normal(size=(entrants, workloads, replicates))
                others = np.arange(1, entrants)
                contrasts = pair_contrasts(values, others, np.zeros(len(others), dtype=int))
                found.append(bool((adjusted_p_values(contrasts) <= ALPHA).any()))
            name = f"2 false better, baseline, {entrants} x {workloads}, {replicates} replicates"
            figures.append(share(name, found, most=0.065))
    return figures


def _coverage(studies: int, draw: Callable[[], Array], clusters: Sequence[int] | None) -> Array:
    """Return the share of pairs whose 95% interval contains the true difference of 0."""
    values = np.stack([draw() for _ in range(studies)])
    low, high = pair_contrasts(values, *all_pairs(values.shape[1]), clusters).interval()
    return ((low <= 0) & (high >= 0)).mean(axis=1)


def coverage(rng: np.random.Generator, studies: int) -> list[Figure]:
    """3, 4 and 9: coverage of differences with collapses, shared seeds, heavy tails and losses."""
    spread = math.hypot(TUNING_SD, SEED_SD / math.sqrt(8))
    shape = (5, 9, 6)

    def collapses() -> Array:
        values = 0.85 + spread * rng.normal(size=shape)
        return np.where(rng.random(shape) < 0.02, 0.2, values)

    def shared() -> Array:
        common = rng.normal(size=(5, 3, 6)).repeat(3, axis=1)
        return math.sqrt(0.46) * common + math.sqrt(0.54) * rng.normal(size=shape)

    def runs(noise: Callable[[], Array]) -> Callable[[], Array]:
        def draw() -> Array:
            tuning = TUNING_SD * rng.normal(size=shape)
            return np.asarray(0.85 + tuning + SEED_SD * noise().mean(axis=-1))

        return draw

    def lost() -> Array:
        score = 0.85 + SEED_SD * rng.normal(size=(*shape, 8))
        return np.where(rng.random(score.shape) < 0.025, 0.0, score).mean(axis=-1)

    full = (*shape, 8)
    cases: list[tuple[str, Callable[[], Array], list[int] | None, float, float]] = [
        ("3 coverage, 2% of cells collapse", collapses, None, 0.92, math.inf),
        ("4 coverage, seeds shared by regimes", shared, [0, 0, 0, 1, 1, 1, 2, 2, 2], 0.93, 0.97),
        ("9 coverage, normal", runs(lambda: rng.normal(size=full)), None, 0.90, math.inf),
        ("9 coverage, t3", runs(lambda: rng.standard_t(3, size=full)), None, 0.90, math.inf),
        (
            "9 coverage, skew",
            runs(lambda: 1 - rng.exponential(size=full)),
            None,
            0.90,
            math.inf,
        ),
        ("9 coverage, 2.5% of runs lost", lost, None, 0.90, math.inf),
    ]
    figures = []
    for name, draw, clusters, least, most in cases:
        covered = _coverage(studies, draw, clusters)
        error = float(covered.std() / math.sqrt(studies))
        figures.append(Figure(name, float(covered.mean()), least, most, error))
    return figures


def equivalence(rng: np.random.Generator, studies: int) -> list[Figure]:
    """5: wrong equal where the gap is the region, right equal where all are equal."""
    wrong, right = [], []
    apart = np.array([0.0, 0.0, 0.0, REGION, REGION])
    first, second = all_pairs(5)
    is_apart = apart[first] != apart[second]
    for _ in range(studies):
        _, _, verdicts = answers(replicate_values(rng, apart, 9, 6, 0.016))
        wrong.append("equal" in np.array(verdicts)[is_apart])
        _, _, verdicts = answers(replicate_values(rng, np.zeros(5), 9, 6, 0.016))
        right += [verdict == "equal" for verdict in verdicts]
    return [
        share("5 any wrong equal, gap = region, 6 replicates", wrong, most=0.05),
        share("5 right equal, gap 0, 6 replicates (pairs)", right, least=0.9),
    ]


def both_kinds(rng: np.random.Generator, studies: int) -> list[Figure]:
    """5: two entrants at 0 and two at the region; both kinds of claims can be false."""
    truth = np.array([0.0, 0.0, REGION, REGION])
    first, second = all_pairs(4)
    gap = truth[first] - truth[second]
    better, equal = [], []
    for _ in range(studies):
        contrasts, _, found = answers(replicate_values(rng, truth, 8, 8, PAIR_SD))
        verdicts = np.array(found)
        is_false = (gap == 0) | (np.sign(contrasts.estimate) != np.sign(gap))
        better.append(bool(((verdicts == "better") & is_false).any()))
        equal.append(bool(((verdicts == "equal") & (gap != 0)).any()))
    name = "5 gaps of 0 and of the region, 4 x 8, 8 replicates: "
    return [
        share(f"{name}false better", better, most=0.05),
        share(f"{name}wrong equal", equal, most=0.05),
        share(f"{name}any of both", (np.array(better) | np.array(equal)).tolist(), most=0.1),
    ]


class Grown(NamedTuple):
    """A study that was grown until it was decided.

    Attributes:
        answers: Verdict of each pair, from the look that made it.
        signs: Sign of the difference of each pair at that look.
        values: Shape (entrants, workloads, most replicates), NaN where nothing was trained.
        looks: The looks that were taken.
    """

    answers: list[Answer]
    signs: list[int]
    values: Array
    looks: list[Look]

    @property
    def replicates(self) -> float:
        """Mean number of replicates of an entrant."""
        return float(np.isfinite(self.values).all(axis=1).sum(axis=1).mean())


def grown_values(values: Array, region: float) -> Grown:
    """Run one study with looks until it is decided.

    Args:
        values: Shape (entrants, workloads, most replicates).
        region: Half width of the region of practical equivalence.
    """
    entrants, _, most = values.shape
    first, second = all_pairs(entrants)
    closed: list[Closed | None] = [None] * len(first)
    grown = np.full(values.shape, np.nan)
    active = np.ones(entrants, dtype=bool)
    before, taken = 0, []
    for look in planned_looks(look_sizes(most), most):
        taken.append(look)
        size = look.replicates
        grown[active, :, before:size] = values[active, :, before:size]
        contrasts = pair_contrasts(grown[..., :size], first, second)
        _, _, verdicts = answer_all(contrasts, region, entrants, look.level, closed)
        for i, verdict in enumerate(verdicts):
            if verdict != "open" and closed[i] is None:
                closed[i] = Closed(verdict, float(np.sign(contrasts.estimate[i])), 0.0, 0.0)
        still = np.array([verdict == "open" for verdict in verdicts])
        active = np.zeros(entrants, dtype=bool)
        active[first[still]] = active[second[still]] = True
        before = size
        if not active.any():
            break
    signs = [int(verdict.sign) if verdict else 0 for verdict in closed]
    # a claim counts from the look that made it, even if more replicates withdrew it later
    answers = [verdict.answer if verdict else "open" for verdict in closed]
    return Grown(answers, signs, grown, taken)


def sequential(rng: np.random.Generator, studies: int) -> list[Figure]:
    """6: the error rates of 1 and 5 over four looks, and how early a study ends."""
    first, second = all_pairs(5)
    false, wrong, used, early = [], [], [], []
    apart = np.array([0.0, 0.0, 0.0, 0.02, 0.02])
    is_apart = apart[first] != apart[second]
    for _ in range(studies):
        verdicts = grown_values(replicate_values(rng, np.zeros(5), 9, 32, PAIR_SD), 0.004).answers
        false.append("better" in verdicts)
        verdicts = grown_values(replicate_values(rng, apart, 9, 32, PAIR_SD), 0.02).answers
        wrong.append("equal" in np.array(verdicts)[is_apart])
        spread = np.array([0.0, 0.05, 0.1, 0.15, 0.2])
        mean = grown_values(replicate_values(rng, spread, 9, 32, PAIR_SD), 0.02).replicates
        used.append(mean)
        early.append(mean <= 8)
    return [
        share("6 any false better over looks at 4, 8, 16, 32", false, most=0.05),
        share("6 any wrong equal over the looks, gap = region", wrong, most=0.05),
        Figure("6 replicates an entrant, gaps of 0.05", float(np.mean(used)), most=8.0),
        share("6 studies with gaps of 0.05 that end by 8 replicates", early, least=0.9),
    ]


def compared_studies(rng: np.random.Generator, studies: int) -> list[Figure]:
    """6: the same optimizers in two studies that end by their own results, often at other looks."""
    truth, own_region = np.array([0.0, 0.02]), 0.012  # many studies end at different looks
    region = 0.04
    gaps = {"false better": 0.0, "wrong equal, gap = region": region}
    wanted: dict[str, Answer] = {"false better": "better", "wrong equal, gap = region": "equal"}
    found: dict[str, list[bool]] = {name: [] for name in gaps}
    elsewhere = []
    for _ in range(studies):
        for name, gap in gaps.items():
            sides = [
                grown_values(replicate_values(rng, truth + shift, 9, 32, PAIR_SD), own_region)
                for shift in (0.0, gap)
            ]
            values = np.concatenate([side.values for side in sides])
            contrasts = pair_contrasts(values, np.array([2, 3]), np.array([0, 1]))
            level = level_of_either(*(side.looks for side in sides))
            _, _, verdicts = answer_all(contrasts, region, None, level, [None, None])
            found[name].append(wanted[name] in verdicts)
            elsewhere.append(len(sides[0].looks) != len(sides[1].looks))
    return [
        *(share(f"6 two grown studies: any {name}", found[name], most=0.05) for name in gaps),
        share("6 two grown studies that ended at other looks", elsewhere, least=0.3),
    ]


def power(rng: np.random.Generator, studies: int) -> list[Figure]:
    """10: separated pairs of ten, at 32 replicates at once."""
    count = []
    for _ in range(studies):
        _, p, _ = answers(replicate_values(rng, GAPS, 9, 32, PAIR_SD))
        count.append(int((p <= ALPHA).sum()))
    error = float(np.std(count) / math.sqrt(studies))
    return [
        Figure("10 separated pairs of 10, 32 replicates", float(np.mean(count)), 9.0, error=error)
    ]


def best_and_places(rng: np.random.Generator, studies: int) -> list[Figure]:
    """11 and 12: the best one stays among the candidates, true ranks lie inside the places."""
    figures = []
    for entrants in (5, 28):
        stays, inside = [], []
        truth = np.linspace(0.0, -0.05, entrants)
        for _ in range(studies):
            values = replicate_values(rng, truth, 9, 6, PAIR_SD)
            stays.append(bool(may_be_best(values)[0]))
            contrasts, _, verdicts = answers(values)
            places = place_ranges(better_matrix(entrants, contrasts, verdicts))
            inside.append(all(a <= i + 1 <= b for i, (a, b) in enumerate(places)))
        figures += [
            share(f"11 the best stays a candidate, {entrants} entrants", stays, least=0.95),
            share(f"12 all true ranks in their ranges, {entrants} entrants", inside, least=0.95),
        ]
    return figures


def replications(rng: np.random.Generator, studies: int) -> list[Figure]:
    """13: two studies with disjoint replicates, and the promise of a power sentence."""
    contradictions, decided = [], []
    for _ in range(studies):
        truth = 0.02 * rng.normal(size=5)
        values = replicate_values(rng, truth, 9, 12, PAIR_SD)
        halves = [answers(values[..., :6]), answers(values[..., 6:])]
        matrices = [better_matrix(5, contrasts, verdicts) for contrasts, _, verdicts in halves]
        clash = matrices[0] & matrices[1].T
        contradictions.append(clash.sum() / 10)
        gap = rng.uniform(-0.1, 0.1)
        pilot = replicate_values(rng, np.array([0.0, gap]), 9, 6, 0.08)
        needs = decide(pair_contrasts(pilot, *all_pairs(2)), REGION, entrants=2)[0].needs
        if needs is not None and needs <= 300:
            more = replicate_values(rng, np.array([0.0, gap]), 9, needs - 6, 0.08)
            _, _, verdicts = answers(np.concatenate([pilot, more], axis=-1))
            decided.append(verdicts[0] != "open")
    return [
        Figure("13 contradicting pairs of two halves", float(np.mean(contradictions)), most=0.02),
        share("   decided with the replicates that an open pair needs", decided, 0.7, 0.9),
    ]


TESTS: tuple[Callable[[np.random.Generator, int], list[Figure]], ...] = (
    population_errors,
    fixed_errors,
    baseline_errors,
    coverage,
    equivalence,
    both_kinds,
    sequential,
    compared_studies,
    power,
    best_and_places,
    replications,
    *record_simulations.TESTS,
)
"""The simulations, by the order in which they are printed."""


def main(words: Sequence[str] | None = None) -> None:
    """Run every simulation, or those that are named, and print the figures."""
    tests = {test.__name__: test for test in TESTS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=2000, help="Draws of the largest |t|.")
    parser.add_argument("--only", nargs="+", choices=tests, default=list(tests), metavar="NAME")
    arguments = parser.parse_args(words)
    studies, multiplicity.DRAWS = arguments.studies, arguments.draws
    for name in arguments.only:
        for figure in tests[name](np.random.default_rng(1), studies):
            print(figure, flush=True)


if __name__ == "__main__":
    main()
