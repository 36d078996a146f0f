"""The cells of a study that gets replicates, look by look, until its pairs are decided."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import msgspec

from optbench.analysis.board_records import Board
from optbench.analysis.boards.board_looks import boards_at_looks, open_pairs
from optbench.analysis.statistics.spending import look_sizes, planned_looks
from optbench.plan import CellRecord, StudyPlan, StudyRecord, restore_cell
from optbench.records import Look, RunResult, RunSpec
from optbench.store import Store
from optbench.study.driver import KnownResults
from optbench.study.look_lines import end_line, look_line
from optbench.study.open_cells import OpenCells, finished_runs
from optbench.suites import Targets

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _State:
    """A study after its last look; one look replaces all of it at once.

    So a look that is interrupted leaves no trace.

    Attributes:
        cells: Cells that were complete at the last look.
        looks: Looks made so far.
        boards: Boards of the last look.
        active: Labels of the entrants that get further runs.
        done: Number of runs in `cells`.
        planned: Number of runs that were planned for them.
        part: Cells between the last look and the next one; those before the last one at the end.
        ended: Whether no further look follows.
    """

    part: OpenCells
    active: frozenset[str]
    cells: tuple[CellRecord, ...] = ()
    looks: tuple[Look, ...] = ()
    boards: tuple[Board, ...] = ()
    done: int = 0
    planned: int = 0
    ended: bool = False

    @property
    def replicates(self) -> int:
        """Number of replicates at the last look."""
        return self.looks[-1].replicates if self.looks else 0


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
        active = frozenset(entrant.label for entrant in plan.entrants)
        self._state = _State(part=self._open_part(0, self._sizes[0], active), active=active)

    @property
    def done(self) -> int:
        """Number of finished runs up to the next look, including those that were in the store."""
        return self._state.done + self._state.part.done

    @property
    def planned(self) -> int:
        """Number of runs up to the next look."""
        return self._state.planned + self._state.part.planned

    @property
    def leader(self) -> str:
        """Best entrant so far; empty if there is none."""
        return self._state.part.leader

    def templates(self) -> list[RunSpec]:
        """Return one run of each cell of the first replicate."""
        first = self._plan.protocol.first_replicate
        return [cell.template for cell in self._plan.cells if cell.replicate == first]

    def next_runs(self, room: int) -> list[RunSpec]:
        """Return up to `room` runs; none after the end of the study."""
        while not self._state.ended:
            part = self._state.part
            if time.monotonic() >= self._deadline:
                if not part.in_flight:
                    self._look_at_time_limit()
                return []
            runs = part.next_runs(room)
            if runs or not part.is_complete:
                return runs
            self._look(part.complete_cells(), self._sizes[len(self._state.looks)])
        return []

    def accept(self, result: RunResult) -> str:
        """Accept a stored result and return the label of its entrant."""
        return self._state.part.accept(result)

    def record(self) -> StudyRecord:
        """Return the record of the study, complete or not."""
        state = self._state
        cells = state.cells if state.ended else (*state.cells, *state.part.record().cells)
        looks = state.looks or (Look(replicates=self._sizes[0], level=0.0),)
        protocol = msgspec.structs.replace(
            self._plan.protocol, replicates=max(looks[-1].replicates, 1)
        )
        return StudyRecord(
            suite=self._plan.suite,
            protocol=protocol,
            cells=cells,
            complete=state.ended,
            progress=None if state.ended else (finished_runs(cells), self.planned),
            left_out=self._plan.left_out,
            drawn=self._plan.drawn,
            data_cautions=self._plan.data_cautions,
            base_rates=dict(self._plan.base_rates),
            criteria=self._plan.criteria,
            shards=self._plan.shards,
            looks=looks,
            most_replicates=self._most,
        )

    # -- looks ---------------------------------------------------------------------------------

    def _open_part(self, before: int, size: int, active: Collection[str]) -> OpenCells:
        """Return the cells of some entrants between a look and the next one.

        Args:
            before: Replicates at the last look.
            size: Replicates at the next one.
            active: Labels of the entrants.
        """
        first = self._plan.protocol.first_replicate
        numbers = range(first + before, first + size)
        cells = tuple(
            cell
            for cell in self._plan.cells
            if cell.replicate in numbers and cell.entrant.label in active
        )
        return OpenCells(replace(self._plan, cells=cells), self._results)

    def _look(self, complete: Iterable[CellRecord], size: int, is_last: bool = False) -> None:
        """Analyze the study, and find out which entrants need further runs.

        Args:
            complete: Cells that were completed since the last look.
            size: Number of replicates.
            is_last: Whether the study ends in any case.
        """
        state = self._state
        cells = (*state.cells, *complete)
        looks = planned_looks([*(look.replicates for look in state.looks), size], self._most)
        self._store.flush()
        keys = set[str]().union(*(cell.keys() for cell in cells))
        results = dict(self._store.lazy_results(keys))
        boards = boards_at_looks(
            [restore_cell(cell, results) for cell in cells],
            self._plan.protocol,
            self._targets,
            looks=looks,
            drawn=self._plan.drawn,
            criteria=self._plan.criteria,
            before=state.boards,
            first=len(looks) - 1,
        )
        pairs = open_pairs(boards)
        active = frozenset(label for board in pairs.values() for pair in board for label in pair)
        after = replace(
            state, cells=cells, looks=tuple(looks), boards=boards, active=active, ended=True
        )
        if active and size < self._most and not is_last:
            part = self._open_part(size, self._sizes[len(looks)], active)
            after = replace(after, part=part, done=self.done, planned=self.planned, ended=False)
        self._state = after
        _log.info("%s", look_line(looks, pairs, boards))
        dropped = sorted(state.active - active)
        if dropped and not after.ended:
            _log.info("no further runs, all pairs decided: %s", ", ".join(dropped))
        if active and after.ended:
            _log.info("%s", end_line(size, self._most))

    def _look_at_time_limit(self) -> None:
        """Analyze the replicates that were finished in time, and leave the others out."""
        state = self._state
        complete = state.part.complete_replicates()
        if complete:
            cells = [c for c in state.part.complete_cells() if c.replicate in complete]
            self._look(cells, state.replicates + len(complete), is_last=True)
        elif state.looks:
            self._state = replace(state, ended=True)
            _log.info("%s", end_line(state.replicates, self._most))
        else:  # not one replicate: what there is has no verdicts
            self._state = replace(state, cells=state.part.record().cells, ended=True)
