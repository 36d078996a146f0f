"""Reports of the class "the old numbers again": code was edited, and stored runs were reused.

Seen with helper modules, closures, module constants, data files and wrapped libraries. Each edit
that changes what a plugin computes makes another run; an edit of a comment does not.
"""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import optbench
from optbench import PluginError, Rule, Stepper, hyper
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.registry import default_registry, fresh_registry
from optbench.registry.code_origins import library_release
from optbench.registry.fingerprints import fingerprint
from optbench.registry.scoped import ScopedRegistry
from tests.cli import study_helpers

PLUGIN = '''
import json
from pathlib import Path

import numpy as np
import optbench
import planted_helper
from planted_package.signs import sign

TABLE = json.loads(Path(__file__).with_name("table.json").read_text())
calls = 0
_cache = {}


def made(factor):
    def scale(x):
        return factor * x
    return scale


scale = made(float(TABLE["factor"]))


class Planted(optbench.Stepper):
    """Descent, in the words of several files."""

    name = "planted"
    source = "own work"
    variant = "none other is known"
    lr: float = optbench.hyper(0.1, "learning rate", low=0)

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        global calls
        calls += 1
        _cache[calls] = 1
        for theta, grad in zip(params, grads):
            theta -= context.h.lr * planted_helper.direction(scale(sign(grad)))  # downhill


class PlantedStart(optbench.Initializer):
    """Weights from a helper."""

    name = "planted-start"

    def weight(self, rng, n_in, n_out, h):
        return planted_helper.direction(rng.normal(size=(n_in, n_out)))


class PlantedRate(optbench.Schedule):
    """A rate from a helper."""

    name = "planted-rate"
    source = "own work"
    variant = "none other is known"

    @staticmethod
    def factor(s, final):
        return planted_helper.direction(np.ones_like(s))
'''
FILES = {
    "plugin.py": PLUGIN,
    "planted_helper.py": "from planted_deep import GAIN\ndef direction(x):\n    return GAIN * x\n",
    "planted_deep.py": "GAIN = 1.0\n",
    "planted_package/__init__.py": "",
    "planted_package/signs.py": "def sign(x):\n    return x\n",
    "table.json": '{"factor": 1.0}',
}
RUN = {"optimizer": "planted", "initializer": "he-normal"}


@pytest.fixture(autouse=True)
def registry_of_its_own() -> Iterator[None]:
    """Each test has its own plugins."""
    with fresh_registry():
        yield


@pytest.fixture(autouse=True)
def _no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python does not notice an edit of the same length in the same second: it keeps bytecode."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


def write(folder: Path, **edits: tuple[str, str]) -> None:
    """Write the files of the plugin; an edit is what to replace in a file by what."""
    names = {name.replace("/", "_").replace(".", "_"): name for name in FILES}
    for key, name in names.items():
        before, after = edits.get(key, ("", ""))
        assert before in FILES[name]
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(FILES[name].replace(before, after) if before else FILES[name])


def forget() -> None:
    """Let Python import the planted modules again, as another start would."""
    for name in [each for each in sys.modules if "planted" in each or "optbench_plugin" in each]:
        del sys.modules[name]
    importlib.invalidate_caches()


def key(folder: Path, **parts: str) -> str:
    """Return the content key of a run with the plugin, as a new start of optbench computes it."""
    sys.path.insert(0, str(folder))
    forget()
    try:
        with fresh_registry():
            default_registry().load_once(str(folder / "plugin.py"))
            given = {**RUN, **parts}
            workload = make_workload(dataset="iris", epochs=1, initializer=given["initializer"])
            return make_spec(entrant=make_entrant(given["optimizer"]), workload=workload).key
    finally:
        sys.path.remove(str(folder))
        forget()


EDITS: dict[str, dict[str, tuple[str, str]]] = {
    "a helper": {"planted_helper_py": ("GAIN * x", "-GAIN * x")},
    "a helper of a helper": {"planted_deep_py": ("1.0", "-1.0")},
    "a module of a package": {"planted_package_signs_py": ("return x", "return -x")},
    "a data file behind a constant and a closure": {"table_json": ("1.0", "2.0")},
    "the class": {"plugin_py": ("theta -=", "theta +=")},
}


@pytest.mark.parametrize("edits", EDITS.values(), ids=EDITS)
def test_an_edit_makes_another_run(edits: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    """In whatever file the code or the number is; the old code has its old key again."""
    write(tmp_path)
    before = key(tmp_path)
    write(tmp_path, **edits)
    assert key(tmp_path) != before
    write(tmp_path)
    assert key(tmp_path) == before


@pytest.mark.parametrize(
    "parts",
    [{"initializer": "planted-start"}, {"optimizer": "sgd[schedule=planted-rate]"}],
    ids=["initializers", "schedules"],
)
def test_a_helper_counts_for_other_kinds_too(parts: dict[str, str], tmp_path: Path) -> None:
    """Initializers and schedules run code as optimizers do."""
    write(tmp_path)
    before = key(tmp_path, **parts)
    write(tmp_path, **EDITS["a helper"])
    assert key(tmp_path, **parts) != before


@pytest.mark.parametrize(
    ("before", "after"),
    [("  # downhill", "  # always downhill"), ("in the words", "with the words"), ("own work", "")],
)
def test_an_edited_comment_trains_nothing_again(before: str, after: str, tmp_path: Path) -> None:
    """Nor does a docstring, or a description of the method."""
    write(tmp_path)
    former = key(tmp_path)
    write(tmp_path, plugin_py=(before, after))
    assert key(tmp_path) == former


def test_the_key_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    """So that another machine takes up the stored runs."""
    write(tmp_path / "one")
    write(tmp_path / "other")
    assert key(tmp_path / "one") == key(tmp_path / "other")


def test_counters_and_caches_of_a_plugin_are_not_its_code(tmp_path: Path) -> None:
    """A plugin that counts its steps keeps its key after a run."""
    write(tmp_path)
    sys.path.insert(0, str(tmp_path))
    try:
        forget()
        default_registry().load_once(str(tmp_path / "plugin.py"))
        planted = default_registry().optimizer("planted")
        before = fingerprint(planted)
        optbench.train("planted", dataset="iris", epochs=1)
        module = sys.modules[planted.__module__]
        assert module.calls > 0
        assert fingerprint(planted) == before
        sys.modules[planted.__module__].scale = abs  # type: ignore[attr-defined]
        assert fingerprint(planted) != before
    finally:
        sys.path.remove(str(tmp_path))
        forget()


def test_code_that_was_edited_after_its_import_does_not_bear_the_new_key(tmp_path: Path) -> None:
    """What runs is the code in memory: the edited file is other code, until it is loaded."""
    path = tmp_path / "planted_edited.py"
    text = PLUGIN.partition("class PlantedStart")[0].replace("import planted_helper", "")
    text = text.replace("from planted_package.signs import sign", "sign = abs")
    text = text.replace("planted_helper.direction", "").replace("TABLE[", "{'factor': 1}[")
    text = text.replace('json.loads(Path(__file__).with_name("table.json").read_text())', "None")
    path.write_text(text)
    sys.path.insert(0, str(tmp_path))
    try:
        old = importlib.import_module("planted_edited").Planted
        before = fingerprint(old)
        path.write_text(text.replace("theta -=", "theta +="))
        stale = fingerprint(old)
        forget()
        new = fingerprint(importlib.import_module("planted_edited").Planted)
        assert len({before, stale, new}) == 3
    finally:
        sys.path.remove(str(tmp_path))
        forget()


def test_declared_data_files_count(tmp_path: Path) -> None:
    """Also where the code opens them only when it runs; a missing one is reported by its path."""
    path = tmp_path / "weights.txt"
    path.write_text("1")
    members = {"data_files": (str(path),), "update": staticmethod(lambda theta, grad, t, h: theta)}
    reader = type("Reader", (Rule,), members)
    before = fingerprint(reader)
    path.write_text("22")
    assert fingerprint(reader) != before
    path.unlink()
    with pytest.raises(PluginError, match=r"data_files: .*weights.txt cannot be read \(No such"):
        fingerprint(reader)


def test_a_library_counts_with_its_version_and_files(tmp_path: Path) -> None:
    """Another release is another run, and so is a rebuilt wheel with the same version."""
    site = tmp_path / "site-packages"
    info = site / "planted_library-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "planted_library.py").write_text("def gain():\n    return 1\n")

    def release(version: str, digest: str) -> str:
        (info / "METADATA").write_text(f"Name: planted-library\nVersion: {version}\n")
        (info / "RECORD").write_text(f"planted_library.py,sha256={digest},9\n")
        library_release.cache_clear()
        library = importlib.import_module("planted_library")

        class User(Rule):
            """Uses the library."""

            @staticmethod
            def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
                return (theta - library.gain() * grad,)

        return fingerprint(User)

    sys.path.insert(0, str(site))
    try:
        forget()
        first = release("1.0", "aaa")
        assert release("1.0", "aaa") == first
        assert len({first, release("1.1", "aaa"), release("1.0", "bbb")}) == 3
    finally:
        sys.path.remove(str(site))
        library_release.cache_clear()
        forget()


def test_a_helper_that_is_defined_again_counts_without_its_class(tmp_path: Path) -> None:
    """In a notebook, the cell of a helper is run again, and the cell of the class is not."""
    space: dict[str, Any] = {"Rule": Rule, "hyper": hyper, "__name__": "__main__"}
    exec("GAIN = 1.0\ndef scale(x):\n    return GAIN * x\n", space)
    exec(
        "class Cell(Rule):\n"
        "    lr: float = hyper(0.1, 'learning rate', low=0)\n"
        "    @staticmethod\n"
        "    def update(theta, grad, t, h):\n"
        "        return (theta - h.lr * scale(grad),)\n",
        space,
    )

    def final_loss() -> tuple[str, float]:
        result = optbench.train(space["Cell"], dataset="iris", epochs=1)
        return result.spec.optimizer_code, float(result.curve["train_loss"][-1])

    before = final_loss()
    assert final_loss() == before
    space["GAIN"] = -1.0
    after = final_loss()
    assert after[0] != before[0]
    assert after[1] > before[1]


def test_classes_of_one_factory_are_not_taken_for_each_other() -> None:
    """Closures, partials, decorated functions and objects in attributes count by their values."""

    def made(value: Any) -> str:
        class Enclosing(Stepper):
            """Has the value around it."""

            name = "enclosing"

            def init(self, params: Any, context: Any) -> Any:
                return None

            def step(self, params: Any, grads: Any, state: Any, context: Any) -> Any:
                return value

        return fingerprint(Enclosing)

    def power(x: float, exponent: float) -> float:
        return float(x**exponent)

    values: list[Any] = [
        1, 2, functools.partial(power, exponent=1), functools.partial(power, exponent=2),
        functools.lru_cache(lambda x: x + 1), functools.lru_cache(lambda x: x + 2),
        types.SimpleNamespace(a=1), types.SimpleNamespace(a=2), {"a": {1, 2}}, {"a": {1, 3}},
    ]  # fmt: skip
    assert len({made(value) for value in values}) == len(values)
    assert made({"b", "a"}) == made({"a", "b"})


def test_a_builtin_keeps_its_key() -> None:
    """Its code is one file, which the fingerprint has covered from the beginning."""
    adam = ScopedRegistry().optimizer("adam")
    assert fingerprint(adam) == fingerprint(adam) != fingerprint(ScopedRegistry().optimizer("sgd"))


def test_the_command_trains_again_after_a_helper_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report that this file began with, from the command line."""
    write(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words: list[str | Path] = ["run", *study_helpers.TINY, "-o", "planted", "-d", "iris"]
    words += ["--plugin", tmp_path / "plugin.py", "--ruleset", "defaults", "--out", tmp_path / "o"]

    def run() -> str:
        outcome = study_helpers.optbench_process(*words)
        assert outcome.code == 0, outcome.err
        runs = optbench.load_study(tmp_path / "o").runs
        return ", ".join(sorted({f"{run.curve['train_loss'][-1]:.6f}" for run in runs}))

    first = run()
    assert run() == first
    write(tmp_path, **EDITS["a helper"])
    assert run() != first
