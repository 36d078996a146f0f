"""File formats of plots."""

from __future__ import annotations

from optbench.errors import unknown_name

FORMATS = ("png", "svg", "pdf")


def check_plot_format(form: str) -> None:
    """Require a known format.

    Raises:
        ConfigError: The format is unknown; the message has the nearest one.

    Example:
        >>> check_plot_format("png")
    """
    if form not in FORMATS:
        raise unknown_name("plot format", form, FORMATS)
