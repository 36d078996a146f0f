"""Options and defaults shared by ``inspect``, ``sweep`` and ``trajectory``."""

from __future__ import annotations

import click

from optbench.cli.options import (
    POSITIVE,
    REGIME,
    Formats,
    Widths,
    dataset_option,
    named_option,
    options,
    out_option,
)
from optbench.suites.defaults import DEFAULT_SUITE

DEFAULT_OUT = "optbench-lab"
"""Default folder for the plots of ``inspect`` and ``trajectory``."""
EPOCHS = 1_000_000
"""Largest number of epochs, as in a suite."""

several_optimizers = named_option(
    "-o",
    "optimizers",
    f"Optimizer, values in brackets. Repeatable. Default: from the {DEFAULT_SUITE} suite.",
    multiple=True,
)
one_dataset = dataset_option(f"Dataset, or a file. Default: the {DEFAULT_SUITE} suite's first.")
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
        help="Widths of the hidden layers, such as 32,32 or 64x20; 'linear' for none.",
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
        help="Examples per update: all, --batch-size, or one.",
    ),
    click.option(
        "--batch-size",
        default=32,
        show_default=True,
        type=POSITIVE,
        help="Examples per update in mini-batch.",
    ),
)
"""Options for one network and the batches that it is trained on."""
