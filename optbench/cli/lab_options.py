"""What ``inspect``, ``sweep`` and ``trajectory`` share: options of one network, and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from optbench.cli.options import (
    POSITIVE,
    REGIME,
    Formats,
    Widths,
    named_option,
    options,
    out_option,
)

if TYPE_CHECKING:
    from optbench.suites import Suite

DEFAULT_OUT = "optbench-lab"
"""Where the plots of inspect and trajectory go when nobody says otherwise."""
DEFAULT_SUITE = "quick"
"""Whose optimizer, initializer and dataset are taken when none is given."""
EPOCHS = 1_000_000
"""As many as a suite may have."""

several_optimizers = named_option(
    "-o",
    "optimizers",
    f"Optimizer, values in brackets. Repeatable. Default: from the {DEFAULT_SUITE} suite.",
    multiple=True,
)
one_dataset = named_option(
    "-d", "datasets", f"Dataset. Default: the {DEFAULT_SUITE} suite's first."
)
plots_option = click.option(
    "--formats", type=Formats(), default="png", show_default=True, help="png, svg, pdf, or none."
)
plot_folder = out_option(DEFAULT_OUT, "Folder for the plots.")

network_options = options(
    click.option(
        "--hidden",
        type=Widths(),
        default="32,32",
        show_default=True,
        metavar="WIDTHS",
        help="Widths of the hidden layers; 'linear' for none.",
    ),
    click.option(
        "--activation",
        default="relu",
        show_default=True,
        metavar="NAME",
        help="relu, tanh, sigmoid, leaky-relu, gelu or linear.",
    ),
    click.option(
        "-r",
        "--regime",
        default="mini-batch",
        show_default=True,
        type=REGIME,
        help="Examples an update.",
    ),
    click.option(
        "--batch-size",
        default=32,
        show_default=True,
        type=POSITIVE,
        help="Examples an update in mini-batch.",
    ),
)
"""One network and the batches that it is trained on."""


def default_suite() -> Suite:
    """The suite that defaults are taken from."""
    from optbench.registry import default_registry
    from optbench.suites import find_suite

    known = {name: entry.item for name, entry in default_registry().entries("suites").items()}
    return find_suite(DEFAULT_SUITE, known)


def default_optimizers() -> list[str]:
    """Spellings of the optimizers in that suite."""
    from optbench.registry import default_registry

    chosen = default_suite().optimizers
    return list(default_registry().entries("optimizers")) if chosen == "all" else list(chosen)
