"""Reports of one bad plugin that takes away what others bring."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import optbench
from optbench.errors import PluginError, PluginWarning
from optbench.registry import Registry
from optbench.suites import known_targets


class Taking:
    """Registers an optimizer under a name that is taken."""

    @optbench.hookimpl
    def optbench_register_optimizers(self) -> list[type[optbench.Rule]]:
        """Return another optimizer of the name ``adam``."""

        class Adam(optbench.Rule):
            """Not Adam."""

            name = "adam"
            lr: float = optbench.hyper(0.1, "learning rate", low=0)

            @staticmethod
            def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
                """Return the next parameters."""
                return (theta - h.lr * grad,)

        return [Adam]


def test_what_is_unregistered_takes_no_other_plugin_with_it() -> None:
    """The first owner of a name keeps it."""
    registry = Registry()
    registry.load_entry_points()
    adam = registry.optimizer("adam")
    registry.unregister(registry.register(Taking()))
    assert registry.optimizer("adam") is adam


PLUGIN = """
import optbench

class First(optbench.Rule):
    '''Descent.'''
    name = "{name}"
    lr: float = optbench.hyper(0.1, "learning rate", low=0)

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * grad,)

class Second(First):
    '''Descent as well.'''
    name = "{name}-too"

@optbench.hookimpl
def optbench_register_optimizers():
    return [First, Second]
"""


def install(
    folder: Path, dist: str, module: str, source: str, metadata: bytes | None = None
) -> None:
    """Put a distribution with one entry point into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{dist}-1.0.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n".encode()
    (info / "METADATA").write_bytes(text if metadata is None else metadata)
    (info / "entry_points.txt").write_text(f"[optbench]\nit = {module}\n")


def loaded() -> Registry:
    """Return a registry with all plugins on the path, after it has given its warnings."""
    importlib.invalidate_caches()
    registry = Registry()
    registry.load_entry_points()
    registry.check()
    return registry


def test_a_name_that_is_taken_twice_is_refused_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sources are named once; the other optimizers of both plugins work."""
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "one", "clash_one", PLUGIN.format(name="adam"))
    with pytest.warns(PluginWarning, match="'adam': one from one, one from optbench") as warned:
        registry = loaded()
    assert len(warned) == 1
    assert "adam" not in registry.entries("optimizers")
    with pytest.raises(PluginError, match="'adam': one from one, one from optbench; rename or"):
        registry.optimizer("adam")
    assert registry.optimizer("sgd").name == "sgd"
    assert registry.entry("optimizers", "adam-too").distribution == "one"


def test_one_distribution_in_two_folders_is_one_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in lib and lib64, or editable and as a wheel; also where the copies differ in spelling."""
    for folder, name in (("lib", "twice-found"), ("lib64", "twice-found"), ("old", "Twice_Found")):
        install(tmp_path / folder, name, "twice_found", PLUGIN.format(name="found"))
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry = loaded()
    assert registry.optimizer("found").name == "found"
    assert not any(plugin.error for plugin in registry.plugins)


def test_an_installed_module_that_is_given_as_a_file_too_is_one_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A habit of people who develop a plugin; the file may be spelled in two ways as well."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    install(tmp_path, "both-ways", "both_ways", PLUGIN.format(name="both"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry = loaded()
        for spelling in ("both_ways.py", "./both_ways.py", str(tmp_path / "both_ways.py")):
            registry.load_once(spelling)
            registry.load_once(spelling)
        registry.check()
    assert registry.optimizer("both").name == "both"
    assert list(registry.entries("optimizers")).count("both-too") == 1


def test_a_plugin_that_is_unregistered_gives_the_name_back() -> None:
    """The conflict ends with it."""
    registry = Registry()
    registry.load_entry_points()
    plugin = registry.register(Taking())
    assert len(registry.conflicts) == 1
    registry.unregister(plugin)
    assert registry.conflicts == []
    assert registry.optimizer("adam").name == "adam"


BROKEN = {
    "import": "import nothing_of_the_kind",
    "exit": "import sys; sys.exit(3)",
    "syntax": "def broken(:",
    "recursion": "def f(): return f()\nf()",
    "no hooks": "x = 1",
    "raising hook": (
        "import optbench\n@optbench.hookimpl\ndef optbench_register_datasets(): raise KeyError('x')"
    ),
    "wrong items": (
        "import optbench\n@optbench.hookimpl\ndef optbench_register_suites(): return [1]"
    ),
    "misspelt hook": (
        "import optbench\n@optbench.hookimpl\ndef optbench_register_optimisers(): return []"
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_plugin_that_fails_while_it_loads_is_left_out(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its neighbours are there, and a warning says which plugin it was."""
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "bad", f"bad_{fault.replace(' ', '_')}", BROKEN[fault])
    install(tmp_path, "good", "good_beside_bad", PLUGIN.format(name="good"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", PluginWarning)
        registry = loaded()
    assert registry.optimizer("good").name == "good"
    assert registry.optimizer("sgd").name == "sgd"
    texts = [str(each.message) for each in warned if issubclass(each.category, PluginWarning)]
    assert [text.startswith("plugin bad:it does not load: ") for text in texts] == (
        [] if fault == "no hooks" else [True]
    )


@pytest.mark.parametrize("metadata", [b"", b"Version: 1.0\n", b"\xff\xfe\x00", None])
def test_damaged_metadata_of_a_distribution_stop_nothing(
    metadata: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted installation leaves files that are empty, cut or missing."""
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "damaged", "damaged_mod", PLUGIN.format(name="damaged"), metadata or b"")
    if metadata is None:
        (tmp_path / "damaged-1.0.dist-info" / "METADATA").unlink()
    other = tmp_path / "cut-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: cut\nVersion: 1.0\n")
    (other / "entry_points.txt").write_bytes(b"[optbench]\nit = \xff\xfe\n")
    registry = loaded()
    assert registry.optimizer("sgd").name == "sgd"
    assert registry.optimizer("damaged").name == "damaged"


def test_targets_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """And where two plugins have other losses for one workload, neither is taken."""
    entry = '[[target]]\ndataset = "a"\nnetwork = "b"\neasy = {}\nmedium = 0.2\nhard = 0.1\n'
    texts = {"bad": "[[target]\n", "one": entry.format(0.3), "two": entry.format(0.4)}
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)

    class Targets:
        @optbench.hookimpl
        def optbench_register_targets(self) -> list[Path]:
            return [tmp_path / f"{name}.toml" for name in texts]

    registry = Registry()
    registry.load_entry_points()
    builtin = known_targets(registry)
    registry.register(Targets())
    with pytest.warns(PluginWarning) as warned:
        assert known_targets(registry) == builtin
    assert "its targets are left out" in str(warned[0].message)
    assert "two plugins have targets for a, b" in str(warned[1].message)


def test_every_command_goes_on(tmp_path: Path) -> None:
    """On the command line, each fault is one line of warning, and the exit code stays 0."""
    install(tmp_path, "taking", "taking_mod", PLUGIN.format(name="lion"))
    install(tmp_path, "failing", "failing_mod", "1 / 0")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])

    def optbench_(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from optbench.cli import main; main()", *words]
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    for words in (("list",), ("show", "sgd"), ("check", "iris"), ("plugins",), ("--help",)):
        done = optbench_(*words)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("two optimizers are named 'lion'") == 1, words
    assert "ZeroDivisionError" in optbench_("plugins").stdout
    refused = optbench_("show", "lion")
    assert refused.returncode == 1
    assert "error: two optimizers are named 'lion': one from optbench, one from taking" in (
        refused.stderr
    )
