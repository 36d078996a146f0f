"""Every sentence says what the numbers say, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from optbench.analysis import Leaderboard, build_leaderboard
from optbench.analysis.statistics.hypothesis_tests import workloads_needed
from optbench.analysis.words.prose import join_names, short_names
from optbench.records import Cell, StudyProtocol
from optbench.suites import Target
from tests.analysis.synthetic import make_cells
from tests.records.factories import make_curve

TARGETS = {
    (name, "32-32 relu"): Target(easy=0.9, medium=0.8, hard=0.7)
    for name in ("moons", "iris", "digits")
}
QUICK = ("alpha", "beta", "gamma", "delta", "epsilon")


def build(cells: list[Cell], **options: Any) -> Leaderboard:
    return build_leaderboard(cells, StudyProtocol(), **options)


def texts(board: Leaderboard) -> str:
    return "\n".join(v.text for v in board.verdicts)


def test_the_sentence_on_speed_is_the_number_in_the_cells() -> None:
    """A planted 3x is reported as about 3x, with an interval that holds it."""
    cells = []
    for cell in make_cells(("fast", "slow"), [f"d{i}" for i in range(9)], ("mini-batch",)):
        factor = 3.0 if cell.entrant.label == "fast" else 1.0
        runs = []
        for run in cell.evaluation:
            columns = dict(run.curve)
            luck = 1 + 0.02 * (run.spec.seed - 2)
            columns["val_loss"] = np.exp(-factor * luck * columns["examples"] / 1500)
            runs.append(replace(run, curve=make_curve(columns)))
        cells.append(replace(cell, evaluation=tuple(runs)))
    target = {(f"d{i}", "32-32 relu"): Target(easy=0.5, medium=0.3, hard=0.2) for i in range(9)}
    sentences = texts(build(cells, targets=target))
    sentence = next(s for s in sentences.splitlines() if "sooner" in s)
    assert sentence.startswith("fast reaches the target ")
    assert "x sooner than slow on average over 9 workloads" in sentence
    ratio = float(sentence.split("target ")[1].split("x")[0])
    low, high = sentence.split("interval ")[1].split(")")[0].split(" to ")
    assert ratio == pytest.approx(3, rel=0.3)
    assert float(low) <= 3 <= float(high)


def test_a_loss_in_one_regime_is_reported() -> None:
    """Better overall, yet beaten in full batch: the sentence names regime and winner."""
    cells = make_cells(("alpha", "beta"), [f"d{i}" for i in range(4)], skill={"alpha": 0.6})
    cells = [c for c in cells if c.workload.regime != "batch"]
    cells += make_cells(
        ("alpha", "beta"), [f"d{i}" for i in range(4)], ("batch",), skill={"beta": 0.6}
    )
    sentences = texts(build(cells))
    assert "loses to beta in full batch" in sentences
    assert "in single examples" not in sentences


def test_workloads_are_named_by_what_differs_between_them() -> None:
    """The dataset always; the regime, the initializer, the batch size where there are several."""
    [one] = make_cells(("alpha",), ("moons",), ("batch",))
    assert short_names([one.workload]) == ["moons"]
    many = [c.workload for c in make_cells(("alpha",), ("moons",), initializers=("a", "b"))]
    assert short_names(many)[:2] == ["moons (a, full batch)", "moons (b, full batch)"]
    small = msgspec.structs.replace(many[2], batch_size=8)
    assert short_names([many[2], small]) == ["moons (B=32)", "moons (B=8)"]


@pytest.mark.parametrize(
    ("names", "text"),
    [("a", "a"), ("ab", "a and b"), ("abcd", "a, b, c and d"), ("abcde", "a, b, c and 2 more")],
)
def test_lists_of_names_read_as_prose(names: str, text: str) -> None:
    """Never "and 1 more": the one more is named."""
    assert join_names(list(names)) == text


def test_a_study_without_a_separated_pair_claims_no_order() -> None:
    """The first sentence says that nobody can be told apart, and nobody is above anybody."""
    board = build(make_cells(("alpha", "beta", "gamma")))
    assert board.verdicts[0].text.startswith("no two of the 3 entrants can be told apart")
    assert "above" not in texts(board)


@pytest.mark.parametrize("rng_seed", range(3))
def test_nobody_is_called_sooner_unless_the_interval_says_so(rng_seed: int) -> None:
    """Where the seeds differ more than the entrants, no ratio of speeds is certain."""
    cells = make_cells(("alpha", "beta"), workload_noise=0.0, noise=0.5, seeds=4, rng_seed=rng_seed)
    assert "sooner" not in texts(build(cells, targets=TARGETS))
    twins = make_cells(("alpha", "beta"), twins={"beta": "alpha"}, rng_seed=rng_seed)
    assert "sooner" not in texts(build(twins, targets=TARGETS))


def test_more_tuning_matters_only_when_its_gain_exceeds_the_gap() -> None:
    """The gain of the last doubling of trials against the distance to the place ahead."""
    near = texts(build(make_cells(("alpha", "beta"), skill={"alpha": 0.02}, trials=8)))
    far = texts(build(make_cells(("alpha", "beta"), skill={"alpha": 3.0}, trials=64)))
    assert "could still change their order" in near
    assert "would hardly change their order" in far


def test_one_workload_places_nobody_and_names_who_leads_there() -> None:
    """The missing workloads are mentioned once, and the leader of the one workload is named."""
    skill = {"alpha": 1.0}
    names = ("alpha", "beta", "gamma")
    cells = make_cells(names, ("digits",), ("batch",), skill=skill, seeds=20, workload_noise=0.0)
    board = build(cells)
    sentences = texts(board)
    assert sentences.startswith("1 workload: places need at least 7 workloads; the intervals cover")
    assert "alpha scores above everyone else on digits, beyond the spread of the seeds" in sentences
    assert sentences.count("places") == 1
    assert "distinguishable" not in sentences
    assert not any("Wilcoxon" in warning for warning in board.warnings)


def test_the_least_number_of_workloads_comes_from_the_test_itself() -> None:
    """One fewer cannot reach 5%, that many can; 2^(1-n) times the pairs, by hand."""
    for pairs in (1, 3, 10, 190):
        n = workloads_needed(pairs)
        assert pairs * 2.0 ** (1 - n) < 0.05 <= pairs * 2.0 ** (2 - n)
