"""The plots of a study, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import msgspec

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.views.target_distribution import USUAL_LEVELS, distribution_of_cells
from optbench.errors import ConfigError, unknown_name
from optbench.records import BOARD_NAMES, REGIMES, Regime
from optbench.report.format.plot_kinds import KINDS, Choice, find_kind
from optbench.report.plots.plot import Plot
from optbench.report.plots.study_sheets import DRAW, PlotSource
from optbench.study.study import Study
from optbench.suites.target_files import parse_levels


@dataclass(frozen=True)
class _Restriction:
    """What is drawn of a study; empty for all of it."""

    workloads: Sequence[str] = ()
    regime: str | None = None
    board: str | None = None
    levels: Sequence[str | float] = ()

    @property
    def choices(self) -> list[Choice]:
        """What is restricted."""
        given = {
            "workloads": self.workloads,
            "regime": self.regime,
            "board": self.board,
            "levels": self.levels,
        }
        return [cast(Choice, name) for name, value in given.items() if value]


def plot_study(
    study: Study,
    kind: str,
    *,
    workloads: Sequence[str] = (),
    regime: str | None = None,
    board: str | None = None,
    levels: Sequence[str | float] = (),
) -> Plot:
    """Return one of the plots of a study's report.

    Args:
        study: The study.
        kind: Name of a kind, for all of its sheets; or the name of a sheet.
        workloads: As for `Study.plot`.
        regime: As for `Study.plot`.
        board: As for `Study.plot`.
        levels: As for `Study.plot`.

    Raises:
        ConfigError: The study has no such plot, the kind cannot be restricted in this way, or no
            evaluation run has finished.
    """
    found = find_kind(kind)
    wanted = _Restriction(workloads, regime, board, levels)
    for choice in wanted.choices:
        if choice not in found.choices:
            able = ", ".join(name for name, other in KINDS.items() if choice in other.choices)
            raise ConfigError(
                f"the plot '{found.name}' has no choice of {choice}; those of: {able}"
            )
    sheets = dict(DRAW[found.name](_source(study, wanted)))
    if not sheets:
        raise ConfigError(f"{study.place} has no plot '{found.name}': that needs {found.needs}")
    if kind != found.name:
        if kind not in sheets:
            raise unknown_name("sheet of this study", kind, sheets)
        sheets = {kind: sheets[kind]}
    return Plot(sheets.items())


def _source(study: Study, wanted: _Restriction) -> PlotSource:
    """Return the part of a study that is drawn."""
    if wanted.board is not None and wanted.board not in BOARD_NAMES:
        raise unknown_name("board", wanted.board, BOARD_NAMES)
    source = PlotSource(
        study.leaderboard,
        study.cells,
        regime=_regime(wanted.regime),
        name=wanted.board,
    )
    labels = _workload_labels(study, wanted)
    if wanted.levels or labels is not None:
        source = replace(source, board=_with_distribution(study, wanted, labels))
    return source if labels is None else _narrowed(source, labels)


def _regime(name: str | None) -> Regime | None:
    if name is not None and name not in REGIMES:
        raise unknown_name("regime", name, REGIMES)
    return name


def _workload_labels(study: Study, wanted: _Restriction) -> frozenset[str] | None:
    """Return the labels of the workloads that are drawn; None for all of them."""
    if not wanted.workloads and wanted.regime is None:
        return None
    every = {board.label: board.workload for board in study.leaderboard.workloads}
    chosen: set[str] = set()
    for text in wanted.workloads:
        own = {k for k, w in every.items() if w.dataset == text}
        own = own or {label for label in every if text.casefold() in label.casefold()}
        if not own:
            raise unknown_name("workload", text, {w.dataset for w in every.values()})
        chosen |= own
    kept = chosen or set(every)
    kept = {k for k in kept if wanted.regime is None or every[k].regime == wanted.regime}
    if not kept:
        raise ConfigError(f"{study.place} has no such workload in the regime {wanted.regime}")
    return frozenset(kept)


def _with_distribution(
    study: Study, wanted: _Restriction, labels: frozenset[str] | None
) -> Leaderboard:
    """Return the leaderboard with the distribution to other targets, or on fewer workloads."""
    from optbench.registry import default_registry
    from optbench.suites import known_targets

    levels = parse_levels(wanted.levels) if wanted.levels else USUAL_LEVELS
    known = known_targets(default_registry())
    distribution = distribution_of_cells(study.cells, known, levels, labels)
    return msgspec.structs.replace(study.leaderboard, target_distribution=distribution)


def _narrowed(source: PlotSource, labels: frozenset[str]) -> PlotSource:
    """Return the source with these workloads only; entrants and boards stay."""
    board = source.board
    narrowed = msgspec.structs.replace(
        board,
        workloads=tuple(b for b in board.workloads if b.label in labels),
        lr_curves=tuple(c for c in board.lr_curves if c.workload in labels),
        bias_variance=tuple(e for e in board.bias_variance if e.workload in labels),
    )
    cells = [cell for cell in source.cells if cell.workload.label in labels]
    return replace(source, board=narrowed, cells=cells)
