"""One PyTorch optimizer that works on the buffers of the harness."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np
import torch

from optbench import Array, PluginError

_SHARED_RANDOMNESS = threading.Lock()
"""Held while a run uses the random states of the process, which other runs share."""


@dataclass(frozen=True)
class Recipe:
    """How a class has to be used, as `optbench_torch.probing` finds out.

    Attributes:
        groups: ``"all"``: one group; ``"use-muon"``: groups flagged ``use_muon``; ``"matrices"``:
            the class gets the matrices, and PyTorch's AdamW the rest.
        strided: Whether it takes weights as transposed views; otherwise it works on copies.
        evaluates: Whether it calls the closure away from the point that it was given.
        draws: Whether it draws from the random states of the process.
        loss: Whether it may look at the loss; PyTorch's own classes do not.
        follows_rate: Whether a learning rate that is written into its groups changes its steps.
        dtypes: The dtypes that it works in.
        extra: Arguments beside the hyperparameters.
    """

    groups: str = "all"
    strided: bool = True
    evaluates: bool = False
    draws: bool = False
    loss: bool = True
    follows_rate: bool = True
    dtypes: tuple[str, ...] = ("float64", "float32")
    extra: tuple[tuple[str, Any], ...] = ()


class GroupRate:
    """The learning rate of one group of parameters, which its class may change as well.

    As long as the schedule is constant, the rate is left to the class. A schedule scales what the
    class has made of it.

    Args:
        group: The group; its rate may differ from that of the run.
        base: Learning rate of the run without the schedule.
    """

    def __init__(self, group: dict[str, Any], base: float | None) -> None:
        self._group = group
        self._base = base
        self._first = self._scheduled = self._written = float(group["lr"])
        self._own_factor = 1.0

    def change(self, lr: float) -> None:
        """Apply another learning rate of the run."""
        value = float(self._group["lr"])
        if value != self._written and self._scheduled:
            self._own_factor = value / self._scheduled
        base = self._base
        self._scheduled = lr if self._first == base or not base else self._first * (lr / base)
        self._written = self._scheduled * self._own_factor
        if isinstance(self._group["lr"], torch.Tensor):
            self._group["lr"].fill_(self._written)
            self._written = float(self._group["lr"])
        else:
            self._group["lr"] = self._written


class Session:
    """The tensors, the optimizer and the random state of one run.

    A weight of the harness has shape (n_in, n_out). The optimizer sees it in PyTorch's shape,
    (n_out, n_in), because methods for matrices distinguish rows from columns. The tensor is a
    transposed view of the same memory, so nothing is copied.

    Args:
        make: Makes the optimizer from parameters or groups of parameters.
        params: Arrays to train, changed in place.
        weights: Indices of the arrays that are weights of a layer.
        recipe: How the class has to be used.
        lr: Learning rate that `make` gives the optimizer; None if the class has none.
        seed: Seed of its random state, if it draws.
    """

    def __init__(
        self,
        make: Callable[[Any], torch.optim.Optimizer],
        params: Sequence[Array],
        weights: frozenset[int],
        recipe: Recipe,
        lr: float | None = None,
        seed: int = 0,
    ) -> None:
        if params[0].dtype.name not in recipe.dtypes:
            raise PluginError(f"it works only in {' and '.join(recipe.dtypes)}")
        torch.set_num_threads(1)  # a run is small, and the other cores train other runs
        self._recipe = recipe
        self._lr = lr
        self._arrays = list(params)
        self._weights = weights
        self._copied: list[tuple[Array, Array]] = []
        self._tensors = [self._tensor(index, array) for index, array in enumerate(params)]
        self._homes = [(tensor.data_ptr(), tensor.data) for tensor in self._tensors]
        self._grads: list[torch.Tensor] = []
        self._viewed: list[Array] = []
        self._private = True
        self._steps = 0
        self._loss = torch.zeros((), dtype=self._tensors[0].dtype)
        self._random: tuple[Any, Any, Any] | None = None
        if recipe.draws:
            self._random = _seeded(seed)
        with self._own_randomness():
            self._optimizers = [build(group) for build, group in self._split(make) if len(group)]
        for optimizer in self._optimizers:
            self._mode(optimizer, "train")
        self._rates = [
            GroupRate(group, lr) for o in self._optimizers for group in o.param_groups
            if "lr" in group
        ]  # fmt: skip

    def _tensor(self, index: int, array: Array) -> torch.nn.Parameter:
        view = self._as_torch(index, array)
        if not (self._recipe.strided or view.flags.c_contiguous):
            own = np.ascontiguousarray(view)
            self._copied.append((own, view))
            view = own
        return torch.nn.Parameter(torch.from_numpy(view))

    def _as_torch(self, index: int, array: Array) -> Array:
        return array.T if index in self._weights else array

    def _split(self, make: Callable[[Any], Any]) -> list[tuple[Callable[[Any], Any], list[Any]]]:
        """Return what makes each optimizer, and its parameters or groups of parameters."""
        if self._recipe.groups == "all":
            return [(make, self._tensors)]
        matrices = [t for t in self._tensors if t.ndim >= 2]
        rest = [t for t in self._tensors if t.ndim < 2]
        if self._recipe.groups == "use-muon":
            flagged = ((matrices, True), (rest, False))
            return [(make, [{"params": p, "use_muon": flag} for p, flag in flagged if p])]
        group = make([torch.nn.Parameter(torch.zeros(1, 1))]).param_groups[0]
        same = {key: group[key] for key in ("lr", "weight_decay") if key in group}
        return [(make, matrices), (lambda p: torch.optim.AdamW(p, **same), rest)]

    # -- a step -------------------------------------------------------------------------------

    def step(
        self,
        grads: Sequence[Array],
        loss: float,
        lr: float | None,
        evaluate: Callable[[], float] | None,
    ) -> None:
        """Take one step.

        Args:
            grads: Gradients at the parameters.
            loss: Loss at the parameters.
            lr: Learning rate of this step; None if the class has none.
            evaluate: Evaluates at the current parameters, and refills `grads`; each call counts.
        """
        if lr is not None and lr != self._lr:
            if not self._recipe.follows_rate:
                raise PluginError(
                    "it sets its learning rate itself, so that a schedule would change nothing; "
                    "use schedule=constant, and warmup=0"
                )
            for rate in self._rates:
                rate.change(lr)
            self._lr = lr
        self._steps += 1
        self._fetch_grads(grads)
        closure = self._closure(grads, loss, evaluate) if self._recipe.loss else None
        if self._random is None:
            self._step(closure)
        else:
            with self._own_randomness():
                self._step(closure)
        self._publish()
        if self._steps <= 2 or not self._private:
            self._private = self._written_or_kept()

    def _step(self, closure: Callable[[], torch.Tensor] | None) -> None:
        for optimizer in self._optimizers:
            optimizer.step(closure)
            closure = None  # PyTorch's AdamW, the second one, needs no loss

    def _fetch_grads(self, grads: Sequence[Array]) -> None:
        """Attach the gradients: as views, or as copies if the optimizer writes to or keeps them."""
        safe = self._recipe.strided and not self._private
        if safe and all(grad.flags.writeable for grad in grads):
            if not (self._viewed and all(map(is_, self._viewed, grads))):
                self._grads = [torch.from_numpy(v) for v in self._all_as_torch(grads)]
                self._viewed = list(grads)
        else:
            order: Any = "K" if self._recipe.strided else "C"
            self._grads = [torch.from_numpy(v.copy(order)) for v in self._all_as_torch(grads)]
            self._viewed = []
        for tensor, grad in zip(self._tensors, self._grads, strict=True):
            tensor.grad = grad

    def _all_as_torch(self, arrays: Sequence[Array]) -> Iterator[Array]:
        return (self._as_torch(index, array) for index, array in enumerate(arrays))

    def _written_or_kept(self) -> bool:
        """Return whether the optimizer wrote to a gradient, or keeps one that will be refilled."""
        for grad in self._grads:
            if grad._version:
                return True
        if self._steps > 2:
            return False
        places = {grad.data_ptr() for grad in self._grads}
        return any(t.data_ptr() in places for o in self._optimizers for t in _tensors_in(o))

    def _closure(
        self, grads: Sequence[Array], loss: float, evaluate: Callable[[], float] | None
    ) -> Callable[[], torch.Tensor]:
        """Return the closure that the optimizer may call for the loss.

        The harness has evaluated the starting point already, so a first call there costs nothing.
        """
        start = [tensor.detach().clone() for tensor in self._tensors] if evaluate else []
        asked = False

        def closure() -> torch.Tensor:
            nonlocal asked
            first, asked = not asked, True
            moved = any(not torch.equal(a, t) for a, t in zip(start, self._tensors, strict=False))
            if first and not moved:
                self._loss.fill_(loss)
                for tensor, grad in zip(self._tensors, self._grads, strict=True):
                    tensor.grad = grad  # as a user's closure would zero and refill it
                return self._loss.clone()
            if evaluate is None:
                raise PluginError(
                    "it evaluates the loss more than once a step, which probing did not show"
                )
            self._publish()
            value = evaluate()
            self._fetch_grads(grads)
            return torch.tensor(value, dtype=self._loss.dtype)

        return closure

    def _publish(self) -> None:
        """Write the parameters into the arrays of the harness, where they are not views of them."""
        for tensor, (place, home) in zip(self._tensors, self._homes, strict=True):
            if tensor.data_ptr() != place:  # the class has replaced p.data
                home.copy_(tensor.detach())
                tensor.data = home
        for own, view in self._copied:
            view[...] = own

    @contextlib.contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """Set the random states of the process to the optimizer's own, and restore them after."""
        if self._random is None:
            yield
            return
        with _SHARED_RANDOMNESS:
            outside = random_states()
            _set_random_states(self._random)
            try:
                yield
            finally:
                self._random = random_states()
                _set_random_states(outside)

    # -- evaluation ---------------------------------------------------------------------------

    def evaluation_point(self) -> list[Array] | None:
        """Return the point of evaluation, for an optimizer with an ``eval()`` that moves there."""
        movers = [o for o in self._optimizers if callable(getattr(o, "eval", None))]
        if not movers or not self._steps:  # before the first step, some cannot move
            return None
        before = [tensor.detach().clone() for tensor in self._tensors]
        for optimizer in movers:
            self._mode(optimizer, "eval")
        arrays = enumerate(self._tensors)
        point = [np.array(self._as_torch(i, t.detach().numpy()), order="C") for i, t in arrays]
        for optimizer in movers:
            self._mode(optimizer, "train")
        with torch.no_grad():
            for tensor, point_before in zip(self._tensors, before, strict=True):
                tensor.copy_(point_before)  # eval() and train() do not cancel in floating point
        return point

    @staticmethod
    def _mode(optimizer: torch.optim.Optimizer, mode: str) -> None:
        method = getattr(optimizer, mode, None)
        if callable(method):
            method()


def _tensors_in(optimizer: torch.optim.Optimizer) -> Iterator[torch.Tensor]:
    for state in optimizer.state.values():
        for value in state.values() if isinstance(state, dict) else ():
            for item in value if isinstance(value, list | tuple) else (value,):
                if isinstance(item, torch.Tensor):
                    yield item


def random_states() -> tuple[Any, Any, Any]:
    """Return the random states of the process that an optimizer may draw from."""
    legacy = np.random.get_state()  # noqa: NPY002  (not drawn from, kept safe)
    return torch.get_rng_state(), random.getstate(), legacy


def _set_random_states(states: tuple[Any, Any, Any]) -> None:
    torch.set_rng_state(states[0])
    random.setstate(states[1])
    np.random.set_state(states[2])  # noqa: NPY002


def _seeded(seed: int) -> tuple[Any, Any, Any]:
    generator = torch.Generator().manual_seed(seed)
    legacy = np.random.RandomState(seed % 2**32).get_state()
    return generator.get_state(), random.Random(seed).getstate(), legacy
