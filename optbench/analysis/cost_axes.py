"""The cost axes: what a run spends to reach a loss, and where its curve logs it."""

from __future__ import annotations

from typing import Literal

CostAxis = Literal["updates", "examples", "epochs", "seconds"]
COST_AXES: tuple[CostAxis, ...] = ("updates", "examples", "epochs", "seconds")
COLUMN_OF: dict[CostAxis, str] = {
    "updates": "updates",
    "examples": "examples",
    "epochs": "epoch",
    "seconds": "seconds",
}
"""Curve column in which each cost axis is logged."""
