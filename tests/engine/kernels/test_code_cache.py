"""Machine code on disk: damage and mix-ups never change a number and never end a command."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from optbench.engine.fusion import machine_code
from optbench.engine.kernels.jit import jit
from optbench.registry.default import default_registry

SOURCE = """
def double(x):
    return 2 * x + 1

def triple(x):
    return 3 * x + 5
"""
FLIPS = 30


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with two functions, and machine code in a folder of its own."""
    # Numba reads its environment again at the first compilation after it has changed, as another
    # test may have left it, and would forget a folder that was set before.
    numba.config.reload_config()  # type: ignore[no-untyped-call]
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "code"))
    path = tmp_path / "numbers_for_a_test.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)  # loaded code belongs to a module
    spec.loader.exec_module(module)
    return module


def call(function: Callable[[int], int]) -> tuple[int, bool]:
    """Call a function as a new process would; return its value and whether it was loaded."""
    compiled = jit(function)
    return compiled(20), bool(compiled.stats.cache_hits)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flip_bit(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def test_intact_code_is_loaded(module: ModuleType, tmp_path: Path) -> None:
    """The first call compiles and saves one file; the next loads it."""
    assert call(module.double) == (41, False)
    assert call(module.double) == (41, True)
    assert len(files(tmp_path / "code")) == 1


def test_a_flipped_bit_never_changes_a_number(module: ModuleType, tmp_path: Path) -> None:
    """Whichever bit of whichever file is flipped: it is compiled again, and saved intact."""
    rng = random.Random(0)
    call(module.double)
    original = [path.read_bytes() for path in files(tmp_path / "code")]
    for _ in range(FLIPS):
        flip_bit(rng.choice(files(tmp_path / "code")), rng)
        assert call(module.double) == (41, False)
        assert call(module.double) == (41, True)
        assert len(files(tmp_path / "code")) == len(original)


def test_code_of_another_function_is_not_run(module: ModuleType, tmp_path: Path) -> None:
    """An intact file in the place of another is recognized by the key that its digest covers."""
    call(module.double)
    (double,) = files(tmp_path / "code")
    call(module.triple)
    (triple,) = set(files(tmp_path / "code")) - {double}
    shutil.copy(triple, double)
    assert call(module.double) == (41, False)
    assert call(module.double) == (41, True)


@pytest.mark.parametrize("content", [b"", b"\x80", bytes(32), bytes(4096)], ids=len)
def test_any_content_is_survived(content: bytes, module: ModuleType, tmp_path: Path) -> None:
    """Also an empty file, and one of zeros, as file systems leave them after a power cut."""
    call(module.double)
    for path in files(tmp_path / "code"):
        path.write_bytes(content)
    assert call(module.double) == (41, False)


def test_code_of_older_sources_is_deleted(module: ModuleType, tmp_path: Path) -> None:
    """What was compiled from another version of the file does not pile up."""
    call(module.double)
    old = files(tmp_path / "code")
    Path(module.__file__ or "").write_text(SOURCE + "\n# changed\n")
    assert call(module.double) == (41, False)
    assert len(files(tmp_path / "code")) == 1
    assert files(tmp_path / "code") != old


def test_a_flipped_bit_in_a_fused_rule_never_changes_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source of a fused rule and its machine code are both verified."""
    rule: Any = default_registry().optimizer("sgd")
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    numba.config.reload_config()  # type: ignore[no-untyped-call]
    monkeypatch.setattr("numba.config.CACHE_DIR", "")

    @numba.njit
    def update(f: Any, theta: Any, grad: Any, slots: Any, scalars: Any, h: Any) -> None:
        f(theta, grad, slots, scalars, h, 1, 0, 1, 3, theta[:1] * 0 + 1, 0, True)

    def step() -> list[float]:
        machine_code.compiled_rule.cache_clear()
        compiled = machine_code.compiled_rule(rule, "float64")
        theta, scalars = np.ones(3), np.array(list(rule.scalars.values()), dtype=float)
        h = np.full(len(rule.hypers()), 0.5)
        update(compiled, theta, np.arange(3.0), np.zeros((0, 3)), scalars, h)
        return list(theta)

    before, rng = step(), random.Random(1)
    assert len(set(before)) == 3
    assert {path.suffix for path in files(tmp_path)} == {".py", ".nbc"}
    for suffix in (".py", ".nbc") * 5:
        # An older Numba keeps the code of a file that was written again under another name.
        (path,) = (path for path in files(tmp_path) if path.suffix == suffix)
        flip_bit(path, rng)
        assert step() == before
    machine_code.compiled_rule.cache_clear()
