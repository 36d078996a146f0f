"""Reports of one bad plugin that takes away what others bring."""

from __future__ import annotations

from typing import Any

import optbench
from optbench.registry import Registry


class Taking:
    """Registers an optimizer under a name that is taken."""

    @optbench.hookimpl
    def optbench_register_optimizers(self) -> list[type[optbench.Rule]]:
        """Return another optimizer of the name ``adam``."""

        class Adam(optbench.Rule):
            """Not Adam."""

            name = "adam"
            lr: float = optbench.hyper(0.1, "learning rate", low=0)

            @staticmethod
            def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
                """Return the next parameters."""
                return (theta - h.lr * grad,)

        return [Adam]


def test_what_is_unregistered_takes_no_other_plugin_with_it() -> None:
    """The first owner of a name keeps it."""
    registry = Registry()
    registry.load_entry_points()
    adam = registry.optimizer("adam")
    registry.unregister(registry.register(Taking()))
    assert registry.optimizer("adam") is adam
