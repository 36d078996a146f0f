"""What the tests of faults share: how the studies end when nobody disturbs them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.studies import BOTH, Folder, end_drivers

Quiet = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    """Leaderboard files of an undisturbed study of these entrants, run once."""
    known: dict[tuple[str, ...], dict[str, str]] = {}

    def board(entrants: Sequence[str] = BOTH, *more: str) -> dict[str, str]:
        key = (*entrants, "", *more)
        if key not in known:
            folder = Folder(Path(tmp_path_factory.mktemp("quiet")), entrants, *more)
            folder.run().check(0)
            folder.check()
            known[key] = folder.board()
        return known[key]

    return board


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Processes are disturbed by signals."""
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("signal.SIGKILL is missing")


@pytest.fixture(autouse=True)
def _no_driver_left() -> Iterator[None]:
    """Nothing goes on after a test, whatever came of it."""
    yield
    end_drivers()
