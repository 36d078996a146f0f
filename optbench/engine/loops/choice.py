"""Choice of the loop: compiled if the optimizer can be fused, stepped otherwise."""

from __future__ import annotations

from typing import Protocol

from optbench.contracts import Array, Optimizer, Rule
from optbench.engine.fusion.machine_code import why_not_fused
from optbench.engine.kernels.arguments import Record
from optbench.engine.loops.stepped import SteppedLoop
from optbench.engine.problem import Problem
from optbench.network import Params


class Loop(Protocol):
    """Interface of the stepped and the compiled loop."""

    kind: str

    @property
    def updates(self) -> int:
        """Number of updates made so far."""

    @property
    def examples(self) -> int:
        """Number of per-example gradients computed so far, including closure calls."""

    @property
    def grad_evals(self) -> int:
        """Number of gradient evaluations so far."""

    def advance(self, examples: int, record: Record | None = None) -> None:
        """Train until at least this many per-example gradients have been computed.

        Args:
            examples: The number.
            record: Receives the seconds that it takes.
        """

    def measure(self, grid: Array, record: Record) -> None:
        """Train, and evaluate after each of these numbers of examples.

        One that is not beyond the last evaluation is left out.

        Args:
            grid: Numbers of examples, ascending.
            record: Receives the measurements. When it says that the run has diverged, the run ends.
        """

    def evaluation_point(self) -> Params:
        """Return the parameters to evaluate."""

    def evaluation_buffer(self) -> Array:
        """Return the parameters to evaluate, flat; a later update may write into them."""

    def evaluate(self, x: Array, y: Array, flat: Array | None = None) -> tuple[float, float]:
        """Return mean loss and metric at these flat parameters, or at the evaluation point."""


def choose_loop(optimizer: Optimizer) -> tuple[str, str]:
    """Return the loop that trains an optimizer, ``"compiled"`` or ``"stepped"``, and the reason."""
    if not issubclass(optimizer, Rule):
        return "stepped", "a Stepper runs in Python, over the compiled gradient"
    reason = why_not_fused(optimizer)  # type: ignore[arg-type]  # a class is hashable
    if reason:
        return "stepped", reason
    return "compiled", "a Rule whose update is fused into one compiled loop"


def make_loop(problem: Problem, loop: str = "auto") -> Loop:
    """Return the loop for a problem.

    Args:
        problem: The problem to train.
        loop: ``"auto"``; ``"reference"`` for the stepped loop in pure NumPy; ``"stepped"`` for
            the stepped loop over the compiled gradient; ``"compiled"``.
    """
    if loop == "reference":
        return SteppedLoop(problem)
    from optbench.engine.loops.compiled import CompiledLoop
    from optbench.engine.loops.network_code import CompiledNetwork

    kind = choose_loop(problem.optimizer)[0] if loop == "auto" else loop
    if kind == "compiled":
        return CompiledLoop(problem)
    net, (x, y) = CompiledNetwork(problem), problem.train
    return SteppedLoop(
        problem,
        lambda flat, grad, rows: net.loss_and_grad(flat, grad, x, y, rows),
        net.evaluate,
    )
