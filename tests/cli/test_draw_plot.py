"""``optbench plot``, the width of plots, and tables for papers."""

from __future__ import annotations

import csv
import io
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image

from optbench.report.format.plot_kinds import KINDS
from tests.cli.study_helpers import optbench

POINTS_PER_INCH = 72


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two optimizers in two regimes, with two replicates."""
    folder = tmp_path_factory.mktemp("study")
    outcome = optbench(
        "run", "smoke", "--epochs", 2, "--grid", 5, "-r", "batch", "-r", "sgd",
        "--replicates", 2, "--formats", "none", "--jobs", 1, "--out", folder,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    return folder


def width_of(pdf: Path) -> float:
    """Width of the page in inches, as the file says."""
    match = re.search(rb"/MediaBox \[ *0 0 ([0-9.]+) ([0-9.]+) *\]", pdf.read_bytes())
    assert match is not None
    return float(match[1]) / POINTS_PER_INCH


def letters_of(pdf: Path) -> list[float]:
    """Sizes of the letters in points, from the operators of the page."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf.read_bytes(), re.DOTALL)
    sizes = []
    for stream in streams:
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        sizes += [float(size) for size in re.findall(rb"/F\d+ ([0-9.]+) Tf", text)]
    return sizes


@pytest.mark.parametrize("kind", ["score-map", "pairs", "regimes", "ranking"])
@pytest.mark.parametrize("width", [3.25, 6.75])
def test_a_pdf_has_the_width_that_was_asked_for(
    study: Path, tmp_path: Path, kind: str, width: float
) -> None:
    """And letters of about 6 points at least, as in wider plots."""
    target = tmp_path / "figure.pdf"
    outcome = optbench("plot", kind, study, "--out", target, "--width", width)
    assert outcome.code == 0, outcome.err
    assert width_of(target) == pytest.approx(width, abs=0.01)
    sizes = letters_of(target)
    assert sizes
    assert min(sizes) >= 5.8


def test_a_report_can_have_plots_of_a_width(study: Path, tmp_path: Path) -> None:
    """Each of them, and again in another width when asked."""
    for width in (5.0, 3.25):
        outcome = optbench("report", study, "--to", tmp_path, "--formats", "pdf", "--width", width)
        assert outcome.code == 0, outcome.err
        plots = list((tmp_path / "plots").glob("*.pdf"))
        assert len(plots) > 5
        assert {round(width_of(plot), 2) for plot in plots} == {width}


def test_a_width_that_is_too_small_is_refused_with_the_smallest(study: Path) -> None:
    """The message says what the plot needs."""
    outcome = optbench("plot", "regimes", study, "--width", 1)
    assert outcome.code == 1
    assert re.search(r"width 1 is too small for this plot: it needs [0-9.]+ inches", outcome.err)


def test_a_bare_figure_leaves_the_words_to_the_caption(study: Path, tmp_path: Path) -> None:
    """It has the same width, and is lower by the room of title and explanation."""
    sizes = []
    for options in ((), ("--bare",)):
        target = tmp_path / "figure.png"
        outcome = optbench("plot", "budget", study, "--out", target, "--width", 3.25, *options)
        assert outcome.code == 0, outcome.err
        with Image.open(target) as picture:
            sizes.append(picture.size)
    (width, height), (bare_width, bare_height) = sizes
    assert bare_width == width
    assert bare_height < height - 40


def test_every_sheet_of_a_kind_has_a_file(study: Path, tmp_path: Path) -> None:
    """The regime is added to the name; a sheet by its name, and one regime, give one file."""
    optbench("plot", "convergence", study, "--out", tmp_path / "all.svg")
    assert {path.name for path in tmp_path.iterdir()} == {"all-batch.svg", "all-sgd.svg"}
    optbench("plot", "convergence-sgd", study, "--out", tmp_path / "one", "--format", "png")
    optbench("plot", "convergence", study, "--regime", "sgd", "--out", tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_kinds_are_listed_and_the_nearest_is_named(study: Path) -> None:
    """A spelling mistake costs one line."""
    listed = optbench("plot", "--help").out
    assert all(re.search(rf"^ +{kind} ", listed, re.MULTILINE) for kind in KINDS)
    outcome = optbench("plot", "convergense", study)
    assert outcome.code == 1
    assert "did you mean 'convergence'?" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["budget", "--regime", "sgd"],
            "'budget' has no choice of regime; those of: ranking",
        ),
        (["score-map", "--workload", "xyz"], "unknown workload 'xyz'; known: "),
        (["ecdf", "--levels", "hardd"], "unknown level 'hardd'; did you mean 'hard'?"),
        (["ecdf", "--levels", "1.5"], "level 1.5 is not a share above 0 and up to 1"),
        (["optimizer-initializer"], "no plot 'optimizer-initializer': that needs two initializers"),
        (["ranking", "--format", "jpg"], "unknown plot format 'jpg'"),
        (["ranking", "--out", "a.png", "--format", "pdf"], "name different formats"),
        (["convergence-batsch"], "did you mean 'convergence-batch'?"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(study: Path, arguments: list[str], expected: str) -> None:
    """With the value, and what is allowed."""
    outcome = optbench("plot", arguments[0], study, *arguments[1:])
    assert outcome.code == 1
    assert expected in outcome.err
    assert outcome.err.strip().count("\n") == 0


def test_tables_are_exported_for_papers_and_pages(study: Path, tmp_path: Path) -> None:
    """The ending of the file says the format; both have the optimizers of the study."""
    for ending, mark in (("tex", r"\\toprule"), ("md", r"\| :--")):
        target = tmp_path / f"boards.{ending}"
        outcome = optbench("export", study, "--to", target)
        assert outcome.code == 0, outcome.err
        text = target.read_text(encoding="utf-8")
        assert re.search(mark, text)
        assert "adam" in text
    pairs = ("export", study, "--format", "latex", "--table", "pairs", "--board")
    printed = optbench(*pairs, "training-loss")
    assert printed.out.count(r"\begin{table}") == 1, printed.err
    missing = optbench(*pairs, "speed")  # two epochs are not enough for any target
    assert missing.code == 1
    assert "has no table of pairs: one replicate, or nothing to compare" in missing.err


def test_targets_are_exported_one_row_a_run_and_level(study: Path) -> None:
    """The levels are those that were asked for."""
    outcome = optbench("export", study, "--targets", "--levels", "easy,0.8")
    assert outcome.code == 0, outcome.err
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert {row["level"] for row in rows} == {"0.5", "0.8"}
    runs = {(row["label"], row["workload"], row["replicate"], row["seed"]) for row in rows}
    assert len(rows) == 2 * len(runs)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--targets", "--curves"], "--curves and --targets are outputs of their own"),
        (["--levels", "0.5"], "--levels belongs to --targets"),
        (["--table", "pairs"], "need --format latex or markdown"),
        (["--format", "latex", "--curves"], "latex is for tables of the leaderboard"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    study: Path, arguments: list[str], expected: str
) -> None:
    """As a mistake of usage."""
    outcome = optbench("export", study, *arguments)
    assert outcome.code == 2
    assert expected in outcome.err.replace("\n", " ")
