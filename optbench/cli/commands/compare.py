"""``optbench compare``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optbench.cli.options import Place, json_option
from optbench.cli.output import print_json, print_table, remark
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError

if TYPE_CHECKING:
    from optbench.study.comparing import Comparison

EXIT_WORSE = 4
"""Exit code for B worse than A; errors, such as a missing folder, have 1."""


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
    "--fail-if-worse", is_flag=True, help="Exit with 4 when B is clearly worse than A anywhere."
)
@json_option
def command(first: str, second: str, folder: Path, fail_if_worse: bool, as_json: bool) -> int:
    """Compare B with A: the folders of two studies, or two optimizers of one study.

    Two studies are compared on the optimizers, workloads and seeds that they have in common. B is
    clearly better (or worse) if the 95% interval of the probability that a run of B beats a run of
    A lies entirely above (or below) one half, and the Wilcoxon test over workloads agrees
    (p < 0.05). With fewer than 6 workloads, that test has no power: the interval over the seeds
    decides, and the verdict applies to these workloads only.

    \b
    Examples:
      optbench compare before after --fail-if-worse
      optbench compare adam sgd --in optbench-results
    """
    from optbench.study import load_study
    from optbench.study.comparing import compare_entrants, compare_studies

    folders = [Path(side).is_dir() for side in (first, second)]
    if any(folders) and not all(folders):
        missing = second if folders[0] else first
        raise ConfigError(f"there is no folder '{missing}' to compare with; give two folders")
    if all(folders):
        comparison = compare_studies(load_study(Path(first)), load_study(Path(second)))
    else:
        comparison = compare_entrants(load_study(folder), first, second)
    for warning in comparison.warnings:
        remark(f"warning: {warning}")
    if as_json:
        rows = [asdict(row) for row in comparison.rows]
        print_json({"a": first, "b": second, "comparisons": rows})
    else:
        print_table(
            ("optimizer", "workloads", "B beats A", "95% interval", "p (Wilcoxon)", "B is"),
            [_columns(row) for row in comparison.rows],
        )
    if comparison.worse and fail_if_worse:
        remark(f"B is clearly worse: {', '.join(comparison.worse)}")
        return EXIT_WORSE
    return 0


def _columns(row: Comparison) -> tuple[str, ...]:
    known = row.low is not None and row.high is not None
    return (
        row.optimizer,
        str(row.workloads),
        f"{row.improvement:.0%}",
        f"{row.low:.0%} to {row.high:.0%}" if known else "not known",
        f"{row.p_value:.3g}" if row.scope == "any workload" else "too few workloads",
        row.statement,
    )
