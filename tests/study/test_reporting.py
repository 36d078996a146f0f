"""The report of a study has the sections of plugins; one that fails does not lose the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from optbench.records import StudyProtocol
from optbench.registry import default_registry, fresh_registry
from optbench.registry.entries import PluginWarning
from optbench.study.reporting import write_report
from optbench.study.study import Study
from tests.analysis.synthetic import make_cells

PLUGIN = """
import optbench

class Labels(optbench.ReportSection):
    '''The optimizers of the study.'''
    name = "labels"
    title = "Who took part"

    def table(self, study):
        return [{"optimizer": row.label} for row in study.leaderboard.overall]

class Broken(optbench.ReportSection):
    '''Fails.'''
    name = "broken"
    title = "Broken"

    def table(self, study):
        raise LookupError("no such\\nrow")

class Quits(Broken):
    '''Ends the program.'''
    name = "quits"

    def table(self, study):
        raise SystemExit(3)

@optbench.hookimpl
def optbench_register_reports():
    return [Broken, Labels, Quits]
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    """A plugin with three sections, loaded for the test."""
    path = tmp_path / "sections.py"
    path.write_text(PLUGIN)
    with fresh_registry():
        default_registry().load_named(str(path))
        yield str(path)


def test_a_section_that_fails_is_one_warning(plugin: str, tmp_path: Path) -> None:
    """It names section, plugin and cause with its place; the rest of the report is there."""
    cells = make_cells(datasets=("moons",), regimes=("sgd",), skill={"alpha": 1.0})
    study = Study("synthetic", StudyProtocol(), tuple(cells))
    out = tmp_path / "report"
    with pytest.warns(PluginWarning) as caught:
        study.report(out, formats=())
    lines = [str(warning.message) for warning in caught]
    assert lines == [
        f"the report lacks the section 'broken' of plugin {plugin}: "
        "LookupError: no such row (sections.py:18)",
        f"the report lacks the section 'quits' of plugin {plugin}: SystemExit: 3 (sections.py:25)",
    ]
    markdown = (out / "leaderboard.md").read_text()
    assert "## Who took part" in markdown
    assert "| alpha |" in markdown.partition("## Who took part")[2]


WIDTH_PLUGIN = """
import optbench
from matplotlib.figure import Figure

class Wide(optbench.ReportSection):
    '''A figure as wide as the other plots.'''
    name = "wide"
    title = "Wide"

    def figure(self, study, width=None):
        return Figure(figsize=(width, 1))

@optbench.hookimpl
def optbench_register_reports():
    return [Wide]
"""


def test_the_width_of_a_report_reaches_the_figures_of_plugins(tmp_path: Path) -> None:
    """A section of a plugin is as wide as the plots beside it."""
    path = tmp_path / "wide.py"
    path.write_text(WIDTH_PLUGIN)
    cells = make_cells(datasets=("moons",), regimes=("sgd",), skill={"alpha": 1.0})
    study = Study("synthetic", StudyProtocol(), tuple(cells))
    with fresh_registry():
        default_registry().load_named(str(path))
        write_report(study, tmp_path / "report", formats=("png",), width=6.5)
    plots = tmp_path / "report" / "plots"
    for name in ("section-wide", "ranking"):
        with Image.open(plots / f"{name}.png") as picture:
            assert picture.width == 650, name
