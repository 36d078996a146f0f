"""Help texts of commands: their examples as blocks of code."""

from __future__ import annotations

from typing import Any

LINE = "| "
"""What begins a line that sphinx-click keeps as it is."""


def examples_as_code(app: Any, context: Any, lines: list[str]) -> None:
    """Replace the lines of examples by a heading and a block of code, in place.

    A help text has them after a backspace character; sphinx-click makes a block of lines of them,
    in which the spaces between a command and its comment are lost.

    Args:
        app: The Sphinx application.
        context: The click context of the command.
        lines: Its help text, as sphinx-click made it.
    """
    shown: list[str] = []
    for line in lines:
        text = line.removeprefix(LINE)
        if text == line:
            shown.append(line)
        elif not text.startswith(" "):  # the heading of the block
            shown += [text, "", ".. code-block:: text", ""]
        else:
            shown.append("   " + text.strip())
    lines[:] = shown
