"""Imports matplotlib whatever ``MPLBACKEND`` names: optbench draws without a backend.

A process that Jupyter starts inherits its ``MPLBACKEND``, which the matplotlib of another
environment may not have. matplotlib then refuses to be imported at all.
"""

from __future__ import annotations

import logging
import os
import sys

_log = logging.getLogger(__name__)

VARIABLE = "MPLBACKEND"


def import_matplotlib() -> None:
    """Import matplotlib, without the backend in the variable if matplotlib does not have it."""
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop(VARIABLE, None)
    try:
        import matplotlib as mpl
    finally:
        if backend is not None:
            os.environ[VARIABLE] = backend
    if backend:
        try:
            mpl.rcParams["backend"] = backend  # as the import itself would have done
        except ValueError:
            _log.info("matplotlib has no backend '%s' (%s); drawing without it", backend, VARIABLE)


import_matplotlib()
