"""Waiting for something that is certain to come, on a machine that may have much other work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 600
"""Seconds after which a test gives up waiting: it says what it waits for, instead of hanging."""


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Wait until the condition holds.

    Args:
        condition: Called every 10 ms.
        what: What is waited for, in words.

    Raises:
        AssertionError: The condition does not hold within `PATIENCE`.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
