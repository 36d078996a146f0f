"""What ails whom, from every evaluation run of each cell."""

from __future__ import annotations

from dataclasses import replace

from optbench.engine.training import train_spec
from optbench.inspection.diagnosis import ILLNESSES
from optbench.inspection.survey import survey
from optbench.records import Cell, Entrant, Health
from tests.engine.spec_factory import spec_of


def trained(label: str, health: Health = "all", **how: object) -> Cell:
    """A cell of one run on iris."""
    spec = spec_of(label, dataset="iris", regime="batch", epochs=30, **how)  # type: ignore[arg-type]
    entrant = Entrant(label=label, optimizer=spec.optimizer)
    result = train_spec(spec, health=health)
    return Cell(entrant, spec.workload, (), spec.hyper, {}, (result,))


def test_a_symmetric_network_is_the_fault_of_no_optimizer() -> None:
    """With weights of zero everyone is symmetric, and it is said that all are; else nobody is."""
    bad = [trained(label, initializer="zeros") for label in ("sgd[lr=0.1]", "adam[lr=0.01]")]
    good = [trained(label) for label in ("sgd[lr=0.1]", "adam[lr=0.01]")]
    found = survey([*bad, *good])
    zeros, normal = bad[0].workload.label, good[0].workload.label
    assert found.illnesses[0] == "symmetric"
    assert list(found.illnesses) == [i for i in ILLNESSES if i in found.illnesses]
    assert len(found.cases) == 4
    for case in found.cases:
        assert (case.count("symmetric"), case.seen("symmetric")) == (case.workload == zeros, 1)
        assert all(finding.evidence for _, finding in case.findings)
    assert found.totals()["adam[lr=0.01]"]["symmetric"] == (1, 2)
    assert found.shared[zeros]["symmetric"] == "2 of 2 runs"
    assert "symmetric" not in found.shared.get(normal, ())


def test_layers_that_nobody_looked_at_are_not_called_well() -> None:
    """Only runs with layer health count for illnesses of layers; who has none such is named."""
    health: tuple[Health, Health] = ("all", "none")
    seen, unseen = (
        trained("sgd[lr=0.1]", health[seed], initializer="zeros", seed=seed) for seed in (0, 1)
    )
    both = replace(seen, evaluation=unseen.evaluation + seen.evaluation)
    (case,) = survey([both]).cases
    assert (case.runs, case.seen("symmetric"), case.count("symmetric")) == (2, 1, 1)
    assert "symmetric (1 of 1)" in str(case)
    second = trained("adam[lr=0.01]", "all", initializer="zeros")
    share = survey([both, second]).shared[case.workload]["symmetric"]
    assert share == "2 of the 2 runs with layer health"
    assert survey([both]).blind == ()
    assert survey([unseen]).blind == ("sgd[lr=0.1]",)


def test_an_unfinished_cell_is_left_out() -> None:
    """Who has no judged run is not called well."""
    cell = trained("sgd[lr=0.1]")
    assert survey([replace(cell, evaluation=())]).cases == ()


def test_every_run_is_diagnosed() -> None:
    """A problem of a few of many runs is counted, whichever run comes first."""
    good, bad = trained("adam[lr=0.01]"), trained("sgd[lr=1000]")
    mixed = replace(good, evaluation=good.evaluation * 3 + bad.evaluation)
    (case,) = survey([mixed]).cases
    assert case.count("unstable learning rate") == 1
    assert "unstable learning rate (1 of 4)" in str(case)


def test_what_the_evaluations_do_not_show_is_said() -> None:
    """Curves have few points; the sentence has their number, the start left out."""
    cells = [trained("sgd")]
    rows = {run.curve.rows - 1 for cell in cells for run in cell.evaluation}
    found = survey(cells)
    assert found.evaluations == (min(rows), max(rows))
    assert f"({max(rows)} of a run" in found.blind_spot
    assert survey([]).blind_spot == ""
