"""Finds plugins, checks what they register, and looks things up by name."""

from optbench.registry.default import default_registry, fresh_registry
from optbench.registry.registry import GROUP, Registry

__all__ = ["GROUP", "Registry", "default_registry", "fresh_registry"]
