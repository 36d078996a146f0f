"""Applies a learning-rate schedule: the factor on the rate at each update of a run.

The schedules themselves are plugins (`optbench.Schedule`); they combine with any optimizer that has
a rate (`optbench.contracts.rate_of`).
"""

from __future__ import annotations

import functools
from collections.abc import Collection

import msgspec
import numpy as np

from optbench.contracts import Array, Schedule
from optbench.errors import OptbenchError, PluginError, describe_error
from optbench.records import StepControl

LARGE = 2**16
"""Number of updates above which factors are computed anew for each run."""


def factors(schedule: type[Schedule] | None, control: StepControl, total_steps: int) -> Array:
    """Return the factor on the learning rate at each update.

    Args:
        schedule: Shape of the factor after the warm-up; None for a factor of 1.
        control: Its ``warmup`` and ``final`` are used; where the user gives none, those of the
            schedule. The warm-up is rounded to whole updates.
        total_steps: Number of updates in the run.

    Returns:
        float64, shape (total_steps,), at least 0; read-only, because runs share it.

    Raises:
        PluginError: The schedule fails, or returns anything other than one factor per update.

    Example:
        >>> factors(None, StepControl(warmup=0.5), 4).tolist()
        [0.5, 1.0, 1.0, 1.0]
    """
    shared = _shared_factors if total_steps <= LARGE else _shared_factors.__wrapped__
    return shared(schedule, control, total_steps)


@functools.lru_cache(maxsize=16)
def _shared_factors(
    schedule: type[Schedule] | None, control: StepControl, total_steps: int
) -> Array:
    result = _factors_of(schedule, control, total_steps, np.arange(total_steps))
    result.setflags(write=False)
    return result


def factor_at(
    schedule: type[Schedule] | None, control: StepControl, total_steps: int, t: int
) -> float:
    """Return the factor on the learning rate at update `t`, 1 at the first, as `factors` does."""
    return float(_factors_of(schedule, control, total_steps, np.array([t - 1]))[0])


def _factors_of(
    schedule: type[Schedule] | None, control: StepControl, total_steps: int, steps: Array
) -> Array:
    warmup = control.value_of("warmup", schedule.warmup if schedule else 0.0)
    final = control.value_of("final", schedule.final if schedule else 0.0)
    rising = round(warmup * total_steps)
    after = np.maximum(steps - rising, 0) / max(total_steps - rising, 1)
    shape = np.ones_like(after) if schedule is None else _shape(schedule, after, final)
    if rising:
        shape = shape * np.minimum((steps + 1) / rising, 1.0)
    return shape


def keep_zeros(
    control: StepControl, schedule: type[Schedule], given: Collection[str]
) -> StepControl:
    """Return the control with a note of each 0 that replaces a value of the schedule.

    Args:
        control: Schedule and clipping, as the user gives them.
        schedule: The schedule in it.
        given: Names of the values that the user gives.
    """
    names = [name for name in ("warmup", "final") if name in given]
    zeros = tuple(n for n in names if getattr(control, n) == 0 != getattr(schedule, n))
    return msgspec.structs.replace(control, typed_zeros=zeros) if zeros else control


def _shape(schedule: type[Schedule], s: Array, final: float) -> Array:
    where = f"schedule '{schedule.name}'"
    try:
        shape = np.asarray(schedule().factor(s, final))
    except OptbenchError:
        raise
    except Exception as cause:
        raise PluginError(f"{where}: {describe_error(cause, schedule)}") from cause
    if shape.shape != s.shape:
        raise PluginError(f"{where}: factor returned shape {shape.shape}, not {s.shape}")
    is_number = shape.dtype.kind in "fiub"
    if not (is_number and np.isfinite(shape).all() and (shape >= 0).all()):
        raise PluginError(f"{where}: factor returned values that are not finite numbers >= 0")
    return shape.astype(np.float64)
