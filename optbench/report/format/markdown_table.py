"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def markdown_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0, 1)
) -> str:
    """Return a table of cells that are escaped already.

    Args:
        heads: Headings.
        rows: Cells, row by row.
        left: Indices of the columns that are aligned to the left.
    """
    rules = [":--" if i in left else "--:" for i in range(len(heads))]
    lines = [heads, rules, *rows]
    return "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in lines)
