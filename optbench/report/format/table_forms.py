"""Names of the tables of a leaderboard that can be exported, and their formats."""

from __future__ import annotations

from typing import Literal

TableName = Literal["boards", "scores", "pairs"]
TABLES: tuple[TableName, ...] = ("boards", "scores", "pairs")
TableForm = Literal["latex", "markdown"]
TABLE_FORMS: tuple[TableForm, ...] = ("latex", "markdown")
