"""Schedule-Free SGD."""

from __future__ import annotations

from dataclasses import dataclass

from optbench import Array, StepContext, Stepper, decay, hyper


@dataclass
class _State:
    """The fast sequence z, its weighted average x, and the weights so far."""

    z: list[Array]
    x: list[Array]
    largest_lr: float = 0.0
    total: float = 0.0


class ScheduleFreeSGD(Stepper):
    """SGD that needs no schedule: it trains at y and is evaluated at an average, x.

    z <- z - lr * (grad(y) + weight_decay * y),
    x <- (1 - c) x + c z,  y <- beta x + (1 - beta) z,  c = w_t / (w_1 + ... + w_t),
    w_t = (largest lr so far)^2.
    """

    name = "schedule-free-sgd"
    source = "Defazio et al. 2024, The Road Less Scheduled, eqs. 4 to 6"
    url = "https://arxiv.org/abs/2405.15682"
    variant = "gradient and decay at y, evaluation at x, weights lr^2 (optax, the authors' code)"

    lr: float = hyper(1.0, "learning rate", low=0, log_range=(1e-3, 10))
    beta: float = decay(0.9, "where y lies between z and x", span=(0.01, 0.5))
    weight_decay: float = hyper(0.0, "decoupled weight decay", low=0)

    def init(self, params: list[Array], context: StepContext) -> _State:
        return _State([p.copy() for p in params], [p.copy() for p in params])

    def step(
        self, params: list[Array], grads: list[Array], state: _State, context: StepContext
    ) -> _State:
        h = context.h
        state.largest_lr = max(state.largest_lr, h.lr)
        weight = state.largest_lr**2
        state.total += weight
        share = weight / state.total if state.total > 0 else 0.0
        for y, grad, z, x in zip(params, grads, state.z, state.x, strict=True):
            z[...] -= h.lr * (grad + h.weight_decay * y)
            x[...] = (1 - share) * x + share * z
            y[...] = h.beta * x + (1 - h.beta) * z
        return state

    def eval_params(self, params: list[Array], state: _State, context: StepContext) -> list[Array]:
        return state.x
