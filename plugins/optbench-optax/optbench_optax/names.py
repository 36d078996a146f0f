"""The optimizers of optax by name, with what is known of each; does not import optax or JAX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "optax:"

ADAM_LR = (1e-5, 1e-1)
SGD_LR = (1e-3, 10.0)
FREE_LR = (1e-2, 10.0)
"""Search range for methods that find their own scale, with 1 as their default."""


@dataclass(frozen=True)
class Known:
    """What is known of a function beyond its signature.

    Attributes:
        summary: One line for lists.
        lr: Default learning rate, if the function has none.
        lr_range: Search range of the learning rate.
        full_batch: Whether the method is defined only on the full gradient.
        expected_failures: Checks of the conformance kit that fail, each with its reason.
    """

    summary: str = ""
    lr: float | None = None
    lr_range: tuple[float, float] | None = ADAM_LR
    full_batch: bool = False
    expected_failures: Mapping[str, str] = field(default_factory=dict)


ZERO, ZERO_LR, EXTREME = (
    "check_zero_gradient_moves_nothing",
    "check_zero_learning_rate_moves_nothing",
    "check_finite_at_extreme_gradients",
)
DIVIDES = "its estimate of the distance divides 0 by 0 before the first gradient that is not 0"
ESTIMATES = dict.fromkeys((ZERO, ZERO_LR, EXTREME), DIVIDES)

KNOWN: dict[str, Known] = {
    "adabelief": Known("optax: AdaBelief"),
    "adadelta": Known("optax: Adadelta", 1.0, FREE_LR),
    "adafactor": Known("optax: Adafactor", 1e-2),
    "adagrad": Known("optax: AdaGrad, which starts its sum at 0.1", 1e-2, (1e-3, 1)),
    "adam": Known("optax: Adam"),
    "adamax": Known("optax: Adamax"),
    "adamaxw": Known("optax: Adamax with decoupled decay"),
    "adamw": Known("optax: AdamW"),
    "adan": Known("optax: Adan"),
    "amsgrad": Known("optax: AMSGrad"),
    "fromage": Known(
        "optax: Fromage", 1e-2, expected_failures={ZERO: "it shrinks all weights at each step"}
    ),
    "lamb": Known("optax: LAMB"),
    "lars": Known("optax: LARS", 0.1, (1e-2, 100)),
    "lbfgs": Known("optax: L-BFGS with zoom line search", 1.0, (0.1, 2), full_batch=True),
    "lion": Known("optax: Lion", 1e-4, (1e-6, 1e-2)),
    "nadam": Known("optax: NAdam"),
    "nadamw": Known("optax: NAdam with decoupled decay"),
    "noisy_sgd": Known(
        "optax: SGD with added noise", 0.1, SGD_LR, expected_failures={ZERO: "noise is the method"}
    ),
    "novograd": Known("optax: NovoGrad"),
    "optimistic_adam_v2": Known("optax: Optimistic Adam"),
    "optimistic_gradient_descent": Known("optax: Optimistic gradient descent", 0.1, SGD_LR),
    "polyak_sgd": Known("optax: SGD with Polyak's step size", 1.0, FREE_LR),
    "radam": Known("optax: RAdam"),
    "rmsprop": Known("optax: RMSprop"),
    "rprop": Known("optax: Rprop"),
    "sgd": Known("optax: SGD", 0.1, SGD_LR),
    "sign_sgd": Known("optax: Sign descent", 1e-3, (1e-6, 1e-2)),
    "signum": Known("optax: Signum, the sign of the momentum", 1e-3, (1e-6, 1e-2)),
    "sm3": Known("optax: SM3", 0.1, (1e-3, 1)),
    "yogi": Known(
        "optax: Yogi", 1e-2, expected_failures={ZERO: "optax starts the mean of gradients at 1e-6"}
    ),
    "contrib.acprop": Known("optax: ACProp"),
    "contrib.ademamix": Known("optax: AdEMAMix"),
    "contrib.adopt": Known("optax: ADOPT"),
    "contrib.cocob": Known("optax: COCOB, without a learning rate to tune", 1.0, FREE_LR),
    "contrib.dadapt_adamw": Known(
        "optax: D-Adaptation AdamW", 1.0, FREE_LR, expected_failures=ESTIMATES
    ),
    "contrib.dog": Known("optax: DoG, distance over gradients", 1.0, FREE_LR),
    "contrib.dowg": Known("optax: DoWG, distance over weighted gradients", 1.0, FREE_LR),
    "contrib.galore": Known("optax: GaLore over Adam"),
    "contrib.madgrad": Known(
        "optax: MADGRAD", 1e-2, expected_failures={ZERO_LR: "optax adds 1e-6 to lr"}
    ),
    "contrib.momo": Known("optax: MoMo", 1.0, FREE_LR),
    "contrib.momo_adam": Known("optax: MoMo-Adam", 1e-2),
    "contrib.muon": Known("optax: Muon for matrices, Adam for the rest", 1e-2, (1e-3, 0.1)),
    "contrib.prodigy": Known("optax: Prodigy", 1.0, FREE_LR, expected_failures=ESTIMATES),
    "contrib.schedule_free_adamw": Known("optax: Schedule-Free AdamW"),
    "contrib.schedule_free_sgd": Known("optax: Schedule-Free SGD", 1.0, SGD_LR),
    "contrib.simplified_ademamix": Known(
        "optax: Simplified AdEMAMix",
        1e-4,
        (1e-6, 1e-2),
        expected_failures={
            "check_descends_on_a_quadratic": "its momentum of 0.99 still swings after 300 steps"
        },
    ),
}
"""Optimizers of `optax` and `optax.contrib` that need nothing but gradients and losses."""

UNABLE = {
    "contrib.dpsgd": "it takes one gradient for each example",
    "contrib.sophia": "it differentiates the loss twice, which the harness does not",
    "contrib.mechanize": "it is a wrapper around another transformation",
    "contrib.sam": "it is a wrapper around another transformation",
    "contrib.schedule_free": "it is a wrapper around another transformation",
    "lookahead": "it is a wrapper around another transformation",
    "optimistic_adam": "optax deprecated it in favor of optimistic_adam_v2",
}
"""Optimizers that cannot be run, each with the reason."""
