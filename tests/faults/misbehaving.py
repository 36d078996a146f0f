"""A plugin that misbehaves in every way, one at a time."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np

from optbench import Array, Initializer, Rule, StepContext, Stepper, Values, hyper


def commit_fault(fault: str, arrays: list[Array]) -> None:
    """Commit the named fault. Most faults return, so that their damage could spread.

    One line per fault makes this function long.
    """
    if fault == "raises":
        raise ValueError("no good")
    if fault == "exits":
        sys.exit(3)
    if fault == "dies":
        os._exit(7)
    if fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "kills-parent":
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "dies-once" and not os.path.exists(os.environ["FAULTS_MARK"]):
        open(os.environ["FAULTS_MARK"], "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "loops":
        while True:
            pass
    if fault == "sleeps":
        time.sleep(600)
    if fault == "allocates":
        hoard = [np.ones(2**20) for _ in range(2000)]
        del hoard
    if fault == "asks":
        input("and now? ")
    if fault == "breaks":
        breakpoint()  # forgotten, as it happens
    if fault == "child-asks":
        assert subprocess.run(["cat"], capture_output=True, check=True).stdout == b""
    if fault == "prints":
        os.write(1, b"noise that is not a result")
        print("more noise", flush=True)
    if fault == "closes" and not sys.stdout.closed:
        print("last words")
        sys.stdin.close()
        sys.stdout.close()
        sys.stderr.close()
        os.close(1)
        os.close(2)
    if fault == "threads":
        threading.Thread(target=time.sleep, args=(600,)).start()
    if fault == "not-finite":
        for array in arrays:
            array[...] = np.nan
    if fault == "litters":
        litter()


def litter() -> None:
    """Change every global state that the runs of one process share."""
    os.chdir("/")
    os.environ.clear()
    os.environ["OPENBLAS_NUM_THREADS"] = "nonsense"
    np.seterr(all="raise")
    np.random.seed(time.time_ns() % 2**32)  # noqa: NPY002
    random.seed(time.time_ns())
    warnings.simplefilter("error")
    sys.stdout = None
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class Misbehaving(Stepper):
    """Gradient descent with a fault on request."""

    name = "misbehaving"
    fault: str = hyper("none", "the fault")
    lr: float = hyper(0.1, low=0)

    def init(self, params: list[Array], context: StepContext) -> None:
        return None

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        fault = context.h.fault
        commit_fault(fault, params)
        for param, grad in zip(params, grads, strict=True):
            param[...] = param - context.h.lr * grad
        if fault == "shapes":
            params[0] = params[0][:1]
            grads[0] = np.zeros(7)
        if fault == "mutates":
            for grad in grads:
                grad[...] = 1e30
            grads.clear()
            params.clear()

    def eval_params(self, params: list[Array], state: Any, context: StepContext) -> Any:
        if context.h.fault == "eval-shapes":
            return [param[:1] for param in params]
        return None


class Careful(Stepper):
    """A correct optimizer that depends on global state which others may have changed."""

    name = "careful"
    lr: float = hyper(0.1, low=0)

    def init(self, params: list[Array], context: StepContext) -> None:
        return None

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        print("a word")
        warnings.warn("a remark", stacklevel=1)
        tiny = np.float32(1e-30) * np.float32(1e-30)  # underflows
        noise = np.random.normal() * 1e-3  # noqa: NPY002  # a bad habit, the same in every run
        assert os.environ["PATH"]
        for param, grad in zip(params, grads, strict=True):
            param[...] = param - (context.h.lr + noise + tiny) * grad


class BadStart(Initializer):
    """An initializer with a fault on request."""

    name = "bad-start"
    fault: str = hyper("none", "the fault")

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        weight = rng.normal(size=(n_in, n_out)) / n_in**0.5
        commit_fault(h.fault, [weight])
        return weight[:1] if h.fault == "shapes" else weight


class AbsentRule(Rule):
    """A compiled rule whose `init` ends its process."""

    name = "absent-rule"
    lr: float = hyper(0.1, low=0)
    slots = ("m",)

    @staticmethod
    def init(theta: Array, h: Values) -> None:
        os._exit(7)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: float, h: Values) -> tuple[Array, ...]:
        return theta - h.lr * grad, m


class BadRule(Rule):
    """A compiled rule whose `init`, which is Python, has a fault on request."""

    name = "bad-rule"
    fault: str = hyper("none", "the fault", choices=("none", "litters", "shapes"))
    lr: float = hyper(0.1, low=0)
    slots = ("m",)

    @staticmethod
    def init(theta: Array, h: Values) -> Any:
        slot = np.zeros_like(theta)
        commit_fault(h.fault, [slot])
        return (slot[:3],) if h.fault == "shapes" else (slot,)

    @staticmethod
    def update(theta: Array, grad: Array, m: Array, t: float, h: Values) -> tuple[Array, ...]:
        m = 0.9 * m + grad
        return theta - h.lr * m, m
