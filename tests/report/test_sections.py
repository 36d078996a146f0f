"""Sections of plugins as text and pictures, and where they stand in the report."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure
from PIL import Image

from optbench import PluginError, ReportSection
from optbench.report import write_all
from optbench.report.sections import Section, make_section
from tests.report import samples


class Both(ReportSection):
    """A table and a figure."""

    name = "both"
    title = "Cost & <b>effort</b>"
    note = "Less | is better."

    def table(self, study: Any) -> Any:
        return [{"label": "a|b", "cost": 0.123456}, {"label": "<i>c</i>", "more": np.int64(3)}]

    def figure(self, study: Any) -> Figure:
        figure = Figure(figsize=(2, 1))
        figure.add_subplot().plot([1, 2], [3, 4])
        return figure


class Empty(ReportSection):
    """Nothing to show for this study."""

    name = "empty"
    title = "Nothing"


def made(item: type[ReportSection] = Both, formats: tuple[str, ...] = ("svg",)) -> Section:
    """The section of a plugin."""
    section = make_section(item(), object(), formats)
    assert section is not None
    return section


def test_a_table_has_the_columns_of_all_its_rows() -> None:
    """In the order of their first use; what a row lacks is empty."""
    section = made()
    assert section.columns == ("label", "cost", "more")
    assert section.rows == (("a|b", "0.123", ""), ("<i>c</i>", "", "3"))


def test_values_of_any_kind_become_text() -> None:
    """Numbers are rounded, what is missing is empty, and line breaks are blanks."""
    row = {"a": None, "b": math.inf, "c": np.float32(0.5), "d": True, "e": "two\nlines", "f": 10**9}
    table = type("Table", (Empty,), {"table": lambda self, study: [row]})
    assert made(table).rows == (("", "never", "0.5", "True", "two lines", "1000000000"),)


def test_a_data_frame_is_a_table() -> None:
    """Those of the study can be returned as they are."""
    frame = pandas.DataFrame({"label": ["a", "b"], "cost": [1.5, None]})
    section = made(type("Framed", (Empty,), {"table": lambda self, study: frame}))
    assert (section.columns, section.rows) == (("label", "cost"), (("a", "1.5"), ("b", "–")))


def test_a_figure_is_saved_in_each_format_and_for_the_page() -> None:
    """The page takes the PNG, also where no PNG file is asked for."""
    pictures = made(formats=("svg", "pdf")).pictures
    assert set(pictures) == {"png", "svg", "pdf"}
    assert pictures["png"].startswith(b"\x89PNG")
    assert b"<svg" in pictures["svg"]
    assert pictures["pdf"].startswith(b"%PDF")


def test_a_figure_that_takes_the_width_gets_it() -> None:
    """A method without the parameter is called as the contract declares it."""

    class Wide(Empty):
        """A figure as wide as the plots of the report."""

        def figure(self, study: Any, width: float | None = None) -> Figure:
            return Figure(figsize=(width or 2, 1))

    def pixels(item: type[ReportSection], width: float | None) -> int:
        section = make_section(item(), object(), (), width)
        assert section is not None
        return Image.open(io.BytesIO(section.pictures["png"])).width

    assert [pixels(Wide, width) for width in (None, 3.5)] == [200, 350]
    assert [pixels(Both, width) for width in (None, 3.5)] == [200, 200]


def test_the_digest_follows_what_is_shown() -> None:
    """The same section is not written again, another one is."""
    other = type("Other", (Both,), {"table": lambda self, study: [{"label": "z"}]})
    assert made().digest == made().digest
    assert len({made().digest, made(other).digest, Section("both", "x").digest}) == 3


def test_a_section_without_anything_is_left_out() -> None:
    """A plugin may have nothing to say of a study."""
    assert make_section(Empty(), object(), ()) is None


@pytest.mark.parametrize(
    ("method", "result", "message"),
    [
        ("table", [1, 2], "table must return a list of dicts"),
        ("table", "ab", "table must return a list of dicts"),
        ("table", 3, "table must return a list of dicts"),
        ("figure", "picture.png", "must return a matplotlib Figure, not an object of str"),
    ],
)
def test_other_results_are_refused(method: str, result: object, message: str) -> None:
    """The fault is named in one line."""
    broken = type("Broken", (Empty,), {method: lambda self, study: result})
    with pytest.raises(PluginError, match=message):
        make_section(broken(), object(), ("png",))


def write(out: Path, *sections: Section) -> list[Path]:
    """Write the report of a small study."""
    return write_all(
        *samples.tiny(),
        out,
        environment={},
        command="optbench run",
        formats=("svg",),
        sections=sections,
    )


def test_a_section_stands_in_markdown_page_and_plots(tmp_path: Path) -> None:
    """Title, note, table and picture; nothing in them is markup."""
    files = write(tmp_path, made())
    assert tmp_path / "plots" / "section-both.svg" in files
    markdown = (tmp_path / "leaderboard.md").read_text()
    assert r"## Cost &amp; &lt;b\>effort&lt;/b\>" "\n\nLess &#124; is better.\n\n" in markdown
    assert "(plots/section-both.svg)" in markdown
    assert "| a&#124;b | 0.123 |" in markdown
    assert markdown.count("section-both") == 1
    page = (tmp_path / "report.html").read_text()
    (section,) = re.findall(r'<section id="section-both".*?</section>', page, re.DOTALL)
    assert ">Cost &amp; &lt;b&gt;effort&lt;/b&gt;</h2>" in section
    assert "<td>&lt;i&gt;c&lt;/i&gt;</td>" in section
    assert 'src="data:image/png;base64,' in section


def test_the_report_follows_its_sections(tmp_path: Path) -> None:
    """A changed section is written again, one that is gone leaves nothing behind."""

    def stamps() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    write(tmp_path, made())
    before = stamps()
    write(tmp_path, made())
    assert stamps() == {**before, ".report.json": stamps()[".report.json"]}
    write(tmp_path)
    assert not (tmp_path / "plots" / "section-both.svg").exists()
    assert "section-both" not in (tmp_path / "leaderboard.md").read_text()
    assert "section-both" not in (tmp_path / "report.html").read_text()
