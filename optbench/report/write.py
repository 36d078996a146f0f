"""Writes the report of a study into its folder; files that are up to date are left alone."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from optbench.analysis.leaderboard import Leaderboard, to_json
from optbench.errors import ConfigError
from optbench.records import Cell
from optbench.report.csv_text import leaderboard_csv
from optbench.report.format.excerpt import excerpt, with_curves
from optbench.report.format.plot_formats import check_plot_format
from optbench.report.format.protocol_text import evaluations_text
from optbench.report.sections import Section, section_pictures
from optbench.support.files import folder_lock, read_file, write_text

_log = logging.getLogger(__name__)

MANIFEST_NAME = ".report.json"
"""File that says what each file was made from; without it everything is written again."""
_DISK_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_OUR_FILES = re.compile(r"[a-z]+\.[a-z]+|plots/[a-z0-9-]+\.[a-z]+")


def write_all(
    leaderboard: Leaderboard,
    cells: Sequence[Cell],
    out_dir: str | Path,
    *,
    environment: Mapping[str, Any],
    command: str,
    formats: Sequence[str] = ("png", "svg"),
    sections: Sequence[Section] = (),
    width: float | None = None,
) -> list[Path]:
    """Write ``leaderboard.{md,csv,json}``, ``report.html`` and ``plots/``.

    Files that were made from the same leaderboard, curves, environment and command are left alone,
    so a second call only compares a hash. Each file appears complete or not at all.

    Args:
        leaderboard: The leaderboard of the cells.
        cells: The cells, with their curves.
        out_dir: Folder, created if missing.
        environment: Versions and machine, listed at the end of the page and the Markdown.
        command: The exact command that repeats the study.
        formats: Formats of the plots: any of ``"png"``, ``"svg"``, ``"pdf"``.
        sections: Sections of plugins.
        width: Width of the plots in inches; None for what their panels need.

    Returns:
        Every file, written now or before, the leaderboard first.

    Raises:
        ConfigError: An unknown format, a folder that cannot be written, or a width that is too
            small for a plot.
    """
    for form in formats:
        check_plot_format(form)
    out = Path(out_dir)
    about: dict[str, Any] = {"environment": environment, "command": command}
    json_text = to_json(leaderboard) + b"\n"
    whole = cells
    board, cells = excerpt(leaderboard, cells)
    cells = with_curves(cells)
    diagnosed = cells if board is leaderboard else whole
    digest = input_hash(json_text, cells, **about)
    about |= {"sections": sections, "evaluations": evaluations_text(whole)}
    if sections:
        digest = _hash(digest, *[section.digest for section in sections])
    with _one_line_errors(out), folder_lock(_with_plots(out)):
        writer = ReportWriter(out)
        drawn = digest if width is None else _hash(digest, f"{width:g}")
        missing = [form for form in formats if not writer.keep_plots(form, drawn)]
        with _drawing(missing, board, cells, out / "plots", width) as draw:
            writer.write("leaderboard.csv", digest, lambda: leaderboard_csv(leaderboard))
            writer.write("leaderboard.json", digest, lambda: json_text)
            writer.write("report.html", digest, lambda: _page(board, cells, diagnosed, **about))
            if missing:
                writer.add_plots(draw, drawn)
            for name, picture in section_pictures(sections, formats).items():
                writer.write(f"plots/{name}", digest, functools.partial(bytes, picture))
        plots = writer.plots
        digest = _hash(digest, *plots)
        writer.write("leaderboard.md", digest, lambda: _markdown(board, plots, **about))
        writer.finish(formats)
    texts = ("leaderboard.md", "leaderboard.csv", "leaderboard.json", "report.html")
    return [out / name for name in (*texts, *plots)]


def _page(
    board: Leaderboard, cells: Sequence[Cell], diagnosed: Sequence[Cell], **about: Any
) -> str:
    from optbench.inspection.survey import survey
    from optbench.report.page.render import report_html

    return report_html(board, cells, diagnosis=survey(diagnosed), **about)


def _markdown(board: Leaderboard, plots: Sequence[str], **about: Any) -> str:
    from optbench.report.markdown import leaderboard_markdown

    return leaderboard_markdown(board, plots, **about)


def _drawing(
    formats: Sequence[str],
    board: Leaderboard,
    cells: Sequence[Cell],
    folder: Path,
    width: float | None,
) -> AbstractContextManager[Callable[[], list[Path]]]:
    if not formats:
        return nullcontext(list)
    from optbench.report.plots.parallel import background_plots

    return background_plots(board, cells, folder, formats, width)


def _with_plots(folder: Path) -> Path:
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _one_line_errors(out: Path) -> Iterator[None]:
    """Raise a ConfigError that names the folder where a file cannot be written."""
    try:
        yield
    except OSError as cause:
        reason = cause.strerror or type(cause).__name__
        if cause.errno in _DISK_FULL:
            reason += "; finished runs are safe; free some space and run the same command again"
        raise ConfigError(f"cannot write the report to '{out}': {reason}") from cause


class ReportWriter:
    """Writes the files of a report into a folder, except those that are up to date.

    Attributes:
        folder: Where files are written to.
        manifest: Name -> digest of what the file was made from, for every file of this report.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, str] = {}
        self._previous = _read_manifest(folder)

    def write(self, name: str, digest: str, make: Callable[[], str | bytes]) -> None:
        """Write a file unless it is up to date.

        Args:
            name: Path relative to the folder.
            digest: Hash of everything that its content depends on.
            make: Returns the content.
        """
        if not self._is_current(name, digest):
            _log.info("writing %s", name)
            write_text(self.folder / name, make())
        self.manifest[name] = digest

    def keep_plots(self, form: str, digest: str) -> bool:
        """List the plots of a format that are up to date; return whether there are any."""
        names = [name for name in self._previous if name.endswith(f".{form}")]
        current = [name for name in names if self._is_current(name, digest)]
        self.manifest.update(dict.fromkeys(current, digest))
        return bool(current)

    def add_plots(self, draw: Callable[[], list[Path]], digest: str) -> None:
        """Draw plots and list them."""
        _log.info("drawing the plots")
        names = [path.relative_to(self.folder).as_posix() for path in draw()]
        self.manifest.update(dict.fromkeys(names, digest))

    @property
    def plots(self) -> list[str]:
        """Names of all plots of this report, sorted."""
        return sorted(name for name in self.manifest if name.startswith("plots/"))

    def finish(self, formats: Sequence[str]) -> None:
        """Remove plots of an earlier study in the same folder, and save the manifest.

        Plots of the same study in other formats than these stay.
        """
        listed = set(self.manifest.values())
        plots = [name for name in self._previous if name.startswith("plots/")]
        for name in [plot for plot in plots if plot not in self.manifest]:
            if name.rpartition(".")[2] in formats or self._previous[name] not in listed:
                path = self.folder / name
                if path.parent == self.folder / "plots":  # an edited manifest reaches no further
                    path.unlink(missing_ok=True)
                del self._previous[name]
        entries = {**self._previous, **self.manifest}
        write_text(self.folder / MANIFEST_NAME, json.dumps(entries, indent=0, sort_keys=True))

    def _is_current(self, name: str, digest: str) -> bool:
        return self._previous.get(name) == digest and (self.folder / name).is_file()


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        data = read_file(folder / MANIFEST_NAME)
        entries = msgspec.json.decode(data, type=dict[str, str])
    except (OSError, msgspec.MsgspecError):  # a damaged manifest counts as none
        return {}
    return {name: digest for name, digest in entries.items() if _OUR_FILES.fullmatch(name)}


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def input_hash(
    board: bytes, cells: Sequence[Cell], environment: Mapping[str, Any], command: str
) -> str:
    """Return a hash of everything that the report shows, and of the code that shows it."""
    digest = hashlib.sha256(code_hash().encode())
    digest.update(board)
    digest.update(json.dumps([dict(environment), command], sort_keys=True, default=str).encode())
    for cell in cells:
        digest.update(f"{cell.entrant.label}\0{cell.workload.label}".encode())
        for result in cell.evaluation:
            digest.update(f"{result.status}\0{result.spec.seed}".encode())
            columns = sorted(result.curve)
            digest.update("\0".join(columns).encode() + result.curve.table(columns).tobytes())
    return digest.hexdigest()


@functools.cache
def code_hash() -> str:
    """Return a hash of the files of this package, as they were at the first call."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".j2", ".js", ".css", ".toml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
