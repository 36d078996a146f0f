"""``report.html``: one file that needs nothing else, neither a network nor a server.

Whatever comes from a plugin is escaped: by jinja2 in the text, by JSON with ``<`` written as
``\\u003c`` in the data. A content security policy lets the page run its own scripts, known by
their hashes, and nothing else, and lets it load nothing.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from optbench.analysis.board_records import BoardRow, select_boards
from optbench.analysis.board_rows import OverallRow
from optbench.analysis.cost_axes import COST_AXES
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.board_sentences import has_verdicts
from optbench.analysis.words.board_text import TITLES, best_loss_text
from optbench.analysis.words.cautions import unfinished_caution
from optbench.inspection.survey import Survey, survey
from optbench.records import BOARD_NAMES, BoardName, Cell
from optbench.report.format import numbers
from optbench.report.format.highlights import CROWD, highlights
from optbench.report.format.loss_source_scale import SCALE_NAME, UNIT
from optbench.report.format.palette import assign_looks
from optbench.report.format.protocol_text import chosen_texts, flatten, protocol_rows
from optbench.report.format.workload_titles import common, titles_by_regime, view_titles
from optbench.report.page.board_context import BEST_ROWS, board_data, board_groups, leaders
from optbench.report.page.chart_data import slope_data
from optbench.report.page.diagnosis_context import diagnosis_context
from optbench.report.page.payload import page_data
from optbench.report.page.tuned_table import tuned_table
from optbench.report.sections import Section
from optbench.support.text import count, join_names, one_line, range_text

if TYPE_CHECKING:
    from jinja2 import Template

SCRIPTS = ("base.js", "curves.js", "charts.js", "boards.js", "view.js", "page.js")
"""Scripts of the page, in the order in which they run."""
_PAGE = Path(__file__).parent


def report_html(
    board: Leaderboard,
    cells: Sequence[Cell],
    *,
    environment: Mapping[str, Any],
    command: str,
    sections: Sequence[Section] = (),
    diagnosis: Survey | None = None,
    evaluations: str = "",
) -> str:
    """Return the page as text.

    Args:
        board: The leaderboard.
        cells: The cells it was built from, with their curves; without cells, the page has neither
            curves nor a diagnosis.
        environment: Versions and machine, shown at the end.
        command: The exact command that repeats the study.
        sections: Sections of plugins.
        diagnosis: What `survey` found in the whole study; by default, in `cells`.
        evaluations: How often the runs were evaluated, in words.
    """
    titles = titles_by_regime([b.workload for b in board.workloads])
    ordered = _ordered(board)
    texts = chosen_texts(board)
    unfinished = unfinished_caution(board)
    return _template().render(
        board=board,
        unfinished=unfinished[:1].upper() + unfinished[1:],
        groups=board_groups(board),
        leaders=leaders(board),
        has_pairs=bool(board_data(board)),
        best_rows=BEST_ROWS,
        ordered=ordered,
        lit=highlights(board),
        places=_places(board),
        scores=_mean_scores(board),
        chosen=texts,
        tuned_table=tuned_table(board, [row.label for row in ordered], texts),
        slopes=list(slope_data(board)),
        best_loss=best_loss_text(board.workloads),
        crowd=len(board.overall) > CROWD,
        scale_name=SCALE_NAME,
        unit=UNIT,
        choices=_choices(board),
        looks=assign_looks(row.label for row in board.overall),
        axes=COST_AXES,
        board_titles={name: TITLES[name] for name in BOARD_NAMES},
        protocol=protocol_rows(board.protocol, evaluations),
        environment=flatten(environment),
        command=one_line(command),
        sections=[(section, _data_uri(section)) for section in sections],
        has_curves=any(cell.evaluation for cell in cells),
        titles=titles,
        common=common([b.workload for b in board.workloads]),
        flips=_flips(board),
        order_changes=_order_changes(board),
        equal_examples=_equal_examples(board),
        diagnosis=diagnosis_context(diagnosis or survey(cells), titles),
        **_assets(board, cells),
    )


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals["place"] = range_text
    jinja.filters.update(
        number=numbers.number,
        fixed=numbers.fixed,
        loss=numbers.loss,
        count=count,
        solved=numbers.solved,
        sortable=_sortable,
    )
    return jinja.get_template("report.html.j2")


def _flips(board: Leaderboard) -> list[tuple[str, str, str, str, str]]:
    """Return each clear change of order at equal examples.

    A change is the title of the problem, an entrant and another one, the regime in which the first
    leads, and that in which it trails.
    """
    views = sorted(board.regimes, key=lambda view: view.label)
    flips = []
    for view, title in zip(views, view_titles(views), strict=True):
        flips += [
            (title, f.first, f.second, f.regime, f.other_regime)
            for f in view.order_flips
            if f.clear
        ]
    return flips


def _order_changes(board: Leaderboard) -> list[tuple[str, str, str]]:
    """Return the pairs whose profiles change order, each with those whose absence does it."""
    absent: dict[tuple[str, str], list[str]] = {}
    for first, second, other in board.profiles[0].flips if board.profiles else ():
        absent.setdefault((first, second), []).append(other)
    return [(*pair, join_names(others, last="or")) for pair, others in absent.items()]


def _equal_examples(board: Leaderboard) -> str:
    """Return after how many examples the regimes are compared; a range over the problems."""
    examples = [round(view.examples) for view in board.regimes]
    if not examples:
        return ""
    low, high = min(examples), max(examples)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _assets(board: Leaderboard, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return style, data and scripts, and the hashes that let the scripts run."""
    from markupsafe import Markup

    scripts = list(map(_read, SCRIPTS))
    plotly = plotly_js()
    hashes = [_sha256(script) for script in (plotly, *scripts)]
    return {
        "css": Markup(_read("report.css")),
        "data": Markup(json_for_script(page_data(board, cells))),
        "plotly": Markup(pack(plotly)),
        "scripts": [Markup(script) for script in scripts],
        "script_hashes": " ".join(f"'sha256-{digest}'" for digest in hashes),
    }


def json_for_script(data: Any) -> str:
    """Return strict JSON that cannot end the script element that contains it."""
    return (
        msgspec.json.encode(data)
        .decode()
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )


def plotly_js() -> str:
    """Return the script of plotly, from the installed package."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@functools.lru_cache(maxsize=1)
def pack(text: str) -> str:
    """Return a text compressed by gzip, as base64: plotly takes 2 instead of 5 MB of a page.

    The same text gives the same characters.
    """
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _data_uri(section: Section) -> str:
    """Address of a section's picture inside the page; empty without a picture."""
    picture = section.pictures.get("png")
    return "" if picture is None else f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _places(board: Leaderboard) -> dict[str, dict[BoardName, BoardRow]]:
    """Return label -> board -> its row there, on these workloads; only boards with verdicts."""
    places: dict[str, dict[BoardName, BoardRow]] = {row.label: {} for row in board.overall}
    for each in select_boards(board.boards):
        for row in each.rows if has_verdicts(each) else ():
            if row.value is not None:
                places.setdefault(row.label, {})[each.name] = row
    return places


def _ordered(board: Leaderboard) -> list[OverallRow]:
    """Return the rows in the order of the first board."""
    first = next(iter(select_boards(board.boards)), None)
    order = {row.label: i for i, row in enumerate(first.rows if first else ())}
    return sorted(board.overall, key=lambda row: order.get(row.label, len(order)))


def _mean_scores(board: Leaderboard) -> dict[str, float | None]:
    """Return label -> mean score over its workloads; None if it has none."""
    scores: dict[str, list[float]] = {row.label: [] for row in board.overall}
    for workload in board.workloads:
        for row in workload.rows:
            if row.score.value is not None:
                scores[row.label].append(row.score.value)
    return {k: sum(values) / len(values) if values else None for k, values in scores.items()}


def _choices(board: Leaderboard) -> list[tuple[str, str, list[str]]]:
    """Return the filters: key in the data, heading, values."""
    workloads = [b.workload for b in board.workloads]
    choices: list[tuple[str, str, list[str]]] = [
        ("regime", "Regime", list(dict.fromkeys(w.regime for w in workloads))),
        ("dataset", "Dataset", sorted({w.dataset for w in workloads})),
        ("init", "Initializer", sorted({w.initialization for w in workloads})),
        ("network", "Network", sorted({w.network for w in workloads})),
    ]
    return [choice for choice in choices if len(choice[2]) > 1 or choice[0] != "network"]


def _sortable(value: float | None) -> str:
    """Return a number for a script to sort by; unknown is empty and comes last."""
    return "" if value is None else repr(float(value))
