"""The table of tuned values: every optimizer on every workload, with marks at the edges."""

from __future__ import annotations

import msgspec

from optbench.analysis.board_rows import EdgeMark
from optbench.report.format.protocol_text import tuned_texts
from optbench.report.page.tuned_table import tuned_table
from tests.report import samples


def test_every_optimizer_has_its_value_on_every_workload() -> None:
    """The only hyperparameter that was tuned is named once, not in each cell."""
    board, cells = samples.study()
    labels = [row.label for row in board.overall]
    table = tuned_table(board, labels, tuned_texts(cells, "lr"))
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
    texts = {**tuned_texts(cells, "lr"), key: "lr=0.1, beta1=0.9"}
    table = tuned_table(board, [key[0]], texts)
    assert table is not None
    assert table.name == ""
    assert "lr=0.1, beta1=0.9" in [text for text, _ in table.rows[0][1]]


def test_a_value_at_the_edge_of_its_range_is_marked() -> None:
    """The mark stands on the workload where the range was too narrow, and nowhere else."""
    board, cells = samples.study()
    first = board.workloads[0]
    mark = EdgeMark(workload=first.label, hyper="lr", side="high")
    rows = (msgspec.structs.replace(first.rows[0], edges=(mark,)), *first.rows[1:])
    changed = msgspec.structs.replace(first, rows=rows)
    board = msgspec.structs.replace(board, workloads=(changed, *board.workloads[1:]))
    label = first.rows[0].label
    table = tuned_table(board, [label], tuned_texts(cells, "lr"))
    assert table is not None
    assert table.at_edge
    assert [edge for _, edge in table.rows[0][1]] == ["lr high", *[""] * (len(board.workloads) - 1)]


def test_nothing_tuned_has_no_table() -> None:
    """A study of defaults, or one whose runs are elsewhere."""
    board, cells = samples.study()
    assert tuned_table(board, ["alpha"], {}) is None
    board = msgspec.structs.replace(board, ruleset="defaults")
    assert tuned_table(board, ["alpha"], tuned_texts(cells, "lr")) is None
