"""Oracle and settings for each optimizer. A new optimizer adds a line here.

This file is long because it is one table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.oracle.oracles import Optax, OptaxSophia, Oracle, Torch
from tests.oracle.problems import STEPS, N

VECTOR = (N,)
WIDE, TALL = (3, 4), (4, 3)


@dataclass(frozen=True)
class Row:
    """One optimizer at one setting, and its oracle."""

    optimizer: str
    oracle: Oracle
    hyper: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = VECTOR
    steps: int = STEPS

    def __str__(self) -> str:
        values = ",".join(f"{k}={v}" for k, v in self.hyper.items())
        shape = "x".join(map(str, self.shape))
        return f"{self.optimizer}[{values}]-{self.oracle.package}-{shape}"


def rows(
    optimizer: str,
    oracle: Oracle,
    *settings: dict[str, Any],
    shapes: tuple[tuple[int, ...], ...] = (VECTOR,),
    steps: int = STEPS,
) -> list[Row]:
    """Return one row for each setting and shape."""
    return [Row(optimizer, oracle, s, shape, steps) for s in settings for shape in shapes]


def _yogi_state(state: Any, h: Any) -> Any:
    # optax also starts the mean at the value of the accumulator; the paper and optbench at 0.
    return state._replace(mu=0 * state.mu)


def _schedule_free(base: Any) -> Optax:
    def make(optax: Any, rate: Any, h: Any) -> Any:
        # optax counts steps from 1 here, and from 0 in the base optimizer.
        return optax.contrib.schedule_free(
            base(optax, rate, h), learning_rate=lambda count: rate(count - 1), b1=h.beta
        )

    def evaluated(params: Any, state: Any) -> Any:
        return (params - (1 - state.b1) * state.z) / state.b1

    return Optax(make, evaluated=evaluated)


def _float64_soap(package: Any, params: Any, h: Any) -> Any:
    """SOAP as published in ``pytorch_optimizer``, with its QR kept in float64."""
    import torch

    class SOAP(package.SOAP):  # type: ignore[misc]
        def get_orthogonal_matrix_qr(self, state: Any, *_: Any) -> list[Any]:
            bases = []
            for axis, (stat, basis) in enumerate(zip(state["GG"], state["Q"], strict=True)):
                if len(stat) == 0:  # a vector
                    return state["Q"]
                order = torch.argsort((basis * (stat @ basis)).sum(0), descending=True)
                state["exp_avg_sq"] = state["exp_avg_sq"].index_select(axis, order)
                bases.append(torch.linalg.qr(stat @ basis[:, order])[0])
            return bases

    return SOAP(
        params,
        betas=(h.beta1, h.beta2),
        shampoo_beta=h.shampoo_beta,
        weight_decay=h.weight_decay,
        precondition_frequency=h.every,
        eps=h.eps,
    )


def _betas(h: Any) -> tuple[float, float]:
    return (h.beta1, h.beta2)


_ADAM: tuple[dict[str, Any], ...] = (
    {"lr": 0.01},
    {"lr": 0.03, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
    {"lr": 0.002, "beta1": 0.0, "beta2": 0.99, "eps": 1e-10},
)
_ALL_SHAPES = (VECTOR, WIDE)
# Before it is rectified it takes plain momentum steps, which must be short enough.
_RADAM: tuple[dict[str, Any], ...] = (
    {"lr": 1e-4},
    {"lr": 2e-4, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
    {"lr": 1e-4, "beta1": 0.0, "beta2": 0.6, "eps": 1e-10},
)
_HEAVY: tuple[dict[str, Any], ...] = (
    {"lr": 2e-4},
    {"lr": 1e-4, "mu": 0.5},
    {"lr": 1e-4, "mu": 0.0},
)

_LBFGS = Torch(
    lambda m, p, h: m.optim.LBFGS(
        p,
        max_iter=1,
        history_size=h.history,
        tolerance_grad=0.0,
        tolerance_change=0.0,
    )
)
_SHAMPOO = Torch(
    lambda m, p, h: m.Shampoo(p, matrix_eps=h.eps, preconditioning_compute_steps=1),
    "pytorch_optimizer",
)

ELEMENTWISE: list[Row] = [
    *rows("sgd", Torch(lambda m, p, h: m.optim.SGD(p)), {"lr": 5e-4}, {"lr": 1e-5}),
    *rows("sgd", Optax(lambda o, rate, h: o.sgd(rate)), {"lr": 5e-4}, {"lr": 1e-5}),
    *rows(
        "momentum",
        Optax(lambda o, rate, h: o.chain(o.ema(h.beta, debias=False), o.sgd(rate))),
        {"lr": 5e-4},
        {"lr": 1e-3, "beta": 0.5},
        {"lr": 2e-4, "beta": 0.0},
    ),
    *rows("heavy-ball", Torch(lambda m, p, h: m.optim.SGD(p, momentum=h.mu)), *_HEAVY),
    *rows(
        "heavy-ball",
        Optax(lambda o, rate, h: o.chain(o.trace(h.mu), o.scale_by_learning_rate(rate))),
        *_HEAVY,
    ),
    *rows(
        "nesterov",
        Torch(lambda m, p, h: m.optim.SGD(p, momentum=h.mu, nesterov=h.mu > 0)),
        *_HEAVY,
    ),
    *rows(
        "nesterov",
        Optax(
            lambda o, rate, h: o.chain(o.trace(h.mu, nesterov=True), o.scale_by_learning_rate(rate))
        ),
        *_HEAVY,
    ),
    *rows(
        "adagrad",
        Torch(
            lambda m, p, h: m.optim.Adagrad(
                p, initial_accumulator_value=h.initial_accumulator, eps=h.eps
            )
        ),
        {"lr": 0.1},
        {"lr": 0.03, "eps": 1e-3, "initial_accumulator": 0.1},
    ),
    *rows(
        "adagrad",
        Optax(lambda o, rate, h: o.adagrad(rate, h.initial_accumulator, h.eps)),
        {"lr": 0.1, "eps_in_root": True, "initial_accumulator": 0.1, "eps": 1e-7},
        {"lr": 0.03, "eps_in_root": True, "initial_accumulator": 1.0, "eps": 0.01},
    ),
    *rows(
        "adadelta",
        Torch(lambda m, p, h: m.optim.Adadelta(p, rho=h.rho, eps=h.eps)),
        {},
        {"lr": 0.5, "rho": 0.8, "eps": 1e-4},
    ),
    *rows(
        "adadelta",
        Optax(lambda o, rate, h: o.adadelta(rate, h.rho, h.eps)),
        {},
        {"lr": 0.5, "rho": 0.8, "eps": 1e-4},
    ),
    *rows(
        "rmsprop",
        Torch(lambda m, p, h: m.optim.RMSprop(p, alpha=h.rho, eps=h.eps, centered=h.centered)),
        {},
        {"lr": 1e-3, "rho": 0.9, "eps": 1e-3},
        {"centered": True},
        {"lr": 1e-3, "rho": 0.9, "eps": 1e-3, "centered": True},
    ),
    *rows(
        "rmsprop",
        Optax(
            lambda o, rate, h: o.rmsprop(
                rate, h.rho, h.eps, eps_in_sqrt=h.eps_in_root, centered=h.centered
            )
        ),
        {"eps": 1e-6, "eps_in_root": True},
        {"lr": 1e-3, "rho": 0.9, "eps": 1e-3},
        {"eps": 1e-6, "eps_in_root": True, "centered": True},
        {"lr": 1e-3, "rho": 0.9, "eps": 1e-3, "centered": True},
    ),
    *rows("adam", Torch(lambda m, p, h: m.optim.Adam(p, betas=_betas(h), eps=h.eps)), *_ADAM),
    *rows("adam", Optax(lambda o, rate, h: o.adam(rate, *_betas(h), h.eps)), *_ADAM),
    *rows(
        "amsgrad",
        Torch(lambda m, p, h: m.optim.Adam(p, betas=_betas(h), eps=h.eps, amsgrad=True)),
        *_ADAM,
    ),
    *rows(
        "amsgrad",
        Optax(lambda o, rate, h: o.amsgrad(rate, *_betas(h), h.eps)),
        *({**s, "debias_first": True} for s in _ADAM),
    ),
    *rows(
        "amsgrad",
        Optax(
            lambda o, rate, h: o.chain(
                o.scale_by_amsgrad(
                    *_betas(h), h.eps, bias_correction_mu=False, bias_correction_nu=False
                ),
                o.scale_by_learning_rate(rate),
            )
        ),
        *({**s, "debias": False} for s in _ADAM),
    ),
    *rows("adamax", Torch(lambda m, p, h: m.optim.Adamax(p, betas=_betas(h), eps=h.eps)), *_ADAM),
    *rows("adamax", Optax(lambda o, rate, h: o.adamax(rate, *_betas(h), h.eps)), *_ADAM),
    *rows(
        "nadam",
        Torch(
            lambda m, p, h: m.optim.NAdam(
                p, betas=_betas(h), eps=h.eps, momentum_decay=h.momentum_decay
            )
        ),
        *_ADAM,
        {"lr": 0.01, "momentum_decay": 0.1},
    ),
    *rows(
        "nadam",
        Optax(lambda o, rate, h: o.nadam(rate, *_betas(h), h.eps)),
        *({**s, "momentum_warmup": False} for s in _ADAM),
    ),
    *rows("radam", Torch(lambda m, p, h: m.optim.RAdam(p, betas=_betas(h), eps=h.eps)), *_RADAM),
    *rows(
        "radam",
        Optax(lambda o, rate, h: o.radam(rate, *_betas(h), h.eps)),
        *({**s, "eps_debiased": True} for s in _RADAM),
    ),
    *rows(
        "adamw",
        Torch(
            lambda m, p, h: m.optim.AdamW(
                p, betas=_betas(h), eps=h.eps, weight_decay=h.weight_decay
            )
        ),
        *_ADAM,
        {"lr": 0.03, "weight_decay": 0.3},
    ),
    *rows(
        "adamw",
        Optax(lambda o, rate, h: o.adamw(rate, *_betas(h), h.eps, weight_decay=h.weight_decay)),
        *_ADAM,
        {"lr": 0.03, "weight_decay": 0.3},
    ),
    *rows(
        "adabelief",
        Optax(lambda o, rate, h: o.adabelief(rate, *_betas(h), h.eps, h.eps)),
        {"lr": 0.01},
        {"lr": 0.03, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4},
        {"lr": 0.01, "beta1": 0.5, "eps": 1e-8},
    ),
    *rows(
        "yogi",
        Optax(
            lambda o, rate, h: o.chain(
                o.scale_by_yogi(*_betas(h), h.eps, initial_accumulator_value=h.initial_accumulator),
                o.scale_by_learning_rate(rate),
            ),
            initial=lambda state, h: (_yogi_state(state[0], h), *state[1:]),
        ),
        *_ADAM,
        {"lr": 0.01, "initial_accumulator": 1.0, "eps": 1e-8},
    ),
    *rows(
        "adan",
        # optax weights the change by 1 - beta2 where the paper has beta2: the same at 0.5.
        Optax(
            lambda o, rate, h: o.adan(
                rate, h.beta1, h.beta2, h.beta3, h.eps, 0.0, weight_decay=h.weight_decay
            )
        ),
        {"lr": 0.01, "beta2": 0.5},
        {"lr": 3e-3, "beta1": 0.9, "beta2": 0.5, "beta3": 0.9, "weight_decay": 0.1, "eps": 1e-3},
    ),
    *rows(
        "adan",
        Torch(
            lambda m, p, h: m.Adan(
                p,
                betas=(h.beta1, h.beta2, h.beta3),
                eps=h.eps,
                weight_decay=h.weight_decay,
                weight_decouple=True,
            ),
            "pytorch_optimizer",
        ),
        {"lr": 0.01},
        {"lr": 3e-3, "beta1": 0.9, "beta2": 0.7, "beta3": 0.9, "weight_decay": 0.1, "eps": 1e-3},
    ),
    *rows(
        "lion",
        Optax(lambda o, rate, h: o.lion(rate, *_betas(h), weight_decay=h.weight_decay)),
        {"lr": 1e-2},
        {"lr": 1e-3, "beta1": 0.95, "beta2": 0.98, "weight_decay": 1.0},
        {"weight_decay": 0.0},
    ),
    *rows(
        "signum",
        Optax(lambda o, rate, h: o.signum(rate, h.beta)),
        {"lr": 1e-2},
        {"lr": 1e-3, "beta": 0.5},
    ),
]

WHOLE_LAYER: list[Row] = [
    *rows(
        "lars",
        Optax(
            lambda o, rate, h: o.lars(
                rate,
                h.weight_decay,
                trust_coefficient=h.trust,
                eps=h.eps,
                momentum=h.mu,
            )
        ),
        {"lr": 1.0},
        {"lr": 0.3, "mu": 0.5, "trust": 0.01, "weight_decay": 0.1, "eps": 1e-3},
        shapes=_ALL_SHAPES,
    ),
    *rows(
        "lamb",
        Optax(lambda o, rate, h: o.lamb(rate, *_betas(h), h.eps, weight_decay=h.weight_decay)),
        *_ADAM,
        {"lr": 0.01, "weight_decay": 0.1},
        shapes=_ALL_SHAPES,
    ),
    *rows(
        "muon",
        Optax(
            lambda o, rate, h: o.contrib.muon(
                rate,
                ns_steps=h.ns_steps,
                beta=h.beta,
                eps=h.eps,
                weight_decay=h.weight_decay,
                adam_b1=h.vector_beta1,
                adam_b2=h.vector_beta2,
                adam_learning_rate=lambda count: h.vector_ratio * rate(count),
            )
        ),
        {},
        {"lr": 0.005, "beta": 0.8, "ns_steps": 3, "weight_decay": 0.1, "eps": 1e-4},
        {"vector_ratio": 0.1, "vector_beta1": 0.8, "vector_beta2": 0.95},
        shapes=(VECTOR, WIDE, TALL),
    ),
    *rows(
        "shampoo",
        _SHAMPOO,
        # Large eps: H has condition |g|^2 / eps, which rounding is multiplied by.
        {"every": 1, "eps": 1e5, "lr": 1.0},
        {"every": 1, "eps": 3e4, "lr": 0.3},
        shapes=(VECTOR, WIDE, TALL),
    ),
    *rows("shampoo", _SHAMPOO, {"every": 1, "eps": 1.0}, shapes=(WIDE, TALL)),
    *rows(
        "soap",
        Torch(_float64_soap, "pytorch_optimizer"),
        # Large eps: without it a step is a sign, which rounding turns in directions without slope.
        {"lr": 0.01, "eps": 1.0},
        {"beta1": 0.9, "shampoo_beta": 0.8, "weight_decay": 0.1, "every": 3, "eps": 0.1},
        {"every": 100, "eps": 0.3, "beta2": 0.9},
        # One more row than columns at most: the bases of a larger null space are arbitrary.
        shapes=(VECTOR, WIDE, TALL),
    ),
    *rows(
        "schedule-free-sgd",
        _schedule_free(
            lambda o, rate, h: o.chain(o.add_decayed_weights(h.weight_decay), o.sgd(rate))
        ),
        {"lr": 5e-4},
        {"lr": 3e-4, "beta": 0.7, "weight_decay": 0.1},
    ),
    *rows(
        "schedule-free-sgd",
        Torch(
            lambda m, p, h: m.SGDScheduleFree(p, momentum=h.beta, weight_decay=h.weight_decay),
            "schedulefree",
            averaged=True,
        ),
        {"lr": 5e-4},
        {"lr": 3e-4, "beta": 0.7, "weight_decay": 0.1},
    ),
    *rows(
        "schedule-free-adamw",
        _schedule_free(
            lambda o, rate, h: o.chain(
                o.scale_by_rms(h.beta2, h.eps, eps_in_sqrt=False, bias_correction=True),
                o.add_decayed_weights(h.weight_decay),
                o.scale_by_learning_rate(rate),
            )
        ),
        {},
        {"lr": 0.01, "beta": 0.7, "beta2": 0.95, "weight_decay": 0.1, "eps": 1e-3},
    ),
    *rows(
        "schedule-free-adamw",
        Torch(
            lambda m, p, h: m.AdamWScheduleFree(
                p, betas=(h.beta, h.beta2), eps=h.eps, weight_decay=h.weight_decay
            ),
            "schedulefree",
            averaged=True,
        ),
        {},
        {"lr": 0.01, "beta": 0.7, "beta2": 0.95, "weight_decay": 0.1, "eps": 1e-3},
    ),
    *rows(
        "prodigy",
        Optax(
            lambda o, rate, h: o.contrib.prodigy(
                rate,
                _betas(h),
                eps=h.eps,
                estim_lr0=h.d0,
                estim_lr_coef=h.d_coef,
                weight_decay=h.weight_decay,
            )
        ),
        {},
        {"lr": 0.5, "beta1": 0.8, "beta2": 0.99, "d0": 1e-3, "d_coef": 2.0, "weight_decay": 0.1},
    ),
    *rows(
        "sophia",
        OptaxSophia(),
        {"gamma": 30.0, "eps": 0.01, "radius": 0.01},
        {"lr": 0.01, "beta1": 0.8, "gamma": 1.0, "weight_decay": 0.1, "every": 3, "radius": 0.1},
        shapes=_ALL_SHAPES,
    ),
    *rows(
        "lbfgs",
        _LBFGS,
        {"lr": 0.02},
        {"lr": 0.02, "history": 3},
    ),
    # Long steps converge, and what is left to compare then is rounding.
    *rows("lbfgs", _LBFGS, {}, {"lr": 0.7, "history": 5}, steps=15),
]

TABLE = ELEMENTWISE + WHOLE_LAYER
