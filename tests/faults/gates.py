"""Holds the runs of a study where a test wants them, so that nothing depends on who is faster."""

from __future__ import annotations

from pathlib import Path


class Gate:
    """A run that has begun waits here until it is let through; see watched.py.

    Args:
        folder: to be made; a file in it lets one run pass, and one named ``open`` all of them.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._tickets = 0
        self.env = {"FAULTS_GATE": str(folder)}
        """For the processes whose runs it is to hold."""

    def let(self, number: int) -> None:
        """Let so many further runs through."""
        for _ in range(number):
            self._tickets += 1
            (self._folder / f"ticket-{self._tickets}").touch()

    def open(self) -> None:
        """Hold nobody any more."""
        (self._folder / "open").touch()
