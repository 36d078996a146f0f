"""Promises of ``list``, ``show``, ``plugins``, ``check`` and ``new``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from optbench.cli import main
from optbench.registry import Registry, default_registry
from optbench.registry.kinds import KINDS

RUNNER = CliRunner()


def run(*args: str) -> Result:
    return RUNNER.invoke(main, list(args))


def read(*args: str) -> Any:
    """The JSON that a command prints; nothing else may be on stdout."""
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry that takes the default one's place for a test."""
    registry = Registry()
    registry.load_entry_points()
    monkeypatch.setattr("optbench.registry.default_registry", lambda: registry)
    return registry


# -- list ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_list_shows_every_name_of_a_kind_on_its_own_line(kind: str) -> None:
    """In a pipe the first column can be cut out."""
    names = list(default_registry().entries(kind))
    lines = run("list", kind).stdout.splitlines()
    assert lines[0] == f"{len(names)} {kind}"
    assert [line.split()[0] for line in lines[2:] if line] == names


def test_list_without_a_kind_shows_all_and_json_says_the_same() -> None:
    """The table and the JSON list the same things."""
    everything = {(k, name) for k in KINDS for name in default_registry().entries(k)}
    assert {(each["kind"], each["name"]) for each in read("list", "--json")} == everything
    shown = run("list").stdout
    assert all(name in shown for _, name in everything)


def test_the_singular_will_do() -> None:
    """Asking for `optimizer` lists optimizers."""
    assert run("list", "optimizer").stdout == run("list", "optimizers").stdout


# -- show ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in KINDS for name in default_registry().entries(kind)],
)
def test_show_explains_everything_that_is_registered(kind: str, name: str) -> None:
    """Name, source, variant and each hyperparameter are on the page."""
    shown = run("show", name)
    assert shown.exit_code == 0, shown.stderr
    item = default_registry().entry(kind, name).item
    assert name in shown.stdout
    if kind == "suites":
        assert item.read_text().strip() in shown.stdout
        return
    assert item.source in shown.stdout
    if kind != "datasets":
        assert item.variant in shown.stdout
        for hyper in item.hypers().values():
            assert hyper.meaning in shown.stdout


def test_show_says_in_which_loop_an_optimizer_trains_and_why() -> None:
    """An author sees at once that a formula could not be compiled."""
    from optbench.engine.loops.choice import choose_loop

    for name, entry in default_registry().entries("optimizers").items():
        told = read("show", name, "--json")
        assert (told["loop"], told["why"]) == choose_loop(entry.item)


def test_show_of_a_dataset_has_its_size_and_hash() -> None:
    """What a study was run on can be compared."""
    told = read("show", "iris", "--json")
    assert told["examples"] == {"train": 90, "val": 30, "test": 30}
    assert (told["features"], told["outputs"], told["task"]) == (4, 3, "multiclass")
    assert len(told["content_hash"]) == 64


def test_show_takes_a_prefix_for_that_of_an_optimizer() -> None:
    """A dot in the name of a class, as in ``lib:module.Class``, does not make it a file."""
    assert "unknown optimizer 'lib:module.Class'" in run("show", "lib:module.Class").stderr
    assert "there is no file module.csv" in run("show", "module.csv").stderr


def test_show_of_an_unknown_name_gives_the_nearest() -> None:
    """Of whatever kind."""
    result = run("show", "irsi")
    assert result.exit_code == 1
    assert result.stderr == "error: unknown name 'irsi'; did you mean 'iris'?\n"
    assert "did you mean" not in run("show", "foo").stderr


def test_show_keeps_brackets_of_a_plugin_as_they_are(temporary: Registry, tmp_path: Path) -> None:
    """A plugin's words are text, not markup."""
    path = tmp_path / "odd.py"
    path.write_text(
        "from optbench import Rule, hyper\n"
        "class Odd(Rule):\n"
        "    '''[bold]Odd[/bold].'''\n"
        "    name = 'odd'\n"
        "    lr: float = hyper(0.1, '[red]rate[/red]')\n"
        "    def update(theta, grad, t, h): return (theta,)\n"
    )
    temporary.load_named(str(path))
    shown = run("show", "odd").stdout
    assert "[bold]Odd[/bold]." in shown
    assert "[red]rate[/red]" in shown


# -- plugins ------------------------------------------------------------------------------------


def test_plugins_lists_what_each_brings() -> None:
    """The built-in plugin is one among others."""
    told = read("plugins", "--json")
    (builtin,) = [p for p in told["plugins"] if p["distribution"] == "optbench"]
    assert builtin["error"] == ""
    assert builtin["provides"]["optimizers"] == list(default_registry().entries("optimizers"))
    assert told["conflicts"] == []
    assert "optbench:builtin" in run("plugins").stdout


def test_plugins_names_a_broken_one_and_its_cause(tmp_path: Path) -> None:
    """The command that explains is not stopped by what it is to explain."""
    path = tmp_path / "broken.py"
    path.write_text("import nothing_of_the_kind")
    result = run("plugins", "--plugin", str(path))
    assert result.exit_code == 0
    assert "No module named 'nothing_of_the_kind'" in result.stdout
    assert run("plugins", "--plugin", str(path), "--strict").exit_code == 1


def test_plugins_names_both_sides_of_a_conflict(tmp_path: Path) -> None:
    """Two things of one name: it says which, and with --strict it exits with 1."""
    path = tmp_path / "again.py"
    path.write_text(
        "from optbench import DatasetSource\n"
        "class Again(DatasetSource):\n"
        "    name = 'iris'\n"
        "    task = 'binary'\n"
        "    def load(self): return None\n"
    )
    assert run("plugins", "--plugin", str(path), "--strict").exit_code == 1
    result = run("plugins", "--plugin", str(path))
    assert result.exit_code == 0
    assert "conflict: two datasets are named 'iris': one from optbench, one from" in result.stderr


# -- check --------------------------------------------------------------------------------------


def test_check_of_a_good_plugin_exits_with_0() -> None:
    """Every promise is listed as kept."""
    result = run("check", "iris")
    assert result.exit_code == 0
    assert "FAIL" not in result.stdout
    assert "checks passed" in result.stdout


def test_check_of_a_file_with_a_fault_names_check_and_fault(
    temporary: Registry, tmp_path: Path
) -> None:
    """Exit code 1, and what to do about it."""
    path = tmp_path / "silent.py"
    path.write_text(
        "from optbench import Initializer\n"
        "class Silent(Initializer):\n"
        "    '''Zeros.'''\n"
        "    name = 'silent'\n"
        "    deterministic = True\n"
        "    def weight(self, rng, n_in, n_out, h):\n"
        "        import numpy as np\n"
        "        return np.zeros((n_in, n_out))\n"
    )
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "FAIL  It names its source\n        check_source_is_named: `source` is empty" in (
        result.stdout
    )
    quiet = run("check", str(path), "--quiet").stdout
    assert "ok " not in quiet
    told = json.loads(run("check", str(path), "--json").stdout)
    failed = {each["check"] for each in told if each["verdict"] == "failed"}
    assert failed == {"check_source_is_named", "check_variant_is_named"}


RULE = """
import numpy as np
from optbench import Rule, hyper

class Probe(Rule):
    '''A probe.'''
    name = "probe"
    source = "own work"
    variant = "none"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1))
    wd: float = hyper(0.1, "decay", low=0)

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * (grad + h.wd * theta),)
"""


def test_check_tells_one_fault_once_with_its_line(temporary: Registry, tmp_path: Path) -> None:
    """A misspelt function fails two thirds of the checks; in JSON each of them is there."""
    path = tmp_path / "probe.py"
    path.write_text(RULE.replace("(grad +", "(np.sgn(grad) +"))
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "sgn" in text)
    result = run("check", str(path), "--quiet")
    assert result.exit_code == 1
    assert result.stdout.count("no attribute 'sgn'") == 1
    failed = [x for x in json.loads(run("check", str(path), "--json").stdout) if x["detail"]]
    again = f"{len(failed) - 1} more checks fail in the same way: AttributeError at probe.py:{line}"
    assert again in result.stdout
    assert all(f"(probe.py:{line})" in each["detail"] for each in failed)


def test_check_tells_a_wrong_shape_once(temporary: Registry, tmp_path: Path) -> None:
    """It fails most checks, each on arrays of its own shape and dtype."""
    path = tmp_path / "probe.py"
    path.write_text(RULE.replace("(theta - h.lr * (grad + h.wd * theta),)", "(grad.sum(axis=0),)"))
    result = run("check", str(path), "--quiet")
    assert result.stdout.count("FAIL") == 1
    assert result.stdout.count("theta came back as") == 2  # with how many more checks fail so


def test_check_tells_how_a_decay_has_to_be_called(temporary: Registry, tmp_path: Path) -> None:
    """Under another name the zero gradient cannot be told from a fault; so named, it passes."""
    path = tmp_path / "probe.py"
    path.write_text(RULE)
    result = run("check", str(path), "--quiet")
    assert "call a decay of the weights weight_decay" in result.stdout
    assert "expected_failures" in result.stdout
    other = tmp_path / "renamed.py"
    other.write_text(RULE.replace("wd", "weight_decay").replace('"probe"', '"renamed"'))
    assert run("check", str(other)).exit_code == 0


def test_check_shows_what_fails_on_purpose(temporary: Registry, tmp_path: Path) -> None:
    """With its reason, and without an error."""
    path = tmp_path / "purpose.py"
    path.write_text(
        "import numpy as np\n"
        "from optbench import DatasetSource\n"
        "class Purpose(DatasetSource):\n"
        "    '''Few points.'''\n"
        "    name = 'purpose'\n"
        "    source = 'own work'\n"
        "    task = 'regression'\n"
        "    expected_failures = {'check_splits_into_three_parts': 'small on purpose'}\n"
        "    def load(self):\n"
        "        return np.eye(12), np.arange(12.0)\n"
    )
    result = run("check", str(path))
    assert result.exit_code == 0, result.output
    assert "small on purpose" in result.stdout
    assert "1 failed on purpose" in result.stdout


def test_check_of_an_unknown_name_gives_the_nearest() -> None:
    """As everywhere."""
    result = run("check", "irsi")
    assert result.exit_code == 1
    assert "did you mean 'iris'?" in result.stderr


# -- new ----------------------------------------------------------------------------------------

TEMPLATES = [
    ("optimizer",),
    ("optimizer", "--stepper"),
    ("initializer",),
    ("dataset",),
]


@pytest.mark.parametrize("options", TEMPLATES, ids=" ".join)
def test_a_new_plugin_passes_its_own_tests_once_installed(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    """The distribution builds, installs, is found by its entry point, and passes as written."""
    kind, *more = options
    made = run("new", kind, "brand-new", "--out", str(tmp_path), *more)
    assert made.exit_code == 0, made.stderr
    folder, site = tmp_path / "optbench-brand-new", tmp_path / "site"
    assert f"pip install {folder}" in made.stdout
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    environment = {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    python(tmp_path, environment, *pip[1:], *alone, str(folder))
    options_of_pytest = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = python(tmp_path, environment, "-m", "pytest", *options_of_pytest, str(folder))
    assert " passed" in done.stdout
    found = "from optbench.registry import default_registry as r; "
    listed = python(tmp_path, environment, "-c", f"{found}print(*r().entries('{kind}s'))")
    assert "brand-new" in listed.stdout.split()


def python(cwd: Path, environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    import os

    done = subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("options", TEMPLATES, ids=" ".join)
def test_a_new_single_file_passes_every_check(
    options: tuple[str, ...], temporary: Registry, tmp_path: Path
) -> None:
    """One file, given with --plugin, is a plugin as good as any."""
    kind, *more = options
    made = run("new", kind, "brand-new", "--single-file", "--out", str(tmp_path), *more)
    path = tmp_path / "brand_new.py"
    assert f"optbench check {path}" in made.stdout
    assert f"--plugin {path}" in made.stdout
    checked = run("check", str(path))
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("optimizer", "My_Opt"), 1, "'My_Opt' is not a name in kebab-case"),
        (("optimizer", "3d"), 1, "begins with a letter"),
        (("optimizer", "../evil"), 1, "'../evil' is not a name"),
        (("dataset", "iris"), 1, "the name 'iris' is taken by optbench"),
        (("dataset", "mine", "--stepper"), 2, "--stepper is for optimizers"),
        (("model", "mine"), 2, "'model' is not one of"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    args: tuple[str, ...], code: int, message: str, tmp_path: Path
) -> None:
    """Nothing is written."""
    result = run("new", *args, "--out", str(tmp_path))
    assert result.exit_code == code
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["none", "rule", "class", "optbench"])
def test_a_name_that_python_or_optbench_uses_still_makes_a_plugin(
    name: str, temporary: Registry, tmp_path: Path
) -> None:
    """The class gets another name than the word that is taken."""
    made = run("new", "dataset", name, "--single-file", "--out", str(tmp_path))
    assert made.exit_code == 0, made.stderr
    (path,) = tmp_path.glob("*.py")
    assert run("check", str(path)).exit_code == 0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """What exists stays as it is."""
    (tmp_path / "mine.py").write_text("precious")
    result = run("new", "optimizer", "mine", "--single-file", "--out", str(tmp_path))
    assert result.exit_code == 1
    assert "exists already" in result.stderr
    assert (tmp_path / "mine.py").read_text() == "precious"


@pytest.mark.parametrize("name", ["con", "nul", "com1", "class", "optbench"])
def test_a_file_that_some_system_or_python_refuses_is_called_otherwise(
    tmp_path: Path, name: str
) -> None:
    """The optimizer keeps its name; its file can be made, imported and loaded everywhere."""
    result = run("new", "optimizer", name, "--single-file", "--out", str(tmp_path))
    assert result.exit_code == 0, result.stderr
    path = tmp_path / f"my_{name}.py"
    assert f'name = "{name}"' in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_optimizer_of_a_study_with_plugins_points_to_its_file(tmp_path: Path) -> None:
    """The command of the stored study has the file, which a user forgets to repeat."""
    from tests.cli import study_helpers

    mine = tmp_path / "mine.py"
    mine.write_text(
        "from optbench import Rule, hyper\n\n\nclass Unheard(Rule):\n"
        '    """Descent."""\n\n    name = "unheard"\n    lr: float = hyper(0.1, "rate", low=0)\n\n'
        "    @staticmethod\n    def update(theta, grad, t, h):\n"
        "        return (theta - h.lr * grad,)\n"
    )
    words = ["run", *study_helpers.TINY, "-o", "unheard", "-d", "iris", "--ruleset", "defaults"]
    words += ["--out", str(tmp_path / "out")]
    first = study_helpers.optbench_process(*words, "--plugin", mine)
    assert first.code == 0, first.err
    again = study_helpers.optbench_process(*words)
    assert again.code != 0
    said = " ".join(again.err.split())
    assert "unknown optimizer 'unheard'" in said
    assert f"was run with --plugin {mine}" in said
