"""One run: paired streams, the shared grid, regimes, divergence, failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import optbench
from optbench import Array, ConfigError, PluginError, StepContext, Stepper, Values, hyper
from optbench.data.splits import load_dataset, prepare_dataset
from optbench.data.streams import batch_order, stream
from optbench.engine.grid import evaluation_grid
from optbench.engine.problem import build_problem
from optbench.engine.training import train_spec
from optbench.records import CURVE_COLUMNS, Status
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of


def test_same_seed_same_bits() -> None:
    """Two runs of one spec give the same bits; another seed gives others."""
    one, two = (optbench.train("adam", dataset="wine", epochs=3, seed=4) for _ in range(2))
    other = optbench.train("adam", dataset="wine", epochs=3, seed=5)
    assert one.params_hash == two.params_hash != other.params_hash
    for column in set(CURVE_COLUMNS) - {"seconds"}:
        assert np.array_equal(one.curve[column], two.curve[column])


def test_optimizers_meet_the_same_accidents() -> None:
    """Initial weights and so the first evaluation are the same for every optimizer and regime."""
    first = {
        optbench.train(name, dataset="wine", epochs=1, regime=regime).curve["val_loss"][0]
        for name in ("sgd", "adam", "muon")
        for regime in ("batch", "mini-batch", "sgd")
    }
    assert len(first) == 1


def test_streams_are_apart_and_fixed() -> None:
    """Roles and seeds have streams of their own; a longer run begins like a shorter one."""
    assert stream("init", 0).random() == stream("init", 0).random()
    assert len({stream(role, s).random() for role in ("init", "order") for s in (0, 1)}) == 4
    short, long = batch_order(10, 2, 3), batch_order(10, 5, 3)
    assert np.array_equal(short, long[:2])
    assert all(np.array_equal(np.sort(epoch), np.arange(10)) for epoch in long)


def test_grid_is_shared_and_log_spaced() -> None:
    """One grid for all regimes: ascending, ends with the run, evenly spaced in the logarithm."""
    grid = evaluation_grid(1000, 50, 30)
    assert grid[-1] == 50_000
    assert (np.diff(grid) > 0).all()
    ratios = np.diff(np.log(grid[5:]))
    assert ratios.max() < 1.1 * ratios.min()
    curves = {
        regime: optbench.train("sgd", dataset="wine", epochs=8, regime=regime).curve
        for regime in ("batch", "mini-batch", "sgd")
    }
    assert len({curve["examples"][-1] for curve in curves.values()}) == 1
    assert set(curves["batch"]["examples"]) <= {n * 107.0 for n in range(9)}
    assert (curves["batch"]["updates"][-1], curves["sgd"]["updates"][-1]) == (8, 8 * 107)


def test_an_epoch_is_one_pass_with_a_short_last_batch() -> None:
    """107 examples in batches of 32 are four updates an epoch."""
    curve = optbench.train("sgd", dataset="wine", epochs=5, batch_size=32).curve
    assert (curve["updates"][-1], curve["epoch"][-1]) == (20, 5)


def test_full_batch_does_not_depend_on_the_order() -> None:
    """In full batch no order is drawn; a mini-batch of everything gives the same to rounding."""
    batch = optbench.train("momentum", dataset="wine", regime="batch", epochs=6, dtype="float64")
    mini = optbench.train(
        "momentum",
        dataset="wine",
        regime="mini-batch",
        batch_size=10_000,
        epochs=6,
        dtype="float64",
    )
    np.testing.assert_allclose(
        batch.curve["train_loss"], mini.curve["train_loss"][-batch.curve.rows :], rtol=1e-12
    )


def test_divergence_is_a_status() -> None:
    """A learning rate far too large ends as diverged, with the reason and the curve so far."""
    result = optbench.train("sgd[lr=10]", dataset="diabetes", epochs=20, regime="sgd")
    assert result.status == "diverged"
    assert "loss" in result.reason
    assert np.isnan(result.test_loss)
    assert 1 < result.curve.rows < 40


class Faulty(Stepper):
    """Raises, exits or returns rubbish when it is told to."""

    name = "faulty"
    how: str = hyper("raise", choices=("raise", "exit", "shape"))

    def init(self, params: list[Array], context: StepContext) -> None:
        return None

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        if context.h.how == "exit":
            raise SystemExit(3)
        if context.h.how == "shape":
            params[0][...] = np.ones((1, 2, 3))
        raise RuntimeError("the plugin's\nown words")


class Faults:
    @optbench.hookimpl
    def optbench_register_optimizers(self) -> list[type[Stepper]]:
        return [Faulty]


@pytest.mark.parametrize("how", ["raise", "exit", "shape"])
def test_a_plugin_that_fails_fails_its_own_run(how: str) -> None:
    """What a plugin raises, SystemExit included, is the run's reason in one line."""
    registry = default_registry()
    plugin = registry.register(
        type(
            "Faults", (), {"optbench_register_optimizers": optbench.hookimpl(lambda self: [Faulty])}
        )()
    )
    try:
        spec = spec_of(f"faulty[how={how}]", dataset="iris", epochs=1)
        result = train_spec(spec)
    finally:
        registry.unregister(plugin)
    assert result.status is Status.FAILED
    assert "\n" not in result.reason
    assert result.reason


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"optimizer": "adam[lr=-1]"}, "lr=-1 is not allowed"),
        ({"optimizer": "adam[bta1=0.9]"}, "beta1"),
        ({"dataset": "digit"}, "digits"),
        ({"activation": "rely"}, "relu"),
        ({"regime": "minibatch"}, "mini-batch"),
        ({"initializer": "he"}, "unknown initializer 'he'"),
        ({"dtype": "float16"}, "float64"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"hidden": (8, 0)}, "hidden=0"),
        ({"hidden": "32"}, "hidden='32' is not allowed; widths such as"),
        ({"hidden": None}, "hidden=None"),
        ({"epochs": "3"}, "epochs='3' is not allowed; a whole number"),
        ({"seed": -1}, "seed=-1"),
        ({"optimizer": "lbfgs", "regime": "sgd"}, "full batches only"),
        ({"epohcs": 3}, "train: unknown argument 'epohcs'; did you mean 'epochs'"),
        ({"sede": 3}, "train: unknown argument 'sede'; did you mean 'seed'"),
        ({"bta1": 0.5}, "unknown hyperparameter of adam 'bta1'; did you mean 'beta1'"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(arguments: dict[str, Any], words: str) -> None:
    """One line with the value, and the nearest or allowed ones."""
    with pytest.raises(ConfigError, match="(?s)" + words.replace("'", ".")) as refusal:
        optbench.train(**{"optimizer": "adam", "dataset": "iris", **arguments})
    assert "\n" not in str(refusal.value)


def test_one_width_is_one_hidden_layer() -> None:
    """A single number needs no brackets."""
    specs = [spec_of("sgd", dataset="iris", hidden=hidden) for hidden in (8, np.int64(8), (8,))]
    assert {spec.hidden for spec in specs} == {(8,)}


def test_the_public_names_are_listed() -> None:
    """`dir` shows what is there to use, imported yet or not, and each name is there."""
    assert {"train", "Rule", "load_dataset"} <= set(dir(optbench))
    assert all(hasattr(optbench, name) for name in dir(optbench))


def test_standardised_on_the_training_part_alone() -> None:
    """Mean 0 and variance 1 on the training part exactly; the other parts only nearly."""
    data = load_dataset("breast-cancer")
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, atol=1e-9)
    assert np.abs(data.x_val.mean(axis=0)).max() > 1e-3
    assert not data.x_train.flags.writeable


def test_splits_are_disjoint_stratified_and_fixed() -> None:
    """60 / 20 / 20 of every class, no example in two parts, the same at every load."""
    data = load_dataset("digits")
    parts = (data.x_train, data.x_val, data.x_test)
    assert [round(len(p) / 1797, 2) for p in parts] == [0.6, 0.2, 0.2]
    shares = [np.bincount(y) / len(y) for y in (data.y_train, data.y_val, data.y_test)]
    assert np.abs(shares[0] - shares[2]).max() < 0.01
    rows = [{row.tobytes() for row in part} for part in parts]
    assert not rows[0] & rows[2]
    assert not rows[0] & rows[1]
    assert len(data.content_hash) == 64


def test_a_changed_dataset_is_noticed() -> None:
    """A run planned with another content hash is refused, not trained on other data."""
    spec = spec_of("sgd", dataset="iris", epochs=1)

    result = train_spec(msgspec.structs.replace(spec, dataset_hash="0" * 64))
    assert (result.status, "has changed" in result.reason) == (Status.FAILED, True)


def test_an_initializer_of_the_wrong_shape_is_named() -> None:
    """PluginError with the initializer's name and both shapes."""

    class Odd(optbench.Initializer):
        name = "odd"

        def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
            return np.zeros((n_out, n_in))

    from optbench.engine.initialization import initial_params

    with pytest.raises(PluginError, match="'odd' made shapes"):
        initial_params(Odd, (2, 3, 1), 0, "relu", {})


def test_seconds_are_those_of_training_alone() -> None:
    """Seconds grow along the curve and begin at 0."""
    seconds = optbench.train("sgd", dataset="digits", epochs=3).curve["seconds"]
    assert seconds[0] == 0
    assert (np.diff(seconds) >= 0).all()


def test_cached_datasets_come_back_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read from the cache folder equals what was loaded; a damaged copy is made again."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    source = default_registry().dataset_source("iris")
    loaded = prepare_dataset.__wrapped__(source)
    (kept,) = tmp_path.glob("datasets/iris-*.npz")
    made = kept.read_bytes()
    for damaged in (made, b"PK rubbish", made[:-100], made[:200] + b"!" + made[201:], b""):
        kept.write_bytes(damaged)
        again = prepare_dataset.__wrapped__(source)
        assert again.content_hash == loaded.content_hash
        assert again.x_train.dtype == loaded.x_train.dtype
    assert len(list(tmp_path.glob("datasets/*"))) == 1
    monkeypatch.setenv("OPTBENCH_CACHE", "/proc/no/such/folder")
    assert prepare_dataset.__wrapped__(source).content_hash == loaded.content_hash


def test_initial_weights_that_runs_share_are_not_changed_by_training() -> None:
    """The second of two equal runs starts where the first one did, and each has its own buffer."""
    spec = spec_of("sgd[lr=0.1]", dataset="iris", epochs=2)
    first = build_problem(spec, default_registry())
    start = first.theta0.copy()
    first.theta0[...] = 7.0
    trained = train_spec(spec)
    assert trained.params_hash == train_spec(spec).params_hash
    np.testing.assert_array_equal(build_problem(spec, default_registry()).theta0, start)


@pytest.mark.parametrize("width", [4, 300])
def test_initial_weights_differ_by_seed_values_and_data(width: int) -> None:
    """Weights that are kept for the next run are not taken for those of another one."""
    changes: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"dtype": "float64"},
        {"initializer": "lsuv"},
        {"initializer": "lsuv", "dataset": "circles"},
        {"initializer": "lsuv", "activation": "tanh"},
    ]
    runs = [spec_of("sgd", hidden=(width, width), **{"dataset": "moons", **c}) for c in changes]
    for _ in range(2):
        starts = {build_problem(run, default_registry()).theta0.tobytes() for run in runs}
        assert len(starts) == len(runs)
