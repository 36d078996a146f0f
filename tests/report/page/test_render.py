"""The interactive page as text; tests/browser looks at it with a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import msgspec
import pytest

from optbench.analysis.view_records import OrderFlip
from optbench.report.format.palette import MARKERS
from optbench.report.format.protocol_text import chosen_texts
from optbench.report.page.payload import page_data
from optbench.report.page.render import SCRIPTS, json_for_script, pack, plotly_js, report_html
from tests.report import samples

ELEMENTS = set(
    # one line of names reads better than fifty lines of them
    "html head meta title style body a header div h1 span p button main label select option "  # noqa: SIM905
    "fieldset legend input section h2 h3 table thead tbody tr th td details summary ul li figure "
    "figcaption code noscript script abbr b article i colgroup col wbr".split()
)


class Reader(HTMLParser):
    """Collects elements, attributes and the text of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] == "script":
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    sample = samples.with_boards(samples.hostile(), regimes=("sgd",))
    return report_html(*sample, environment={"<i>": "<b>"}, command="run '<b>'")


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    found = Reader()
    found.feed(page)
    return found


def test_names_make_no_elements_and_no_handlers(reader: Reader) -> None:
    """Whatever a plugin is called, the page holds our elements alone and no inline handler."""
    assert set(reader.elements) <= ELEMENTS
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]


def test_the_page_needs_nothing_else(reader: Reader) -> None:
    """No address of anything outside: no src at all, links within the page only."""
    assert not [a for a in reader.attributes if a[1] in ("src", "srcset", "action", "data")]
    assert all(value.startswith("#") for _, name, value in reader.attributes if name == "href")


def test_the_policy_lets_these_scripts_run_and_no_other(page: str) -> None:
    """The hashes of the policy are those of the scripts in the page, and of plotly unpacked."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'")
    allowed = set(re.findall(r"'(sha256-[^']*)'", policy[1].replace("&#39;", "'")))
    bodies = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    hashes = {
        "sha256-" + base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() for b in bodies
    }
    packed = re.search(r'<script type="text/plain" id="plotly">(.*?)</script>', page)
    assert packed is not None
    plotly = gzip.decompress(base64.b64decode(packed[1]))
    hashes.add("sha256-" + base64.b64encode(hashlib.sha256(plotly).digest()).decode())
    assert len(bodies) == len(SCRIPTS)
    assert hashes == allowed


def test_plotly_is_packed_in_under_two_megabytes() -> None:
    """The largest part of a page is compressed, the same way each time."""
    assert len(pack(plotly_js())) < 2e6
    assert gzip.decompress(base64.b64decode(pack("text"))) == b"text"


def test_data_cannot_leave_its_script() -> None:
    """No sequence of characters in a name ends the element or opens a comment."""
    text = json_for_script({"name": "</script><!--<b>&"})
    assert not set(text) & set("<>&")
    assert json.loads(text) == {"name": "</script><!--<b>&"}


def test_the_data_are_strict_json_with_every_curve() -> None:
    """One curve for each cell; runs that diverged leave gaps, not NaN."""
    board, cells = samples.study(diverging=1.0)
    data = page_data(board, cells)
    json.dumps(data, allow_nan=False)
    assert len(data["curves"]) == len(cells)
    assert {c["label"] for c in data["curves"]} == {r.label for r in board.overall}
    lost = [c for c in data["curves"] if c["label"] == "beta"]
    assert all(None in c["y"]["val_loss"][0] for c in lost)


def test_headings_do_not_skip_a_level(reader: Reader) -> None:
    """One first heading, and every section has its own: what a screen reader steps through."""
    levels = [int(tag[1]) for tag in reader.elements if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_look_has_its_shape_on_the_page() -> None:
    """More optimizers than shapes: plotly draws all that matplotlib draws, each its own."""
    labels = tuple(f"entrant {i:02}" for i in range(len(MARKERS) + 1))
    shapes = [look[2] for look in page_data(*samples.study(labels, ("iris",)))["looks"].values()]
    assert len(set(shapes)) == len(MARKERS)


def test_changes_of_order_are_told_for_profiles_and_for_regimes() -> None:
    """Two kinds: without a third optimizer, and in another regime; the page has both at once."""
    board, cells = samples.study(labels=tuple("abcd"))
    names = [row.label for row in board.overall]
    third = msgspec.structs.replace(
        board.profiles[0], flips=tuple((names[0], names[1], other) for other in names[2:])
    )
    flip = OrderFlip(
        first=names[0], second=names[1], regime="batch", other_regime="sgd", clear=True
    )
    regime = msgspec.structs.replace(board.regimes[0], order_flips=(flip,))
    changed = msgspec.structs.replace(
        board, profiles=(third, *board.profiles[1:]), regimes=(regime,)
    )
    text = report_html(changed, cells, environment={}, command="run")
    assert f"{names[0]} and {names[1]} without {names[2]} or {names[3]}." in text
    assert f'leads <b class="name">{names[1]}</b> in batch, and trails it in sgd' in text
    assert "1 change of order at equal examples" in text


def test_the_regimes_say_after_how_many_examples_they_are_compared() -> None:
    """A problem may have fewer than another; the boards compare the ends."""
    board, cells = samples.study()
    views = [
        msgspec.structs.replace(board.regimes[0], examples=examples, order_flips=())
        for examples in (2700.0, 960.0)
    ]
    for k, seen in ((1, "2,700"), (2, "960 to 2,700")):
        changed = msgspec.structs.replace(board, regimes=tuple(views[:k]))
        text = report_html(changed, cells, environment={}, command="run")
        assert f"after the same number of examples, {seen}: that" in text
        assert "No change of order at equal examples holds" in text


def test_only_the_board_is_called_stability(page: str) -> None:
    """The section below shows other quantities, and progress kept has no interval."""
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", page).count("Stability") == 0
    (note,) = re.findall(r"<p class=\"note\">(Progress kept[^<]*)</p>", page)
    assert note.index("interval") > note.index("Diverged")


def test_the_boards_come_before_everything_else(page: str) -> None:
    """Four panels on these workloads, hidden ones for each regime, then workloads like these."""
    sections = re.findall(
        r'<section class="wide answer" data-statement="([^"]*)" data-regime="([^"]*)" (\w*)', page
    )
    assert sections == [
        ("these-workloads", "", ""),
        ("these-workloads", "sgd", "hidden"),
        ("workloads-like-these", "", ""),
    ]
    assert page.count('<article class="board"') == 12
    assert page.index("<article") < page.index('id="ranking"') < page.index('id="curves"')


def test_pairs_are_data_of_the_page() -> None:
    """Every pair of every board with verdicts is in the data, with texts for its evidence."""
    board, cells = samples.with_boards(samples.study())
    data = page_data(board, cells)["boards"]
    assert [each["name"] for each in data] == [each.name for each in board.boards]
    assert all(len(each["pairs"]) == 3 for each in data)
    single = page_data(*samples.with_boards(samples.study(), replicates=1))["boards"]
    assert single == []


def test_a_crowd_has_its_best_in_colour() -> None:
    """Of forty entrants a handful are picked, the first of each board among them."""
    board, cells = samples.crowd()
    data = page_data(board, cells)
    picked = set(data["labels"]) - set(data["off"])
    assert data["crowd"]
    assert {each.rows[0].label for each in board.boards[:4]} <= picked
    assert len(picked) == 6


def test_chosen_values_are_ranges_over_the_replicates() -> None:
    """One value where all replicates agree, otherwise from the least to the largest."""
    board, _ = samples.study()
    first = board.workloads[0]
    row = first.rows[0]
    rate = f"{float(str(row.hyper['lr'])):.3g}"

    def text(*configurations: str) -> str:
        rows = (msgspec.structs.replace(row, configurations=configurations), *first.rows[1:])
        changed = msgspec.structs.replace(first, rows=rows)
        workloads = (changed, *board.workloads[1:])
        return chosen_texts(msgspec.structs.replace(board, workloads=workloads))[
            row.label, first.label
        ]

    assert text() == text(row.configuration, row.configuration) == f"lr={rate}"
    assert text(row.configuration, "alpha[lr=5.0]") == f"lr={rate} to 5"


def test_a_page_without_runs_has_the_tuned_values() -> None:
    """They are in `leaderboard.json`, so a page that is made from it alone has them."""
    board, cells = samples.study()
    sections = [
        page.partition('id="tuned"')[2].partition("</section>")[0]
        for page in (report_html(board, runs, environment={}, command="") for runs in (cells, ()))
    ]
    assert sections[0] == sections[1] != ""
