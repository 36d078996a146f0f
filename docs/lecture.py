"""Runs every command of lecture.md and updates its plots: ``python docs/lecture.py``."""

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
"""Number of colours of a picture, few so that its file stays small."""


def commands(text: str) -> list[tuple[list[str], str]]:
    """Return the arguments of each ``$ optbench`` command of the page, and the output shown."""
    blocks = re.findall(r"```console\n\$ optbench (.*?)\n(.*?)```", text, flags=re.DOTALL)
    return [(shlex.split(line), printed.strip()) for line, printed in blocks]


def pictures(text: str) -> list[str]:
    """Return the paths of the pictures on the page, relative to ``images``."""
    return re.findall(r"!\[[^\]]*\]\(images/(.*?)\)", text)


def shrink(source: Path, target: Path) -> None:
    """Copy a picture, with fewer colours."""
    from PIL import Image

    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        picture.convert("RGB").quantize(COLOURS).save(target, optimize=True)


def main() -> int:
    """Run all commands; return 1 if one does not print what the page shows."""
    text = PAGE.read_text(encoding="utf-8")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for arguments, printed in commands(text):
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
        shutil.rmtree(HERE / "images", ignore_errors=True)
        for picture in pictures(text):
            shrink(Path(folder) / "lecture" / picture, HERE / "images" / picture)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
