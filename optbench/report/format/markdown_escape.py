"""Escapes text for Markdown."""

from __future__ import annotations

import re

from optbench.support.text import one_line

_MARKUP = re.compile(
    r"[\\`*\[\]|~#>]|(?<![^\W_])_|_(?![^\W_])"  # an underscore within a word is no markup
    r"|^[+!-]|(?<=^\d)[.)](?!\S)|(?<=^\d\d)[.)](?!\S)"
)


def escape_markdown(text: str) -> str:
    """Escape everything that Markdown takes for markup, HTML or the border of a table."""
    escaped = one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(lambda m: f"&#{ord(m[0])};" if m[0] in "|`" else "\\" + m[0], escaped)
