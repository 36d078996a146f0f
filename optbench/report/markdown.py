"""The leaderboard as Markdown that reads well on a code-hosting page."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from optbench.analysis.board_rows import WorkloadBoard
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.cautions import unfinished_caution
from optbench.report.board_markdown import answer, pair_blocks
from optbench.report.format import numbers
from optbench.report.format.markdown_escape import escape_markdown
from optbench.report.format.markdown_table import markdown_table
from optbench.report.format.protocol_text import chosen, flatten, protocol_rows, tuned
from optbench.report.format.workload_titles import common, titles_by_regime
from optbench.report.sections import SECTION_PREFIX, Section
from optbench.support.text import count, one_line

CAPTIONS = {
    "ranking": "Boards, with intervals and places",
    "score-map": "Optimizer × workload",
    "pairs-": "Every pair, {}",
    "pairs": "Every pair",
    "regimes": "Does the winner depend on the regime?",
    "convergence-": "Convergence, {}",
    "lr-sensitivity-": "Learning-rate sensitivity, {}",
    "performance-profile": "Performance profiles: time to target",
    "ecdf": "Targets reached",
    "budget": "What tuning is worth",
    "critical-difference": "Critical differences",
    "optimizer-initializer": "Optimizer × initializer",
    "bias-variance": "Where the validation loss comes from",
}


def leaderboard_markdown(
    board: Leaderboard,
    pictures: Sequence[str],
    *,
    environment: Mapping[str, Any],
    command: str,
    sections: Sequence[Section] = (),
    evaluations: str = "",
) -> str:
    """Return the text of ``leaderboard.md``.

    Args:
        board: The leaderboard.
        pictures: Paths of the plots, relative to the file. The PNG of each plot is shown.
        environment: Versions and machine, listed at the end.
        command: The exact command that repeats the study.
        sections: Sections of plugins.
        evaluations: How often the runs were evaluated, in words.
    """
    protocol = protocol_rows(board.protocol, evaluations)
    blocks = [
        "# Leaderboard" + (f": {escape_markdown(board.title)}" if board.title else ""),
        _opening(board),
        *answer(board, _picture(pictures, "ranking")),
        *pair_blocks(board),
        *_warnings(board),
        *_pictures([p for p in pictures if not p.startswith(f"plots/{SECTION_PREFIX}")]),
        *[_section(section, pictures) for section in sections],
        "## Workload by workload\n\n" + _reading(),
        *_workloads(board),
        "## Protocol\n\n" + markdown_table(("setting", "value"), protocol),
        "## How to reproduce it\n\n" + _code(command),
        *_environment(environment),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _opening(board: Leaderboard) -> str:
    n = len(board.workloads)
    shared = common([b.workload for b in board.workloads])
    state = unfinished_caution(board)
    return (
        (f"**{escape_markdown(state[:1].upper() + state[1:])}.** " if state else "")
        + f"{count(len(board.overall), 'optimizer')} on {count(n, 'workload')}, "
        f"{count(board.protocol.replicates, 'replicate')} of "
        f"{count(board.protocol.seeds, 'evaluation seed')} each, {count(board.runs, 'run')} in "
        "total. "
        f"Tuned: {tuned(board.protocol)}."
        + (f" All workloads: {escape_markdown(shared)}." if shared else "")
    )


def _warnings(board: Leaderboard) -> list[str]:
    if not board.warnings:
        return []
    return ["## Cautions\n\n" + "\n".join(f"- {escape_markdown(w)}" for w in board.warnings)]


def caption(stem: str) -> str:
    """Return the caption of a plot, from its file name."""
    for prefix, words in CAPTIONS.items():
        if stem.startswith(prefix):
            return words.format(stem.removeprefix(prefix))
    return stem


def _picture(pictures: Sequence[str], stem: str, title: str = "") -> list[str]:
    """Show a plot, linked to its SVG if there is one."""
    path = f"plots/{stem}"
    forms = [form for form in ("png", "svg") if f"{path}.{form}" in pictures]
    if not forms:
        return []
    image = f"![{title or caption(stem)}]({path}.{forms[0]})"
    return [f"[{image}]({path}.svg)" if forms == ["png", "svg"] else image]


def _pictures(pictures: Sequence[str]) -> list[str]:
    stems = {p.removeprefix("plots/").rpartition(".")[0] for p in pictures} - {"ranking"}
    order = list(CAPTIONS)

    def position(stem: str) -> tuple[int, str]:
        return next((i for i, k in enumerate(order) if stem.startswith(k)), len(order)), stem

    blocks = [
        f"### {caption(stem)}\n\n{image}"
        for stem in sorted(stems, key=position)
        for image in _picture(pictures, stem)
    ]
    return ["## Plots", *blocks] if blocks else []


def _section(section: Section, pictures: Sequence[str]) -> str:
    """Return the section of a plugin."""
    title = escape_markdown(section.title)
    blocks = [
        f"## {title}",
        escape_markdown(section.note),
        *_picture(pictures, section.stem, title),
    ]
    if section.rows:
        rows = [[escape_markdown(cell) for cell in row] for row in section.rows]
        blocks.append(
            markdown_table([escape_markdown(column) for column in section.columns], rows, (0,))
        )
    return "\n\n".join(block for block in blocks if block)


def _reading() -> str:
    return (
        "Losses are medians over the evaluation seeds, *spread* is the inter-quartile range of the "
        "final log loss. *To target*: examples seen until the target validation loss holds."
    )


def _workloads(board: Leaderboard) -> list[str]:
    titles = titles_by_regime([b.workload for b in board.workloads])
    return [_workload(b, titles[b.label], board.ruleset) for b in board.workloads]


def _workload(place: WorkloadBoard, title: str, ruleset: str) -> str:
    heads = ("optimizer", "score", "test loss", "val loss", "train loss", "metric", "to target")
    rows = [
        (
            f"**{escape_markdown(row.label)}**",
            numbers.fixed(row.score.value),
            numbers.loss(row.test_loss, row.failed == row.seeds),
            numbers.loss(row.val_loss, row.failed == row.seeds),
            numbers.loss(row.train_loss, row.failed == row.seeds),
            numbers.number(row.test_metric.median, infinite=numbers.UNKNOWN),
            f"{numbers.number(row.time.examples)} ({row.reached}/{row.seeds})",
            numbers.number(row.seed_spread),
            numbers.lost(row.divergence, row.failed, brief=True),
            escape_markdown(chosen(row.hyper, ruleset)),
        )
        for row in place.rows
    ]
    notes = []
    if place.target is not None:
        notes.append(f"Target: {numbers.number(place.target)} ({place.target_level}).")
    if place.base_rate is not None:
        base = numbers.number(place.base_rate)
        notes.append(f"The metric is accuracy; always guessing the largest class has {base}.")
    return (
        f"<details><summary>{html.escape(one_line(title))}</summary>\n\n"
        + (" ".join(notes) + "\n\n" if notes else "")
        + markdown_table((*heads, "spread", "diverged", "chosen"), rows, left=(0, 9))
        + "\n\n</details>"
    )


def _environment(environment: Mapping[str, Any]) -> list[str]:
    if not environment:
        return []
    rows = [(escape_markdown(k), escape_markdown(v)) for k, v in flatten(environment)]
    return ["## Environment\n\n" + markdown_table(("item", "value"), rows)]


def _code(command: str) -> str:
    """Return an indented block, which nothing in the command can end."""
    return f"    {one_line(command)}"
