"""``optbench inspect --compare``: initializers on networks of many depths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optbench.cli._study import open_folder
from optbench.cli._suite import parse_widths


def compare_initializers(initializers: Sequence[str], **how: Any) -> dict[str, Any]:
    """Send random inputs through networks of every depth, and rank the initializers.

    Args:
        initializers: their spellings; all that are registered if empty.
        how: the other options of ``optbench inspect``.

    Raises:
        ConfigError: an unknown name, or a value out of range.
    """
    from optbench.engine.signals import measure_signals, verdict
    from optbench.registry import default_registry
    from optbench.report.plots import base
    from optbench.report.plots.lab import draw_comparison

    names = list(dict.fromkeys(initializers)) or list(default_registry().entries("initializers"))
    width = (parse_widths(how["hidden"]) or (32,))[0]
    sizes = (width,) * (how["depth"] + 1) + (10,)
    found = [measure_signals(name, sizes, how["activation"], seed=how["seed"]) for name in names]
    open_folder(how["out"])
    with base.style():
        sheet = draw_comparison(found, how["activation"], width)
        files = sheet.save(how["out"] / f"initializers-{how['activation']}", how["formats"])
    found.sort(key=lambda signals: signals.distance)
    return {
        "title": f"{how['depth']} layers of {width} {how['activation']} units",
        "columns": ("initializer", "signal a layer", "gradient a layer", "what happens"),
        "rows": [
            (s.initializer, f"{s.forward_factor:.3g}", f"{s.backward_factor:.3g}", verdict(s))
            for s in found
        ],
        "verdict": [f"best: {found[0].initializer}"],
        "files": [str(path) for path in files],
    }
