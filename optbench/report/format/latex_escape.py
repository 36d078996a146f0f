"""Escapes text for LaTeX, and writes tables with the rules of the package booktabs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from optbench.support.text import one_line

_REPLACEMENTS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "–": "--",
    "…": r"\ldots{}",
    "×": r"$\times$",
    "−": "$-$",
    "±": r"$\pm$",
    "τ": r"$\tau$",
    "√": r"$\surd$",
}
LAST_LETTER = "ÿ"
"""Letters beyond it, which the usual fonts of LaTeX lack, become question marks."""
LONG = 45
"""A table of more rows goes over several pages."""


def escape_latex(text: str) -> str:
    r"""Return text that LaTeX prints as it is.

    Example:
        >>> print(escape_latex("adam[beta_1=0.9] & 50%"))
        adam[beta\_1=0.9] \& 50\%
    """
    escaped = "".join(_REPLACEMENTS.get(c, c if c <= LAST_LETTER else "?") for c in one_line(text))
    # after the end of a row, LaTeX takes a bracket or a star for an option of the line break
    return "{}" + escaped if escaped[:1] in ("[", "*", "") else escaped


def latex_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    label: str,
    left: Collection[int] = (0,),
) -> str:
    """Return a table for LaTeX, with the commands that its preamble needs as a comment.

    Args:
        heads: Headings, escaped already.
        rows: Cells, row by row, escaped already.
        caption: Caption, escaped already.
        label: Name for references, of letters, digits and hyphens.
        left: Indices of the columns that are aligned to the left.
    """
    columns = "".join("l" if i in left else "r" for i in range(len(heads)))
    is_long = len(rows) > LONG
    head = [r"\toprule", " & ".join(heads) + r" \\", r"\midrule"]
    body = [" & ".join(row) + r" \\" for row in rows]
    title = rf"\caption{{{caption}}}\label{{tab:{label}}}"
    if is_long:
        lines = [
            r"% needs \usepackage{booktabs,longtable}",
            rf"\begin{{longtable}}{{{columns}}}",
            title + r" \\",
            *head,
            r"\endhead",
            *body,
            r"\bottomrule",
            r"\end{longtable}",
        ]
    else:
        lines = [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            title,
            rf"\begin{{tabular}}{{{columns}}}",
            *head,
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    return "\n".join(lines) + "\n"
