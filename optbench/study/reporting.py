"""Writing of the report of a study."""

from __future__ import annotations

import gc
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optbench.errors import ConfigError, PluginWarning, describe_error
from optbench.study.folders import writable_folder
from optbench.study.study import Study
from optbench.support.files import folder_lock, write_text

if TYPE_CHECKING:
    from optbench.report.sections import Section

_log = logging.getLogger(__name__)


def write_report(
    study: Study,
    folder: str | Path,
    *,
    command: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
    portraits: bool = False,
    width: float | None = None,
) -> list[Path]:
    """Write leaderboard, plots, HTML page and environment of a study.

    Args:
        study: The study.
        folder: Folder of the report; it is created if it is missing.
        command: Command that repeats the study, shown in the report; by default that of the study.
        formats: Formats of the plots: any of ``"png"``, ``"svg"``, ``"pdf"``.
        portraits: Whether to measure each optimizer as ``optbench profile`` does, which takes about
            three seconds for each, and to add a section with the properties.
        width: Width of the plots in inches; by default, what their panels need. A figure
            of a plugin has this width if its method takes it.

    Returns:
        Paths of all files of the report, including those that were up to date.

    Raises:
        ConfigError: No evaluation run has finished, or the folder cannot be written to.
    """
    from optbench.report import write_all

    if not study.is_evaluated:
        raise ConfigError(f"nothing to report in {study.place}: no evaluation run has finished")
    out = writable_folder(folder)
    command = study.command if command is None else command
    _log.info("comparing")
    gc.freeze()  # with 100,000 live runs, each garbage collection takes a second
    try:
        files = write_all(
            study.leaderboard,
            study.cells,
            out,
            environment=study.environment,
            command=command,
            formats=formats,
            width=width,
            sections=[
                *(_portraits(study, formats, width) if portraits else ()),
                *plugin_sections(study, formats, width),
            ],
        )
    finally:
        gc.unfreeze()
    environment = {**study.environment, "command": command}
    path = out / "environment.json"
    with folder_lock(out):
        write_text(path, json.dumps(environment, indent=2) + "\n")
    return [*files, path]


def _portraits(study: Study, formats: Sequence[str], width: float | None) -> list[Section]:
    from optbench.report.sections import make_section
    from optbench.study.portrait_section import PortraitSection

    _log.info("measuring the properties of the optimizers")
    section = make_section(PortraitSection(study), study, formats, width)
    return [] if section is None else [section]


def plugin_sections(
    study: Study, formats: Sequence[str], width: float | None = None
) -> list[Section]:
    """Return the sections that plugins add to a study's report.

    A section that fails is left out with a `PluginWarning` that names its plugin.

    Args:
        study: The study.
        formats: Formats of the plots.
        width: Width of the plots in inches; by default, what they need.
    """
    from optbench.registry import default_registry
    from optbench.registry.kinds import REPORTS
    from optbench.report.sections import make_section

    sections = []
    for entry in default_registry().entries(REPORTS).values():
        try:
            section = make_section(entry.item(), study, formats, width)
        except (Exception, SystemExit) as cause:
            text = f"the report lacks the section '{entry.name}' of plugin {entry.distribution}: "
            text += describe_error(cause, entry.item)
            warnings.warn(text, PluginWarning, stacklevel=2)
            continue
        if section is not None:
            sections.append(section)
    return sections
