"""Meanings and ranges of the hyperparameters of optax, whose defaults are optax's own."""

from __future__ import annotations

from collections.abc import Mapping

from optbench import Hyper, decay, hyper

BELOW_ONE, ABOVE_ONE = 0.999999, 1.000001

_SQUARES, _MOMENTUM = "decay of the mean of squares", "decay of the momentum"
_FIRST = "corrects the mean of {} for its start at zero"

COMMON: Mapping[str, Hyper] = {
    "centered": hyper(False, "divides by the variance of gradients in place of their squares"),
    "eps_root": hyper(
        0.0, "added to the mean of squares, inside the root", low=0, log_range=(1e-16, 1e-4)
    ),
    "nesterov": hyper(False, "Nesterov's form of the momentum"),
    "weight_lr_power": hyper(0.0, "power of the rate that weighs the average", low=0),
}
"""What a name means in any function of optax."""

_OPTIMISTIC = {
    "alpha": hyper(1.0, "weight of the gradient", low=0, uniform_range=(0.5, 2)),
    "beta": hyper(1.0, "weight of the change of the gradient", low=0, uniform_range=(0, 2)),
}
_MOMO = {
    "adapt_lower_bound": hyper(False, "estimates the lower bound of the loss during the run"),
    "beta": decay(0.9, "decay of the means of gradients and losses", span=(0.01, 0.5)),
    "lower_bound": hyper(0.0, "lower bound of the loss"),
}
_ESTIMATE = {
    "estim_lr0": hyper(0.0, "first estimate of the distance", low=0, log_range=(1e-8, 1e-3)),
    "estim_lr_coef": hyper(1.0, "factor of the estimated distance", low=0, log_range=(0.1, 10)),
    "safeguard_warmup": hyper(False, "leaves the rate out of the estimate, for a warm-up"),
}

OWN: Mapping[str, Mapping[str, Hyper]] = {
    "adadelta": {"rho": decay(0.0, _SQUARES, span=(1e-3, 0.3))},
    "adafactor": {
        "clipping_threshold": hyper(
            1.0, "largest root mean square of an update", low=0, log_range=(0.1, 10)
        ),
        "decay_offset": hyper(0, "number of steps by which the decay starts later", low=0),
        "decay_rate": hyper(
            0.8, "power of the step in 1 - decay", low=0, high=2, uniform_range=(0.5, 1)
        ),
        "factored": hyper(True, "keeps means of rows and columns in place of every square"),
        "min_dim_size_to_factor": hyper(1, "smallest dimension that is factored", low=1),
        "multiply_by_parameter_scale": hyper(True, "scales steps by the size of the weights"),
    },
    "adagrad": {
        "initial_accumulator_value": hyper(
            0.0, "start of the sum of squares", low=0, log_range=(1e-4, 1)
        )
    },
    "adan": {
        "b2": decay(0.0, "decay of the mean of gradient differences", span=(0.01, 0.5)),
        "b3": decay(0.0, _SQUARES, span=(1e-3, 0.1)),
    },
    "amsgrad": {
        "bias_correction_mu": hyper(True, _FIRST.format("gradients")),
        "bias_correction_nu": hyper(True, _FIRST.format("squares")),
    },
    "fromage": {"min_norm": hyper(0.0, "smallest norm of a layer and its gradient", low=0)},
    "lars": {
        "trust_coefficient": hyper(
            0.0, "share of a layer's norm that a step has", low=0, log_range=(1e-4, 0.1)
        ),
        "trust_ratio_mask": hyper(True, "scales steps by the norm of the layer"),
        "weight_decay_mask": hyper(True, "decays weights"),
    },
    "lbfgs": {
        "memory_size": hyper(1, "number of past steps from which curvature is taken", low=1),
        "scale_init_precond": hyper(True, "scales the first curvature by the gradient"),
    },
    "noisy_sgd": {
        "eta": hyper(0.0, "variance of the noise at the first step", low=0, log_range=(1e-4, 1)),
        "gamma": hyper(0.0, "power by which the variance decays", low=0, uniform_range=(0.3, 1)),
    },
    "optimistic_adam_v2": _OPTIMISTIC,
    "optimistic_gradient_descent": _OPTIMISTIC,
    "polyak_sgd": {
        "f_min": hyper(0.0, "smallest loss that can be reached"),
        "scaling": hyper(1.0, "factor of the step", low=0, log_range=(0.1, 10)),
        "variant_": hyper("sps", "form of the step size", choices=("sps", "sps+")),
    },
    "radam": {"threshold": hyper(5.0, "length of the mean above which it is rectified", low=0)},
    "rmsprop": {
        "bias_correction": hyper(False, _FIRST.format("squares")),
        "decay": decay(0.0, _SQUARES, span=(1e-3, 0.3)),
        "eps_in_sqrt": hyper(True, "adds eps inside the root"),
        "initial_scale": hyper(0.0, "start of the mean of squares", low=0),
    },
    "rprop": {
        "eta_minus": hyper(
            0.5, "factor of a step after a change of sign", low=1e-6, high=BELOW_ONE,
            uniform_range=(0.3, 0.9),
        ),
        "eta_plus": hyper(
            1.2, "factor of a step after the same sign", low=ABOVE_ONE, uniform_range=(1.05, 1.5)
        ),
        "max_step_size": hyper(1.0, "largest step", low=0),
        "min_step_size": hyper(0.0, "smallest step", low=0),
    },
    "signum": {"beta": decay(0.9, _MOMENTUM, span=(0.01, 0.5))},
    "contrib.ademamix": {
        "alpha": hyper(1.0, "weight of the slow mean of gradients", low=0, log_range=(0.5, 20)),
        "b3": decay(0.0, "decay of the slow mean of gradients", span=(1e-5, 1e-2)),
    },
    "contrib.adopt": {"use_clipping": hyper(True, "clips the normalized gradient")},
    "contrib.cocob": {
        "alpha": hyper(
            1.0, "share of the largest gradient in the denominator", low=1e-6, log_range=(1, 1000)
        )
    },
    "contrib.dadapt_adamw": _ESTIMATE,
    "contrib.galore": {
        "rank": hyper(1, "rank of the projected gradient", low=1),
        "scale": hyper(1.0, "factor of the projected update", low=0, log_range=(0.1, 10)),
        "update_proj_gap": hyper(1, "steps from one projection to the next", low=1),
    },
    "contrib.momo": _MOMO,
    "contrib.momo_adam": _MOMO,
    "contrib.muon": {
        "adam_b1": decay(0.9, "beta1 of Adam, for what is not a matrix", span=(0.01, 0.5)),
        "adam_b2": decay(0.9, "beta2 of Adam, for what is not a matrix", span=(1e-4, 0.1)),
        "adam_eps_root": hyper(0.0, "eps_root of Adam, for what is not a matrix", low=0),
        "adam_weight_decay": hyper(
            0.0, "weight decay of what is not a matrix", low=0, log_range=(1e-5, 0.1)
        ),
        "adaptive": hyper(False, "scales the update by its dual norm"),
        "beta": decay(0.9, _MOMENTUM, span=(0.01, 0.5)),
        **{
            f"ns_coeff{k}": hyper(0.0, f"coefficient {k} of the Newton-Schulz iteration")
            for k in (1, 2, 3)
        },
        "ns_steps": hyper(1, "steps of the Newton-Schulz iteration", low=1),
        "preconditioning": hyper("frobenius", "how a matrix is scaled before the iteration"),
    },
    "contrib.prodigy": _ESTIMATE,
    "contrib.simplified_ademamix": {
        "alpha": hyper(0.0, "weight of the gradient beside its mean", low=0, log_range=(0.1, 100))
    },
}  # fmt: skip
"""What a name means for one function of optax."""
