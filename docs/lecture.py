"""Runs the commands of lecture.md and updates its plots: ``python docs/lecture.py [FOLDER...]``.

A folder is the last part of a command's ``--out``; without any, all commands run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE / "lecture.md"


def commands(text: str) -> list[tuple[list[str], str]]:
    """Return the arguments of each ``$ optbench`` command of the page, and the output shown."""
    blocks = re.findall(r"```console\n\$ optbench (.*?)\n(.*?)```", text, flags=re.DOTALL)
    return [(shlex.split(line), printed.strip()) for line, printed in blocks]


def folder_of(arguments: list[str]) -> str:
    """Return the last part of the output folder of a command."""
    return Path(arguments[arguments.index("--out") + 1]).name


def pictures(text: str) -> list[str]:
    """Return the paths of the pictures on the page, relative to ``images``."""
    return re.findall(r"!\[[^\]]*\]\(images/(.*?)\)", text)


def main(folders: list[str]) -> int:
    """Run the commands with these folders; return 1 if one does not print what the page shows."""
    text = PAGE.read_text(encoding="utf-8")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for arguments, printed in commands(text):
            if folders and folder_of(arguments) not in folders:
                continue
            start = time.monotonic()
            result = subprocess.run(
                [sys.executable, "-c", "from optbench.cli import main; main()", *arguments],
                check=False,
                cwd=folder,
                capture_output=True,
                text=True,
                env={**os.environ, "NO_COLOR": "1"},
            )
            is_as_shown = result.returncode == 0 and printed in result.stdout
            wrong += not is_as_shown
            output = result.stderr.strip() or result.stdout.strip()
            mark = "ok" if is_as_shown else f"WRONG: {output}"
            seconds = time.monotonic() - start
            print(f"{seconds:5.1f} s  optbench {shlex.join(arguments)}: {mark}", flush=True)
        for picture in pictures(text):
            drawn, kept = Path(folder) / "lecture" / picture, HERE / "images" / picture
            if drawn.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(drawn, kept)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
