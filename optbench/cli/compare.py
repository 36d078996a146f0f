"""``optbench compare``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from optbench.cli._options import Place, json_option
from optbench.cli._output import print_json, print_table, remark
from optbench.cli._study import DEFAULT_OUT
from optbench.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optbench.analysis.leaderboard import Pair
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

    Two studies are compared on the optimizers and workloads that both have. B is clearly worse (or
    better) when the whole 95% interval of the probability that its run beats one of A lies on
    that side of one half.

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
                    f"{c['p_value']:.3g}",
                    c["verdict"],
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
    return _compare(f"{second} against {first}", *_common(*sides), study)


def compare_studies(first: Path, second: Path) -> list[dict[str, Any]]:
    """Two studies, optimizer by optimizer.

    Raises:
        ConfigError: they have no optimizer on a common workload.
    """
    from optbench.study import load_study

    old, new = load_study(first), load_study(second)
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


def _common(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """The cells of both on the workloads that both were judged on."""
    sides = [{c.workload.label: c for c in side if c.evaluation} for side in (first, second)]
    shared = [label for label in sides[0] if label in sides[1]]
    return [sides[0][label] for label in shared], [sides[1][label] for label in shared]


def _compare(
    title: str, first: Sequence[Cell], second: Sequence[Cell], study: Study
) -> dict[str, Any]:
    from optbench.analysis.build import build_leaderboard

    if not first:
        raise ConfigError(f"{title}: no workload in common")
    cells = [_renamed(cell, "A") for cell in first] + [_renamed(cell, "B") for cell in second]
    pair = build_leaderboard(cells, study.protocol).pairs[0]
    return _verdict(title, pair, len(first))


def _renamed(cell: Cell, label: str) -> Cell:
    return replace(cell, entrant=msgspec.structs.replace(cell.entrant, label=label))


def _verdict(title: str, pair: Pair, workloads: int) -> dict[str, Any]:
    """The pair seen from B: how often its runs beat those of A."""
    estimate = pair.improvement
    value, low, high = estimate.value, estimate.low, estimate.high
    assert value is not None
    if pair.first == "A":
        value = 1 - value
        low, high = (None if x is None else 1 - x for x in (high, low))
    verdict = "not distinguishable"
    if low is not None and high is not None:
        verdict = "better" if low > 0.5 else "worse" if high < 0.5 else verdict
    return {
        "optimizer": title,
        "workloads": workloads,
        "improvement": value,
        "low": low,
        "high": high,
        "p_value": pair.p_value,
        "verdict": verdict,
    }
