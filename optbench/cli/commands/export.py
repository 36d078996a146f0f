"""``optbench export``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.options import Place
from optbench.cli.output import remark
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError
from optbench.support.text import spreadsheet_cell

if TYPE_CHECKING:
    from optbench.records import RunResult

_WORKLOAD = ("dataset", "network", "initialization", "regime", "batch_size", "epochs")
_FINAL = ("train_loss", "val_loss", "train_metric", "val_metric")


@click.command("export")
@click.argument("folder", type=Place(), default=DEFAULT_OUT)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet"]),
    help="By default what the name of the file says, or csv.",
)
@click.option("--to", "target", type=Place(), help="File; stdout if not given.")
@click.option("--curves", is_flag=True, help="One row an evaluation instead of one a run.")
def command(folder: Path, form: str | None, target: Path | None, curves: bool) -> None:
    """Write the stored runs of the study in FOLDER as a table.

    One row a run: configuration, workload, seed, status, final losses, cost; its hyperparameters
    in columns of their own (lr, beta1, ...). With --curves one row an evaluation.

    \b
    Examples:
      optbench export --to runs.csv
      optbench export results --to curves.parquet --curves     needs pyarrow
    """
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
    rows = list(curve_rows(results) if curves else map(run_row, results))
    if form == "parquet":
        assert target is not None
        write_parquet(rows, target)
    elif target is None:
        write_csv(rows, sys.stdout)
    else:
        with target.open("w", newline="", encoding="utf-8") as file:
            write_csv(rows, file)
    if target is not None:
        remark(f"{len(rows)} rows in {target}")


def run_row(result: RunResult) -> dict[str, Any]:
    """One run as a flat row."""
    spec = result.spec
    workload = spec.workload
    row: dict[str, Any] = {
        "key": result.key,
        "optimizer": spec.optimizer,
        "configuration": spec.configuration,
        "seed": spec.seed,
        "status": result.status.value,
        "reason": result.reason,
    }
    row |= {name: getattr(workload, name) for name in _WORKLOAD} | {"dtype": spec.dtype}
    row |= {f"final_{name}": result.final(name) for name in _FINAL}
    row |= {"test_loss": result.test_loss, "test_metric": result.test_metric}
    row |= {name: result.final(name) for name in ("updates", "examples")}
    row |= {"seconds": result.seconds, "grad_evals": result.grad_evals, "loop": result.loop}
    return row | {f"hyper_{name}": value for name, value in spec.hyper.items()}


def curve_rows(results: Iterable[RunResult]) -> Iterator[dict[str, Any]]:
    """One row an evaluation; joined with the runs by key."""
    for result in results:
        columns = {name: values.tolist() for name, values in result.curve.items()}
        for index in range(result.curve.rows):
            yield {"key": result.key} | {name: v[index] for name, v in columns.items()}


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(rows: list[dict[str, Any]], file: Any) -> None:
    """RFC 4180 with a header; what a row lacks is empty."""
    writer = csv.DictWriter(file, _columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    return spreadsheet_cell(value) if isinstance(value, str) else value


def write_parquet(rows: list[dict[str, Any]], target: Path) -> None:
    """Columns typed; what a row lacks is null.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigError("parquet needs pyarrow: pip install 'optbench[parquet]'") from None
    names = _columns(rows)
    columns = {name: _one_type([row.get(name) for row in rows]) for name in names}
    pq.write_table(pa.table(columns), target)


def _one_type(values: list[Any]) -> list[Any]:
    """Numbers stay numbers; a column that mixes them with texts becomes text."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds <= {int, float}:
        return values
    return [None if value is None else str(value) for value in values]
