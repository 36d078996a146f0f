"""What a study leaves in its folder."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from optbench.analysis.leaderboard import from_json, rounded, to_json
from optbench.errors import ConfigError
from optbench.report import write_all
from optbench.report.csv_text import leaderboard_csv
from optbench.report.write import ReportWriter
from tests.report import samples

ENVIRONMENT = {"python": "3.12", "packages": {"numpy": "2.1", "<b>": "`|`"}}


def write(sample: samples.Sample, out: Path, formats: Sequence[str] = ("png",)) -> list[Path]:
    return write_all(
        *sample, out, environment=ENVIRONMENT, command="optbench run 'a|b'", formats=formats
    )


def stamps(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile")
    write(samples.hostile(), out, ("svg",))
    return out


def test_all_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    """The four files and the plots in each format; no half-written file is left."""
    sample = samples.tiny()
    files = write(sample, tmp_path, ("png", "svg", "pdf"))
    found = {p for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {*files, tmp_path / ".report.json"}
    assert [p.name for p in files[:4]] == [
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard.json",
        "report.html",
    ]
    stems = [{p.stem for p in files if p.suffix == f".{form}"} for form in ("png", "svg", "pdf")]
    assert stems[0] == stems[1] == stems[2] != set()


def test_a_second_call_writes_nothing(folder: Path) -> None:
    """What has not changed stays untouched, to the nanosecond."""
    before = stamps(folder)
    time.sleep(0.01)
    again = write(samples.hostile(), folder, ("svg",))
    after = stamps(folder)
    assert {k for k in after if after[k] != before.get(k)} == {str(folder / ".report.json")}
    assert {str(p) for p in again} == set(after) - {str(folder / ".report.json")}


def test_a_writer_makes_only_what_is_not_up_to_date(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file is made once for each digest, and again when it is missing; each is logged."""
    caplog.set_level("INFO", logger="optbench")
    made: list[str] = []

    def report(digest: str) -> None:
        def make() -> str:
            made.append(digest)
            return digest

        writer = ReportWriter(tmp_path)
        writer.write("notes.txt", digest, make)
        writer.finish(())

    report("a")
    report("a")
    report("b")
    (tmp_path / "notes.txt").unlink()
    report("b")
    assert made == ["a", "b", "b"]
    assert caplog.messages == ["writing notes.txt"] * 3
    assert (tmp_path / "notes.txt").read_text() == "b"


def test_new_numbers_and_missing_files_are_written(tmp_path: Path) -> None:
    """A changed study is drawn anew, plots that it no longer has go, a deleted file comes back."""
    write(samples.tiny(("he-normal", "zeros")), tmp_path)
    assert (tmp_path / "plots/optimizer-initializer.png").exists()
    sample = samples.tiny()
    files = write(sample, tmp_path)
    assert not (tmp_path / "plots/optimizer-initializer.png").exists()
    files[0].unlink()
    write(sample, tmp_path)
    assert files[0].exists()


def test_plots_can_be_left_out_and_come_later(tmp_path: Path) -> None:
    """Without plots the Markdown shows none; once they are drawn it shows them."""
    sample = samples.tiny()
    page = write(sample, tmp_path, ())[0]
    assert "![" not in page.read_text()
    write(sample, tmp_path, ("svg",))
    assert "](plots/ranking.svg)" in page.read_text()


def test_an_edited_manifest_deletes_nothing_elsewhere(tmp_path: Path) -> None:
    """The list of files is data from the folder: it cannot make the report delete other files."""
    (tmp_path / "precious.txt").write_text("mine")
    inner = tmp_path / "out"
    inner.mkdir()
    (inner / ".report.json").write_text('{"plots/../../precious.txt": "x"}')
    write(samples.tiny(), inner, ())
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "manifest", [b"\xff", b"[", b'{"a\\u0000b": "x"}', b'{"plots/x.png": 3}', b""]
)
def test_a_damaged_manifest_counts_as_none(tmp_path: Path, manifest: bytes) -> None:
    """Everything is written anew."""
    sample = samples.tiny()
    write(sample, tmp_path, ())
    page = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.html").write_text("old")
    (tmp_path / ".report.json").write_bytes(manifest)
    write(sample, tmp_path, ())
    assert (tmp_path / "report.html").read_bytes() == page


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The user hears where and why, not a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write the report to '.*file/out': "):
        write(samples.study(), tmp_path / "file" / "out", ())


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    """A misspelt format has its nearest name in the message."""
    with pytest.raises(ConfigError, match="did you mean 'svg'"):
        write(samples.study(), tmp_path, ("sgv",))


def test_every_link_of_the_markdown_leads_to_a_file(folder: Path) -> None:
    """Links are relative, so the page works wherever the folder is put."""
    links = re.findall(r"\]\(([^)]*)\)", (folder / "leaderboard.md").read_text())
    assert len(links) > 5
    assert all((folder / link).is_file() for link in links)


def test_hostile_names_are_text_in_the_markdown(folder: Path) -> None:
    """Names open no tag and break no table: every row has the columns of its heading."""
    page = (folder / "leaderboard.md").read_text()
    assert not re.search(r"<(?!/?details>|/?summary>)", page)
    width = 0
    for line in page.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert cells in (0, width) or not width
        width = cells
    assert samples.ATTACK.replace("<", "&lt;").replace(">", "&gt;") in page.split("<summary>")[1]


def test_csv_holds_every_row_and_opens_harmlessly() -> None:
    """One row an optimizer, one an optimizer and workload; no cell is a spreadsheet formula."""
    board, _ = samples.hostile()
    rows = list(csv.DictReader(io.StringIO(leaderboard_csv(board))))
    assert len(rows) == len(board.overall) * (1 + len(board.workloads))
    whole = {row["label"].removeprefix("'"): row for row in rows if not row["workload"]}
    for row in board.overall:
        assert float(whole[row.label]["score"]) == rounded(row.score.value or 0)
    for row_ in rows:
        assert not any(
            cell[:1] in ("=", "+", "-", "@") for cell in row_.values() if not number(cell)
        )


def number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_json_reads_back_equal(folder: Path) -> None:
    """The file is strict JSON and holds the whole leaderboard."""
    text = (folder / "leaderboard.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert to_json(from_json(text)) == to_json(samples.hostile()[0])


def test_the_csv_tells_failed_from_diverged() -> None:
    """A run that raised is no divergence; both together are what was lost."""
    board, _ = samples.study(diverging=0.5)
    row = board.overall[-1]
    failing = msgspec.structs.replace(row, failed=1)
    assert row.divergence.count > 1
    text = leaderboard_csv(msgspec.structs.replace(board, overall=(failing,)))
    first = next(csv.DictReader(io.StringIO(text)))
    assert int(first["failed"]) == 1
    assert int(first["diverged"]) == row.divergence.count - 1


def test_what_a_repository_keeps_of_a_report_is_small(tmp_path: Path) -> None:
    """Bytes of each file for each pair, each entrant and workload, and each row have a limit."""
    board, cells = samples.study(tuple("abcdef"), ("iris", "moons", "wine"))
    write((board, cells), tmp_path)
    data = json.loads((tmp_path / "leaderboard.json").read_text())
    size_of_pairs = sum(len(json.dumps(b.pop("pairs"))) for b in data["boards"])
    size_of_rows = len((tmp_path / "leaderboard.csv").read_text())
    size_of_plots = sum(p.stat().st_size for p in (tmp_path / "plots").glob("*.png"))
    n = len(board.overall) * len(board.workloads)
    assert size_of_pairs / sum(len(b.pairs) for b in board.boards) < 250
    assert len(json.dumps(data)) / n < 4000
    assert size_of_rows / (n + len(board.overall)) < 300
    assert size_of_plots / n < 6000
