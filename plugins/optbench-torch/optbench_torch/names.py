"""The optimizers of torch.optim by name, with what is known of each; does not import PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optbench import Hyper
from optbench_torch.meanings import COMMON, OWN

PREFIX = "torch:"

ADAM_LR = (1e-5, 1e-1)


@dataclass(frozen=True)
class Known:
    """What is known of a class beyond its signature.

    Attributes:
        cls: Name of the class.
        summary: One line for lists.
        lr_range: Search range of the learning rate.
        full_batch: Whether the method is defined only on the full gradient.
        expected_failures: Checks of the conformance kit that fail, each with its reason.
    """

    cls: str
    summary: str
    lr_range: tuple[float, float] | None = None
    full_batch: bool = False
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def hypers(self) -> Mapping[str, Hyper]:
        """Ranges and meanings by hyperparameter."""
        is_builtin = BUILTIN.get(ALIASES.get(self.cls, "")) is self  # others reuse names of classes
        return {**COMMON, **(OWN.get(self.cls, {}) if is_builtin else {})}


def _adam(cls: str, what: str) -> Known:
    return Known(cls, what, ADAM_LR)


BUILTIN: dict[str, Known] = {
    "adadelta": Known("Adadelta", "Adadelta of PyTorch", (1e-2, 10)),
    "adafactor": _adam("Adafactor", "Adafactor of PyTorch, relative step sizes"),
    "adagrad": Known("Adagrad", "AdaGrad of PyTorch", (1e-3, 1)),
    "adam": _adam("Adam", "Adam of PyTorch"),
    "adamax": _adam("Adamax", "Adamax of PyTorch, Adam with the largest gradient"),
    "adamw": _adam("AdamW", "AdamW of PyTorch, decay decoupled"),
    "asgd": Known(
        "ASGD",
        "Averaged SGD of PyTorch, at its last point",
        (1e-3, 10),
        expected_failures={
            "check_zero_gradient_moves_nothing": "lambd is a decay of its own",
            "check_every_hyperparameter_matters": "t0 starts an average that PyTorch never reads",
        },
    ),
    "lbfgs": Known(
        "LBFGS", "L-BFGS of PyTorch, up to 20 iterations a step", (0.01, 2), full_batch=True
    ),
    "muon": Known("Muon", "Muon of PyTorch for matrices, its AdamW for the rest", (1e-3, 0.1)),
    "nadam": _adam("NAdam", "NAdam of PyTorch"),
    "radam": _adam("RAdam", "RAdam of PyTorch"),
    "rmsprop": Known("RMSprop", "RMSprop of PyTorch", ADAM_LR),
    "rprop": Known(
        "Rprop",
        "Rprop of PyTorch",
        ADAM_LR,
        expected_failures={
            "check_zero_learning_rate_moves_nothing": "lr is only the first step, held above 1e-6"
        },
    ),
    "sgd": Known(
        "SGD",
        "SGD of PyTorch, with momentum as a sum",
        (1e-3, 10),
        expected_failures={
            "check_search_space_can_be_trained": "PyTorch refuses nesterov without momentum"
        },
    ),
}
"""Every class of torch.optim except SparseAdam, which takes only sparse gradients."""

ALIASES = {known.cls: name for name, known in BUILTIN.items()}
LR_RANGES = {
    "lion": (1e-6, 1e-2),
    "muon": (1e-3, 1e-1),
    "adagrad": (1e-3, 1.0),
    "sgd": (1e-3, 10.0),
}
"""Search range of the learning rate of other libraries' classes, by the end of their name."""


def lr_range_of(class_name: str) -> tuple[float, float] | None:
    """The search range for a class that is not of torch.optim; None if nothing is known."""
    lower = class_name.lower()
    spans = [span for end, span in LR_RANGES.items() if lower.endswith(end)]
    return spans[0] if spans else None
