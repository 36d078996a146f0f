"""Reports of a study that ends, or compiles at every start, because of the machine around it.

A backend of matplotlib that was inherited from Jupyter, a home or an installation that cannot be
written, a cache that cannot be written: each costs a line or some time, and leaves nothing behind.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numba
import pytest

from optbench.engine.kernels.jit import jit
from tests.support.waiting import PATIENCE

NOWHERE = "/proc/no/such/folder"
"""Cannot be made, not even by root."""


def import_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a module from a folder that takes no machine code, as a read-only site-packages."""
    folder.mkdir()
    (folder / "__pycache__").write_text("")
    path = folder / "installed_for_a_test.py"
    path.write_text("def double(x):\n    return 2 * x + 1\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def is_loaded(module: ModuleType) -> bool:
    """Call the function as a new process would; return whether its machine code was there."""
    compiled = jit(module.double)
    assert compiled(20) == 41
    return bool(compiled.stats.cache_hits)


@pytest.mark.parametrize("home", [NOWHERE, ""])
def test_the_loop_is_kept_in_the_cache_folder_where_the_installation_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    """It is compiled once, with a home or without; the named folder comes before the home."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", home or str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    numba.config.reload_config()  # type: ignore[no-untyped-call]
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    module = import_installed(tmp_path / "installed", monkeypatch)
    assert [is_loaded(module), is_loaded(module)] == [False, True]
    assert len(list((tmp_path / "cache/kernels").rglob("*.nbc"))) == 1
    assert not (tmp_path / "home").exists()


def test_nowhere_to_keep_anything_and_a_backend_that_does_not_exist(tmp_path: Path) -> None:
    """The study ends with its report and its plots, and the temporary folder is empty."""
    temporary, out = tmp_path / "temporary", tmp_path / "out"
    temporary.mkdir()
    words = "run smoke --epochs 2 --grid 5 -r batch -o sgd -d iris --replicates 1 --budget 1"
    variables = {
        "HOME": NOWHERE,
        "XDG_CACHE_HOME": NOWHERE,
        "OPTBENCH_CACHE": NOWHERE,
        "TMPDIR": str(temporary),
        "MPLBACKEND": "planted",
    }
    done = subprocess.run(
        [sys.executable, "-m", "optbench", *words.split(), "--out", str(out)],
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").is_file()
    assert list((out / "plots").iterdir())
    line = "matplotlib has no backend 'planted' (MPLBACKEND); drawing without it"
    assert done.stderr.count(line) == 1
    assert done.stderr.count(f"nothing can be kept in {NOWHERE}") == 1
    assert "compiling sgd (float32), at every start" in done.stderr
    assert not list(temporary.iterdir())


BACKEND = """
import os
import optbench.report.plots
import matplotlib
print(matplotlib.get_backend(), os.environ["MPLBACKEND"])
"""


@pytest.mark.parametrize(("backend", "expected"), [("svg", "svg svg"), ("planted", "agg planted")])
def test_a_backend_that_exists_stays(backend: str, expected: str) -> None:
    """Drawing a report does not take a notebook's own plots away."""
    done = subprocess.run(
        [sys.executable, "-c", BACKEND],
        env={**os.environ, "MPLBACKEND": backend}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == expected.split()
