"""Checks of the memory that training needs, made before anything is allocated."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from optbench.errors import ConfigError
from optbench.support.process_limits import describe_low_limit, size_text

_DRAWN_BYTES = 8
"""Size of an initial parameter, in bytes (initializers draw in float64)."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

LEAST_LIMITS = {"RLIMIT_AS": 650 * 2**20, "RLIMIT_DATA": 350 * 2**20}
"""Limits with which a small study can train, in bytes; the libraries use most of it."""


def check_address_space() -> None:
    """Check that the limits on memory (``ulimit -v``, ``-d``) are high enough for the libraries.

    Without this check, some libraries hang at the limit and others report an unrelated error.

    Raises:
        ConfigError: A limit is too low.
    """
    if problem := describe_low_limit(LEAST_LIMITS, "training"):
        raise ConfigError(problem)


def limit_hint(cause: BaseException) -> str:
    """Return what to do about an error that a limit of the process has caused; "" for any other.

    Example:
        >>> limit_hint(RuntimeError("can't start new thread"))[:40]
        '; a limit of this process or of the mach'
    """
    numbers = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
    is_limit = isinstance(cause, OSError) and cause.errno in numbers
    if is_limit or isinstance(cause, MemoryError) or "can't start new thread" in str(cause):
        return (
            "; a limit of this process or of the machine is reached: raise it (ulimit -v, -u, -n) "
            "or use fewer --jobs"
        )
    return ""


def check_memory(
    name: str, sizes: Sequence[int], *, batch_size: int = 0, slots: int = 0, itemsize: int = 4
) -> None:
    """Check that a network can fit in memory.

    The estimate is a lower bound: initial parameters in float64; theta, the gradient and the slots;
    activations and their gradients for one batch.

    Args:
        name: Name of the argument to report in the error message.
        sizes: Width of the input, of each hidden layer and of the output.
        batch_size: Examples per update.
        slots: Number of state arrays of the optimizer, each of the size of theta.
        itemsize: Size of a parameter in training, 4 or 8 bytes.

    Raises:
        ConfigError: The network needs more memory than this process may use.
    """
    parameters = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))
    needed = parameters * (_DRAWN_BYTES + (2 + slots) * itemsize)
    needed += 2 * batch_size * sum(sizes[1:]) * itemsize
    available = available_memory()
    if available is not None and needed > available:
        widths = "-".join(map(str, sizes))
        raise ConfigError(
            f"{name} is too large: the network {widths} with {parameters:.3g} parameters needs at "
            f"least {size_text(needed)} of memory; this process may use {size_text(available)}; "
            f"use fewer or narrower layers"
        )


def available_memory() -> int | None:
    """Return the number of bytes that this process may use.

    This is the memory of the machine or a lower limit on it; None if the platform reports neither.
    """
    limits: list[int] = []
    with contextlib.suppress(AttributeError, ValueError, OSError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(ValueError, OSError):  # "max" is not a number
        limits.append(int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        limits.append(resource.getrlimit(resource.RLIMIT_AS)[0])
    return min((limit for limit in limits if limit > 0), default=None)
