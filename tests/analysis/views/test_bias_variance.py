"""A weak model, a failed optimizer and overfitting are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import BiasVariance
from optbench.analysis.views.bias_variance import bias_variance
from optbench.records import Cell
from tests.analysis.synthetic import make_cells
from tests.records.factories import make_curve


def cell_with(label: str, train: float, val: float, hidden: tuple[int, ...] = (32, 32)) -> Cell:
    """A cell whose runs all end near the given losses, having started at 1."""
    [cell] = make_cells((label,), ("moons",), ("batch",), hidden=(hidden,))
    runs = []
    for run in cell.evaluation:
        luck = 1 + 0.02 * (run.spec.seed - 2)
        rows = run.curve.rows
        columns = dict(run.curve)
        columns["train_loss"] = np.geomspace(1.0, train * luck, rows)
        columns["val_loss"] = np.geomspace(1.0, val * luck, rows)
        runs.append(replace(run, curve=make_curve(columns)))
    return replace(cell, evaluation=tuple(runs))


def diagnose(*cells: Cell) -> dict[str, BiasVariance]:
    return {row.label: row for row in bias_variance(StudyArrays(cells))}


def test_the_three_terms_add_up_to_the_validation_loss() -> None:
    """val - reference = bias + optimization + variance, whatever the case."""
    cells = make_cells(("alpha", "beta"), diverging={"beta": 0.3})
    rows = {(r.label, r.workload): r for r in bias_variance(StudyArrays(cells))}
    lost = 0
    for cell in cells:
        row = rows.pop((cell.entrant.label, cell.workload.label))
        losses = [run.final("val_loss") for run in cell.evaluation]
        val = np.median(np.nan_to_num(losses, nan=np.inf))
        terms = (row.bias.value, row.optimization.value, row.variance.value)
        if np.isinf(val):
            lost += 1
            assert terms[2] is None
        else:
            assert sum(term for term in terms if term is not None) == pytest.approx(
                val - row.reference
            )
            assert None not in terms
    assert not rows
    assert 0 < lost < len(cells), "the example needs cells of either kind"


def test_a_curve_on_a_sample_does_not_lower_the_floor() -> None:
    """The gap is between training losses of the whole part: none lies below the floor."""
    cells = []
    for label, train in (("alpha", 0.4), ("beta", 0.5)):
        cell = cell_with(label, 0.1, 0.6)  # the loss on the sample
        runs = [replace(run, end_train_loss=train) for run in cell.evaluation]
        cells.append(replace(cell, evaluation=tuple(runs)))
    rows = diagnose(*cells)
    assert rows["alpha"].floor == 0.4
    assert rows["alpha"].optimization.value == 0
    assert rows["beta"].optimization.value == pytest.approx(0.1)
    assert all(row.optimization.low is not None for row in rows.values())
    assert all((row.optimization.low or 0) >= 0 for row in rows.values())


def test_a_failed_optimizer_is_not_mistaken_for_a_weak_model() -> None:
    """The same network reached 0.05 with another optimizer: the gap is the optimizer's."""
    rows = diagnose(cell_with("good", 0.05, 0.06), cell_with("poor", 0.6, 0.62))
    assert rows["poor"].verdict == "optimization"
    assert rows["good"].verdict == "none high"


def test_a_weak_model_shows_as_bias() -> None:
    """No optimizer gets below 0.6 on the small network, while a larger one reaches 0.06."""
    rows = diagnose(cell_with("large", 0.05, 0.06), cell_with("small", 0.6, 0.62, hidden=(1,)))
    assert rows["small"].verdict == "bias"


def test_overfitting_shows_as_variance() -> None:
    """A training loss at the floor under a high validation loss."""
    rows = diagnose(cell_with("fits", 0.05, 0.5), cell_with("stops", 0.1, 0.12))
    assert rows["fits"].verdict == "variance"


def test_a_run_that_diverged_is_called_that() -> None:
    """Infinite losses are no diagnosis of a model."""
    [cell] = make_cells(("lost",), ("moons",), ("batch",), diverging={"lost": 1.0})
    row = diagnose(cell, cell_with("good", 0.05, 0.06))["lost"]
    assert row.verdict == "diverged"
    assert row.variance.value is None


def test_one_seed_leaves_it_unknown() -> None:
    """Without an interval nothing is called high."""
    cell = cell_with("good", 0.05, 0.9)
    rows = diagnose(replace(cell, evaluation=cell.evaluation[:1]))
    assert rows["good"].verdict == "unknown"


def test_noise_alone_makes_no_term_high() -> None:
    """A gap whose interval reaches below delta is not called high."""
    cell = cell_with("good", 0.05, 0.06)
    runs = []
    for run in cell.evaluation:
        columns = dict(run.curve)
        columns["val_loss"] = columns["val_loss"] + (0.4 if run.spec.seed % 2 else 0.0)
        runs.append(replace(run, curve=make_curve(columns)))
    row = diagnose(replace(cell, evaluation=tuple(runs)))["good"]
    assert row.variance.high is not None
    assert row.variance.high > row.delta
    assert row.verdict == "none high"
