"""Finds functions that return gradient transformations by name, and the version of their code."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import optax
import optax.contrib

from optbench import ConfigError, PluginError
from optbench_optax.names import KNOWN, PREFIX, UNABLE

Factory = Callable[..., Any]


def find_factory(name: str) -> Factory:
    """Return the function for ``optax:adam``, ``optax:contrib.muon`` or ``optax:module:function``.

    Raises:
        ConfigError: There is no such function.
        PluginError: It cannot be run on given gradients, or its module does not import.
    """
    target = name.removeprefix(PREFIX)
    if target in UNABLE:
        raise PluginError(f"{name} cannot be run: {UNABLE[target]}")
    if ":" in target:
        module_name, _, function = target.partition(":")
        return _attribute(name, _import(name, module_name), function)
    head, _, last = target.rpartition(".")
    if head in ("", "contrib"):
        module = optax.contrib if head else optax
        if not callable(getattr(module, last, None)):
            near = difflib.get_close_matches(target, KNOWN, n=1, cutoff=0.5)
            hint = f"; did you mean '{PREFIX}{near[0]}'?" if near else ""
            raise ConfigError(f"optax has no optimizer '{target}'{hint}")
        return getattr(module, last)  # type: ignore[no-any-return]
    return _attribute(name, _import(name, head), last)


def _import(name: str, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as cause:
        raise ConfigError(
            f"{name}: no module '{cause.name}' is installed; if it is in the current folder, "
            "set PYTHONPATH=. so that it is found"
        ) from cause
    except Exception as cause:
        raise PluginError(f"{name}: importing {module} fails: {cause}") from cause


def _attribute(name: str, module: Any, function: str) -> Factory:
    item = getattr(module, function, None)
    if not callable(item):
        names = [each for each, member in vars(module).items() if callable(member)]
        near = difflib.get_close_matches(function, names, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"{name}: {module.__name__} has no function '{function}'{hint}")
    return item  # type: ignore[no-any-return]


def name_of(factory: Factory) -> str:
    """Return the name that `find_factory` finds a function by, or one that it does not know.

    The latter for a function that cannot be imported: of a notebook, a script or a function.
    """
    for prefix, module in (("", optax), ("contrib.", optax.contrib)):
        if getattr(module, factory.__name__, None) is factory:
            return f"{PREFIX}{prefix}{factory.__name__}"
    module = sys.modules.get(factory.__module__)
    if factory.__module__ != "__main__" and getattr(module, factory.__name__, None) is factory:
        return f"{PREFIX}{factory.__module__}:{factory.__name__}"
    return f"{PREFIX}{factory.__name__}"


def version_of(factory: Factory) -> str:
    """Return the versions of optax, of JAX and of the function's own module."""
    parts = [f"optax {version('optax')}", f"jax {jax.__version__}"]
    package = factory.__module__.partition(".")[0]
    if package not in ("optax", "jax"):
        with contextlib.suppress(PackageNotFoundError):
            parts.append(f"{package} {version(package)}")
        with contextlib.suppress(OSError, TypeError):
            source = Path(inspect.getfile(factory)).read_bytes()
            parts.append(hashlib.sha256(source).hexdigest()[:8])
    return ", ".join(parts)
