"""``optbench inspect --compare``: initializers on networks of many depths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any


def compare_initializers(initializers: Sequence[str], **how: Any) -> dict[str, Any]:
    """Send random inputs through networks of every depth, and rank the initializers.

    Args:
        initializers: their spellings; all that are registered if empty.
        how: the other options of ``optbench inspect``.

    Raises:
        ConfigError: an unknown name, or a value out of range.
    """
    from optbench.inspection.initializer_choice import DRAWS, choose
    from optbench.inspection.signals import verdict
    from optbench.report.plots import write_plot
    from optbench.report.plots.initializer_depths import draw_comparison
    from optbench.study.folders import writable_folder

    width = (how["hidden"] or (32,))[0]
    sizes = (width,) * (how["depth"] + 1) + (10,)
    choice = choose(initializers, sizes, how["activation"], seed=how["seed"])
    writable_folder(how["out"])
    stem = how["out"] / f"initializers-{how['activation']}"
    draw = partial(draw_comparison, choice.ranked, how["activation"], width)
    files = write_plot(draw, stem, how["formats"])
    return {
        "title": f"{how['depth']} layers of {width} {how['activation']} units, {DRAWS} draws",
        "columns": ("initializer", "signal a layer", "gradient a layer", "what happens"),
        "rows": [
            (s.initializer, f"{s.forward_factor:.3g}", f"{s.backward_factor:.3g}", verdict(s))
            for s in choice.ranked
        ],
        "verdict": [str(choice)],
        "files": [str(path) for path in files],
    }
