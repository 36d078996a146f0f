"""``optbench trajectory``: paths over landscapes, as numbers, plots and films."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import optbench
from optbench.cli import main
from optbench.inspection.landscapes import find_ground, follow
from optbench.report.plots.landscape_maps import draw_paths
from optbench.report.plots.sheets import draw_sheet


def run(*args: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``optbench trajectory``."""
    outcome = CliRunner().invoke(main, ["trajectory", *map(str, args)])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_paths_are_plotted_and_told(tmp_path: Path) -> None:
    """One plot a landscape, and a table of where each optimizer came to."""
    code, out, _ = run(
        "quadratic-valley", "-o", "sgd[lr=0.03]", "-o", "momentum", "--steps", 30,
        "--out", tmp_path, "--json",
    )  # fmt: skip
    assert code == 0
    told = json.loads(out)
    assert {row["optimizer"].partition("[")[0] for row in told["paths"]} == {"sgd", "momentum"}
    assert all(row["end"] < row["start"] for row in told["paths"])
    assert [Path(file).name for file in told["files"]] == ["trajectory-quadratic-valley.png"]
    assert (tmp_path / "trajectory-quadratic-valley.png").read_bytes().startswith(b"\x89PNG")


def test_labels_of_paths_are_whole_and_all_marks_are_explained() -> None:
    """The rate of the scan is in the label; the ends have marks of their own."""
    ground = find_ground("rosenbrock")
    paths = [follow(f"momentum[lr={lr}]", ground, steps=5) for lr in ("0.018", "0.0021")]
    sheet = draw_sheet(lambda: draw_paths(ground, paths))
    labels = {text.get_text() for text in sheet.axes[1].texts}
    assert labels == {"momentum[lr=0.018]", "momentum[lr=0.0021]"}
    told = sheet.figure.texts[1].get_text().replace("\n", " ")
    assert all(
        words in told for words in ("ring marks the start", "large mark the end", "a star the")
    )


def test_heights_below_the_plot_are_not_drawn_at_its_edge() -> None:
    """A path that arrives at the minimum leaves the plot; one that does not stays within."""
    ground = find_ground("quadratic-valley[angle=0]")
    paths = [follow(name, ground, 100) for name in ("adagrad[lr=6.8]", "sgd[lr=0.029]")]
    axes = draw_sheet(lambda: draw_paths(ground, paths)).axes[1]
    arrived, descends = (np.asarray(line.get_ydata()) for line in axes.lines[:2])
    bottom = axes.get_ylim()[0]
    assert arrived[-1] < 1e-6 * bottom
    assert descends.min() > bottom
    assert "goes on beyond" in axes.get_xlabel()


def test_a_film_shows_every_path_growing(tmp_path: Path) -> None:
    """The GIF has many frames, and the first differs from the last."""
    from PIL import Image

    code, _, _ = run("saddle", "-o", "sgd[lr=0.1]", "--gif", "--formats", "svg", "--out", tmp_path)
    assert code == 0
    with Image.open(tmp_path / "trajectory-saddle.gif") as film:
        frames: int = getattr(film, "n_frames", 1)
        first = np.asarray(film.convert("RGB")).astype(int)
        film.seek(frames - 1)
        last = np.asarray(film.convert("RGB")).astype(int)
    assert frames > 20
    assert np.abs(first - last).max() > 50


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["saddel"], "did you mean 'saddle'"),
        (["saddle", "-o", "momentm"], "did you mean 'momentum'"),
        (["saddle", "--start", "here"], "two numbers"),
        (["quadratic-valley[condition=0]"], "condition=0"),
    ],
)
def test_mistakes_are_explained(args: list[str], message: str, tmp_path: Path) -> None:
    """An unknown name or a value out of range is one line."""
    outcome = CliRunner().invoke(main, ["trajectory", *args, "--out", str(tmp_path)])
    assert outcome.exit_code != 0
    assert message in outcome.stderr + str(outcome.exception)


def test_a_rate_that_is_not_given_is_the_best_of_a_scan() -> None:
    """It comes lower than the default rate does, and is told in the label."""
    ground = find_ground("rosenbrock")
    scanned = follow("sgd", ground, steps=60)
    assert scanned.label.startswith("sgd[lr=")
    for rate in (1e-4, 1e-2):
        assert (
            np.nan_to_num(follow(f"sgd[lr={rate}]", ground, steps=60).values[-1], nan=1e9)
            >= (scanned.values[-1])
        )


def test_noise_is_the_same_for_all_and_changes_with_the_seed() -> None:
    """Optimizers are compared on the same accidents."""
    ground = find_ground("noisy-quadratic")
    first, again, other = (follow("sgd[lr=0.1]", ground, 20, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)


def test_a_start_that_diverges_does_not_break_the_plot(tmp_path: Path) -> None:
    """A path that leaves the numbers is drawn as far as it goes."""
    code, out, _ = run("beale", "-o", "sgd[lr=5]", "--steps", 20, "--out", tmp_path)
    assert code == 0
    assert "sgd[lr=5]" in out
    with pytest.raises(optbench.ConfigError, match="steps=0"):
        follow("sgd", find_ground("beale"), 0)


def test_a_batch_averages_the_noise(tmp_path: Path) -> None:
    """A path for each size; a mean of 64 draws leaves a 64th of the noise's variance."""
    code, out, _ = run(
        "noisy-quadratic", "-o", "sgd[lr=0.1]", "--batch-size", 1, "--batch-size", 64,
        "--steps", 20, "--out", tmp_path, "--json",
    )  # fmt: skip
    assert code == 0
    labels = {row["optimizer"] for row in json.loads(out)["paths"]}
    assert labels == {"sgd[lr=0.1], batch 1", "sgd[lr=0.1], batch 64"}
    ground = find_ground("noisy-quadratic")
    rng, at = np.random.default_rng(0), np.array([1.0, 1.0])
    noise = {b: [ground.batch_grad(at, rng, b) for _ in range(500)] for b in (1, 64)}
    assert 50 < np.var(noise[1], axis=0).sum() / np.var(noise[64], axis=0).sum() < 80
    plain, one = (follow("sgd[lr=0.1]", ground, 20, batch_size=size) for size in (None, 1))
    np.testing.assert_array_equal(plain.points, one.points)


def test_a_batch_size_that_changes_nothing_is_refused() -> None:
    """Without noise, every draw of the gradient is the same."""
    with pytest.raises(optbench.ConfigError, match=r"batch_size=8 .* no noise"):
        follow("sgd[lr=0.1]", find_ground("saddle"), 5, batch_size=8)
    with pytest.raises(optbench.ConfigError, match="batch_size=0"):
        follow("sgd[lr=0.1]", find_ground("noisy-quadratic"), 5, batch_size=0)


def test_no_path_hides_a_minimum() -> None:
    """The stars lie above everything else on the map, and each minimum has one."""
    from optbench.report.plots.landscape_maps import draw_paths
    from optbench.report.plots.sheets import draw_sheet

    ground = find_ground("saddle")
    paths = [follow(name, ground, 60) for name in ("rmsprop[lr=0.1]", "adam[lr=0.1]")]
    axes = draw_sheet(lambda: draw_paths(ground, paths)).axes[0]
    stars = [line for line in axes.lines if line.get_label() == "minimum"]
    places = np.concatenate([np.asarray(star.get_xydata()) for star in stars])
    assert {(x, y) for x, y in places.tolist()} == set(ground.landscape.minima)
    others = [artist for artist in axes.get_children() if artist not in stars]
    assert min(s.get_zorder() for s in stars) > max(
        a.get_zorder() for a in others if a in axes.lines
    )
