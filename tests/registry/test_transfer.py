"""Passed objects reach worker processes as they are, with what they use and with their source."""

from __future__ import annotations

import json
import linecache
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

from optbench import Rule, Stepper
from optbench.data.given_data import make_dataset
from optbench.errors import ConfigError
from optbench.registry.scoped import ScopedRegistry
from optbench.registry.transfer import pack_passed, unpack_passed

CELL = """
from optbench import Rule, Stepper, hyper
import numpy as np

FACTOR = 0.5

class Scaled(Rule):
    lr: float = hyper(0.1, "learning rate", low=0)
    @staticmethod
    def update(theta, grad, t, h):
        return (theta - FACTOR * h.lr * grad,)

def shrink(x):
    return FACTOR * x

class Shrinking(Stepper):
    lr: float = hyper(0.1, "learning rate", low=0)
    def init(self, params, context):
        return None
    def step(self, params, grads, state, context):
        for theta, grad in zip(params, grads):
            theta -= shrink(context.h.lr * grad)
"""
"""What a user types into a cell of a notebook."""

WORKER = """
import sys
from optbench.engine.loops.choice import choose_loop
from optbench.registry.transfer import unpack_passed
import json
scope = unpack_passed(sys.stdin.buffer.read())
print(json.dumps({
    "loops": {name: choose_loop(scope.optimizer(name))[0] for name in ("scaled", "shrinking")},
    "dataset": [part.shape for part in scope.dataset_source("mine")().load()],
}))
"""


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the cell defines; a notebook keeps its text where tracebacks find it."""
    name = "<ipython-input-1>"
    lines = CELL.splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, name, (len(CELL), None, lines, name))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(CELL, name, "exec"), namespace)
    return namespace


def test_nothing_is_sent_if_nothing_was_passed() -> None:
    """Names alone need no pickle."""
    scope = ScopedRegistry()
    scope.optimizer_text("adam")
    assert pack_passed(scope) == b""
    assert unpack_passed(b"").passed == []


def test_another_process_has_the_same_objects_and_the_same_loops(cell: dict[str, Any]) -> None:
    """A Rule is compiled there as well, because its source goes along."""
    scope = ScopedRegistry()
    assert issubclass(cell["Scaled"], Rule)
    assert issubclass(cell["Shrinking"], Stepper)
    for item in (cell["Scaled"], cell["Shrinking"]):
        scope.optimizer_text(item)
    scope.dataset_name(make_dataset(np.arange(40.0), np.arange(40) % 2, name="mine"))
    worker = subprocess.run(
        [sys.executable, "-c", WORKER], input=pack_passed(scope), capture_output=True, check=False
    )
    assert worker.returncode == 0, worker.stderr.decode()
    assert json.loads(worker.stdout) == {
        "loops": {"scaled": "compiled", "shrinking": "stepped"},
        "dataset": [[40, 1], [40]],
    }


def test_what_cannot_be_sent_is_named(cell: dict[str, Any]) -> None:
    """With the cause and the way out, in one line."""
    cell["Scaled"].lock = threading.Lock()
    scope = ScopedRegistry()
    scope.optimizer_text(cell["Scaled"])
    with pytest.raises(ConfigError, match=r"class Scaled cannot be sent .*put it into a file"):
        pack_passed(scope)
