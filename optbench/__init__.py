"""optbench: bring an optimizer, get an honest leaderboard, and learn why it won or lost.

The public names are listed in ``__init__.pyi``, and each is imported at its first use, so that
``import optbench`` is fast.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
