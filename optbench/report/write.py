"""Writes everything that a study leaves in its folder; what has not changed is not drawn again."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from optbench.analysis.leaderboard import Leaderboard, to_json
from optbench.errors import ConfigError, unknown_name
from optbench.records import Cell
from optbench.report.format.excerpt import excerpt, with_curves
from optbench.report.tables import leaderboard_csv
from optbench.support.files import alone_in, write_text

_log = logging.getLogger(__name__)

FORMATS = ("png", "svg", "pdf")
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_OURS = re.compile(r"[a-z]+\.[a-z]+|plots/[a-z0-9-]+\.[a-z]+")
MANIFEST = ".report.json"
"""Which input each file was made from; without it everything is written anew."""


def write_all(
    leaderboard: Leaderboard,
    cells: Sequence[Cell],
    out_dir: str | Path,
    *,
    environment: Mapping[str, Any],
    command: str,
    formats: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Write ``leaderboard.{md,csv,json}``, ``report.html`` and ``plots/``.

    Files made from the very same leaderboard, curves, environment and command are left alone, so
    a second call takes as long as comparing a hash. Each file appears complete or not at all.

    Args:
        leaderboard: what `optbench.analysis` made of the cells.
        cells: the cells; they hold the curves.
        out_dir: made when it is missing.
        environment: shown at the end of the page and the Markdown: versions, machine.
        command: the exact command that repeats the study.
        formats: of the plots, any of ``"png"``, ``"svg"``, ``"pdf"``.

    Returns:
        Every file, written now or before, the leaderboard first.

    Raises:
        ConfigError: an unknown format, or a folder that cannot be written.
    """
    for form in formats:
        if form not in FORMATS:
            raise unknown_name("plot format", form, FORMATS)
    out = Path(out_dir)
    everything = to_json(leaderboard) + b"\n"
    whole: dict[str, Callable[[], str | bytes]] = {
        "leaderboard.csv": lambda: leaderboard_csv(leaderboard),
        "leaderboard.json": lambda: everything,
    }
    shown, kept = excerpt(leaderboard, cells)
    kept = with_curves(kept)
    digest = input_hash(everything, kept, environment, command)
    try:
        (out / "plots").mkdir(parents=True, exist_ok=True)
        with alone_in(out):
            return _write(whole, shown, kept, out, environment, command, formats, digest)
    except OSError as cause:
        reason = cause.strerror or type(cause).__name__
        if cause.errno in FULL:
            reason += "; finished runs are safe, the same command goes on once there is room"
        raise ConfigError(f"cannot write the report to '{out}': {reason}") from cause


def _write(
    whole: Mapping[str, Callable[[], str | bytes]],
    board: Leaderboard,
    cells: Sequence[Cell],
    out: Path,
    environment: Mapping[str, Any],
    command: str,
    formats: Sequence[str],
    digest: str,
) -> list[Path]:
    known = _read_manifest(out)
    made: dict[str, str] = {}

    def current(name: str) -> bool:
        return known.get(name) == digest and (out / name).is_file()

    def write(name: str, source: str, text: Callable[[], str | bytes]) -> None:
        made[name] = source
        if known.get(name) != source or not (out / name).is_file():
            _log.info("writing %s", name)
            write_text(out / name, text())

    def markdown() -> str:
        from optbench.report.markdown import leaderboard_markdown

        return leaderboard_markdown(board, pictures, environment=environment, command=command)

    def page() -> str:
        from optbench.report.page.render import report_html

        return report_html(board, cells, environment=environment, command=command)

    plots = {form: [n for n in known if n.endswith(f".{form}") and current(n)] for form in formats}
    missing = [form for form in formats if not plots[form]]
    kept = {name: digest for names in plots.values() for name in names}
    texts = {**whole, "report.html": page}
    with _drawing(missing, board, cells, out / "plots") as finish:
        for name, text in texts.items():
            write(name, digest, text)
        if missing:
            _log.info("drawing the plots")
        kept |= {path.relative_to(out).as_posix(): digest for path in finish()}
    pictures = sorted(kept)
    shown = hashlib.sha256("\0".join([digest, *pictures]).encode()).hexdigest()
    write("leaderboard.md", shown, markdown)
    _remove_stale(out, known, {**kept, **made}, formats)
    write_text(out / MANIFEST, json.dumps({**known, **kept, **made}, indent=0, sort_keys=True))
    return [out / name for name in ["leaderboard.md", *texts, *pictures]]


def _drawing(
    formats: Sequence[str], board: Leaderboard, cells: Sequence[Cell], folder: Path
) -> AbstractContextManager[Callable[[], list[Path]]]:
    if not formats:
        return nullcontext(list)
    from optbench.report.plots.parallel import plots_under_way

    return plots_under_way(board, cells, folder, formats)


def _remove_stale(
    out: Path, known: dict[str, str], made: dict[str, str], formats: Sequence[str]
) -> None:
    """Take away plots of an earlier study in the same folder that this one does not have."""
    for name in [n for n in known if n.startswith("plots/") and n not in made]:
        if name.rpartition(".")[2] in formats or known[name] not in made.values():
            path = out / name
            if path.parent == out / "plots":  # a manifest edited by hand must not reach further
                path.unlink(missing_ok=True)
            del known[name]


def _read_manifest(out: Path) -> dict[str, str]:
    try:
        known = msgspec.json.decode((out / MANIFEST).read_bytes(), type=dict[str, str])
    except (OSError, ValueError):  # a damaged one counts as none
        return {}
    return {name: digest for name, digest in known.items() if _OURS.fullmatch(name)}


def input_hash(
    board: bytes, cells: Sequence[Cell], environment: Mapping[str, Any], command: str
) -> str:
    """Changes with anything that the report shows, and with the code that shows it."""
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
    """Hash of the files of this package, as they were when it was first asked for."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".j2", ".js", ".css"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
