"""Text that Markdown shows as it is."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from optbench.report.format.markdown_escape import escape_markdown


@given(st.text(max_size=60))
def test_markdown_text_is_no_markup(name: str) -> None:
    """No pipe, backtick or angle bracket is left that could open something, and no new line."""
    escaped = escape_markdown(name)
    assert not set(escaped) & set("|`<\n\r")
    assert not re.search(r"(?<!\\)(?:\\\\)*[*\[\]]", escaped)
    assert not re.search(r"(?<![\\\w])(?:\\\\)*_", escaped)


def test_markdown_leaves_alone_what_is_no_markup() -> None:
    """Versions and underscores within words stay readable; list items and emphasis do not pass."""
    assert escape_markdown("0.1.0 on x86_64") == "0.1.0 on x86_64"
    assert escape_markdown("1. one") == "1\\. one"
    assert escape_markdown("_a_ b__c") == "\\_a\\_ b\\_\\_c"
