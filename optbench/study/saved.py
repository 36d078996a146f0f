"""A study with all that came of it, fresh or read from its store."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from optbench.errors import ConfigError, StoreError
from optbench.plan import StudyRecord, restore_cell
from optbench.records import Cell, RunResult, Status, StudyProtocol
from optbench.records.packing import UNREADABLE
from optbench.records.run_table import run_row
from optbench.store import Store
from optbench.study.folders import open_store
from optbench.suites.target_files import Targets

if TYPE_CHECKING:
    from optbench.analysis.leaderboard import Leaderboard

_records = msgspec.json.Decoder(StudyRecord)


@dataclass(frozen=True)
class Study:
    """What came of one execution of a suite.

    Attributes:
        suite: name of the suite.
        protocol: how configurations were chosen and judged.
        cells: every entrant on every workload.
        complete: False when it was interrupted.
        left_out: one line for each entrant and regime that do not go together.
        trained: runs trained by this execution.
        reused: runs that were in the store already.
        command: the command that trained last.
        environment: the machine that trained last.
        unchanged: True when the store held this very study already.
        folder: Folder of its store; None for a study that was put together in memory.
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[Cell, ...] = field(repr=False)
    complete: bool = True
    left_out: tuple[str, ...] = ()
    trained: int = 0
    reused: int = 0
    command: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unchanged: bool = False
    folder: Path | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """The folder, or the name of the suite where there is none; for messages."""
        return str(self.folder or self.suite)

    @property
    def runs(self) -> list[RunResult]:
        """Every run, each once."""
        return list({result.key: result for result in self._results()}.values())

    @property
    def failed(self) -> list[RunResult]:
        """Runs that failed for a cause other than divergence."""
        failed = (run for run in self._results() if run.status is Status.FAILED)
        return list({run.key: run for run in failed}.values())

    def _results(self) -> Iterator[RunResult]:
        for cell in self.cells:
            for trial in cell.trials:
                yield from trial.results
            yield from cell.evaluation

    def leaderboard(self, targets: Targets | None = None) -> Leaderboard:
        """The comparison of all entrants.

        Args:
            targets: frozen targets; what is missing is derived from the study, and marked so.

        Raises:
            ConfigError: not one evaluation run has finished.
        """
        from optbench.analysis.build import build_leaderboard

        return build_leaderboard(self.cells, self.protocol, targets, title=self.suite)

    def to_pandas(self) -> Any:
        """Return one row for each run as a pandas DataFrame, with the columns of `run_row`.

        pandas must be installed.
        """
        import pandas as pd

        return pd.DataFrame([run_row(run) for run in self.runs])

    def _repr_html_(self) -> str:
        """How a notebook shows the study: its leaderboard, with the mean curve of each entrant."""
        from optbench.report.format.notebook import study_html

        return study_html(self)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Looking for garbage among 100,000 fresh results takes as long as reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def make_study(
    record: StudyRecord,
    store: Store,
    *,
    trained: int = 0,
    reused: int = 0,
    unchanged: bool = False,
) -> Study:
    """Join the record of a study with the results in its store.

    All results come from the store, also those just trained: when several drivers share it, all
    see the same ones. The specs of the runs that entrants are judged on are checked here, those of
    tuning's runs when somebody asks for them: they are most of the runs, and a report wants no more
    of them than how they ended.
    """
    with _collector_paused():
        keys, judged = set(record.keys()), set(record.judged())
        results = dict(store.outcomes(keys, late=keys - judged))
        cells = tuple(restore_cell(cell, results) for cell in record.cells)
    command, environment = store.last_session() or ("", {})
    return Study(
        suite=record.suite,
        protocol=record.protocol,
        cells=cells,
        complete=record.complete,
        left_out=record.left_out,
        trained=trained,
        reused=reused,
        command=command,
        environment=environment,
        unchanged=unchanged,
        folder=store.path.parent,
    )


def load_study(folder: str | Path) -> Study:
    """Read the study that was last run with ``--out FOLDER``, or with ``out=folder``.

    Args:
        folder: The folder of the study.

    Returns:
        The study; its curves are read from the folder when they are used.

    Raises:
        ConfigError: The folder has no study.
        StoreError: Its store cannot be read.
    """
    with _collector_paused(), open_store(folder) as store:
        saved = store.last_study()
        if saved is None:
            raise ConfigError(
                f"the study in {folder} has not come to an end; run its command again to go on"
            )
        return make_study(decode_record(saved, store.path), store)


def decode_record(data: bytes, path: Path) -> StudyRecord:
    """The record of a study as the store has it.

    Raises:
        StoreError: it is damaged.
    """
    try:
        return _records.decode(data)
    except UNREADABLE as cause:
        raise StoreError(f"{path}: the study in it cannot be read: {cause}") from cause
