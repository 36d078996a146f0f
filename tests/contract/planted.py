"""For each check of the kit, a plugin that breaks exactly the promise that it checks."""

from __future__ import annotations

import functools
import itertools
import random
from typing import Any, ClassVar

import numpy as np

from optbench import (
    Array,
    DatasetSource,
    InitContext,
    Initializer,
    Rule,
    Schedule,
    StepContext,
    Stepper,
    Values,
    hyper,
)

LR = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1))


class GoodRule(Rule):
    """Momentum that keeps every promise."""

    name = "good-rule"
    source = "own work"
    variant = "the average form"
    lr: float = LR
    beta: float = hyper(0.9, "decay", low=0, high=1, one_minus_log_range=(0.01, 0.5))
    kind: str = hyper("plain", "which step", choices=("plain", "ahead"))
    slots = ("v",)
    scalars: ClassVar = {"power": 1.0}

    @staticmethod
    def update(theta: Array, grad: Array, v: Array, power: float, t: int, h: Values) -> Any:
        v = h.beta * v + (1 - h.beta) * grad
        step = v if h.kind == "plain" else h.beta * v + (1 - h.beta) * grad
        return theta - h.lr * (1 - 0.1 * power) * step, v, power * 0.9


class GoodStepper(Stepper):
    """Descent by layers that keeps every promise."""

    name = "good-stepper"
    source = "own work"
    variant = "none other is known"
    needs = frozenset({"rng", "total_steps", "layers"})
    lr: float = LR

    def init(self, params: list[Array], context: StepContext) -> Any:
        return {"mean": [p.copy() for p in params], "last": [np.zeros_like(p) for p in params]}

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> Any:
        noise = 1 + 1e-3 * context.rng.uniform() / context.total_steps
        assert isinstance(context.layers, tuple)
        for p, g, mean, last in zip(params, grads, state["mean"], state["last"], strict=True):
            p[...] -= context.h.lr * noise * g
            mean[...] += (p - mean) / 2
            last[...] = g
        return state

    def eval_params(self, params: list[Array], state: Any, context: StepContext) -> Any:
        return state["mean"]


class GoodInitializer(Initializer):
    """Normal weights scaled by the data, keeping every promise."""

    name = "good-initializer"
    source = "own work"
    variant = "none other is known"
    needs = frozenset({"data"})
    gain: float = hyper(1.0, "scale", low=0, log_range=(0.1, 10))

    def initialize(self, rng: np.random.Generator, context: InitContext, h: Values) -> Any:
        assert context.x is not None
        scale = h.gain / (1 + float(np.abs(context.x).mean()))
        pairs = zip(context.sizes, context.sizes[1:], strict=False)
        return [(rng.normal(0, scale, (a, b)), np.zeros(b)) for a, b in pairs]


class GoodDataset(DatasetSource):
    """A hundred points that keep every promise."""

    name = "good-dataset"
    task = "multiclass"
    source = "generated, seed 0"

    def load(self) -> Any:
        rng = np.random.default_rng(0)
        return rng.normal(size=(100, 3)), np.arange(100) % 4


class GoodSchedule(Schedule):
    """A line that keeps every promise."""

    name = "good-schedule"
    source = "own work"
    variant = "none other is known"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return 1 - (1 - final) * s


GOOD = (GoodRule, GoodStepper, GoodInitializer, GoodDataset, GoodSchedule)


def variant(base: type, **changes: Any) -> type:
    """The good plugin with something broken."""
    return type(base.__name__, (base,), {"__doc__": base.__doc__, **changes})


def rule(update: Any, **changes: Any) -> type:
    """The good rule with another body."""
    return variant(GoodRule, update=staticmethod(update), **changes)


def plain(body: Any) -> type:
    """A rule without state from ``(theta, grad, t, h) -> theta``."""
    return rule(lambda theta, grad, t, h: (body(theta, grad, t, h),), slots=(), scalars={})


def stepper(step: Any, **changes: Any) -> type:
    """The good stepper with another step, no needs, evaluated where it trains."""
    plain_end = {"needs": frozenset(), "eval_params": Stepper.eval_params}
    return variant(GoodStepper, step=step, **{**plain_end, **changes})


def descend(params: list[Array], grads: list[Array], lr: float) -> None:
    for p, g in zip(params, grads, strict=True):
        p[...] -= lr * g


def loader(make: Any, **changes: Any) -> type:
    """The good dataset with another `load`."""
    return variant(GoodDataset, load=make, **changes)


def drawer(draw: Any, **changes: Any) -> type:
    """The good initializer with another `initialize`, and no needs."""
    return variant(GoodInitializer, initialize=draw, **{"needs": frozenset(), **changes})


def schedule(factor: Any) -> type:
    """The good schedule with another curve."""
    return variant(GoodSchedule, factor=staticmethod(factor))


# -- optimizers -------------------------------------------------------------------------------

_memory: dict[str, Any] = {}


def _grows_shape(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    descend(params, grads, context.h.lr)
    params[0] = params[0].astype(np.float64).ravel()


def _keeps_on_class(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    last = _memory.setdefault("last", [np.zeros_like(g) for g in grads])
    descend(params, last, context.h.lr)
    descend(params, grads, context.h.lr)
    _memory["last"] = [g.copy() for g in grads]


def _keeps_on_self(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    self.v = [0.5 * v + g for v, g in zip(getattr(self, "v", [0, 0]), grads, strict=True)]
    descend(params, self.v, context.h.lr)


def _unseeded(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    descend(params, grads, context.h.lr * np.random.default_rng().uniform(0.5, 1))


def _global_random(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    descend(params, grads, context.h.lr * (1 - 1e-9 * random.random()))


def _changes_itself(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    descend(params, grads, context.h.lr)
    type(self).lr = hyper(0.2 + context.t, "learning rate", low=0)


def _fails_at_edge(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    descend(params, grads, context.h.lr)
    if context.h.lr >= 1:
        raise ZeroDivisionError("at the edge")


def _writes_gradient(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    grads[0] *= 0.5
    descend(params, grads, context.h.lr)


def _keeps_gradient(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    change = [g - last for g, last in zip(grads, state.get("g", grads), strict=True)]
    descend(params, change, context.h.lr)
    descend(params, grads, context.h.lr)
    state["g"] = list(grads)


def _replaces(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    params[:] = [p - context.h.lr * g for p, g in zip(params, grads, strict=True)]


def _eval_moves(self: Any, params: Any, state: Any, context: Any) -> None:
    params[0] *= 0.999


def _forgets_its_mean(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    for p, g, mean, last in zip(params, grads, state["mean"], state["last"], strict=True):
        mean = 0.9 * mean + g  # noqa: PLW2901  (the mistake)
        p[...] -= context.h.lr * mean
        last[...] = g


def _wants_matrices(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    if len(params) == 1:
        params[0].shape[1]
    descend(params, grads, context.h.lr)


def _fails_on_short_batches(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    if params[0].shape == (4, 6):
        raise RuntimeError("not this network")
    descend(params, grads, context.h.lr)


def _unseeded_on_networks(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
    noise = np.random.default_rng().uniform(0.9, 1) if len(params) > 2 else 1
    descend(params, grads, context.h.lr * noise)


def _mutating(theta: Array, grad: Array, v: Array, power: float, t: int, h: Values) -> Any:
    v *= 0.9
    v += grad
    return theta - h.lr * v, v, power


_calls = [0]


def _impure(theta: Array, grad: Array, t: int, h: Values) -> Array:
    _calls[0] += 1
    return theta - h.lr * grad * (1 + 1e-6 * _calls[0])


def _promoting(theta: Array, grad: Array, v: Array, power: float, t: int, h: Values) -> Any:
    v = v + np.sqrt(1 - 0.5**t) * grad
    return theta - h.lr * v, v, power


def _honest(theta: Array, grad: Array, t: int, h: Values) -> Any:
    return (theta - h.lr * grad,)


@functools.wraps(_honest)  # so that its source is that of the honest one
def _dishonest(theta: Array, grad: Array, t: int, h: Values) -> Any:
    return (_honest(theta, grad, t, h)[0] * 1.001,)


def _ignores_a_slot(
    theta: Array, grad: Array, v: Array, unused: Array, power: float, t: int, h: Values
) -> Any:
    theta, v, power = GoodRule.update(theta, grad, v, power, t, h)
    return theta, v, unused + grad, power


# -- initializers -----------------------------------------------------------------------------


def _layers(sizes: Any, weight: Any, bias: Any = np.zeros) -> Any:
    return [(weight(a, b), bias(b)) for a, b in itertools.pairwise(sizes)]


def _transposed(self: Any, rng: Any, context: Any, h: Any) -> Any:
    return _layers(context.sizes, lambda a, b: rng.normal(size=(b, a)))


def _float32(self: Any, rng: Any, context: Any, h: Any) -> Any:
    return _layers(context.sizes, lambda a, b: rng.normal(size=(a, b)).astype(np.float32))


def _biased(self: Any, rng: Any, context: Any, h: Any) -> Any:
    return _layers(context.sizes, lambda a, b: rng.normal(size=(a, b)), np.ones)


def _own_rng(self: Any, rng: Any, context: Any, h: Any) -> Any:
    fresh = np.random.default_rng()
    return _layers(context.sizes, lambda a, b: fresh.normal(size=(a, b)))


def _rng_of_its_own(self: Any, rng: Any, context: Any, h: Any) -> Any:
    own = np.random.default_rng(0)
    return _layers(context.sizes, lambda a, b: own.normal(size=(a, b)))


def _shared_rng(self: Any, rng: Any, context: Any, h: Any) -> Any:
    return _layers(context.sizes, lambda a, b: np.full((a, b), random.random()))


def _ignores_data(self: Any, rng: Any, context: Any, h: Any) -> Any:
    return _layers(context.sizes, lambda a, b: rng.normal(size=(a, b)))


def _overflows(self: Any, rng: Any, context: Any, h: Any) -> Any:
    return _layers(context.sizes, lambda a, b: np.full((a, b), h.gain / (10 - h.gain)))


# -- datasets ---------------------------------------------------------------------------------


def _points(labels: Any, x: Any = None) -> Any:
    return lambda self: (np.arange(len(labels) * 2.0).reshape(-1, 2) if x is None else x, labels)


def _drifting(self: Any) -> Any:
    return np.random.default_rng().normal(size=(100, 3)), np.arange(100) % 2


def _shared_random(self: Any) -> Any:
    return np.arange(200.0).reshape(100, 2) + 0 * random.random(), np.arange(100) % 2


def _constant(self: Any) -> Any:
    return np.ones((100, 2)), np.arange(100) % 2


# -- schedules --------------------------------------------------------------------------------


def _writing(s: Array, final: float) -> Array:
    s *= 1 - final
    return 1 - s


PLANTED: dict[str, type] = {
    # what a plugin says about itself
    "check_name_is_kebab_case": variant(GoodRule, name="Good Rule"),
    "check_summary_is_one_line": variant(GoodRule, __doc__=""),
    "check_source_is_named": variant(GoodDataset, source=" "),
    "check_variant_is_named": variant(GoodInitializer, variant=""),
    "check_needs_are_known": variant(GoodStepper, needs=frozenset({"gpu"})),
    "check_hyperparameters_are_explained": variant(GoodRule, beta=hyper(0.9, low=0, high=1)),
    "check_defaults_are_allowed": variant(GoodRule, beta=hyper(1.5, "decay", low=0, high=1)),
    "check_invalid_values_are_refused": variant(
        GoodRule, lr=hyper(0.1, "learning rate", log_range=(1e-3, 1))
    ),
    "check_search_space_is_sane": variant(
        GoodRule, beta=hyper(0.9, "decay", low=0, high=1, uniform_range=(0, 2))
    ),
    "check_learning_rate_can_be_tuned": variant(GoodRule, lr=hyper(0.1, "learning rate", low=0)),
    "check_rate_is_marked": variant(GoodRule, lr=None, eta=LR),
    # optimizers
    "check_shape_and_dtype_kept": stepper(_grows_shape),
    "check_something_moves": plain(lambda theta, grad, t, h: theta + 0 * grad),
    "check_same_seed_same_bits": stepper(_unseeded),
    "check_instances_are_isolated": stepper(_keeps_on_self),
    "check_global_random_state_is_left_alone": stepper(_global_random),
    "check_hyperparameters_are_left_alone": stepper(_changes_itself),
    "check_zero_gradient_moves_nothing": plain(
        lambda theta, grad, t, h: theta - h.lr * (grad + 0.01)
    ),
    "check_zero_learning_rate_moves_nothing": plain(
        lambda theta, grad, t, h: theta - (h.lr + 1e-4) * grad
    ),
    "check_defaults_descend": plain(lambda theta, grad, t, h: theta + h.lr * grad),
    "check_descends_on_a_quadratic": plain(lambda theta, grad, t, h: theta - 1e-4 * grad),
    "check_finite_after_many_steps": plain(lambda theta, grad, t, h: theta - h.lr * grad * 1.02**t),
    "check_finite_at_extreme_gradients": plain(
        lambda theta, grad, t, h: theta - h.lr * grad / np.sqrt(grad * grad)
    ),
    "check_search_space_can_be_trained": stepper(_fails_at_edge),
    "check_every_hyperparameter_matters": variant(GoodRule, decay=hyper(0.01, "ignored", low=0)),
    # rules
    "check_every_state_matters": rule(_ignores_a_slot, slots=("v", "unused")),
    "check_returns_what_it_declares": rule(lambda theta, *rest: (theta,)),
    "check_state_keeps_shape_and_dtype": rule(_promoting),
    "check_inputs_are_not_mutated": rule(_mutating),
    "check_update_is_pure": plain(_impure),
    "check_update_is_elementwise": plain(
        lambda theta, grad, t, h: theta - h.lr * (grad - grad.mean())
    ),
    "check_compiled_equals_reference": rule(_dishonest, slots=(), scalars={}),
    # steppers
    "check_declared_needs_are_used": stepper(
        lambda self, params, grads, state, context: descend(params, grads, context.h.lr),
        needs=frozenset({"rng"}),
    ),
    "check_gradients_are_not_mutated": stepper(_writes_gradient),
    "check_gradients_are_not_kept": stepper(_keeps_gradient),
    "check_parameters_are_changed_in_place": stepper(_replaces),
    "check_evaluation_leaves_training_alone": variant(GoodStepper, eval_params=_eval_moves),
    "check_every_state_changes": stepper(_forgets_its_mean),
    "check_any_list_of_arrays_is_trained": stepper(_wants_matrices),
    # training
    "check_trains_in_every_regime": stepper(_fails_on_short_batches),
    "check_same_run_same_bits": stepper(_unseeded_on_networks),
    # initializers
    "check_shapes_fit_the_network": drawer(_transposed),
    "check_weights_are_finite_float64": drawer(_float32),
    "check_biases_start_at_zero": drawer(_biased),
    "check_same_seed_same_weights": drawer(_own_rng),
    "check_other_seeds_give_other_weights": drawer(_rng_of_its_own),
    "check_initializer_leaves_global_random_state_alone": drawer(_shared_rng),
    "check_data_is_used_as_declared": drawer(_ignores_data, needs=frozenset({"data"})),
    "check_every_hyperparameter_changes_weights": variant(
        GoodInitializer, spread=hyper(1.0, "ignored", low=0)
    ),
    "check_search_space_can_be_drawn": drawer(_overflows),
    # datasets
    "check_task_is_known": variant(GoodDataset, task="ranking"),
    "check_inputs_are_a_finite_table": loader(_constant),
    "check_targets_fit_the_task": loader(_points(np.arange(100) % 4 + 1)),
    "check_every_load_is_the_same": loader(_drifting),
    "check_dataset_leaves_global_random_state_alone": loader(_shared_random),
    "check_splits_into_three_parts": loader(_points(np.arange(20) % 2)),
    "check_every_value_is_used": variant(GoodDataset, noise=hyper(0.1, "ignored", low=0)),
    "check_expected_cautions_apply": variant(GoodDataset, expected_cautions={"duplicates": "none"}),
    # schedules
    "check_factors_are_numbers": schedule(lambda s, final: np.log(s)),
    "check_factor_is_pure": schedule(_writing),
    "check_factor_is_elementwise": schedule(lambda s, final: s / s.max() if s.any() else s + 1),
}
"""A broken plugin for every check, by the name of the check."""
