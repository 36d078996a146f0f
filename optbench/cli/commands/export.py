"""``optbench export``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from optbench.cli.options import Place
from optbench.cli.output import remark
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError
from optbench.support.files import open_output
from optbench.support.text import spreadsheet_cell


@click.command("export")
@click.argument("folder", type=Place(), default=DEFAULT_OUT)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet"]),
    help="By default what the name of the file says, or csv.",
)
@click.option("--to", "target", type=Place(), help="File; stdout if not given.")
@click.option("--curves", is_flag=True, help="One row for each evaluation, not for each run.")
def command(folder: Path, form: str | None, target: Path | None, curves: bool) -> None:
    """Write the stored runs of the study in FOLDER as a table.

    The table has one row for each run, with its configuration, workload, seed, status, final
    losses and cost, and a column for each hyperparameter (hyper_lr, hyper_beta1, ...). With
    --curves, it has one row for each evaluation.

    \b
    Examples:
      optbench export --to runs.csv
      optbench export results --to curves.parquet --curves     needs pyarrow
    """
    from optbench.records.run_table import curve_rows, run_row
    from optbench.store import Store
    from optbench.study import STORE_NAME

    if not (folder / STORE_NAME).is_file():
        raise ConfigError(f"{folder} has no study: no {STORE_NAME} in it")
    form = form or ("parquet" if target and target.suffix == ".parquet" else "csv")
    if form == "parquet" and target is None:
        raise click.UsageError("parquet is no text; give a file with --to")
    with Store(folder / STORE_NAME, create=False) as store:
        results = sorted(
            store.results(),
            key=lambda r: (r.spec.workload.label, r.spec.optimizer, r.spec.seed, r.key),
        )
    rows = (
        [row for result in results for row in curve_rows(result)]
        if curves
        else [run_row(result) for result in results]
    )
    if form == "parquet":
        assert target is not None
        write_parquet(rows, target)
    elif target is None:
        write_csv(rows, sys.stdout)
    else:
        with open_output(target) as file:
            write_csv(rows, file)
    if target is not None:
        remark(f"{len(rows)} rows in {target}")


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
