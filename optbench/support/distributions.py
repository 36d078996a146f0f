"""Entry points of installed distributions, whatever state their metadata are in."""

from __future__ import annotations

from importlib import metadata


def entry_points_of(group: str) -> tuple[metadata.EntryPoint, ...]:
    """Return the entry points of a group; distributions with unreadable metadata have none."""
    try:
        return tuple(metadata.entry_points(group=group))
    except Exception:  # one damaged distribution makes the whole call fail
        points: list[metadata.EntryPoint] = []
        for distribution in metadata.distributions():
            try:
                points += [p for p in distribution.entry_points if p.group == group]
            except Exception:  # what is damaged is not a plugin
                continue
        return tuple(points)


def name_and_version(point: metadata.EntryPoint) -> tuple[str, str]:
    """Return name and version of the distribution of an entry point, "?" and "" if unknown."""
    try:
        distribution = point.dist
        assert distribution is not None
        return distribution.name or "?", distribution.version or ""
    except Exception:
        return "?", ""
