"""The contract of a learning-rate schedule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from optbench.contracts.plugin import Array, Plugin


class Schedule(Plugin, ABC):
    """A learning-rate schedule: the factor on the rate of an optimizer over the run.

    It combines with any optimizer that has a rate: ``adam[lr=0.1,schedule=my-schedule]``. Before it
    comes a linear warm-up, if the user or the schedule asks for one.

    Example:
        >>> import numpy as np
        >>> from optbench import Schedule
        >>> class Root(Schedule):
        ...     '''The square root of the rest of the run.'''
        ...     name = "root"
        ...     source = "own work"
        ...     variant = "ends at `final`"
        ...     @staticmethod
        ...     def factor(s, final):
        ...         return final + (1 - final) * np.sqrt(1 - s)
        >>> Root.factor(np.array([0.0, 0.75]), 0.0).tolist()
        [1.0, 0.5]
    """

    warmup: ClassVar[float] = 0.0
    """Fraction of the run over which the learning rate rises, unless the user gives one."""
    final: ClassVar[float] = 0.0
    """Factor at the end of the run, unless the user gives one."""

    @staticmethod
    @abstractmethod
    def factor(s: Array, final: float) -> Array:
        """Return the factor on the learning rate at each update.

        Args:
            s: Fraction of the updates after the warm-up that come before each update, shape (n,),
                float64, in [0, 1), rising.
            final: Factor at the end of the run, in [0, 1]: the one that the user gives, or else
                the schedule's own. An explicit 0 is a value like any other.

        Returns:
            Shape (n,), finite and at least 0; each element depends only on its own `s`.
        """
