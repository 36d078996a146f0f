"""Options shared by several commands, and shell completion of plugin names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from optbench.errors import ConfigError, PluginWarning
from optbench.records import REGIMES, USUAL_REGIONS
from optbench.records.criteria import parse_region

F = TypeVar("F", bound=Callable[..., Any])

POSITIVE = click.IntRange(min=1)
REGIME = click.Choice(REGIMES)
TARGET = "optbench.target"
"""Key of the target column in the context of a command."""


class Formats(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """Formats of plots, such as ``png,svg``; ``none`` for no plots."""

    name = "formats"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the formats, split at commas and checked."""
        if isinstance(value, tuple):
            return value
        if value.strip() == "none":
            return ()
        from optbench.report import FORMATS

        found = tuple(part.strip() for part in value.split(",") if part.strip())
        for part in found:
            if part not in FORMATS:
                self.fail(f"'{part}' is none of {', '.join(FORMATS)}, none", param, ctx)
        return found


MOST_WIDTH, MOST_LAYERS = 10**6, 1000
_LAYERS = re.compile(r"([0-9]{1,7})(?:x([0-9]{1,4}))?")


class Widths(click.ParamType):  # type: ignore[type-arg]
    """Widths of hidden layers: ``32,32``, ``64x20`` for 20 layers, ``linear`` for none."""

    name = "widths"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the widths.

        Raises:
            ConfigError: A width is not a whole number from 1 to 1,000,000, or there are more than
                1,000 layers.
        """
        if isinstance(value, tuple):
            return value
        if value.strip() == "linear":
            return ()
        parts = [_LAYERS.fullmatch(part.strip()) for part in value.split(",")]
        widths: list[int] = []
        for part in parts:
            width, count = (int(part[1]), int(part[2] or 1)) if part else (0, 0)
            if not (0 < width <= MOST_WIDTH and 0 < count <= MOST_LAYERS - len(widths)):
                raise ConfigError(
                    f"--hidden '{value}' is not allowed; widths from 1 to 1,000,000 with commas "
                    "between, as in 32,32 or 64x20, or 'linear' for no hidden layer"
                )
            widths += [width] * count
        return tuple(widths)


class Place(click.Path):
    """Path of a file or a folder, converted to a `Path`; NUL characters are refused.

    Args:
        folder: Whether to refuse an existing file.
    """

    def __init__(self, folder: bool = False) -> None:
        super().__init__(path_type=Path, file_okay=not folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, converted as click does."""
        if "\0" in str(value):
            self.fail("a path cannot contain a NUL character", param, ctx)
        return super().convert(value, param, ctx)


width_option = click.option(
    "--width",
    metavar="INCHES",
    type=click.FloatRange(1, 50),
    help="Width of the plots, such as 3.25 for a column of a paper; the font size stays the same.",
)


def _load_plugins(ctx: click.Context, param: click.Parameter, targets: tuple[str, ...]) -> None:
    if not targets or ctx.resilient_parsing:
        return
    from optbench.registry import default_registry

    registry = default_registry()
    for target in targets:
        registry.load_once(target)
    registry.check()


def _be_strict(ctx: click.Context, param: click.Parameter, strict: bool) -> None:
    if not strict or ctx.resilient_parsing:
        return
    from optbench.registry import default_registry

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the check below raises an error instead
        default_registry().check(strict=True)


def plugin_options(command: F) -> F:
    """Add ``--plugin FILE|MODULE`` and ``--strict``, which take effect before the command starts.

    Neither is passed to the command's function.
    """
    command = click.option(
        "--strict",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_be_strict,
        help="Exit with an error if an installed plugin does not load.",
    )(command)
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="FILE|MODULE",
        is_eager=True,
        expose_value=False,
        callback=_load_plugins,
        help="Load a plugin that is not installed: a Python file or a module. Repeatable.",
        shell_complete=lambda ctx, param, text: [CompletionItem(text, type="file")],
    )(command)


def options(*stack: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that adds several options, listed in this order by ``--help``."""

    def decorate(command: F) -> F:
        for option in reversed(stack):
            command = option(command)
        return command

    return decorate


class RegionChoice(click.ParamType):  # type: ignore[type-arg]
    """Half width of a board's region of practical equivalence, such as ``speed=10%``."""

    name = "region"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the board and its value.

        Raises:
            ConfigError: The board does not exist, or the value is not allowed.
        """
        if isinstance(value, tuple):
            return value
        board, _, width = (part.strip() for part in value.partition("="))
        parse_region(board, width)
        return board, width


region_option = click.option(
    "--region",
    "regions",
    type=RegionChoice(),
    multiple=True,
    metavar="BOARD=VALUE",
    help="Largest difference that counts as equal on a board: of scores, for speed of the time, "
    f"for stability of shares; percentages are allowed. Usual: {USUAL_REGIONS}. Repeatable.",
)
"""``--region``, passed to the command as ``regions``: pairs of a board and its value."""
baseline_option = click.option(
    "--baseline",
    metavar="NAME",
    help="Optimizer that all others are compared with, by its name on the leaderboard.",
)


def named_option(
    short: str,
    kind: str,
    help_text: str,
    *,
    multiple: bool = False,
    callback: Callable[..., Any] | None = None,
) -> Callable[[F], F]:
    """Return an option that takes the name of a plugin of one kind.

    Args:
        short: Short form, such as ``"-o"``. The long form is the kind in the singular.
        kind: ``"optimizers"``, ``"initializers"`` or ``"datasets"``.
        help_text: Help text of the option.
        multiple: Whether the option may be repeated. If so, its argument is called `kind`, and
            otherwise the singular of `kind`.
        callback: Function that changes the value, as click calls it.
    """
    singular = kind.removesuffix("s")
    return click.option(
        short,
        f"--{singular}",
        kind if multiple else singular,
        multiple=multiple,
        metavar="NAME[...]",
        shell_complete=registered(kind),
        help=help_text,
        callback=callback,
    )


target_option = click.option(
    "--target",
    metavar="COLUMN",
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, param, column: ctx.meta.__setitem__(TARGET, column),
    help="Column to predict, for a dataset that is a file, such as -d houses.csv.",
)
"""``--target``, which `dataset_option` and `add_target` put into the spelling of the dataset."""


def add_target(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return the spelling of a dataset, or several, with the column that ``--target`` names."""
    target = ctx.meta.get(TARGET)
    if target is None or ctx.resilient_parsing:
        return value
    from optbench.data.given_data import check_target, with_target

    check_target([value] if isinstance(value, str) else list(value or ()), target)
    return (
        with_target(value, target)
        if isinstance(value, str)
        else tuple(with_target(each, target) for each in value)
    )


def dataset_option(help_text: str, *, multiple: bool = False) -> Callable[[F], F]:
    """Return the options ``-d`` and ``--target``."""
    return options(
        named_option("-d", "datasets", help_text, multiple=multiple, callback=add_target),
        target_option,
    )


def out_option(default: str, help_text: str) -> Callable[[F], F]:
    """Return the option ``--out``, the only folder that a command writes to."""
    return click.option(
        "--out", type=Place(folder=True), default=default, show_default=True, help=help_text
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
"""``--json``, passed to the command as ``as_json``."""


def registered(*kinds: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return a shell completion for plugin names of the given kinds (``"optimizers"``, ...)."""

    def complete(ctx: click.Context, param: click.Parameter, text: str) -> list[Any]:
        from optbench.registry import default_registry

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # completion must not write to the terminal
            registry = default_registry()
        return [
            CompletionItem(name, help=help_of(entry.item))
            for kind in kinds
            for name, entry in registry.listed(kind).items()
            if name.startswith(text)
        ]

    return complete


def help_of(item: Any) -> str:
    """Return the one-line summary of a registered item; empty for a suite, which is a file."""
    return str(item.summary()) if hasattr(item, "summary") else ""
