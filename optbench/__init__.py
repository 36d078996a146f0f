"""optbench: bring an optimizer, get an honest leaderboard, and learn why it won or lost.

The public names are listed in ``__init__.pyi``, and each is imported at its first use, so that
``import optbench`` is fast.
"""

from typing import Any

import lazy_loader

__version__ = "0.1.0"

_import_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Import a public name; of an unknown one, say which is the nearest."""
    if name in __all__ or name.startswith("_"):
        return _import_name(name)
    from optbench.errors import nearest

    near = nearest(name, __all__)
    hint = f"; did you mean '{near}'?" if near else ""
    raise AttributeError(f"module 'optbench' has no attribute '{name}'{hint}")
