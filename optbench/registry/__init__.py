"""Finds plugins, checks what they register, and looks things up by name."""

from optbench.registry.registry import GROUP, Registry, default_registry

__all__ = ["GROUP", "Registry", "default_registry"]
