"""Promises of the registry: plugins load one by one, and each fault is named."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

import optbench
from optbench.errors import ConfigError, PluginError
from optbench.registry import Registry, default_registry, fresh_registry
from optbench.registry.entries import ON_DEMAND, Entry, PluginWarning
from optbench.registry.kinds import KINDS
from tests.support.waiting import PATIENCE

DESCENT = """
import optbench

class Descent(optbench.Rule):
    '''Plain descent.'''
    name = "{name}"
    lr: float = optbench.hyper(0.1, "learning rate", low=0)

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * grad,)
"""
HOOK = """
@optbench.hookimpl
def optbench_register_optimizers():
    return [Descent]
"""


def module_of(source: str, name: str = "planted") -> ModuleType:
    module = ModuleType(name)
    exec(source, vars(module))
    return module


def distribution(site: Path, dist: str, module: str, source: str, entry: str = "it") -> None:
    """Install a distribution with one entry point into a folder of sys.path."""
    (site / f"{module}.py").write_text(source)
    info = site / f"{dist.replace('-', '_')}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[optbench]\n{entry} = {module}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_builtin_plugin_comes_through_the_entry_point_group() -> None:
    """Built-in plugins are registered like any other."""
    registry = Registry()
    registry.load_entry_points([])
    assert not any(registry.entries(kind) for kind in KINDS)
    registry.load_entry_points()
    assert "optbench" in {plugin.distribution for plugin in registry.plugins}
    assert registry.entries("optimizers")


def test_an_installed_plugin_is_found_with_its_distribution_and_version(
    site: Path,
) -> None:
    """Other authors only have to install their distribution."""
    distribution(site, "stranger-opt", "stranger_mod", DESCENT.format(name="stranger") + HOOK)
    registry = Registry()
    registry.load_entry_points()
    registry.check()
    entry = registry.entry("optimizers", "stranger")
    assert (entry.distribution, entry.version) == ("stranger-opt", "1.5")


def test_two_distributions_with_one_entry_point_name_are_both_loaded(site: Path) -> None:
    """Entry points may share a name; pluggy's own loader would skip the second one."""
    for name in ("one", "two"):
        source = DESCENT.format(name=f"same-{name}") + HOOK
        distribution(site, f"dist-{name}", f"same_entry_{name}", source)
    registry = Registry()
    registry.load_entry_points()
    assert {"same-one", "same-two"} <= set(registry.entries("optimizers"))


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("def broken(:", "SyntaxError"),
    ],
    ids=["import", "exit", "syntax"],
)
def test_a_plugin_that_does_not_import_is_reported_and_survived(
    site: Path, source: str, cause: str
) -> None:
    """One broken plugin costs a warning with its name and cause, and nothing else."""
    distribution(site, "broken-opt", "broken_mod", source)
    registry = Registry()
    registry.load_entry_points()
    with pytest.warns(PluginWarning, match="broken-opt:it does not load"):
        registry.check()
    assert registry.entries("optimizers")
    broken = next(p for p in registry.plugins if p.distribution == "broken-opt")
    assert cause in broken.error
    assert "\n" not in broken.error


def test_strict_makes_a_broken_plugin_an_error(site: Path) -> None:
    """With --strict nothing is left out silently; the cause is chained."""
    distribution(site, "broken-opt", "broken_strict", "1 / 0")
    registry = Registry()
    registry.load_entry_points()
    with pytest.raises(PluginError, match=r"broken-opt.*ZeroDivisionError") as caught:
        registry.check(strict=True)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_ctrl_c_while_a_plugin_loads_is_not_a_broken_plugin(site: Path) -> None:
    """An interrupt is not caught."""
    distribution(site, "slow-opt", "slow_mod", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Registry().load_entry_points()


def test_two_optimizers_of_one_name_are_refused_naming_both_distributions() -> None:
    """A name means one thing; it is never changed silently."""
    registry = Registry()
    for number in (1, 2):
        registry.register(module_of(DESCENT.format(name="twin") + HOOK, f"dist{number}"))
    named = r"optimizers are named 'twin'.*dist1.*dist2"
    with pytest.warns(PluginWarning, match=named):
        registry.check()
    with pytest.raises(PluginError, match=named):
        registry.entry("optimizers", "twin")
    with pytest.raises(PluginError, match=named):
        registry.check(strict=True)
    assert not registry.entries("optimizers")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (
            "@optbench.hookimpl\ndef optbench_register_optimisers(): return []",
            "unknown hook 'optbench_register_optimisers'; did you mean "
            r"'optbench_register_optimizers'\?$",
        ),
        (
            "@optbench.hookimpl\ndef optbench_register_optimizers(x): return []",
            r"is declared as optbench_register_optimizers\(\), not as "
            r"optbench_register_optimizers\(x\); use these arguments and no others$",
        ),
        (
            "@optbench.hookimpl\ndef optbench_register_optimizers(*, x): return []",
            r"not as optbench_register_optimizers\(\*, x\)",
        ),
        (
            "@optbench.hookimpl\ndef optbench_resolve_optimizer(): return None",
            r"is declared as optbench_resolve_optimizer\(name\), not as "
            r"optbench_resolve_optimizer\(\)",
        ),
        (
            "@optbench.hookimpl\ndef optbench_resolve_optimizer(name='x'): return None",
            r"not as optbench_resolve_optimizer\(name='x'\)",
        ),
        (
            "@optbench.hookimpl\ndef optbench_resolve_optimizer(*, name): return None",
            r"not as optbench_resolve_optimizer\(\*, name\)",
        ),
        (
            "@optbench.hookimpl(wrapper=True)\ndef optbench_register_optimizers(): return (yield)",
            "optbench_register_optimizers is a wrapper; .* nothing to wrap",
        ),
        (
            "@optbench.hookimpl(hookwrapper=True)\ndef optbench_resolve_optimizer(name): yield",
            "optbench_resolve_optimizer is a wrapper",
        ),
        (
            "@optbench.hookimpl\ndef optbench_register_optimizers(): yield Descent",
            "optbench_register_optimizers is a generator; return the result",
        ),
        (
            "@optbench.hookimpl\nasync def optbench_register_optimizers(): return [Descent]",
            "optbench_register_optimizers is a coroutine",
        ),
        (
            "@optbench.hookimpl\nasync def optbench_register_optimizers(): yield Descent",
            "optbench_register_optimizers is a generator",
        ),
        (
            "def optbench_register_optimizers(): return [Descent]",
            "optbench_register_optimizers is not marked; put @optbench.hookimpl above it",
        ),
        (
            "@optbench.hookimpl\ndef optbench_register_optimizers(): raise OSError('disk')",
            "optbench_register_optimizers raised OSError: disk",
        ),
        ("@optbench.hookimpl\ndef optbench_register_optimizers(): return [3]", "returned 3, not"),
        (
            "@optbench.hookimpl\ndef optbench_register_optimizers(): return [Descent()]",
            "not Rule or Stepper classes",
        ),
        ("@optbench.hookimpl\ndef optbench_register_optimizers(): return None", "return a list"),
        ("@optbench.hookimpl\ndef optbench_register_datasets(): return [Descent]", "DatasetSource"),
        ("@optbench.hookimpl\ndef optbench_register_initializers(): return ['he']", "Initializer"),
        ("@optbench.hookimpl\ndef optbench_register_suites(): return ['a.toml']", "TOML"),
    ],
)
def test_a_wrong_hook_is_refused_with_what_is_wrong(source: str, match: str) -> None:
    """Misspelt hooks, hooks that raise and wrong results are reported at registration."""
    registry = Registry()
    with pytest.raises(PluginError, match=match):
        registry.register(module_of(DESCENT.format(name="descent") + source))
    assert not any(registry.entries(kind) for kind in KINDS)
    registry.register(module_of(DESCENT.format(name="descent") + HOOK, "good"))
    assert list(registry.entries("optimizers")) == ["descent"]


@pytest.mark.parametrize("name", ["", "Adam", "my_opt", "my opt", "a--b", "-a", "a[b]", "ä"])
def test_names_are_kebab_case(name: str) -> None:
    """A name can be typed in a shell and sorted in a table."""
    with pytest.raises(PluginError, match=r"^class Descent has the name .* kebab-case"):
        Registry().register(module_of(DESCENT.format(name=name) + HOOK))


@pytest.mark.parametrize(
    ("base", "missing"),
    [("Rule", "`update`"), ("Stepper", "`init` and `step`"), ("DatasetSource", "`load`")],
)
def test_a_class_without_its_methods_is_refused(tmp_path: Path, base: str, missing: str) -> None:
    """The error names the missing methods when the plugin is loaded, not in the middle of a run."""
    path = tmp_path / "half.py"
    path.write_text(f"from optbench import {base}\nclass Half({base}):\n    name = 'half'\n")
    with pytest.raises(PluginError, match=f"'half' does not define {missing}"):
        Registry().load_named(str(path))


def test_a_plugin_file_is_loaded_once_and_named(tmp_path: Path) -> None:
    """--plugin FILE loads everything that the file registers."""
    path = tmp_path / "mine.py"
    path.write_text(DESCENT.format(name="from-file") + HOOK)
    registry = Registry()
    registry.load_named(str(path))
    assert registry.optimizer("from-file").hypers()["lr"].default == 0.1
    assert registry.entry("optimizers", "from-file").distribution == str(path)


def test_a_file_without_hooks_registers_the_classes_it_defines(tmp_path: Path) -> None:
    """One class in one file is a plugin; imported classes are not part of it."""
    path = tmp_path / "bare.py"
    path.write_text("from optbench import Rule, Initializer\n" + DESCENT.format(name="bare"))
    registry = Registry()
    registry.load_named(str(path))
    assert list(registry.entries("optimizers")) == ["bare"]
    assert not registry.entries("initializers")


def test_a_plugin_module_is_loaded_by_name(site: Path) -> None:
    """--plugin MODULE works for anything importable."""
    (site / "module_plugin.py").write_text(DESCENT.format(name="from-module") + HOOK)
    registry = Registry()
    registry.load_named("module_plugin")
    assert "from-module" in registry.entries("optimizers")


@pytest.mark.parametrize(
    ("target", "content", "match"),
    [
        ("missing.py", None, "no such file"),
        ("no_such_module_anywhere", None, "No module named"),
        ("bad.py", "import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
        ("bad.py", "x = (", "SyntaxError"),
        ("empty.py", "x = 1", "registers nothing"),
    ],
)
def test_a_plugin_file_that_cannot_be_used_is_one_clear_error(
    tmp_path: Path, target: str, content: str | None, match: str
) -> None:
    """The user who names a plugin learns what is wrong with it."""
    if content is not None:
        (tmp_path / target).write_text(content)
        target = str(tmp_path / target)
    with pytest.raises(PluginError, match=match) as caught:
        Registry().load_named(target)
    assert "\n" not in str(caught.value)


class Slow:
    """A slow load in one thread, while another thread asks for the same."""

    def __init__(self) -> None:
        self.loads = 0
        self._begun, self._second = threading.Event(), threading.Event()

    def load(self) -> None:
        """Load slowly: let the other thread run, if nothing holds it."""
        self.loads += 1
        self._begun.set()
        self._second.wait(0.5)

    def ask_twice(self, ask: Callable[[], object]) -> list[object]:
        """Return the results of both threads."""

        def second() -> object:
            try:
                return ask()
            finally:
                self._second.set()

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(ask)
            assert self._begun.wait(PATIENCE)
            last = pool.submit(second)
            return [first.result(), last.result()]


def test_no_thread_meets_a_half_loaded_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second thread waits until the first has loaded it, and does not load it again."""
    slow = Slow()
    monkeypatch.setattr(optbench, "slow_in_this_test", slow, raising=False)
    path = tmp_path / "slow.py"
    path.write_text(
        f"import optbench\noptbench.slow_in_this_test.load()\n{DESCENT.format(name='slow')}"
    )
    registry = Registry()

    def ask() -> object:
        registry.load_once(str(path))
        return registry.optimizer("slow")

    first, second = slow.ask_twice(ask)
    assert first is second
    assert slow.loads == 1


def test_all_threads_share_one_default_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that ask for it at the same time, before it is loaded, get the same one."""
    slow = Slow()
    monkeypatch.setattr(Registry, "load_entry_points", lambda self: slow.load())
    with fresh_registry():
        first, second = slow.ask_twice(default_registry)
    assert first is second
    assert slow.loads == 1


def test_a_fresh_registry_ends_with_its_block(tmp_path: Path) -> None:
    """Plugins loaded in the block are forgotten, also after an error; the former one comes back."""
    path = tmp_path / "brief.py"
    path.write_text(DESCENT.format(name="brief"))
    before = default_registry()

    def fail_in_block() -> None:
        with fresh_registry():
            default_registry().load_once(str(path))
            assert "brief" in default_registry().entries("optimizers")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_block()
    assert default_registry() is before
    assert "brief" not in before.entries("optimizers")


def test_unknown_names_get_the_nearest_one() -> None:
    """A typing error is easy to correct."""
    registry = Registry()
    registry.register(module_of(DESCENT.format(name="descent") + HOOK))
    with pytest.raises(ConfigError, match=r"unknown optimizer 'desent'; did you mean 'descent'\?"):
        registry.optimizer("desent")
    with pytest.raises(ConfigError, match="unknown optimizer 'zzz'; known: descent"):
        registry.optimizer("zzz")
    with pytest.raises(ConfigError, match=r"knows the prefix 'nobody:' \(is optbench-nobody inst"):
        registry.optimizer("nobody:adam")


def test_entries_are_sorted_by_name_whatever_order_plugins_came_in() -> None:
    """pluggy returns results last-in-first-out, which users never see."""
    registry = Registry()
    for name in ("b", "c", "a"):
        registry.register(module_of(DESCENT.format(name=name) + HOOK, f"plugin-{name}"))
    assert list(registry.entries("optimizers")) == ["a", "b", "c"]


def test_unregister_takes_everything_out_again() -> None:
    """A test can register a plugin and leave no trace."""
    registry = Registry()
    plugin = registry.register(module_of(DESCENT.format(name="brief") + HOOK))
    registry.unregister(plugin)
    assert not registry.entries("optimizers")
    assert not registry.plugins
    registry.register(module_of(DESCENT.format(name="brief") + HOOK))
    assert list(registry.entries("optimizers")) == ["brief"]


def test_the_default_registry_has_no_conflict_and_no_broken_plugin() -> None:
    """What is installed with optbench loads without a warning."""
    registry = Registry()  # not the process's own, to which other tests add plugins
    registry.load_entry_points()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.check()
    for kind in ("optimizers", "initializers", "datasets"):
        for entry in registry.entries(kind).values():
            assert isinstance(entry, Entry)
            assert entry.name == entry.item.name


def test_optimizers_made_on_demand_are_asked_for_by_prefix_and_kept() -> None:
    """A plugin may serve names that it does not list, such as those of another library."""
    source = (
        DESCENT.format(name="unlisted")
        + """
calls = []

@optbench.hookimpl
def optbench_resolve_optimizer(name):
    calls.append(name)
    return Descent if name.startswith("lib:") else None
"""
    )
    module = module_of(source)
    registry = Registry()
    registry.register(module)
    assert issubclass(registry.optimizer("lib:descent"), optbench.Rule)
    registry.optimizer("lib:descent")
    assert module.calls == ["lib:descent"]


def maker(answer: str, options: str = "") -> str:
    """Source of a plugin that makes an optimizer on demand."""
    return f"""
{DESCENT.format(name="made")}
@optbench.hookimpl({options})
def optbench_resolve_optimizer(name):
    return {answer}
"""


def test_the_first_plugin_that_knows_a_name_makes_the_optimizer() -> None:
    """Plugins are asked in pluggy's order: the last one first, and `tryfirst` before it."""
    registry = Registry()
    for name, options, answer in (
        ("eager", "tryfirst=True", "Descent if name == 'lib:a' else None"),
        ("first", "", "Descent"),
        ("last", "", "Descent if name == 'lib:b' else None"),
    ):
        registry.register(module_of(maker(answer, options), name))
    made_by = [registry.entry("optimizers", f"lib:{name}").distribution for name in "abc"]
    assert made_by == ["eager", "last", "first"]


def test_a_broken_maker_does_not_stop_one_that_is_asked_before_it() -> None:
    """Each plugin is asked by itself, and the first answer ends the question."""
    registry = Registry()
    registry.register(module_of(maker("1 / 0"), "broken"))
    registry.register(module_of(maker("Descent if name == 'lib:a' else None"), "good"))
    assert registry.entry("optimizers", "lib:a").distribution == "good"
    with pytest.raises(PluginError, match=r"plugin broken: .* raised ZeroDivisionError"):
        registry.optimizer("lib:b")


def test_an_implementation_may_have_another_name() -> None:
    """What pluggy offers works: `specname`, `optionalhook`, defaults of further arguments."""
    source = (
        DESCENT.format(name="descent")
        + """
@optbench.hookimpl(specname="optbench_register_optimizers")
def mine(several=True):
    return [Descent]

@optbench.hookimpl(optionalhook=True)
def optbench_register_something_of_the_future():
    return []
"""
    )
    registry = Registry()
    registry.register(module_of(source))
    assert list(registry.entries("optimizers")) == ["descent"]


LISTED = """
import optbench

@optbench.hookimpl
def optbench_list_optimizers():
    return {result}
"""


def test_names_made_on_demand_are_listed_and_nothing_is_made() -> None:
    """A list of another library's optimizers costs no import of that library."""
    registry = Registry()
    plugin = registry.register(module_of(LISTED.format(result="{'lib:a': 'the first'}")))
    registry.register(module_of(DESCENT.format(name="own") + HOOK, "other"))
    assert list(registry.listed("optimizers")) == ["own", "lib:a"]
    assert registry.listed("optimizers")["lib:a"].item.summary() == "the first"
    assert list(registry.entries("optimizers")) == ["own"]
    assert plugin.provides[ON_DEMAND] == ["lib:a"]
    with pytest.raises(
        ConfigError, match=r"a class of another library has a prefix: lib:mine\.Own"
    ):
        registry.optimizer("mine.Own")
    registry.unregister(plugin)
    assert list(registry.listed("optimizers")) == ["own"]


@pytest.mark.parametrize(
    ("result", "match"),
    [
        ("['lib:a']", "must return a dict of names and summaries"),
        ("{'no-prefix': ''}", "lists 'no-prefix'; a name is prefix:rest"),
        ("1 / 0", "optbench_list_optimizers raised ZeroDivisionError"),
    ],
)
def test_a_wrong_list_of_names_is_refused(result: str, match: str) -> None:
    """A faulty list is found when the plugin loads."""
    with pytest.raises(PluginError, match=match):
        Registry().register(module_of(LISTED.format(result=result)))


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("raise KeyError(name)", "optbench_resolve_optimizer raised KeyError: 'lib:x'"),
        ("return 3", "optbench_resolve_optimizer returned 3"),
    ],
)
def test_a_fault_in_making_an_optimizer_names_the_plugin(body: str, match: str) -> None:
    """The error names the plugin."""
    source = f"""
import optbench

@optbench.hookimpl
def optbench_resolve_optimizer(name):
    {body}
"""
    registry = Registry()
    registry.register(module_of(source, "maker"))
    with pytest.raises(PluginError, match=f"plugin maker: {match}"):
        registry.optimizer("lib:x")


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (
            "a: float = hyper(1.0, rate=True)\n    b: float = hyper(1.0, rate=True)",
            "a and b as its",
        ),
        ("a: int = hyper(1, rate=True)", "a = 1 as its rate, whose default must be a float"),
    ],
)
def test_a_rate_that_cannot_be_one_is_refused(body: str, match: str) -> None:
    """At most one number is marked, and schedules multiply it."""
    source = f"""
from optbench import Rule, hookimpl, hyper

class Two(Rule):
    name = "two"
    {body}

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - grad,)

@hookimpl
def optbench_register_optimizers():
    return [Two]
"""
    with pytest.raises(PluginError, match=match):
        Registry().register(module_of(source))


def test_files_of_suites_and_targets_are_registered_by_their_stem(tmp_path: Path) -> None:
    """A plugin can bring workloads and their frozen target losses."""
    source = f"""
from pathlib import Path
import optbench

@optbench.hookimpl
def optbench_register_suites():
    return [Path({str(tmp_path / "tiny.toml")!r})]

@optbench.hookimpl
def optbench_register_targets():
    return [Path({str(tmp_path / "tiny-targets.toml")!r})]
"""
    registry = Registry()
    plugin = registry.register(module_of(source))
    assert registry.entry("suites", "tiny").item == tmp_path / "tiny.toml"
    assert registry.entry("targets", "tiny-targets").item == tmp_path / "tiny-targets.toml"
    assert plugin.provides["suites"] == ["tiny"]
