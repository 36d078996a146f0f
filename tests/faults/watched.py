"""A plugin that logs the start of every run, and makes runs last.

``--plugin`` loads it into the driver and into every worker, so it sees the runs of both loops.
``FAULTS_LOG`` is the path of the log, ``FAULTS_PAUSE`` the seconds that a run waits at its start,
``FAULTS_GATE`` the folder of a gate that the run has to pass (gates.py), ``FAULTS_VICTIM`` the key
of a run that kills its process.
"""

import contextlib
import glob
import os
import signal
import time
from typing import Any

from optbench import Array, StepContext, Stepper, hyper
from optbench.engine import training


class Walker(Stepper):
    """Gradient descent, step by step."""

    name = "walker"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-2, 1))

    def init(self, params: list[Array], context: StepContext) -> None:
        return None

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        for param, grad in zip(params, grads, strict=True):
            param[...] = param - context.h.lr * grad


def _pass(gate: str) -> None:
    """Take a ticket, or wait for one."""
    while not os.path.exists(os.path.join(gate, "open")):
        for ticket in glob.glob(os.path.join(gate, "ticket-*")):
            with contextlib.suppress(FileNotFoundError):  # another run was faster
                os.unlink(ticket)
                return
        time.sleep(0.01)


def _watch(build_problem: Any) -> Any:
    def watched(spec: Any, registry: Any) -> Any:
        log = os.open(os.environ["FAULTS_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, f"{spec.key} {os.getpid()}\n".encode())
        os.close(log)
        if spec.key == os.environ.get("FAULTS_VICTIM"):
            os.kill(os.getpid(), signal.SIGKILL)
        if gate := os.environ.get("FAULTS_GATE"):
            _pass(gate)
        time.sleep(float(os.environ.get("FAULTS_PAUSE", "0")))
        return build_problem(spec, registry)

    return watched


engine: Any = training  # one of its names is replaced
engine.build_problem = _watch(engine.build_problem)
