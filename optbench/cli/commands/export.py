"""``optbench export``."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from optbench.cli.options import Place
from optbench.cli.output import finite, print_json, remark
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError
from optbench.records import BOARD_NAMES, BoardName
from optbench.report.format.table_forms import TABLE_FORMS, TABLES, TableForm, TableName
from optbench.support.files import open_output
from optbench.support.text import count, spreadsheet_cell

FORMS = {".parquet": "parquet", ".tex": "latex", ".md": "markdown"}
"""Ending of a file -> format."""


@click.command("export")
@click.argument("folder", type=Place(), default=DEFAULT_OUT)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", *TABLE_FORMS]),
    help="By default that of the file name, or csv.",
)
@click.option("--to", "target", type=Place(), help="File; stdout if not given.")
@click.option("--curves", is_flag=True, help="One row for each evaluation, not for each run.")
@click.option("--targets", is_flag=True, help="One row for each evaluation run and target.")
@click.option(
    "--levels",
    metavar="LEVELS",
    help="With --targets: easy, medium, hard, or shares of the way to the best known loss: "
    "0.5,0.9.",
)
@click.option("--best", is_flag=True, help="The tuned hyperparameters, as JSON with lines of code.")
@click.option(
    "--table",
    type=click.Choice(TABLES),
    help="With latex or markdown: boards, the score on each workload, or all pairs.  "
    "[default: boards]",
)
@click.option("--board", type=click.Choice(BOARD_NAMES), help="With latex or markdown: one board.")
def command(
    folder: Path,
    form: str | None,
    target: Path | None,
    curves: bool,
    targets: bool,
    levels: str | None,
    best: bool,
    table: TableName | None,
    board: BoardName | None,
) -> None:
    """Write the stored runs of the study in FOLDER as a table, or the tables of its leaderboard.

    The table of runs has one row for each run, with its configuration, workload, replicate, seed,
    status, final losses and cost, and a column for each hyperparameter (hyper_lr, hyper_beta1,
    ...). With --curves, it has one row for each evaluation; with --targets, one for each evaluation
    run and target, with the cost to reach it as a share of the budget.

    As latex (for the package booktabs) or markdown, the output is a table of the leaderboard.

    With --best, the output is JSON: the hyperparameters that tuning chose for each optimizer on
    each workload (of several replicates, those with the median learning rate, as in the tables),
    and the lines that make such an optimizer in PyTorch, optax and Keras, where these have the same
    method. A learning-rate schedule is listed beside the lines.

    \b
    Examples:
      optbench export --to runs.csv
      optbench export results --to curves.parquet --curves     needs pyarrow
      optbench export results --to boards.tex
      optbench export results --format markdown --table pairs --board speed
      optbench export results --targets --levels 0.5,0.75,0.9 --to targets.csv
      optbench export results --best --to best.json
    """
    given = [
        name
        for name, is_given in (("--curves", curves), ("--targets", targets), ("--best", best))
        if is_given
    ]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} are outputs of their own; give one of them")
    if levels and not targets:
        raise click.UsageError("--levels belongs to --targets")
    if best:
        if form is not None or table or board:
            raise click.UsageError("--best is JSON of its own; leave --format and --table out")
        _export_best(folder, target)
        return
    form = form or FORMS.get("" if target is None else target.suffix, "csv")
    if form in TABLE_FORMS:
        if given:
            raise click.UsageError(f"{form} is for tables of the leaderboard, not for {given[0]}")
        _export_tables(folder, target, "latex" if form == "latex" else "markdown", table, board)
        return
    if table or board:
        raise click.UsageError("--table and --board need --format latex or markdown")
    if form == "parquet" and target is None:
        raise click.UsageError("parquet is a binary format; name a file with --to")
    rows = _target_rows(folder, levels) if targets else _run_rows(folder, curves)
    if form == "parquet":
        assert target is not None
        write_parquet(rows, target)
    elif target is None:
        write_csv(rows, sys.stdout)
    else:
        with open_output(target) as file:
            write_csv(rows, file)
    if target is not None:
        remark(f"{count(len(rows), 'row')} in {target}")


def _run_rows(folder: Path, curves: bool) -> list[dict[str, Any]]:
    """Return one row for each run of a study, or for each evaluation along a run."""
    from optbench.records.run_table import curve_rows, run_row
    from optbench.store import Store
    from optbench.study import STORE_NAME

    if not (folder / STORE_NAME).is_file():
        raise ConfigError(f"{folder} has no study: no {STORE_NAME} in it")
    with Store(folder / STORE_NAME, create=False) as store:
        results = sorted(
            store.results(),
            key=lambda r: (r.spec.workload.label, r.spec.optimizer, r.spec.seed, r.key),
        )
    if curves:
        return [row for result in results for row in curve_rows(result)]
    return [run_row(result) for result in results]


def _target_rows(folder: Path, levels: str | None) -> list[dict[str, Any]]:
    """Return one row for each evaluation run and target."""
    from optbench.analysis.views.target_distribution import USUAL_LEVELS, target_rows
    from optbench.registry import default_registry
    from optbench.study import load_study
    from optbench.suites import known_targets
    from optbench.suites.target_files import parse_levels

    parts = [part.strip() for part in (levels or "").split(",") if part.strip()]
    shares = parse_levels(parts) if parts else USUAL_LEVELS
    return list(target_rows(load_study(folder).cells, known_targets(default_registry()), shares))


def _export_tables(
    folder: Path,
    target: Path | None,
    form: TableForm,
    table: TableName | None,
    board: BoardName | None,
) -> None:
    """Write tables of the leaderboard."""
    from optbench.report.paper_tables import paper_tables
    from optbench.study import load_study

    tables = paper_tables(load_study(folder).leaderboard, table or "boards", board)
    if not tables:
        raise ConfigError(
            f"{folder} has no table of {table or 'boards'}: one replicate, or nothing to compare"
        )
    text = "\n".join(each.text(form) for each in tables)
    if target is None:
        sys.stdout.write(text)
        return
    with open_output(target) as file:
        file.write(text)
    rows = sum(len(each.rows) for each in tables)
    remark(f"{count(rows, 'row')} in {target}")


def _export_best(folder: Path, target: Path | None) -> None:
    """Write the tuned hyperparameters of a study as JSON."""
    from optbench.study import load_study
    from optbench.study.best_values import best_configurations

    rows = best_configurations(load_study(folder))
    if target is None:
        print_json(rows)
        return
    with open_output(target) as file:
        file.write(json.dumps(finite(rows), indent=2) + "\n")
    remark(f"{count(len(rows), 'configuration')} in {target}")


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(rows: Sequence[Mapping[str, Any]], file: Any) -> None:
    """Write rows as CSV (RFC 4180) with a header; missing values are empty."""
    writer = csv.DictWriter(file, _columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    return spreadsheet_cell(value) if isinstance(value, str) else value


def write_parquet(rows: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Write rows as a Parquet file with typed columns; missing values are null.

    Raises:
        ConfigError: The package pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigError("parquet needs pyarrow: pip install 'optbench[parquet]'") from None
    names = _columns(rows)
    columns = {name: _one_type([row.get(name) for row in rows]) for name in names}
    with open_output(target) as file:
        pq.write_table(pa.table(columns), file.buffer)


def _one_type(values: list[Any]) -> list[Any]:
    """Return values of one type, and numbers, unchanged, and mixed values as strings."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds <= {int, float}:
        return values
    return [None if value is None else str(value) for value in values]
