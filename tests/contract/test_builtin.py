"""Everything that is registered keeps every promise of the kit."""

from __future__ import annotations

from typing import Any

from optbench.conformance import Check, parametrize_with_checks
from optbench.conformance.runner import CHECKED
from optbench.registry import default_registry

REGISTERED = [
    entry.item
    for kind in CHECKED
    for entry in default_registry().entries(kind).values()
    if not getattr(entry.item, "files", None)
]
"""Datasets that are downloaded go through the same checks in tests/builtin/test_images.py."""


@parametrize_with_checks(REGISTERED)
def test_promises(item: Any, check: Check) -> None:
    """Built-in plugins are held to the same promises as any other plugin."""
    check(item)
