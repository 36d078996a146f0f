"""The registry of this process: loaded once, at its first use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from optbench.registry.registry import LOADING, Registry

_default: Registry | None = None


def default_registry() -> Registry:
    """Return the registry of this process, with every installed plugin loaded."""
    global _default  # noqa: PLW0603  # the one registry of the process
    with LOADING:
        if _default is None:
            _default = installed_registry()
        return _default


def installed_registry() -> Registry:
    """Return a new registry with every installed plugin loaded, apart from that of the process."""
    registry = Registry()
    registry.load_entry_points()
    registry.check()
    return registry


@contextlib.contextmanager
def fresh_registry() -> Iterator[None]:
    """Replace the registry of this process while the block runs; the former one comes back after.

    The new registry is loaded at its first use. Plugins that are loaded in the block are forgotten
    at its end, so this is for tests and for documentation builds.

    Example:
        >>> before = default_registry()
        >>> with fresh_registry():
        ...     assert default_registry() is not before
        >>> default_registry() is before
        True
    """
    global _default  # noqa: PLW0603
    with LOADING:
        former, _default = _default, None
    try:
        yield
    finally:
        with LOADING:
            _default = former
