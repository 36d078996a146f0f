"""Fixtures of the tests of faults: how a study ends when nothing disturbs it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.studies import BOTH, Folder, end_drivers

Undisturbed = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Return the leaderboard files of an undisturbed study of given entrants, which is run once."""
    boards: dict[tuple[str, ...], dict[str, str]] = {}

    def board(entrants: Sequence[str] = BOTH, *more: str) -> dict[str, str]:
        key = (*entrants, "", *more)
        if key not in boards:
            folder = Folder(Path(tmp_path_factory.mktemp("quiet")), entrants, *more)
            folder.run().check(0)
            folder.check()
            boards[key] = folder.board()
        return boards[key]

    return board


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Skip these tests where processes cannot be killed by a signal."""
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("signal.SIGKILL is missing")


@pytest.fixture(autouse=True)
def _no_driver_left() -> Iterator[None]:
    """No driver outlives its test, even if the test failed."""
    yield
    end_drivers()
