"""``report.html``: one file that needs nothing else, neither a network nor a server.

Whatever comes from a plugin is escaped: by jinja2 in the text, by JSON with ``<`` written as
``\\u003c`` in the data. A content security policy lets the page run its own three scripts, known by
their hashes, and nothing else, and lets it load nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from optbench.analysis.cost_axes import COST_AXES
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.prose import count
from optbench.inspection.diagnosis import Finding
from optbench.inspection.survey import Survey, survey
from optbench.records import Cell
from optbench.report.format import numbers as text
from optbench.report.format.palette import assign_looks
from optbench.report.format.protocol_text import chosen, flatten, protocol_rows
from optbench.report.format.workload_titles import common, titles_by_regime, view_titles
from optbench.report.page.payload import page_data
from optbench.report.sections import Section
from optbench.support.text import one_line

MOST_EVIDENCE = 8
"""Findings of one illness that are told in full."""
_PAGE = Path(__file__).parent


def report_html(
    board: Leaderboard,
    cells: Sequence[Cell],
    *,
    environment: Mapping[str, Any],
    command: str,
    sections: Sequence[Section] = (),
) -> str:
    """The whole page as text.

    Args:
        board: The leaderboard.
        cells: The cells it was built from; they hold the curves.
        environment: Shown at the end.
        command: The exact command that repeats the study.
        sections: Sections of plugins.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    jinja = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(
        number=text.number,
        fixed=text.fixed,
        loss=text.loss,
        count=count,
        solved=text.solved,
        interval=text.interval,
        chosen=chosen,
        sortable=_sortable,
    )
    views = sorted(board.regimes, key=lambda view: view.label)
    ailing = survey(cells)
    scripts = [plotly_js(), _read("charts.js"), _read("page.js")]
    return jinja.get_template("report.html.j2").render(
        board=board,
        titles=titles_by_regime([b.workload for b in board.workloads]),
        common=common([b.workload for b in board.workloads]),
        views=list(zip(views, view_titles(views), strict=True)),
        verdicts=_verdicts(board),
        choices=_choices(board),
        looks=assign_looks(row.label for row in board.overall),
        survey=ailing,
        evidence=_evidence(ailing),
        most_evidence=MOST_EVIDENCE,
        axes=COST_AXES,
        place=text.place,
        protocol=protocol_rows(board.protocol),
        environment=flatten(environment),
        command=one_line(command),
        sections=[(section, _data_uri(section)) for section in sections],
        css=Markup(_read("report.css")),
        data=Markup(json_for_script(page_data(board, cells))),
        scripts=[Markup(script) for script in scripts],
        script_hashes=" ".join(f"'sha256-{_sha256(script)}'" for script in scripts),
    )


def json_for_script(data: Any) -> str:
    """Strict JSON that cannot end the script element it stands in."""
    return (
        msgspec.json.encode(data)
        .decode()
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )


def plotly_js() -> str:
    """The script of plotly, from the installed package."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _data_uri(section: Section) -> str:
    """Address of a section's picture inside the page; empty without a picture."""
    picture = section.pictures.get("png")
    return "" if picture is None else f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _verdicts(board: Leaderboard) -> dict[str, list[str]]:
    """Label -> its sentences, those about the whole study first, under the empty label.

    A sentence begins with a capital letter, unless it begins with a name.
    """
    names = tuple(row.label for row in board.overall)
    found: dict[str, list[str]] = {"": []}
    for verdict in board.verdicts:
        line = verdict.text.removeprefix(f"{verdict.label}: ") if verdict.label else verdict.text
        line = line if line.startswith(names) else line[:1].upper() + line[1:]
        found.setdefault(verdict.label, []).append(line)
    return found


def _evidence(ailing: Survey) -> dict[str, list[tuple[str, str, Finding]]]:
    """Illness -> entrant, workload and finding of all who have it, one of each entrant first."""
    found: dict[str, list[tuple[str, str, Finding]]] = {i: [] for i in ailing.illnesses}
    for illness, told in found.items():
        ill = {k: list(mine.get(illness, {}).items()) for k, mine in ailing.found.items()}
        for turn in range(max(map(len, ill.values()))):
            told += [(k, *places[turn]) for k, places in ill.items() if turn < len(places)]
    return found


def _choices(board: Leaderboard) -> list[tuple[str, str, list[str]]]:
    """What one can filter by: key in the data, heading, values; only where there is a choice."""
    workloads = [b.workload for b in board.workloads]
    found: list[tuple[str, str, list[str]]] = [
        ("regime", "Regime", list(dict.fromkeys(w.regime for w in workloads))),
        ("dataset", "Dataset", sorted({w.dataset for w in workloads})),
        ("init", "Initializer", sorted({w.initialization for w in workloads})),
        ("network", "Network", sorted({w.network for w in workloads})),
    ]
    return [choice for choice in found if len(choice[2]) > 1 or choice[0] != "network"]


def _sortable(value: float | None) -> str:
    """A number for a script to sort by; unknown is empty and comes last."""
    return "" if value is None else repr(float(value))
