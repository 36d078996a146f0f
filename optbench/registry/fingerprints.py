"""Fingerprints of a plugin's code: part of a run's content key, so that an edit makes a new run."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import sys
import weakref
from collections.abc import Iterable
from pathlib import Path

import msgspec

from optbench.errors import PluginError
from optbench.registry.code_modules import Stamp, file_stamp
from optbench.registry.code_walk import Binding, CodeWalk
from optbench.registry.entries import OWN_DISTRIBUTION, Entry
from optbench.support.files import read_file

CONTRACTS = "optbench.contracts"
"""Package of the base classes, which are not part of a plugin's code."""
MAX_DATA_BYTES = 2**30
"""Largest data file of a plugin, in bytes."""

_known: weakref.WeakKeyDictionary[type, tuple[str, dict[Path, Stamp | None], list[Binding]]]
_known = weakref.WeakKeyDictionary()
"""Fingerprints, with what must not have changed for them to hold."""


def fingerprint(item: type) -> str:
    """Return twelve hexadecimal digits that change with what a plugin class computes.

    They cover the ``version`` of the class, and for a class that does not come with optbench:

    * its own code, in whichever module: what it imports from files that are not installed or that
      belong to its package; functions and classes of a notebook;
    * module constants, closure variables, defaults and class attributes that its code uses;
    * the files that it lists in ``data_files``;
    * name, version and files of the installed libraries that its code imports, except those that
      optbench requires itself.

    Comments, docstrings and descriptions of the plugin are not covered. The fingerprint is that of
    the code in memory: if a file has been edited since it was imported, it differs from the
    fingerprint of the edited file.

    Raises:
        PluginError: A file in ``data_files`` cannot be read.
    """
    known = _known.get(item)
    if known and _holds(*known[1:]):
        return known[0]
    if item.__module__.partition(".")[0] in _builtin_packages():
        return _file_fingerprint(item)
    files = data_files(item)
    stamps = {path: file_stamp(path) for path in files}
    walk = CodeWalk(item, " ".join([str(getattr(item, "version", "")), *map(_content, files)]))
    digest = walk.digest[:12]
    _known[item] = (digest, {**walk.stamps, **stamps}, walk.bindings)
    return digest


def foreign_fingerprint(entry: Entry[type]) -> str | msgspec.UnsetType:
    """Return the fingerprint of a plugin class, or UNSET if it comes with optbench."""
    return msgspec.UNSET if entry.is_builtin else fingerprint(entry.item)


def data_files(item: type) -> list[Path]:
    """Return the files that a plugin class and its bases declare in ``data_files``.

    Relative paths start at the folder of the class's own file.
    """
    paths = []
    for cls in item.__mro__:
        names = vars(cls).get("data_files", ())
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        folder = Path(file).parent if file else Path()
        paths += [folder / name for name in ((names,) if isinstance(names, str | Path) else names)]
    return paths


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(read_file(path, limit=MAX_DATA_BYTES)).hexdigest()
    except OSError as cause:
        raise PluginError(
            f"data_files: {path} cannot be read ({cause.strerror}); a relative path starts at the "
            "folder of the plugin's file"
        ) from cause


def _holds(stamps: dict[Path, Stamp | None], bindings: Iterable[Binding]) -> bool:
    return all(space.get(name) is value for space, name, value in bindings) and all(
        file_stamp(path) == stamp for path, stamp in stamps.items()
    )


@functools.cache
def _builtin_packages() -> frozenset[str]:
    """Return the packages of the plugins that come with optbench."""
    try:
        points = importlib.metadata.distribution(OWN_DISTRIBUTION).entry_points
    except importlib.metadata.PackageNotFoundError:
        return frozenset()
    return frozenset(
        point.value.partition(":")[0].partition(".")[0]
        for point in points
        if point.group == OWN_DISTRIBUTION
    )


def _file_fingerprint(item: type) -> str:
    """Return the fingerprint of a built-in class: that of its file, which has all of its code."""
    digest = hashlib.sha256(getattr(item, "version", "").encode())
    for cls in item.__mro__:
        if cls is object or cls.__module__ == "abc" or cls.__module__.startswith(CONTRACTS):
            continue
        digest.update(cls.__qualname__.encode())
        digest.update(Path(str(sys.modules[cls.__module__].__file__)).read_bytes())
    return digest.hexdigest()[:12]
