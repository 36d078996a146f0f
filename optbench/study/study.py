"""The study and its results: runs, leaderboard, tables, plots and a report."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from optbench.contracts import Value
from optbench.errors import ConfigError, unknown_name
from optbench.records import (
    Cell,
    Criteria,
    Look,
    RunResult,
    Status,
    StudyProtocol,
    typical_choices,
)
from optbench.records.run_table import curve_rows, run_row

if TYPE_CHECKING:
    from optbench.analysis.leaderboard import Leaderboard
    from optbench.analysis.run_costs import Pace
    from optbench.registry import Registry
    from optbench.registry.scoped import OptimizerLike, ScopedRegistry
    from optbench.report.plots.plot import Plot
    from optbench.study.comparing import StudyComparison
    from optbench.study.diagnosing import StudyDiagnosis
    from optbench.study.driver import Observer
    from optbench.study.folders import TemporaryFolder

Frame = Literal["runs", "curves", "leaderboard"]
FRAMES: tuple[Frame, ...] = ("runs", "curves", "leaderboard")
"""Names of the tables of a study."""
TEXT_WIDTH = 100
"""Columns of the leaderboard as text."""


class Session(NamedTuple):
    """Resources of a study that was run by this process.

    Attributes:
        registry: Registry in which names are looked up, including objects that were passed.
        temporary: Folder of the study if it is removed with the study.
    """

    registry: ScopedRegistry
    temporary: TemporaryFolder | None


@dataclass(frozen=True, repr=False)
class Study:
    """The result of a comparison of optimizers: trials, chosen configurations and evaluation runs.

    Returned by `optbench.compare` and `optbench.load_study`. In a notebook, it shows its
    leaderboard. Curves are read from the folder when they are used.

    Attributes:
        suite: Name of the suite.
        protocol: Rules by which configurations were chosen and evaluated.
        cells: Every entrant on every workload, with its trials and its evaluation runs.
        complete: Whether all runs were finished; False if the study was interrupted.
        left_out: One sentence for each entrant that is not defined in a regime.
        trained: Number of runs trained by this execution.
        reused: Number of runs that were in the store already.
        command: Command or call that trained last.
        environment: Versions and machine of the session that trained last.
        unchanged: Whether the store already contained exactly this study.
        folder: Folder with its store; None for a study that exists only in memory.
        drawn: Whether each workload is an independent draw from a declared distribution.
        looks: The looks at a study that was analyzed while it grew; empty for a single one.
        data_cautions: One line for each fault of a dataset that makes its figures misleading.
        base_rates: Dataset -> accuracy of always predicting its largest class; without regressions.
        criteria: The baseline and the regions of practical equivalence of its boards.
        overhead: Seconds of one core around the training of a run; None if they are unknown.
        progress: Finished and planned runs of an interrupted study; None if it is complete.
        shards: The parts of a study that this has, each as its number and the number of all parts;
            empty for a study that was not run in parts.
        merged: Whether it was merged from other studies.

    Example:
        >>> import optbench
        >>> study = optbench.compare(["sgd", "adam"], suite="smoke")
        >>> study.complete, [round(values["beta1"], 1) for values in study.best("adam").values()]
        (True, [0.9, 0.9])
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[Cell, ...]
    complete: bool = True
    left_out: tuple[str, ...] = ()
    trained: int = 0
    reused: int = 0
    command: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    unchanged: bool = False
    folder: Path | None = field(default=None, compare=False)
    drawn: bool = False
    looks: tuple[Look, ...] = ()
    data_cautions: tuple[str, ...] = ()
    base_rates: Mapping[str, float] = field(default_factory=dict)
    criteria: Criteria = field(default_factory=Criteria)
    overhead: float | None = field(default=None, compare=False)
    progress: tuple[int, int] | None = field(default=None, compare=False)
    shards: tuple[tuple[int, int], ...] = field(default=(), compare=False)
    merged: bool = field(default=False, compare=False)
    _session: Session | None = field(default=None, compare=False)

    # -- runs and their comparison ------------------------------------------------------------

    @property
    def place(self) -> str:
        """Folder, or the name of the suite if there is none; for messages."""
        return str(self.folder or self.suite)

    @property
    def registry(self) -> Registry:
        """Registry in which names of the runs are looked up, including objects that were passed."""
        from optbench.registry import default_registry

        return self._session.registry if self._session is not None else default_registry()

    @property
    def unfinished(self) -> str:
        """One sentence about the runs and the shards that are missing; empty if none is."""
        from optbench.analysis.words.cautions import unfinished_text

        return unfinished_text(self.progress, self.shards, merged=self.merged)

    @property
    def runs(self) -> list[RunResult]:
        """Every run once, including tuning runs."""
        return list({result.key: result for result in self._results()}.values())

    @property
    def failed(self) -> list[RunResult]:
        """Runs that failed for a cause other than divergence."""
        failed = (run for run in self._results() if run.status is Status.FAILED)
        return list({run.key: run for run in failed}.values())

    def _results(self) -> Iterator[RunResult]:
        for cell in self.cells:
            for trial in cell.trials:
                yield from trial.runs
            yield from cell.evaluation

    @property
    def is_evaluated(self) -> bool:
        """Whether at least one evaluation run has finished, so that there is a leaderboard."""
        return any(cell.evaluation for cell in self.cells)

    @functools.cached_property
    def leaderboard(self) -> Leaderboard:
        """Comparison of all entrants: boards, pairs and verdicts.

        Times to a target are measured with the frozen targets that plugins register; for other
        workloads a target is derived from the study, and marked as such.

        Raises:
            ConfigError: No evaluation run has finished.
        """
        from optbench.analysis.build import build_leaderboard
        from optbench.registry import default_registry
        from optbench.suites import known_targets

        targets = known_targets(default_registry())
        unfinished = (self.unfinished,) if self.unfinished else ()
        return build_leaderboard(
            self.cells,
            self.protocol,
            targets,
            title=self.suite,
            drawn=self.drawn,
            looks=self.looks,
            data_cautions=(*unfinished, *self.data_cautions),
            base_rates=self.base_rates,
            criteria=self.criteria,
            pace=self.pace(),
        )

    def pace(self, jobs: int | None = None) -> Pace:
        """Return how fast further runs are trained, with which their time is estimated.

        Args:
            jobs: Number of parallel runs; one per core if None.
        """
        from optbench.analysis.run_costs import UNKNOWN_OVERHEAD, Pace
        from optbench.support.child_processes import available_cores

        overhead = UNKNOWN_OVERHEAD if self.overhead is None else self.overhead
        return Pace(overhead, jobs or available_cores())

    def with_criteria(
        self, *, baseline: str | None = None, regions: Mapping[str, float | str] | None = None
    ) -> Study:
        """Return the same study, judged by other criteria; nothing is trained or stored.

        Args:
            baseline: Label of the optimizer that all others are compared with; an empty string for
                none. By default, that of this study.
            regions: Half widths of regions of practical equivalence by board, such as
                ``{"final-loss": 0.05, "speed": "20%"}``; other boards keep theirs.

        Raises:
            ConfigError: The baseline or a board does not exist, or a value is not allowed.
        """
        criteria = self.criteria.change(baseline, regions)
        criteria.check_baseline(cell.entrant.label for cell in self.cells)
        return replace(self, criteria=criteria)

    def more(
        self,
        replicates: int,
        *,
        jobs: int | None = None,
        scheduler: str | None = None,
        timeout: float | str | None = None,
        memory: int | None = None,
        progress: bool | Observer | None = None,
    ) -> Study:
        """Train further replicates of this finished study, like ``optbench run --more``.

        Results were seen by then, so the further look costs a further part of the error rate, which
        the boards state. Optimizers that got no further runs, as all their pairs were decided, get
        none now.

        Args:
            replicates: Number of replicates to add, at least 1.
            jobs: Number of parallel runs on this machine, at least 1; one per core if None.
            scheduler: Address of a Dask cluster to train on.
            timeout: Time after which a run is aborted, in seconds or as in ``"90s"``.
            memory: Megabytes that a worker process may allocate for its runs (Linux).
            progress: As for `optbench.compare`.

        Returns:
            The study with all replicates, in the same folder.

        Raises:
            ConfigError: The study has no folder, was interrupted, or a value is not allowed.
            StoreError: Its store cannot be read or written.
        """
        from optbench.study.adding_replicates import add_replicates

        return add_replicates(
            self,
            replicates,
            jobs=jobs,
            scheduler=scheduler,
            timeout=timeout,
            memory=memory,
            progress=progress,
        )

    def best(self, optimizer: OptimizerLike) -> dict[str, dict[str, Value]]:
        """Return the hyperparameter values that tuning chose for an optimizer on each workload.

        Of several replicates it is the choice with the median learning rate, as in the tables.

        Args:
            optimizer: Label of the optimizer, as in the leaderboard; or the object that was
                compared.

        Returns:
            Values by name, by label of the workload. Workloads with unfinished tuning are left out.

        Raises:
            ConfigError: The study has no such optimizer.
        """
        label = _label_of(optimizer)
        labels = {cell.entrant.label for cell in self.cells}
        if label not in labels:
            raise unknown_name(f"optimizer in the study {self.place}", label, labels)
        return {
            cell.workload.label: dict(cell.chosen)
            for cell in typical_choices(self.cells)
            if cell.entrant.label == label and cell.chosen is not None
        }

    def compare(self, first: OptimizerLike, second: OptimizerLike) -> StudyComparison:
        """Compare two optimizers of this study on the workloads that both were evaluated on.

        The regions of practical equivalence are those of `criteria`.

        Args:
            first: Label of the optimizer A, or the object that was compared.
            second: The same of the optimizer B.

        Returns:
            One comparison, seen from B.

        Raises:
            ConfigError: The study lacks one of them, or they have no common workload.
        """
        from optbench.study.comparing import compare_entrants

        return compare_entrants(self, _label_of(first), _label_of(second))

    def diagnose(self) -> StudyDiagnosis:
        """Return the problems of the evaluation runs, workload by workload."""
        from optbench.study.diagnosing import diagnose_study

        return diagnose_study(self)

    # -- tables, plots and files --------------------------------------------------------------

    def frame(self, kind: Frame = "runs") -> Any:
        """Return one of the study's tables as a pandas DataFrame.

        Args:
            kind: ``"runs"``: one row per run, as written by ``optbench export``;
                ``"curves"``: one row per evaluation along a run, joined with the runs by
                ``key``; ``"leaderboard"``: the rows of ``leaderboard.csv``.

        Raises:
            ConfigError: The table does not exist, or pandas is not installed.
        """
        if kind not in FRAMES:
            raise unknown_name("table of a study", kind, FRAMES)
        try:
            import pandas as pd
        except ImportError:
            raise ConfigError("a data frame needs pandas: pip install pandas") from None
        if kind == "leaderboard":
            return self.leaderboard.to_pandas()
        if kind == "curves":
            return pd.DataFrame([row for run in self.runs for row in curve_rows(run)])
        return pd.DataFrame([run_row(run) for run in self.runs])

    def to_pandas(self) -> Any:
        """Return ``frame("runs")``."""
        return self.frame("runs")

    def plot(
        self,
        kind: str = "ranking",
        *,
        workloads: Sequence[str] = (),
        regime: str | None = None,
        board: str | None = None,
        levels: Sequence[str | float] = (),
    ) -> Plot:
        """Return one of the plots of the report; it shows itself in a notebook.

        Args:
            kind: ``"ranking"``, ``"score-map"``, ``"pairs"``, ``"convergence"``, ``"ecdf"`` or
                another kind that ``optbench plot --help`` lists; or the name of a single sheet in
                the folder ``plots/`` of a report.
            workloads: Datasets, or parts of labels of workloads; by default, all workloads.
            regime: The only regime; by default, all of them.
            board: The only board, for ``"ranking"``, ``"pairs"`` and ``"regimes"``.
            levels: Targets of ``"ecdf"``: ``"easy"``, ``"medium"``, ``"hard"``, or shares of the
                way from guessing to the best known loss, such as 0.8.

        Returns:
            The plot, with ``save(path)`` and matplotlib's ``figures``.

        Raises:
            ConfigError: The study has no such plot, the kind cannot be restricted in this way, or
                no evaluation run has finished.
        """
        from optbench.study.plotting import plot_study

        return plot_study(
            self, kind, workloads=workloads, regime=regime, board=board, levels=levels
        )

    def report(
        self,
        folder: str | Path | None = None,
        *,
        formats: Sequence[str] = ("png", "svg"),
        portraits: bool = False,
        width: float | None = None,
    ) -> list[Path]:
        """Write leaderboard, plots and HTML page; files that are up to date are not rewritten.

        Args:
            folder: Folder of the report; by default that of the study.
            formats: Formats of the plots: any of ``"png"``, ``"svg"``, ``"pdf"``.
            portraits: Whether to add the properties of each optimizer, as ``optbench profile``
                measures them in about three seconds for each.
            width: Width of the plots in inches; the font size stays the same. By default, what
                their panels need.

        Returns:
            Paths of all files of the report.

        Raises:
            ConfigError: No evaluation run has finished, or the folder cannot be written to.
        """
        from optbench.study.reporting import write_report

        target = self.folder if folder is None else folder
        if target is None:
            raise ConfigError("this study has no folder; give one, as in report('folder')")
        return write_report(self, target, formats=formats, portraits=portraits, width=width)

    # -- representations ----------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return the leaderboard as text."""
        import io

        from rich.console import Console

        from optbench.report.terminal.leaderboard_table import leaderboard_table

        if not self.is_evaluated:
            return self._summary()
        console = Console(file=io.StringIO(), width=TEXT_WIDTH, color_system=None)
        with console.capture() as capture:
            console.print(leaderboard_table(self.leaderboard, self.cells))
        return f"{self._summary()}\n{capture.get().rstrip()}"

    def _summary(self) -> str:
        from optbench.support.text import count

        entrants = len({cell.entrant.label for cell in self.cells})
        workloads = len({cell.workload.label for cell in self.cells})
        runs = sum(len(cell.evaluation) for cell in self.cells)
        state = "" if self.complete else ", interrupted"
        if self.unfinished:
            state = f", {self.unfinished}"
        return (
            f"Study '{self.suite}': {count(entrants, 'optimizer')}, "
            f"{count(workloads, 'workload')}, {count(runs, 'evaluation run')}{state}"
        )

    def _repr_html_(self) -> str:
        """Return the leaderboard with the mean curve of each entrant, for a notebook."""
        from optbench.report.format.notebook import study_html

        return study_html(self)


def _label_of(optimizer: OptimizerLike) -> str:
    """Return the label of an optimizer that is given by it or as the object itself."""
    from optbench.registry.scoped import ScopedRegistry

    return ScopedRegistry().optimizer_text(optimizer)
