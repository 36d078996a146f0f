"""Loading and compilation ahead of time, logged if it takes seconds."""

from __future__ import annotations

import functools
import logging
from pathlib import Path

import numpy as np

from optbench.contracts import Array, Optimizer, Rule
from optbench.engine.fusion.machine_code import compiled_rule, is_cached
from optbench.engine.kernels import loop
from optbench.engine.loops.compiled import CompiledLoop, CompiledNetwork
from optbench.engine.problem import Problem
from optbench.network import Network
from optbench.records import RunSpec

_log = logging.getLogger(__name__)


def warm_up(optimizer: Optimizer, fused: bool, dtype: str) -> None:
    """Load or compile the code for runs of an optimizer, once per optimizer.

    Args:
        optimizer: The optimizer.
        fused: Whether the optimizer trains in the compiled loop.
        dtype: ``"float32"`` or ``"float64"``.
    """
    if fused and issubclass(optimizer, Rule):
        if not is_cached(optimizer, dtype):
            _log.info("compiling %s (%s), once on this machine", optimizer.name, dtype)
        compiled_rule(optimizer, dtype)  # type: ignore[arg-type]  # a class is hashable
    _network(optimizer, fused, dtype)


_LOADED: set[tuple[bool, str]] = set()


def _network(optimizer: Optimizer, fused: bool, dtype: str) -> None:
    """Run the loop once on a network of one unit; compilation depends on types, not on sizes."""
    if (fused, dtype) in _LOADED:
        return
    function = loop.advance if fused else loop.gradient
    if not _on_disk(function):
        _log.info("compiling the training loop (%s), once on this machine: about 20 s", dtype)
    problem = _tiny_problem(optimizer, dtype)  # type: ignore[arg-type]  # a class is hashable
    if fused:
        trainer = CompiledLoop(problem)
        trainer.advance(2)
        trainer.evaluate(*problem.val)
    else:
        net, (x, y) = CompiledNetwork(problem), problem.train
        flat = problem.theta0
        net.loss_and_grad(flat, np.empty_like(flat), x, y, _frozen(np.arange(2, dtype=np.int32)))
        net.evaluate(flat, x, y)
    _LOADED.add((fused, dtype))


def _on_disk(function: object) -> bool:
    cache = getattr(function, "_cache", None)
    folder = getattr(cache, "cache_path", None)
    name = getattr(getattr(function, "py_func", None), "__name__", "")
    return folder is not None and any(Path(folder).glob(f"loop.{name}-*.nbc"))


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


@functools.cache
def _tiny_problem(optimizer: Optimizer, dtype: str) -> Problem:
    part = (_frozen(np.zeros((2, 1), dtype)), _frozen(np.zeros(2, np.int64)))
    hyper = {name: declared.default for name, declared in optimizer.hypers().items()}
    spec = RunSpec(
        optimizer=optimizer.name, hyper=hyper, dataset="", hidden=(), batch_size=1, epochs=1,
        dtype=dtype,
    )  # fmt: skip
    return Problem(
        spec=spec,
        optimizer=optimizer,
        network=Network((1, 2), spec.activation, "cross-entropy"),
        theta0=np.zeros(4, dtype),
        train=part,
        val=part,
        test=part,
        order=_frozen(np.zeros((1, 2), np.int32)),
        updates_per_epoch=2,
    )
