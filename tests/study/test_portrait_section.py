"""The section of a report with the portraits of a study's optimizers."""

from __future__ import annotations

from pathlib import Path

import pytest

import optbench
from optbench.contracts import Rule, hyper
from optbench.inspection.portraits import portrait


class Unregistered(Rule):
    """Gradient descent that no plugin registers."""

    name = "unregistered"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1.0))

    @staticmethod
    def update(theta, grad, t, h):  # type: ignore[no-untyped-def]
        return (theta - h.lr * grad,)


def test_a_report_has_portraits_if_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the leaderboard, the page and a picture; of optimizers that a name stands for."""
    names = ("scale of the loss", "rotation", "memory")
    chosen = [each for each in portrait.PROPERTIES if each.name in names]
    monkeypatch.setattr(portrait.draw_portrait, "__defaults__", (chosen,))
    study = optbench.compare(
        ["sgd[lr=0.1]", "adam", Unregistered], suite="smoke", seeds=1, replicates=1
    )
    study.report(tmp_path / "plain", formats=("png",))
    assert "Portraits" not in (tmp_path / "plain" / "leaderboard.md").read_text(encoding="utf-8")
    study.report(tmp_path / "full", formats=("png",), portraits=True)
    text = (tmp_path / "full" / "leaderboard.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| rotation"))
    header = next(line for line in text.splitlines() if line.startswith("| property"))
    cells = dict(zip(header.split("|"), row.split("|"), strict=True))
    marks = {key.strip(): value.strip().partition(" ")[0] for key, value in cells.items()}
    assert next(mark for label, mark in marks.items() if label.startswith("sgd")) == "yes"
    assert marks["adam"] == "no"
    assert "unregistered" not in marks
    assert "Portraits" in (tmp_path / "full" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "full" / "plots" / "section-portraits.png").stat().st_size > 3000
