"""Holds the runs of a study at their start, so that no test depends on which process is faster."""

from __future__ import annotations

from pathlib import Path


class Gate:
    """Holds each run that begins until the test lets it through (see watched.py).

    Args:
        folder: A folder that does not exist yet. Each file in it lets one run pass; a file named
            ``open`` lets all of them pass.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._tickets = 0
        self.env = {"FAULTS_GATE": str(folder)}
        """Environment of the processes that this gate holds."""

    def let(self, number: int) -> None:
        """Let this number of further runs through."""
        for _ in range(number):
            self._tickets += 1
            (self._folder / f"ticket-{self._tickets}").touch()

    def open(self) -> None:
        """Let every run through."""
        (self._folder / "open").touch()
