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
