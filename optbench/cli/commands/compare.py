"""``optbench compare``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from optbench.cli.options import Place, json_option
from optbench.cli.output import print_json, print_table, remark
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optbench.analysis.board_rows import Pair
    from optbench.records import Cell
    from optbench.study import Study

EXIT_WORSE = 1


@click.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--in",
    "folder",
    type=Place(),
    default=DEFAULT_OUT,
    show_default=True,
    help="The study, when A and B are two of its optimizers.",
)
@click.option(
    "--fail-if-worse", is_flag=True, help="Exit with 1 when B is clearly worse than A anywhere."
)
@json_option
def command(first: str, second: str, folder: Path, fail_if_worse: bool, as_json: bool) -> int:
    """Compare B with A: the folders of two studies, or two optimizers of one study.

    Two studies are compared on the optimizers, workloads and seeds that both have. B is clearly
    worse (or better) when the whole 95% interval of the probability that its run beats one of A
    lies on that side of one half, and the Wilcoxon test over workloads agrees (p < 0.05). With
    fewer than 6 workloads that test cannot: then the interval over the seeds decides, and speaks
    of these workloads alone.

    \b
    Examples:
      optbench compare before after --fail-if-worse
      optbench compare adam sgd --in optbench-results
    """
    if Path(first).is_dir() and Path(second).is_dir():
        found = compare_studies(Path(first), Path(second))
    else:
        found = [compare_entrants(folder, first, second)]
    if as_json:
        print_json({"a": first, "b": second, "comparisons": found})
    else:
        print_table(
            ("optimizer", "workloads", "B beats A", "95% interval", "p (Wilcoxon)", "B is"),
            [
                (
                    c["optimizer"],
                    str(c["workloads"]),
                    f"{c['improvement']:.0%}",
                    f"{c['low']:.0%} to {c['high']:.0%}" if c["low"] is not None else "not known",
                    f"{c['p_value']:.3g}" if c["scope"] == "any workload" else "too few workloads",
                    _in_words(c),
                )
                for c in found
            ],
        )
    worse = [c["optimizer"] for c in found if c["verdict"] == "worse"]
    if worse and fail_if_worse:
        remark(f"B is clearly worse: {', '.join(worse)}")
        return EXIT_WORSE
    return 0


def compare_entrants(folder: Path, first: str, second: str) -> dict[str, Any]:
    """Two optimizers of one study.

    Raises:
        ConfigError: the study does not have them, or on no workload in common.
    """
    from optbench.study import load_study

    study = load_study(folder)
    known = {cell.entrant.label for cell in study.cells}
    for label in (first, second):
        if label not in known:
            raise unknown_name(f"optimizer or folder (in the study {folder})", label, known)
    if first == second:
        raise ConfigError(f"{first} against itself; give two optimizers")
    sides = [[cell for cell in study.cells if cell.entrant.label == x] for x in (first, second)]
    _warn_of_seeds(*sides)
    return _compare(f"{second} against {first}", *_common(*sides), study)


def compare_studies(first: Path, second: Path) -> list[dict[str, Any]]:
    """Two studies, optimizer by optimizer.

    Raises:
        ConfigError: they have no optimizer on a common workload.
    """
    from optbench.study import load_study

    old, new = load_study(first), load_study(second)
    _warn_of_protocols(old, new)
    _warn_of_seeds(old.cells, new.cells)
    labels = [cell.entrant.label for cell in old.cells]
    found = []
    for label in dict.fromkeys(labels):
        sides = [[c for c in study.cells if c.entrant.label == label] for study in (old, new)]
        common = _common(*sides)
        if common[0]:
            found.append(_compare(label, *common, old))
    if not found:
        raise ConfigError(f"{first} and {second} have no optimizer on a common workload")
    return found


def _warn_of_protocols(old: Study, new: Study) -> None:
    for key in old.protocol.__struct_fields__:
        ours, theirs = getattr(old.protocol, key), getattr(new.protocol, key)
        if ours != theirs and key != "seeds":
            remark(f"warning: the protocols differ: {key} is {ours} in A, {theirs} in B")


def _warn_of_seeds(first: Sequence[Cell], second: Sequence[Cell]) -> None:
    numbers = [{len(c.evaluation) for c in side if c.evaluation} for side in (first, second)]
    if len(numbers[0] | numbers[1]) > 1:
        a, b = (" or ".join(map(str, sorted(each))) or "none" for each in numbers)
        remark(
            f"warning: the seeds differ, {a} in A and {b} in B; "
            "compared on the seeds that both have"
        )


def _common(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """The cells of both on the workloads, and with the seeds, that both were judged on."""
    sides = [{c.workload.label: c for c in side if c.evaluation} for side in (first, second)]
    pairs = [
        _same_seeds(cell, sides[1][label]) for label, cell in sides[0].items() if label in sides[1]
    ]
    kept = [(a, b) for a, b in pairs if a.evaluation]
    return [a for a, _ in kept], [b for _, b in kept]


def _compare(
    title: str, first: Sequence[Cell], second: Sequence[Cell], study: Study
) -> dict[str, Any]:
    from optbench.analysis.build import build_leaderboard

    if not first:
        raise ConfigError(f"{title}: no workload in common")
    cells = [_renamed(cell, "A") for cell in first] + [_renamed(cell, "B") for cell in second]
    pair = build_leaderboard(cells, study.protocol).pairs[0]
    return _verdict(title, pair, len(first))


def _same_seeds(first: Cell, second: Cell) -> tuple[Cell, Cell]:
    """Two cells with the evaluation runs of the seeds that both have."""
    seeds = [{run.spec.seed for run in cell.evaluation} for cell in (first, second)]
    shared = seeds[0] & seeds[1]
    a, b = (
        replace(cell, evaluation=tuple(r for r in cell.evaluation if r.spec.seed in shared))
        for cell in (first, second)
    )
    return a, b


def _renamed(cell: Cell, label: str) -> Cell:
    return replace(cell, entrant=msgspec.structs.replace(cell.entrant, label=label))


def _verdict(title: str, pair: Pair, workloads: int) -> dict[str, Any]:
    """The pair seen from B: how often its runs beat those of A."""
    from optbench.analysis.statistics.hypothesis_tests import workloads_needed

    estimate = pair.improvement
    value, low, high = estimate.value, estimate.low, estimate.high
    assert value is not None
    if pair.first == "A":
        value = 1 - value
        low, high = (None if x is None else 1 - x for x in (high, low))
    verdict = "not distinguishable"
    tested = workloads >= workloads_needed(1)
    winners = ("A", "B") if not tested else (pair.first,) if pair.separated else ()
    if low is not None and high is not None:
        if low > 0.5 and "B" in winners:
            verdict = "better"
        if high < 0.5 and "A" in winners:
            verdict = "worse"
    return {
        "optimizer": title,
        "workloads": workloads,
        "improvement": value,
        "low": low,
        "high": high,
        "p_value": pair.p_value,
        "verdict": verdict,
        "scope": "any workload" if tested else "these workloads",
    }


def _in_words(found: dict[str, Any]) -> str:
    """The verdict, and of what it speaks where workloads are too few to speak of others."""
    if found["scope"] == "any workload":
        return str(found["verdict"])
    n = found["workloads"]
    return f"{found['verdict']} on " + ("this workload" if n == 1 else f"these {n} workloads")
