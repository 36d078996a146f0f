"""Entrants that do not compete on equal terms are named, with the cause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import msgspec
import pytest

from optbench.analysis.words.equal_terms import unequal_terms
from optbench.records import Cell, StepControl, StudyProtocol
from tests.analysis.synthetic import make_cells


def study(**beta: Any) -> list[Cell]:
    """A tuned entrant alpha, and beta with other fields of its `Entrant`."""
    return [
        replace(cell, entrant=msgspec.structs.replace(cell.entrant, **beta))
        if cell.entrant.label == "beta"
        else cell
        for cell in make_cells(("alpha", "beta"), ("moons",))
    ]


def untuned(cells: list[Cell]) -> list[Cell]:
    """The same, with one trial for beta."""
    return [
        replace(cell, trials=cell.trials[:1]) if cell.entrant.label == "beta" else cell
        for cell in cells
    ]


def sentences(
    cells: list[Cell], ruleset: Literal["defaults", "lr", "full"] = "lr", budget: int = 8
) -> list[str]:
    return list(unequal_terms(cells, StudyProtocol(ruleset=ruleset, budget=budget)))


def test_equal_terms_need_no_word() -> None:
    """Everyone is tuned, and nobody has a schedule; nobody is tuned."""
    assert sentences(study()) == []
    assert sentences(untuned(study()), "defaults") == []
    assert sentences(untuned(study()), "lr", budget=1) == []


@pytest.mark.parametrize(
    ("beta", "ruleset", "why"),
    [
        ({"given": {"lr": 0.01}}, "lr", "the user fixed lr=0.01"),
        ({"rate": ""}, "lr", "it has no rate (a hyperparameter called lr, or marked"),
        ({"rate": "eta"}, "lr", "it has no rate"),
        ({}, "lr", "its rate lr declares no search range"),
        ({}, "full", "it declares no search range"),
        ({"given": {"lr": 0.01}}, "full", "the user fixed every value"),
    ],
)
def test_an_entrant_that_is_not_tuned_is_named_with_the_cause(
    beta: dict[str, Any], ruleset: Literal["lr", "full"], why: str
) -> None:
    """Once, however many workloads and replicates it has."""
    (sentence,) = sentences(untuned(study(**beta)), ruleset)
    assert sentence.startswith(f"beta is not tuned while the others are: {why}")


@pytest.mark.parametrize(("fixed", "lines"), [(3, 3), (4, 1), (40, 1)])
def test_many_fixed_rates_are_one_sentence(fixed: int, lines: int) -> None:
    """Forty entrants with fixed rates are not forty cautions."""
    (cell, *_) = untuned(study(given={"lr": 0.01}))[::-1]
    entrants = [
        replace(cell, entrant=msgspec.structs.replace(cell.entrant, label=f"sgd[lr={i}]"))
        for i in range(fixed)
    ]
    told = sentences(entrants)
    assert len(told) == lines
    if lines == 1:
        assert told[0].startswith(f"{fixed} entrants, sgd[lr=0], ")
        assert told[0].endswith(" are not tuned: the user fixed their rates")


def test_a_value_that_is_fixed_beside_tuned_ones_is_named() -> None:
    """With ruleset full; with ruleset lr nobody tunes it."""
    cells = study(given={"beta1": 0.95})
    assert sentences(cells, "full") == ["beta is tuned except for beta1, which the user fixed"]
    assert sentences(cells, "lr") == []


@pytest.mark.parametrize(
    ("control", "what"),
    [
        (StepControl(schedule="cosine"), "a schedule"),
        (StepControl(warmup=0.1), "a schedule"),
        (StepControl(clip_norm=1.0), "gradient clipping"),
    ],
)
def test_a_schedule_on_one_side_only_is_named(control: StepControl, what: str) -> None:
    """On both sides it is part of the comparison."""
    one_sided = study(control=control)
    assert sentences(one_sided) == [
        f"only beta has {what}: comparisons with the others include its effect"
    ]
    both = [
        replace(cell, entrant=msgspec.structs.replace(cell.entrant, control=control))
        for cell in one_sided
    ]
    assert sentences(both) == []
