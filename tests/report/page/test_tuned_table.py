"""The table of tuned values: every optimizer on every workload, with marks at the edges."""

from __future__ import annotations

import msgspec

from optbench.analysis.board_rows import EdgeMark
from optbench.analysis.leaderboard import Leaderboard
from optbench.report.format.protocol_text import chosen_texts
from optbench.report.page.tuned_table import tuned_table
from tests.report import samples


def test_every_optimizer_has_its_value_on_every_workload() -> None:
    """The only hyperparameter that was tuned is named once, not in each cell."""
    board, cells = samples.study()
    labels = [row.label for row in board.overall]
    table = tuned_table(board, labels, chosen_texts(board))
    assert table is not None
    assert (table.name, table.at_edge) == ("lr", False)
    assert [label for label, _ in table.rows] == labels
    chosen = {(c.entrant.label, c.workload.label): (c.chosen or {})["lr"] for c in cells}
    for label, values in table.rows:
        expected = [f"{chosen[label, each.label]:.3g}" for each in board.workloads]
        assert [text for text, _ in values] == expected
    assert len(table.workloads) == len({short for short, _ in table.workloads})


def test_several_hyperparameters_keep_their_names() -> None:
    """Where more than one was tuned, every value says which it is."""
    board, cells = samples.study()
    key = (cells[0].entrant.label, cells[0].workload.label)
    texts = {**chosen_texts(board), key: "lr=0.1, beta1=0.9"}
    table = tuned_table(board, [key[0]], texts)
    assert table is not None
    assert table.name == ""
    assert "lr=0.1, beta1=0.9" in [text for text, _ in table.rows[0][1]]


def test_fixed_values_are_not_said_to_be_tuned() -> None:
    """An entrant without trials has no row; without any trial there is no table."""
    board, _ = samples.study()

    def untuned(*labels: str) -> Leaderboard:
        workloads = tuple(
            msgspec.structs.replace(
                each,
                rows=tuple(
                    msgspec.structs.replace(row, trials=0) if row.label in labels else row
                    for row in each.rows
                ),
            )
            for each in board.workloads
        )
        return msgspec.structs.replace(board, workloads=workloads)

    labels = [row.label for row in board.overall]
    changed = untuned(labels[0])
    table = tuned_table(changed, labels, chosen_texts(changed))
    assert table is not None
    assert [label for label, _ in table.rows] == labels[1:]
    assert tuned_table(untuned(*labels), labels, chosen_texts(board)) is None


def test_a_value_at_the_edge_of_its_range_is_marked() -> None:
    """The mark stands on the workload where the range was too narrow, and nowhere else."""
    board, _ = samples.study()
    first = board.workloads[0]
    mark = EdgeMark(workload=first.label, hyper="lr", side="high")
    rows = (msgspec.structs.replace(first.rows[0], edges=(mark,)), *first.rows[1:])
    changed = msgspec.structs.replace(first, rows=rows)
    board = msgspec.structs.replace(board, workloads=(changed, *board.workloads[1:]))
    label = first.rows[0].label
    table = tuned_table(board, [label], chosen_texts(board))
    assert table is not None
    assert table.at_edge
    assert [edge for _, edge in table.rows[0][1]] == ["lr high", *[""] * (len(board.workloads) - 1)]


def test_nothing_tuned_has_no_table() -> None:
    """A study of defaults, or one whose runs are elsewhere."""
    board, _ = samples.study()
    assert tuned_table(board, ["alpha"], {}) is None
    board = msgspec.structs.replace(board, ruleset="defaults")
    assert tuned_table(board, ["alpha"], chosen_texts(board)) is None
