"""docs/lecture.md: what its sentences say of a plot is true of the figures behind the plot.

Each test reads the settings from the command on the page, so that it measures what the page shows.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from optbench.cli import main
from optbench.contracts import Array
from optbench.inspection.landscapes import Path as Walk
from optbench.inspection.landscapes import find_ground, follow
from optbench.inspection.responses import Response, draw_series, respond
from optbench.study.network_inspection import Inspection, compare_initializers, inspect

pytestmark = pytest.mark.long

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUESSING = math.log(10)
"""Loss of a network that gives ten classes the same probability."""

_spec = importlib.util.spec_from_file_location("lecture_page", DOCS / "lecture.py")
assert _spec is not None
assert _spec.loader is not None
lecture = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lecture)

COMMANDS: dict[str, list[str]] = {
    lecture.folder_of(arguments): arguments
    for arguments, _ in lecture.commands((DOCS / "lecture.md").read_text(encoding="utf-8"))
}


def settings_of(folder: str) -> dict[str, Any]:
    """Return the parsed options of the command of the page with this output folder."""
    name, *arguments = COMMANDS[folder]
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return dict(command.make_context(name, list(arguments)).params)


@functools.cache
def inspected(folder: str, initializer: str = "", optimizer: str = "") -> Inspection:
    """Inspect the network of the page, with another initializer or optimizer if one is given."""
    given = settings_of(folder)
    names = ("dataset", "hidden", "activation", "regime", "batch_size", "epochs", "seed")
    chosen = initializer or next(iter(given["initializers"]), None)
    return inspect(
        chosen,
        optimizer=optimizer or given["optimizer"],
        with_sharpness=given["sharpness"],
        **{name: given[name] for name in names},
    )


def curve(inspection: Inspection, column: str) -> Array:
    assert inspection.result is not None
    return np.asarray(inspection.result.curve[column])


@functools.cache
def walks(folder: str, landscape: str = "") -> dict[str, Walk]:
    """Return the paths of a trajectory of the page by optimizer and batch size."""
    given = settings_of(folder)
    ground = find_ground(landscape or given["landscape"])
    paths = [
        follow(name, ground, given["steps"], None, given["seed"], size)
        for name in given["optimizers"]
        for size in given["batch_sizes"] or [None]
    ]
    return {path.label.partition("[")[0] + path.label.partition(",")[2]: path for path in paths}


@functools.cache
def responses(folder: str) -> dict[str, Response]:
    given = settings_of(folder)
    series = draw_series(given["updates"], given["noise"], given["seed"])
    return {name: respond(name, series) for name in given["optimizers"]}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function from a folder to the points of the sweep of the page."""

    @functools.cache
    def points(folder: str) -> list[dict[str, Any]]:
        out = str(tmp_path_factory.mktemp(folder))
        arguments = [*COMMANDS[folder], "--out", out, "--formats", "none", "--json"]
        outcome = CliRunner().invoke(main, arguments)
        assert outcome.exit_code == 0, outcome.stderr
        listed: list[dict[str, Any]] = json.loads(outcome.stdout)["points"]
        return listed

    return points


def losses(points: list[dict[str, Any]], axis: str, **where: Any) -> dict[Any, float]:
    """Return the median loss by the value of an axis, infinite where the median run diverged."""
    return {
        p[axis]: math.inf if p["median"] is None else p["median"]
        for p in points
        if all(p[name] == value for name, value in where.items())
    }


# -- networks and their initialization --------------------------------------------------------


def test_a_linear_model_guesses_on_circles() -> None:
    """Its loss stays at log 2, that of two classes with the same probability."""
    assert curve(inspected("line"), "train_loss")[-1] == pytest.approx(math.log(2), rel=0.01)


def test_four_neurons_are_enough_for_circles_and_many_do_no_harm(swept: Any) -> None:
    """One or two per layer fail; four and more do not."""
    by_width = losses(swept("neurons"), "neurons")
    assert min(by_width[1], by_width[2]) > 0.4
    assert max(loss for width, loss in by_width.items() if width >= 4) < 0.1


def test_xavier_with_relu_halves_signal_and_gradient_and_does_not_learn() -> None:
    """A 50,000th of the signal arrives, and the loss stays at that of guessing."""
    seen = inspected("xavier-relu")
    assert seen.before.forward_factor == pytest.approx(0.5, abs=0.05)
    assert seen.before.backward_factor == pytest.approx(0.5, abs=0.05)
    arrived = seen.before.forward[-1] / seen.before.forward[0]
    assert 1 / arrived == pytest.approx(50_000, rel=0.2)
    assert curve(seen, "val_loss").min() > 0.97 * GUESSING
    assert not any("no known problem" in sentence for sentence in seen.sentences)


def test_he_with_relu_preserves_both_and_learns() -> None:
    """The only difference between the two commands is the initializer."""
    xavier, he = settings_of("xavier-relu"), settings_of("he-relu")
    differing = {name for name in he if he[name] != xavier[name]}
    assert differing == {"initializers", "out"}
    seen = inspected("he-relu")
    for variances in (seen.before.forward, seen.before.backward):
        assert 1 / 4 < variances[-1] / variances[0] < 4
    assert curve(seen, "val_loss")[-1] < 0.4 * GUESSING


def passed(folder: str) -> dict[str, tuple[float, float]]:
    """Return by initializer what is left of signal and gradient after all layers."""
    given = settings_of(folder)
    found = compare_initializers(
        (),
        width=given["hidden"][0],
        activation=given["activation"],
        depth=given["depth"],
        seed=given["seed"],
    )
    return {
        s.initializer: (s.forward[-1] / s.forward[0], s.backward[0] / s.backward[-1])
        for s in found.choice.ranked
        if s.forward[0] > 0 and s.backward[-1] > 0
    }


def test_with_depth_xavier_and_lecun_fall_he_is_level_and_large_weights_explode() -> None:
    """Within a factor of 20, by 15 orders of magnitude up to one, and by more than 14."""
    left = passed("depth")
    for name in ("he-normal", "he-uniform"):
        assert all(1 / 20 < ratio < 20 for ratio in left[name]), name
    for name in ("xavier-normal", "xavier-uniform", "lecun-normal", "lecun-uniform"):
        assert all(14 < -math.log10(ratio) < 16.5 for ratio in left[name]), name
    assert min(left["large-normal"]) > 1e14


def test_with_tanh_uniform_fan_in_passes_a_third_and_xavier_nine_tenths() -> None:
    """A layer; over 50 of them nothing is left, or a hundredth."""
    left, layers = passed("depth-tanh"), settings_of("depth-tanh")["depth"]
    a_layer = {name: gradient ** (1 / (layers - 1)) for name, (_, gradient) in left.items()}
    assert a_layer["uniform-fan-in"] == pytest.approx(1 / 3, abs=0.03)
    assert a_layer["xavier-normal"] == pytest.approx(0.9, abs=0.05)
    assert left["uniform-fan-in"][1] < 1e-20
    assert 0.003 < left["xavier-normal"][1] < 0.03


def test_deep_networks_do_not_forgive_a_poor_initialization(swept: Any) -> None:
    """One layer learns from any start; twelve stay at guessing from small weights."""
    points = swept("deep")
    shallow, deep = (losses(points, "initializer", layers=depth) for depth in (1, 12))
    assert max(shallow.values()) < 0.3
    for name in ("small-normal", "uniform-fan-in"):
        assert deep[name] == pytest.approx(GUESSING, rel=0.02)
    assert deep["he-normal"] < deep["xavier-normal"] < 0.6 * GUESSING


def test_from_zeros_all_units_of_a_layer_stay_the_same() -> None:
    """After training, they compute one value, and the other way round from random numbers."""
    health = inspected("zeros").after
    assert health is not None
    assert health.health["layer1.distinct"] == 1
    other = inspected("zeros", "xavier-normal").after
    assert other is not None
    assert other.health["layer1.distinct"] == settings_of("zeros")["hidden"][0]


def test_sigmoids_starve_the_first_layer() -> None:
    """Its gradient is thousands of times smaller, and it does not move."""
    seen = inspected("sigmoid")
    assert 1000 < curve(seen, "layer5.grad_rms")[0] / curve(seen, "layer1.grad_rms")[0] < 20_000
    moved = curve(seen, "layer1.update_ratio")
    assert np.nanmax(moved) < 1e-3 * np.nanmin(curve(seen, "layer5.update_ratio"))
    assert curve(seen, "train_loss").min() > 0.98 * GUESSING


def test_large_weights_saturate_and_do_not_generalize() -> None:
    """Three quarters of the values are flat, the gradient grows backwards, nothing is gained."""
    seen = inspected("saturated")
    flat = [v for k, v in seen.before.health.items() if k.endswith(".saturated")]
    assert np.mean(flat) == pytest.approx(0.75, abs=0.05)
    assert (np.diff(seen.before.backward) < 0).all()  # layer 1, the last on the way, has most
    assert curve(seen, "train_loss")[0] > 4 * GUESSING
    assert curve(seen, "val_loss")[-1] == pytest.approx(GUESSING, rel=0.1)
    xavier = inspected("saturated", "xavier-normal")
    assert curve(xavier, "val_loss")[-1] < 0.1 * GUESSING


def test_a_spread_of_weights_between_too_small_and_too_large_learns(swept: Any) -> None:
    """From 0.1 to 0.3 the network learns; a third and ten times of that, and it guesses."""
    by_spread = losses(swept("spread"), "initializer")
    loss = [by_spread[f"large-normal[std={std}]"] for std in ("0.01", "0.03", "0.1", "0.3", "1")]
    assert min(loss[0], loss[1], loss[4]) > 0.9 * GUESSING
    assert max(loss[2], loss[3]) < 0.2 * GUESSING


# -- batches ----------------------------------------------------------------------------------


def test_the_height_of_wandering_is_in_proportion_to_one_over_the_batch_size() -> None:
    """Sixteen times the batch, a sixteenth of the mean height over the second half."""
    paths = walks("batch-paths")
    height = {b: paths[f"sgd batch {b}"].values[50:].mean() for b in (1, 16, 256)}
    for small, large in ((1, 16), (16, 256)):
        assert 8 < height[small] / height[large] < 32
    assert all(path.values[10] < 0.15 * path.values[0] for path in paths.values())


def test_small_batches_get_further_in_the_same_epochs(swept: Any) -> None:
    """Sixteen and fewer examples end below all larger batches."""
    by_size = losses(swept("batch"), "batch_size")
    small = [loss for size, loss in by_size.items() if size <= 16]
    large = [loss for size, loss in by_size.items() if size > 16]
    assert 1.5 * max(small) < min(large)


def test_larger_batches_need_larger_rates(swept: Any) -> None:
    """From the smallest batch to the largest: about four times for SGD, much more for Adam."""
    points = swept("rate-batch")
    sizes = sorted({p["batch_size"] for p in points})
    ratio = {}
    for optimizer in ("sgd", "adam"):
        rows = [losses(points, "lr", optimizer=optimizer, batch_size=size) for size in sizes]
        best = [min(row, key=lambda rate: row[rate]) for row in rows]
        ratio[optimizer] = best[-1] / best[0]
    assert ratio["sgd"] == pytest.approx(4, rel=0.1)
    assert ratio["adam"] > 10
    largest = max(p["lr"] for p in points)
    at_largest = losses(points, "batch_size", optimizer="sgd", lr=largest)
    assert at_largest[sizes[0]] > math.log(2) > 2 * at_largest[sizes[-1]]


def test_a_falling_schedule_lowers_the_floor() -> None:
    """The same rate, but with a cosine, ends lower than any of the last losses without."""
    falling = inspected("noise", optimizer="sgd[lr=0.3,schedule=cosine]")
    assert curve(falling, "train_loss")[-1] < curve(inspected("noise"), "train_loss")[-5:].min()


# -- optimizers -------------------------------------------------------------------------------


def crossings(walk: Walk) -> int:
    """Return how often a path crosses the floor of the valley, which is rotated by 30 degrees."""
    angle = np.deg2rad(30)
    across = walk.points @ [np.cos(angle), np.sin(angle)]
    return int(np.count_nonzero(np.sign(across[1:]) != np.sign(across[:-1])))


def test_momentum_averages_the_bounces_away() -> None:
    """At one rate, SGD crosses the valley at every step, momentum 14 times, and ends lower."""
    paths = walks("valley")
    assert (crossings(paths["sgd"]), crossings(paths["momentum"])) == (100, 14)
    assert 3 * paths["momentum"].values[-1] < paths["sgd"].values[-1]


def test_momentum_bears_a_rate_at_which_sgd_diverges() -> None:
    """Above 2 / 50, SGD is higher at the end than at the start."""
    ground = find_ground(settings_of("valley")["landscape"])
    sgd, momentum = (follow(f"{name}[lr=0.042]", ground, 100) for name in ("sgd", "momentum"))
    assert sgd.values[-1] > sgd.values[0]
    assert momentum.values[-1] < 1e-3 * momentum.values[0]


def test_the_larger_beta_the_less_noise_and_the_later_the_turn() -> None:
    """7 updates with 0.9, about 50 with 0.99."""
    found = list(responses("beta").values())
    assert [r.noise for r in found] == sorted((r.noise for r in found), reverse=True)
    assert [r.delay for r in found] == sorted(r.delay for r in found)
    by_name = responses("beta")
    assert by_name["momentum[beta=0.9]"].delay == 7
    assert by_name["momentum[beta=0.99]"].delay == pytest.approx(50, abs=4)


def test_adagrad_slows_down_rmsprop_does_not_and_adam_starts_right() -> None:
    """Mean steps over learning rate: at the first updates, and before the gradient turns."""
    mean = {name: r.steps.mean(axis=1) for name, r in responses("scaled").items()}
    assert mean["adagrad"][0] == pytest.approx(1, abs=0.05)
    assert mean["adagrad"][99] == pytest.approx(0.1, abs=0.02)
    assert mean["rmsprop"][0] > 3
    assert mean["rmsprop"][-20:].mean() == pytest.approx(-1, abs=0.2)
    assert np.abs(mean["adam"][:100] - 1).max() < 0.2
    found = responses("scaled")
    assert found["adam"].noise < 0.3 * found["rmsprop"].noise


def test_scaling_each_axis_helps_where_the_valley_lies_along_one() -> None:
    """Down within ten steps along an axis; rotated, about as high as SGD, or a tenth."""
    along = walks("axes")
    for name in ("adagrad", "rmsprop"):
        assert along[name].values[10] < 1e-6 * along[name].values[0]
    rotated = {name: path.values[-1] for name, path in walks("axes", "quadratic-valley").items()}
    assert 0.5 < rotated["adagrad"] / rotated["sgd"] < 1
    assert 0.05 < rotated["rmsprop"] / rotated["sgd"] < 0.2


def test_momentum_gets_furthest_in_a_curved_valley() -> None:
    """Of five optimizers on Rosenbrock's function, each at the best rate of a scan."""
    ends = {name: path.values[-1] for name, path in walks("banana").items()}
    assert min(ends, key=lambda name: ends[name]) == "momentum"
    assert 10 * ends["momentum"] < min(end for name, end in ends.items() if name != "momentum")


def test_small_gradients_count_at_a_saddle() -> None:
    """After 20 steps RMSprop and Adam are near a minimum; SGD is on the pass up to step 40.

    Momentum is there at the end. The pass is at height 1.
    """
    height = {name: path.values + 1 for name, path in walks("saddle").items()}
    assert max(height[n][20] for n in ("rmsprop", "adam")) < 0.1
    assert min(height["sgd"][40], *height["momentum"]) > 0.9
    assert height["sgd"][60] < 0.1


def test_an_average_of_gradients_smooths_a_noisy_path() -> None:
    """Near the minimum, momentum and Adam turn less from step to step than SGD and RMSprop."""

    def turning(walk: Walk) -> float:
        steps = np.diff(walk.points[50:], axis=0)
        angles = np.arctan2(steps[:, 1], steps[:, 0])
        turns = np.abs(np.angle(np.exp(1j * np.diff(angles))))
        return float(turns.mean())

    turns = {name: turning(path) for name, path in walks("noisy").items()}
    assert 2 * max(turns["momentum"], turns["adam"]) < min(turns["sgd"], turns["rmsprop"])


# -- hyperparameters, bias and variance -------------------------------------------------------


def test_each_optimizer_has_its_own_range_of_rates(swept: Any) -> None:
    """Too small: near the start. Too large: no better. Between: one or two powers of ten."""
    points = swept("rate")
    best = {}
    for optimizer in ("sgd", "momentum", "adam"):
        row = losses(points, "lr", optimizer=optimizer)
        rates = sorted(row)
        good = [rate for rate in rates if row[rate] < 2 * min(row.values())]
        assert row[rates[0]] > 1.9
        assert row[rates[-1]] > 2
        assert 0.9 < math.log10(good[-1] / good[0]) < 2.1
        best[optimizer] = min(row, key=lambda rate: row[rate])
    assert best["sgd"] > 9 * best["adam"]


def test_activations_matter_for_every_optimizer(swept: Any) -> None:
    """Linear fails, sigmoid is far behind, the others learn."""
    for optimizer in settings_of("activation")["optimizers"]:
        row = losses(swept("activation"), "activation", optimizer=optimizer)
        others = max(row[name] for name in ("relu", "tanh", "gelu"))
        assert row["linear"] > row["sigmoid"] > 10 * others


def test_full_batch_descent_goes_to_the_edge_of_stability() -> None:
    """The sharpness after training is near 2 / lr, and the loss has still fallen at the end."""
    seen = inspected("edge")
    assert seen.sharpness is not None
    assert 0.8 < seen.sharpness / (2 / 0.1) < 1.2
    early = inspect(
        "xavier-normal", dataset="diabetes", activation="tanh", optimizer="sgd[lr=0.1]",
        regime="batch", epochs=3, with_sharpness=True,
    )  # fmt: skip
    assert early.sharpness is not None
    assert early.sharpness < 0.7 * seen.sharpness


def test_a_run_that_is_stopped_early_still_falls() -> None:
    """Both losses, up to the last evaluation."""
    seen = inspected("early")
    for column in ("train_loss", "val_loss"):
        assert curve(seen, column)[-1] < 0.97 * curve(seen, column)[-3]


def test_there_is_a_best_time_to_stop(swept: Any) -> None:
    """After 4 to 8 epochs; the training loss goes on falling."""
    points = sorted(swept("epochs"), key=lambda p: p["epochs"])
    best = min(points, key=lambda p: p["median"])
    assert 4 <= best["epochs"] <= 8
    train = [p["train_median"] for p in points]
    assert train == sorted(train, reverse=True)
    assert points[-1]["median"] > 1.2 * best["median"]


def test_losses_part_in_a_network_too_strong_for_its_data() -> None:
    """The training loss goes to 0, and the validation loss ends above its minimum."""
    seen = inspected("variance")
    assert curve(seen, "train_loss")[-1] < 1e-3
    assert curve(seen, "val_loss")[-1] > 1.15 * curve(seen, "val_loss").min()


def test_more_data_closes_the_gap(swept: Any) -> None:
    """The validation loss falls from point to point, nearly; the training loss is low at all."""
    points = sorted(swept("more-data"), key=lambda p: p["train_size"])
    loss = [p["median"] for p in points]
    assert loss[-1] < 0.35 * loss[0]
    assert all(b < 1.05 * a for a, b in itertools.pairwise(loss))
    assert all(p["train_median"] < 0.1 * p["median"] for p in points)
