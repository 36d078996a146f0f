"""What ails whom, from one judged run of each cell."""

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
    assert found.judged == {"sgd[lr=0.1]": 2, "adam[lr=0.01]": 2}
    for mine in found.found.values():
        assert set(mine["symmetric"]) == {zeros}
        assert mine["symmetric"][zeros].evidence
    assert "symmetric" in found.shared[zeros]
    assert "symmetric" not in found.shared.get(normal, ())


def test_layers_that_nobody_looked_at_are_not_called_well() -> None:
    """The run that shows most is diagnosed; who has none such is named."""
    seen, unseen = (
        trained("sgd[lr=0.1]", health, initializer="zeros") for health in ("all", "none")
    )
    both = replace(seen, evaluation=unseen.evaluation + seen.evaluation)
    assert "symmetric" in survey([both]).illnesses
    assert survey([both]).blind == ()
    assert survey([unseen]).blind == ("sgd[lr=0.1]",)


def test_an_unfinished_cell_is_left_out() -> None:
    """Who has no judged run is not called well."""
    cell = trained("sgd[lr=0.1]")
    assert survey([replace(cell, evaluation=())]).judged == {}
