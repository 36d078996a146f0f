"""Runs every command of lecture.md and draws its plots anew: ``python docs/lecture.py``."""

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
COLOURS = 96
"""Of a picture, so that it stays small."""


def commands(text: str) -> list[tuple[list[str], str]]:
    """Arguments of each ``$ optbench`` command of the page, and what it says it prints."""
    blocks = re.findall(r"```console\n\$ optbench (.*?)\n(.*?)```", text, flags=re.DOTALL)
    return [(shlex.split(line), printed.strip()) for line, printed in blocks]


def pictures(text: str) -> list[str]:
    """Paths of the pictures on the page, below ``images``."""
    return re.findall(r"!\[[^\]]*\]\(images/(.*?)\)", text)


def shrink(source: Path, target: Path) -> None:
    """Copy a picture with few colours."""
    from PIL import Image

    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        picture.convert("RGB").quantize(COLOURS).save(target, optimize=True)


def main() -> int:
    """Run all; 1 when a command does not print what the page says."""
    text = PAGE.read_text(encoding="utf-8")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for arguments, printed in commands(text):
            start = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", "from optbench.cli import main; main()", *arguments],
                check=False,
                cwd=folder,
                capture_output=True,
                text=True,
                env={**os.environ, "NO_COLOR": "1"},
            )
            fine = done.returncode == 0 and printed in done.stdout
            wrong += not fine
            mark = "ok" if fine else f"WRONG: {done.stderr.strip() or done.stdout.strip()}"
            seconds = time.monotonic() - start
            print(f"{seconds:5.1f} s  optbench {shlex.join(arguments)}: {mark}", flush=True)
        shutil.rmtree(HERE / "images", ignore_errors=True)
        for picture in pictures(text):
            shrink(Path(folder) / "lecture" / picture, HERE / "images" / picture)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
