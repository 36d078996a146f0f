"""Meanings and ranges of the hyperparameters of torch.optim, whose defaults are PyTorch's own."""

from __future__ import annotations

from collections.abc import Mapping

from optbench import Hyper, decay, hyper

BELOW_ONE, ABOVE_ONE = 0.999999, 1.000001

COMMON: Mapping[str, Hyper] = {
    "amsgrad": hyper(False, "divides by the largest mean of squares so far (AMSGrad)"),
    "centered": hyper(False, "divides by the variance of gradients in place of their squares"),
    "dampening": hyper(0.0, "share of the gradient left out of the momentum", low=0, high=1),
    "decoupled_weight_decay": hyper(False, "decays weights outside of the gradient, as AdamW"),
    "lr_decay": hyper(0.0, "decay of the rate with each step", low=0, log_range=(1e-6, 1e-2)),
    "momentum_decay": hyper(
        0.0, "decay of the momentum with each step", low=0, log_range=(1e-4, 0.1)
    ),
    "nesterov": hyper(False, "Nesterov's form of the momentum"),
    "ns_steps": hyper(1, "steps of the Newton-Schulz iteration", low=1),
    **{
        f"ns_coefficient{k}": hyper(0.0, f"coefficient {k} of the Newton-Schulz iteration")
        for k in (1, 2, 3)
    },
}
"""What a name means in any library for PyTorch."""

_SQUARES = "decay of the mean of squares"

OWN: Mapping[str, Mapping[str, Hyper]] = {
    "Adadelta": {"rho": decay(0.0, _SQUARES, span=(1e-3, 0.3))},
    "Adafactor": {
        "beta2_decay": hyper(
            -1.0, "power of the step in 1 - decay", low=-2, high=0, uniform_range=(-1, -0.5)
        ),
        "d": hyper(1.0, "largest root mean square of an update", low=1, log_range=(1, 10)),
    },
    "Adagrad": {
        "initial_accumulator_value": hyper(
            0.0, "start of the sum of squares", low=0, log_range=(1e-4, 1)
        )
    },
    "ASGD": {
        "alpha": hyper(0.0, "power by which the rate decays", low=0, uniform_range=(0.5, 1)),
        "lambd": hyper(0.0, "decay term of weights and rate", low=0, log_range=(1e-6, 1e-2)),
        "t0": hyper(0.0, "step at which averaging starts", low=0),
    },
    "LBFGS": {
        "history_size": hyper(1, "number of past steps from which curvature is taken", low=1),
        "max_iter": hyper(1, "most iterations in a step", low=1),
        "tolerance_change": hyper(0.0, "change of the loss that ends a step's iterations", low=0),
        "tolerance_grad": hyper(0.0, "largest gradient that ends a step's iterations", low=0),
    },
    "RMSprop": {"alpha": decay(0.0, _SQUARES, span=(1e-3, 0.3))},
    "Rprop": {
        "eta1": hyper(
            0.5, "factor of a step after a change of sign", low=1e-6, high=BELOW_ONE,
            uniform_range=(0.3, 0.9),
        ),
        "eta2": hyper(
            1.2, "factor of a step after the same sign", low=ABOVE_ONE, uniform_range=(1.05, 1.5)
        ),
        "step_size1": hyper(0.0, "smallest step", low=0),
        "step_size2": hyper(1.0, "largest step", low=0),
    },
}  # fmt: skip
"""What a name means for one class of torch.optim."""
