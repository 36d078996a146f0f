"""Sentences about entrants that do not compete on equal terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from optbench.records import Cell, Entrant, StepControl, StudyProtocol, spell
from optbench.support.text import join_names, plural

MOST_FIXED = 3
"""Entrants whose rates are fixed, up to which each has a sentence of its own."""
_CONTROLS: dict[str, Callable[[StepControl], bool]] = {
    "a schedule": lambda control: control.schedule != "constant" or control.warmup > 0,
    "gradient clipping": lambda control: control.clip_norm > 0,
}
"""What may be done around the step of an optimizer, and whether it is."""


def unequal_terms(cells: Iterable[Cell], protocol: StudyProtocol) -> Iterator[str]:
    """Yield one sentence for each difference in tuning or in what is done around the step.

    Args:
        cells: Cells of a study.
        protocol: How configurations were chosen.
    """
    entrants: dict[str, Cell] = {}
    tuned: set[str] = set()
    for cell in cells:
        entrants.setdefault(cell.entrant.label, cell)
        if len(cell.trials) > 1:
            tuned.add(cell.entrant.label)
    if protocol.ruleset != "defaults" and protocol.budget > 1:
        untuned = {label: cell for label, cell in entrants.items() if label not in tuned}
        others = " while the others are" if tuned else ""
        fixed_rates = [label for label, cell in untuned.items() if _has_fixed_rate(cell)]
        if protocol.ruleset == "lr" and len(fixed_rates) > MOST_FIXED:
            who = f"{len(fixed_rates)} entrants, {join_names(fixed_rates)},"
            yield f"{who} are not tuned{others}: the user fixed their rates"
            untuned = {k: cell for k, cell in untuned.items() if k not in fixed_rates}
        for label, cell in entrants.items():
            if label in untuned:
                yield f"{label} is not tuned{others}: {_why_not(cell, protocol.ruleset)}"
            elif label in tuned and protocol.ruleset == "full" and cell.entrant.given:
                fixed = join_names(list(cell.entrant.given))
                yield f"{label} is tuned except for {fixed}, which the user fixed"
    yield from _about_control([cell.entrant for cell in entrants.values()])


def _has_fixed_rate(cell: Cell) -> bool:
    return cell.entrant.rate in cell.entrant.given


def _why_not(cell: Cell, ruleset: str) -> str:
    """Return why nothing was tuned."""
    entrant, values = cell.entrant, cell.chosen or {}
    if ruleset == "full":
        return "the user fixed every value" if entrant.given else "it declares no search range"
    if entrant.rate in entrant.given:
        value = spell("", {entrant.rate: entrant.given[entrant.rate]})
        return f"the user fixed {value.strip('[]')}"
    if not entrant.rate or (values and entrant.rate not in values):
        return "it has no rate (a hyperparameter called lr, or marked with rate=True)"
    return f"its rate {entrant.rate} declares no search range"


def _about_control(entrants: list[Entrant]) -> Iterator[str]:
    """Name what some entrants have around their step, such as a schedule, and others have not."""
    for name, applies in _CONTROLS.items():
        with_it = [entrant.label for entrant in entrants if applies(entrant.control)]
        if 0 < len(with_it) < len(entrants):
            verb = plural(len(with_it), "has", "have")
            yield (
                f"only {join_names(with_it)} {verb} {name}: comparisons with the others include "
                "its effect"
            )
