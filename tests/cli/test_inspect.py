"""``optbench inspect``: signals by layer, a verdict that is right, advice that helps, plots."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from optbench import train
from optbench.cli import main
from optbench.data.splits import load_dataset
from optbench.inspection.initializer_choice import Choice, carries, choose, limit_factor, mean_of
from optbench.inspection.signals import PASSES, measure_signals, verdict

DEEP = (64,) * 9 + (10,)
"""Eight hidden layers."""


def inspect(*args: object) -> dict[str, Any]:
    """What ``optbench inspect --json`` says."""
    outcome = CliRunner().invoke(main, ["inspect", *map(str, args), "--json"])
    assert outcome.exit_code == 0, outcome.stderr
    told: dict[str, Any] = json.loads(outcome.stdout)
    return told


@pytest.mark.parametrize(
    ("initializer", "activation", "words"),
    [
        ("xavier-normal", "relu", "(it halves)"),
        ("he-normal", "relu", "pass through all layers"),
        ("xavier-normal", "linear", "pass through all layers"),
        ("small-normal", "tanh", "each layer leaves the signal"),
        ("large-normal", "relu", "each layer multiplies the variance of the signal"),
        ("large-normal", "tanh", "saturated"),
        ("zeros", "sigmoid", "all units of a layer compute the same"),
    ],
)
def test_the_verdict_says_what_happens(initializer: str, activation: str, words: str) -> None:
    """Halving, keeping, fading, exploding, saturating and symmetry are told apart."""
    assert words in verdict(measure_signals(initializer, DEEP, activation))


@pytest.mark.parametrize(("what", "ends"), [("signal", (1, 4)), ("gradient", (4, 1))])
def test_what_is_left_is_told_with_the_layers_it_is_measured_at(
    what: str, ends: tuple[int, int]
) -> None:
    """The variance in the last of these layers over that in the first."""
    signals = measure_signals("xavier-normal", (32, 64, 64, 64, 64, 10), "relu")
    variances = signals.forward if what == "signal" else signals.backward
    left = variances[ends[1] - 1] / variances[ends[0] - 1]
    (part,) = [part for part in verdict(signals).split("; ") if f"the {what}" in part]
    assert part.endswith(f"{left:.2g} of it is left from layer {ends[0]} to layer {ends[1]}")


@pytest.mark.parametrize(
    ("initializer", "activation", "depth"),
    [
        (initializer, activation, depth)
        for initializer in ("xavier-normal", "he-normal", "he-uniform", "lsuv", "uniform-fan-in")
        for activation in ("tanh", "relu", "gelu")
        for depth in (6, 50)
    ],
)
def test_the_whole_depth_is_judged_not_one_layer(
    initializer: str, activation: str, depth: int
) -> None:
    """Only networks whose every layer has 0.3 to 3 times the variance pass "about unchanged"."""
    signals = measure_signals(initializer, (64,) * (depth + 1) + (10,), activation)
    text = verdict(signals)
    for what, variance in (("signal", signals.forward), ("gradient", signals.backward[::-1])):
        relative = variance / variance[0]
        worst = relative[np.argmax(np.abs(np.log(relative)))]
        is_kept = 0.3 <= worst <= 3
        assert (f"the {what}" in text or f"no {what}" in text) != is_kept
        if not is_kept:
            assert f"{float(f'{worst:.2g}'):g} " in text
    if text == PASSES:
        assert depth < 50 or activation == "relu"


@pytest.mark.parametrize(("hidden", "words"), [((), "without hidden"), ((32,), "with one hidden")])
def test_networks_without_depth_are_not_said_to_pass_through_layers(
    hidden: tuple[int, ...], words: str
) -> None:
    """A verdict on signals between layers needs two of them."""
    assert verdict(measure_signals("he-normal", (4, *hidden, 3), "tanh")).startswith(words)


@pytest.mark.parametrize(("depth", "width"), [(2, 8), (2, 64), (6, 64), (20, 64)])
@pytest.mark.parametrize(
    ("activation", "best"),
    [
        ("relu", "he-normal"),
        ("leaky-relu", "he-normal"),
        ("gelu", "he-normal"),
        ("tanh", "xavier-normal"),
        ("linear", "xavier-normal"),
    ],
)
def test_the_best_is_the_textbooks_at_any_depth(
    activation: str, best: str, depth: int, width: int
) -> None:
    """Glorot's for activations of slope 1, He's for those that let half through.

    Source: Glorot & Bengio 2010, eq. 12; He et al. 2015, section 2.2.
    """
    choice = choose((), (width,) * (depth + 1) + (width // 4,), activation)
    family = best.partition("-")[0]
    assert choice.best[0].startswith(f"{family}-")
    assert best in choice.best
    assert not any(
        name.startswith("large") or name in ("zeros", "constant") for name in choice.best
    )
    assert [signals.initializer for signals in choice.ranked[: len(choice.best)]] == [*choice.best]


def test_no_draw_decides_what_is_best() -> None:
    """Two sets of draws name the same initializers, in the same order."""
    first, second = (choose((), DEEP, "tanh", seed=seed).best for seed in (0, 100))
    assert first == second


@pytest.mark.parametrize(
    ("best", "end"),
    [
        (("a",), "draws)"),
        (("a", "b"), "; b is as good"),
        (("a", "b", "c", "d", "e", "f"), "; b, c, d, e and f are as good"),
    ],
)
def test_every_initializer_that_is_as_good_is_named(best: tuple[str, ...], end: str) -> None:
    """However many they are."""
    text = str(Choice([], best))
    assert text.startswith("best: a (over ")
    assert text.endswith(end)


def test_nothing_is_called_best_where_nothing_carries() -> None:
    """Eight sigmoid layers lose the gradient, whatever the weights."""
    choice = choose((), DEEP, "sigmoid")
    assert choice.best == ()
    assert str(choice).startswith("none of ")
    assert not any(carries(signals) for signals in choice.ranked)


@pytest.mark.parametrize(
    ("initializer", "activation", "factor"),
    [("he-normal", "relu", 1.0), ("xavier-normal", "relu", 0.5), ("xavier-normal", "tanh", 1.0)],
)
def test_the_factor_of_an_infinite_network_is_theorys(
    initializer: str, activation: str, factor: float
) -> None:
    """A layer's gain times the mean square of the slope, up to chance."""
    draws = [measure_signals(initializer, DEEP, activation, seed=seed) for seed in range(5)]
    assert limit_factor(mean_of(draws)) == pytest.approx(factor, rel=0.04)


def test_advice_and_comparison_agree(tmp_path: Path) -> None:
    """What inspect calls best for a network, --compare does for one of the same depth."""
    how = ("--hidden", "64,64,64,64,64,64", "--activation", "tanh", "--formats", "none")
    told = inspect("-i", "xavier-normal", *how, "--epochs", 0, "--out", tmp_path)
    compared = inspect("--compare", *how, "--depth", 6, "--out", tmp_path)
    assert told["verdict"][0].endswith(f"; {compared['verdict'][0]}.")
    assert "best: xavier-normal" in compared["verdict"][0]


def test_nothing_is_advised_where_nothing_is_wrong(tmp_path: Path) -> None:
    """A network that passes signals needs no other initializer."""
    told = inspect(
        "-i", "he-normal", "--hidden", "64,64,64,64", "--epochs", 0, "--formats", "none",
        "--out", tmp_path,
    )  # fmt: skip
    assert told["verdict"] == [f"before training: {PASSES}."]


def test_one_network_is_explained_before_and_after_training(tmp_path: Path) -> None:
    """The lecture's case: Xavier with ReLU halves the signal, and He is recommended."""
    told = inspect(
        "-i", "xavier-normal", "--hidden", "64,64,64,64", "--epochs", 2, "--out", tmp_path
    )  # fmt: skip
    assert "(it halves)" in told["verdict"][0]
    assert "best: he-normal" in told["verdict"][0]
    assert len(told["rows"]) == 4
    assert (tmp_path / "inspect.png").read_bytes().startswith(b"\x89PNG")


def test_a_sick_run_is_diagnosed(tmp_path: Path) -> None:
    """Planted symmetry is found, with evidence and advice."""
    told = inspect("-i", "zeros", "-d", "iris", "--epochs", 2, "--out", tmp_path)
    assert [finding["illness"] for finding in told["findings"]] == ["symmetric"]


def test_table_and_plot_are_of_the_same_examples() -> None:
    """What is measured before training is what layer health records at epoch 0, and at the end."""
    data = load_dataset("digits")
    hidden = (64,) * 6
    result = train("sgd[lr=0.001]", "digits", hidden, initializer="large-normal", epochs=1)
    before = measure_signals(
        "large-normal", (data.n_features, *hidden, data.n_outputs), "relu",
        data.x_train, data.y_train, loss="cross-entropy",
    )  # fmt: skip
    dead = [before.health[f"layer{layer}.dead"] for layer in range(1, 7)]
    assert dead == [result.curve[f"layer{layer}.dead"][0] for layer in range(1, 7)]
    assert max(dead) > 0.1


def test_a_run_that_diverged_has_no_layers_after(tmp_path: Path) -> None:
    """Its wreck is neither tabled nor called the cause; that it diverged is said."""
    told = inspect(
        "-i", "large-normal", "--hidden", "64,64,64,64,64,64", "--out", tmp_path
    )  # fmt: skip
    assert told["columns"] == ["layer", "signal", "gradient", "flat or off", "dead"]
    assert {len(row) for row in told["rows"]} == {5}
    assert "diverged: " in told["verdict"][1]
    assert [finding["illness"] for finding in told["findings"]] == ["unstable learning rate"]


def test_the_edge_of_stability_is_seen_with_sharpness(tmp_path: Path) -> None:
    """Full-batch descent on 300 epochs ends where sharpness is about 2 / lr."""
    told = inspect(
        "-o", "sgd[lr=0.1]", "-d", "diabetes", "-r", "batch", "--epochs", 300,
        "--activation", "tanh", "-i", "xavier-normal", "--sharpness", "--out", tmp_path,
    )  # fmt: skip
    assert "edge of stability" in [finding["illness"] for finding in told["findings"]]


def test_epochs_zero_looks_at_the_fresh_network_alone(tmp_path: Path) -> None:
    """Nothing is trained, and three panels are drawn."""
    told = inspect("--epochs", 0, "--out", tmp_path, "--formats", "svg")
    assert told["findings"] == []
    assert len(told["verdict"]) == 1
    assert (tmp_path / "inspect.svg").stat().st_size > 0


def test_initializers_are_compared_over_depths(tmp_path: Path) -> None:
    """He leads with ReLU; factors a layer are those of theory."""
    told = inspect(
        "--compare", "-i", "he-normal", "-i", "xavier-normal", "--hidden", 128, "--depth", 20,
        "--out", tmp_path,
    )  # fmt: skip
    rows = {row[0]: float(row[1]) for row in told["rows"]}
    assert told["rows"][0][0] == "he-normal"
    assert rows["he-normal"] == pytest.approx(1, abs=0.12)
    assert rows["xavier-normal"] == pytest.approx(0.5, abs=0.06)
    assert (tmp_path / "initializers-relu.png").is_file()


def test_a_stored_study_is_diagnosed(tmp_path: Path) -> None:
    """Every optimizer on every workload; what all share is the workload's."""
    out = str(tmp_path / "study")
    ran = CliRunner().invoke(
        main,
        ["run", "smoke", "-i", "zeros", "-r", "batch", "--epochs", "2", "--seeds", "1",
         "--ruleset", "defaults", "--health", "--formats", "none", "--out", out],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.stderr
    told = inspect("--in", out)
    assert {row[1] for row in told["rows"]} == {"sgd", "adam"}
    assert all("symmetric (1 of 1)" in row[2] for row in told["rows"])
    assert "symmetric" in told["verdict"][0]


def test_the_page_and_the_command_give_the_same_diagnosis(tmp_path: Path) -> None:
    """Every evaluation run counts, in the table of the report as in that of ``inspect --in``."""
    out = tmp_path / "study"
    ran = CliRunner().invoke(
        main,
        ["run", "smoke", "-o", "sgd[lr=1000]", "-o", "adam", "-r", "batch", "--epochs", "3",
         "--seeds", "3", "--ruleset", "defaults", "--formats", "none", "--out", str(out)],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.stderr
    told = inspect("--in", str(out))
    cells = [
        (row[1], illness, int(ill), int(seen))
        for row in told["rows"]
        for illness, ill, seen in re.findall(r"([a-z ]+?) \((\d+) of (\d+)\)", row[2])
    ]
    assert max(seen for *_, seen in cells) == 3
    table = re.search(r'id="ailments".*?</table>', (out / "report.html").read_text(), re.S)
    assert table is not None
    for label, illness, ill, seen in cells:
        head = re.findall(r"<button[^>]*>([^<]+)</button>", table[0])
        row = re.search(rf'<tr data-label="{re.escape(label)}">(.*?)</tr>', table[0], re.S)
        assert row is not None
        shown = re.findall(r'<td class="num"[^>]*>([^<]+)</td>', row[1])
        place = [name.lower() for name in head[1:]].index(illness.strip(" ,"))
        assert shown[place] == f"{ill} of {seen}"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-i", "he-norml"], "did you mean 'he-normal'"),
        (["--activation", "rellu"], "did you mean 'relu'"),
        (["-i", "zeros", "-i", "he-normal"], "--compare"),
        (["--hidden", "0"], "widths from 1"),
    ],
)
def test_mistakes_are_one_line(args: list[str], message: str, tmp_path: Path) -> None:
    """Unknown names and bad widths are explained."""
    outcome = CliRunner().invoke(main, ["inspect", *args, "--out", str(tmp_path)])
    assert outcome.exit_code == 1
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1
