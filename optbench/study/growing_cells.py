"""The cells of a study that gets replicates, look by look, until its pairs are decided."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from optbench.analysis.board_records import Board
from optbench.analysis.boards.board_looks import boards_at_looks, open_pairs
from optbench.analysis.statistics.spending import look_sizes, planned_looks
from optbench.plan import CellRecord, StudyPlan, StudyRecord, restore_cell
from optbench.records import BoardName, Look, RunResult, RunSpec
from optbench.store import Store
from optbench.study.driver import KnownResults
from optbench.study.open_cells import OpenCells, finished_runs
from optbench.suites import Targets
from optbench.suites.overrides import SuiteChanges
from optbench.support.text import count, plural

_log = logging.getLogger(__name__)

MOST_REPLICATES = 32
"""Largest number of replicates of a study that runs until it is decided, unless it is given."""
NAMED_PAIRS = 6
"""Number of open pairs that are named after a look; the others are only counted."""


def growing_changes(changes: SuiteChanges) -> SuiteChanges:
    """Return the changes of a study that runs until it is decided.

    Without a number of replicates, `MOST_REPLICATES` is the largest. Steppers have as many as the
    others, unless their number is given: the results decide who gets fewer.
    """
    grown = changes.copy()
    if grown.get("replicates") is None:
        grown["replicates"] = MOST_REPLICATES
    if grown.get("stepper_replicates") is None:
        grown["stepper_replicates"] = 0
    return grown


class GrowingCells:
    """Opens the cells of a study up to the next look, then those of entrants with open pairs.

    The looks and what they decide are functions of the results only, so an interrupted study
    continues where it stopped. A time limit does not depend on the results either: what is
    finished by then is one more look.

    Args:
        plan: The study with its largest number of replicates.
        results: The results so far.
        store: Store of the results.
        targets: Frozen losses, with which boards are made.
        time_limit: Seconds after which no further run is started.
        earlier: Sizes of looks that an earlier execution made, at its time limit.

    Attributes:
        looks: Looks made so far.
    """

    def __init__(
        self,
        plan: StudyPlan,
        results: KnownResults,
        store: Store,
        targets: Targets,
        *,
        time_limit: float = math.inf,
        earlier: Iterable[int] = (),
    ) -> None:
        self._plan, self._results, self._store, self._targets = plan, results, store, targets
        self._most = plan.protocol.replicates
        sizes = {*look_sizes(self._most), *(n for n in earlier if n < self._most)}
        self._sizes = sorted(sizes)
        self._deadline = time.monotonic() + time_limit
        self._active = {entrant.label for entrant in plan.entrants}
        self._boards: tuple[Board, ...] = ()
        self._cells: list[CellRecord] = []
        self._done = self._planned = 0
        self._ended = self._out_of_time = False
        self.looks: list[Look] = []
        self._part = self._next_part()

    @property
    def done(self) -> int:
        """Number of finished runs up to the next look, including those that were in the store."""
        return self._done + self._part.done

    @property
    def planned(self) -> int:
        """Number of runs up to the next look."""
        return self._planned + self._part.planned

    @property
    def leader(self) -> str:
        """Best entrant so far; empty if there is none."""
        return self._part.leader

    def templates(self) -> list[RunSpec]:
        """Return one run of each cell of the first replicate."""
        first = self._plan.protocol.first_replicate
        return [cell.template for cell in self._plan.cells if cell.replicate == first]

    def next_runs(self, room: int) -> list[RunSpec]:
        """Return up to `room` runs; none after the end of the study."""
        while not self._ended:
            if time.monotonic() >= self._deadline:
                self._out_of_time = True
                return []
            runs = self._part.next_runs(room)
            if runs or not self._part.is_complete:
                return runs
            self._cells += self._part.complete_cells()
            self._look(self._sizes[len(self.looks)])
            if not self._ended:
                self._done, self._planned = self.done, self.planned
                self._part = self._next_part()
        return []

    def accept(self, result: RunResult) -> str:
        """Accept a stored result and return the label of its entrant."""
        return self._part.accept(result)

    def record(self, interrupted: bool = False) -> StudyRecord:
        """Return the record of the study.

        Args:
            interrupted: Whether the user interrupted it, so that it may be unfinished.
        """
        if self._out_of_time and not interrupted and not self._ended:
            self._look_at_time_limit()
        is_complete = self._ended or (self._out_of_time and not interrupted)
        cells = list(self._cells)
        if not is_complete:
            cells += self._part.record().cells
        looks = self.looks or [Look(replicates=self._sizes[0], level=0.0)]
        protocol = msgspec.structs.replace(
            self._plan.protocol, replicates=max(looks[-1].replicates, 1)
        )
        return StudyRecord(
            suite=self._plan.suite,
            protocol=protocol,
            cells=tuple(cells),
            complete=is_complete,
            progress=None if is_complete else (finished_runs(cells), self.planned),
            left_out=self._plan.left_out,
            drawn=self._plan.drawn,
            data_cautions=self._plan.data_cautions,
            base_rates=dict(self._plan.base_rates),
            criteria=self._plan.criteria,
            looks=tuple(looks),
            most_replicates=self._most,
        )

    # -- looks ---------------------------------------------------------------------------------

    def _next_part(self) -> OpenCells:
        """Return the cells between the last look and the next one."""
        first = self._plan.protocol.first_replicate
        before = self.looks[-1].replicates if self.looks else 0
        numbers = range(first + before, first + self._sizes[len(self.looks)])
        cells = tuple(
            cell
            for cell in self._plan.cells
            if cell.replicate in numbers and cell.entrant.label in self._active
        )
        return OpenCells(replace(self._plan, cells=cells), self._results)

    def _look(self, size: int) -> None:
        """Analyse the study, and find out which entrants need further runs."""
        sizes = [look.replicates for look in self.looks] + [size]
        self.looks = planned_looks(sizes, self._most)
        self._store.flush()
        keys = set[str]().union(*(cell.keys() for cell in self._cells))
        results = dict(self._store.lazy_results(keys))
        self._boards = boards_at_looks(
            [restore_cell(cell, results) for cell in self._cells],
            self._plan.protocol,
            self._targets,
            looks=self.looks,
            drawn=self._plan.drawn,
            criteria=self._plan.criteria,
            before=self._boards,
            first=len(self.looks) - 1,
        )
        pairs = open_pairs(self._boards)
        active = {label for board in pairs.values() for pair in board for label in pair}
        self._ended = not active or size >= self._most
        _log.info("%s", _describe(self.looks, pairs, self._boards))
        dropped = sorted(self._active - active)
        if dropped and not self._ended:
            _log.info("no further runs, all pairs decided: %s", ", ".join(dropped))
        self._active = active

    def _look_at_time_limit(self) -> None:
        """Analyse the replicates that were finished in time, and leave the others out."""
        before = self.looks[-1].replicates if self.looks else 0
        complete = self._part.complete_replicates()
        if complete:
            self._cells += [c for c in self._part.complete_cells() if c.replicate in complete]
            self._look(before + len(complete))
        elif not self.looks:  # not one replicate: what there is has no verdicts
            self._cells += self._part.record().cells


def _describe(
    looks: Sequence[Look], pairs: Mapping[BoardName, list[tuple[str, str]]], boards: Sequence[Board]
) -> str:
    """Return one line about a look: what is open on which board."""
    number = f"look {len(looks)}, {count(looks[-1].replicates, 'replicate')}"
    total = len(boards[0].pairs) * len(pairs) if boards else 0
    names = [f"{a} - {b} ({board})" for board, found in pairs.items() for a, b in found]
    if not names:
        return f"{number}: {plural(total, 'the only pair is', f'all {total} pairs are')} decided"
    more = f" and {len(names) - NAMED_PAIRS} more" if len(names) > NAMED_PAIRS else ""
    which = ", ".join(names[:NAMED_PAIRS])
    return f"{number}: {len(names)} of {count(total, 'pair')} open: {which}{more}"
