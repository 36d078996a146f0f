"""Static plots: drawn without a warning from any study, with names that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from optbench.report.plots import drawings, sheets, write_plot
from tests.report import samples

PNG = b"\x89PNG"


def test_a_plain_study_has_every_plot() -> None:
    """Ranking, curves and sensitivity for each regime, profiles, budget, flips, map."""
    names = [name for name, _ in drawings(*samples.study(initializers=("he-normal", "zeros")))]
    assert names == [
        "ranking",
        *(f"convergence-{r}" for r in ("batch", "mini-batch", "sgd")),
        *(f"lr-sensitivity-{r}" for r in ("batch", "mini-batch", "sgd")),
        "performance-profile",
        "budget",
        "rank-flips",
        "optimizer-initializer",
        "bias-variance",
    ]


@pytest.mark.parametrize(
    "sample",
    [
        samples.hostile,
        lambda: samples.with_boards(samples.study()),
        lambda: samples.study(labels=("alone",), datasets=("iris",), seeds=1, regimes=("sgd",)),
        lambda: samples.study(diverging=1.0, datasets=("iris",), regimes=("sgd",)),
        lambda: samples.study(
            labels=tuple(f"optimizer-number-{i}" for i in range(12)),
            datasets=("iris",),
            regimes=("batch", "sgd"),
        ),
    ],
    ids=[
        "hostile names",
        "boards with brackets",
        "one optimizer, one seed",
        "all diverged",
        "twelve long names",
    ],
)
def test_odd_studies_are_drawn_too(
    sample: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a name nor a lost run breaks a plot (warnings are errors here)."""
    monkeypatch.setattr(sheets, "DPI", 40)  # what is drawn is the same, only smaller
    board, cells = sample()  # type: ignore[operator]
    drawn = dict(drawings(board, cells))
    assert next(iter(drawn)) == "ranking"
    for name, draw in drawn.items():
        write_plot(draw, tmp_path / name, ["png"])
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == PNG
    assert {path.stem for path in tmp_path.iterdir()} == set(drawn)
