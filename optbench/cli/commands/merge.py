"""``optbench merge``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from optbench.cli.options import Formats, Place, json_option
from optbench.cli.output import print_json, remark
from optbench.cli.progress import ProgressView
from optbench.cli.study_output import (
    Recorded,
    open_folder,
    show_board,
    summary_json,
    typed_command,
    write_report,
)
from optbench.errors import ConfigError

if TYPE_CHECKING:
    from optbench.plan import CellRecord, StudyRecord
    from optbench.store import Store

_log = logging.getLogger(__name__)


@click.command("merge", cls=Recorded)
@click.argument("folders", nargs=-1, required=True, type=Place())
@click.option(
    "--out",
    required=True,
    type=Place(folder=True),
    help="Folder of the joined study.",
)
@click.option(
    "--keep-first", is_flag=True, help="On conflicts keep the run of the folder named first."
)
@click.option(
    "--formats",
    type=Formats(),
    default="png,svg",
    show_default=True,
    help="Formats of the plots: png, svg, pdf, or none.",
)
@json_option
def command(
    folders: Sequence[Path], out: Path, keep_first: bool, formats: Sequence[str], as_json: bool
) -> None:
    """Join the studies in FOLDERS, run on several machines, into one.

    They must agree in their protocol. A run that two of them have with different numbers is a
    conflict: it is named, and refused unless --keep-first.

    \b
    Examples:
      optbench merge machine1 machine2 --out all
    """
    from optbench.store import Store
    from optbench.study import STORE_NAME, make_study

    records = [(folder, *_read(folder)) for folder in folders]
    joined = join([(folder, record) for folder, record, *_ in records])
    open_folder(out)
    with Store(out / STORE_NAME) as store, ProgressView(quiet=as_json):
        for folder, _, command_line, environment in records:
            _log.info("taking in %s", folder)
            store.begin_session(command_line, environment)
            _take(store, folder, keep_first)
        store.save_study(msgspec.json.encode(joined))
        study = make_study(joined, store, reused=store.count())
        board, files = write_report(study, out, typed_command(), formats)
    if as_json:
        print_json(summary_json(study, board, files))
    elif board is not None:
        show_board(board, study)
    remark(f"joined {len(folders)} studies, {len(study.runs)} runs, in {out}")


def _read(folder: Path) -> tuple[StudyRecord, str, dict[str, object]]:
    from optbench.store import Store
    from optbench.study import STORE_NAME
    from optbench.study.saved import decode_record

    path = folder / STORE_NAME
    if not path.is_file():
        raise ConfigError(f"{folder} has no study: no {STORE_NAME} in it")
    with Store(path, create=False) as store:
        saved = store.last_study()
        if saved is None:
            raise ConfigError(f"the study in {folder} has not come to an end")
        return decode_record(saved, path), *(store.last_session() or ("", {}))


def join(records: Sequence[tuple[Path, StudyRecord]]) -> StudyRecord:
    """One study with the cells of all; of a cell that several have, the one that is further.

    Raises:
        ConfigError: their protocols differ; names what differs.
    """
    first_folder, first = records[0]
    cells: dict[tuple[str, str], CellRecord] = {}
    for folder, record in records:
        for key in record.protocol.__struct_fields__:
            ours, theirs = getattr(first.protocol, key), getattr(record.protocol, key)
            if ours != theirs:
                raise ConfigError(
                    f"the protocols differ: {key} is {ours} in {first_folder}, {theirs} in {folder}"
                )
        for cell in record.cells:
            place = (cell.entrant.label, cell.workload.label)
            known = cells.get(place)
            if known is None or len(cell.evaluation) > len(known.evaluation):
                cells[place] = cell
    lines = dict.fromkeys(line for _, record in records for line in record.left_out)
    return msgspec.structs.replace(
        first,
        suite=" + ".join(dict.fromkeys(record.suite for _, record in records)),
        cells=tuple(cells.values()),
        complete=all(record.complete for _, record in records),
        left_out=tuple(lines),
    )


def _take(store: Store, folder: Path, keep_first: bool) -> None:
    from optbench.records.packing import unpack_spec
    from optbench.store import Store
    from optbench.study import STORE_NAME

    with Store(folder / STORE_NAME, create=False) as other:
        conflicts = store.conflicts(other)
        for conflict in conflicts[:10]:
            spec = unpack_spec(conflict.spec)
            remark(
                f"conflict: run {conflict.key[:8]}: {spec.configuration} on "
                f"{spec.workload.label}, seed {spec.seed}"
            )
        if conflicts and not keep_first:
            raise ConfigError(
                f"{len(conflicts)} runs of {folder} differ from those taken in before; "
                "--keep-first keeps the earlier ones"
            )
        store.merge(other)
