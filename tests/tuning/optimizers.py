"""Optimizers with search spaces of every kind."""

from __future__ import annotations

from optbench.contracts import Rule, hyper
from optbench.tuning.space import SearchSpace


class Plain(Rule):
    """One learning rate."""

    lr: float = hyper(0.1, low=0, log_range=(1e-3, 10))


class Rich(Rule):
    """Every kind of hyperparameter."""

    lr: float = hyper(0.1, low=0, log_range=(1e-3, 10), scaled_by="mu")
    mu: float = hyper(0.9, low=0, high=1, one_minus_log_range=(1e-3, 0.5))
    history: int = hyper(10, low=1, uniform_range=(5, 20))
    form: str = hyper("a", choices=("a", "b", "c"))
    fixed: float = hyper(1e-8)


class Bare(Rule):
    """Nothing to tune under the ruleset lr."""

    size: float = hyper(1.0, uniform_range=(0, 1))


PLAIN = SearchSpace(Plain, {}, "lr")
RICH = SearchSpace(Rich, {}, "full")
