"""Reports of the class "it says something about NumPy": the first mistakes of an author.

Each gets one line with the place and what to write instead, and no traceback.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import optbench
from optbench import ConfigError, PluginError
from optbench.cli import main
from optbench.conformance import Outcome, checks_for, run_check
from optbench.contracts import Values
from optbench.engine.fusion.machine_code import why_not_fused
from optbench.hyperparameters import parse_spelling
from optbench.registry import Registry, default_registry
from optbench.study.sweep_axes import make_axis
from optbench.support.log_lines import OUTPUT, PrintedLines, RepeatedLines, log_through
from tests.support.waiting import PATIENCE

START = """import math
import numpy as np
from optbench import DatasetSource, Rule, Stepper, hookimpl, hyper

"""
RULE = '''class Mine(Rule):
    """Planted."""
    name = "planted"
    lr: float = hyper(0.1, "learning rate", low=0)
    @staticmethod
    def update(theta, grad, t, h):
        {body}
'''
NAME = 'name = "planted"'
RATE = 'lr: float = hyper(0.1, "learning rate", low=0)'
STEPPER = '''class Mine(Stepper):
    """Planted."""
    name = "planted"
    lr: float = hyper(0.1, "learning rate", low=0)
    def init(self, params, context):
        return None
    def step(self, params, grads, state, context):
        for theta, grad in zip(params, grads):
            {body}
'''
ONE_BOOL = r"an array stands where one True or False is needed; use where\(condition, a, b\)"
ONE_NUMBER = "an array stands where one number is needed; use NumPy's functions, such as np.sqrt"
DESCENT = "return (theta - h.lr * grad,)"

RAISED = {
    "if": (RULE, "if grad > 0: theta = 0 * theta", ONE_BOOL),
    "conditional": (RULE, "return (theta - (h.lr if grad > 0 else -h.lr),)", ONE_BOOL),
    "and": (RULE, "theta = theta * ((grad > 0) and (theta > 0))", ONE_BOOL),
    "not": (RULE, "theta = theta * (not grad)", ONE_BOOL),
    "max()": (RULE, "theta = theta - max(grad, 0)", ONE_BOOL),
    "if in a Stepper": (STEPPER, "if grad > 0: theta -= grad", ONE_BOOL),
    "math.sqrt": (RULE, "theta = theta - math.sqrt(grad)", ONE_NUMBER),
    "float()": (RULE, "theta = theta - float(grad)", ONE_NUMBER),
    "context.lr": (STEPPER, "theta -= context.lr * grad", "context.h, as in context.h.lr"),
    "misspelt": (RULE, "return (theta - h.l * grad,)", "'l' is declared; did you mean 'lr'"),
    "any other": (STEPPER, "{}['k']", "KeyError: 'k'"),
}


def changed(template: str, *changes: tuple[str, str]) -> str:
    """Return a template with some of its text replaced."""
    for old, new in changes:
        assert old in template
        template = template.replace(old, new)
    return template


def with_slots(slots: str, arguments: str) -> str:
    """Return a Rule with slots, and what its update takes beside theta and grad."""
    return changed(RULE, (NAME, f"{NAME}; slots = {slots}"), ("grad, t, h", f"grad, {arguments}"))


def take_steps(item: type[Any]) -> None:
    """Train a bowl for a few steps."""
    optbench.trajectory(item, lambda x: (float((x**2).sum()), 2 * x), np.array([1.0, 2.0]), 3)


def load(text: str, folder: Path) -> Registry:
    """Return a registry with a plugin file."""
    file = folder / "planted.py"
    file.write_text(START + text)
    registry = Registry()
    registry.load_named(str(file))
    return registry


def outcomes_of(text: str, folder: Path) -> list[Outcome]:
    """Return the failed checks of the optimizer in a plugin file."""
    item = load(text, folder).optimizer("planted")
    ended = [run_check(each, item) for each in checks_for(item)]
    return [each for each in ended if not each.ok and not each.check.endswith("_is_named")]


@pytest.mark.parametrize("mistake", RAISED)
def test_an_exception_is_told_with_its_place_and_cure(mistake: str, tmp_path: Path) -> None:
    """By every check and in the same words; the line is that of the plugin's file."""
    template, body, text = RAISED[mistake]
    item = load(template.format(body=body), tmp_path).optimizer("planted")
    line = (START + template).splitlines().index(next(
        each for each in (START + template).splitlines() if "{body}" in each)) + 1  # fmt: skip
    with pytest.raises(PluginError, match=rf"{text}.*\(planted.py:{line}\)"):
        take_steps(item)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "return theta - h.lr * grad",
            r"an array; write `return \(theta,\)`, a tuple with a comma",
        ),
        ("theta = theta - grad", r"update returned nothing; end it with `return \(theta,\)`"),
        ("return [theta]", r"update returned a list; write `return \(theta,\)`"),
        ("return theta, grad", r"update returned a tuple of 2; write `return \(theta,\)`"),
    ],
)
def test_what_update_returns_is_told_with_what_to_write(
    body: str, text: str, tmp_path: Path
) -> None:
    """A bare theta, nothing, a list, or too much; in a run and in the checks."""
    text_of_file = RULE.format(body=body)
    item = load(text_of_file, tmp_path).optimizer("planted")
    with pytest.raises(PluginError, match=text):
        take_steps(item)
    assert any(each.check == "check_returns_what_it_declares" for each in outcomes_of(
        text_of_file, tmp_path))  # fmt: skip


def test_slots_that_are_not_returned_are_named(tmp_path: Path) -> None:
    """The message has the names of the Rule's own slots."""
    item = load(with_slots('("m",)', "m, t, h").format(body=DESCENT), tmp_path)
    with pytest.raises(PluginError, match="a tuple of 1; write `return theta, m`"):
        take_steps(item.optimizer("planted"))


REFUSED = {
    "self": (
        changed(RULE, ("    @staticmethod\n", ""), ("(theta,", "(self, theta,")),
        r"'planted' defines update\(self, theta, grad, t, h\); write @staticmethod above "
        r"update\(theta, grad, t, h\)",
    ),
    "a slot too few": (
        with_slots('("m",)', "t, h"),
        r"defines update\(theta, grad, t, h\); write update\(theta, grad, m, t, h\)",
    ),
    "a slot that is not declared": (
        changed(RULE, ("grad, t, h", "grad, v, t, h")),
        r"defines update\(theta, grad, v, t, h\); write update\(theta, grad, t, h\) or declare "
        r"slots = \(\"v\",\)$",
    ),
    "one slot of two": (
        with_slots('("m",)', "m, v, t, h"),
        r"write update\(theta, grad, m, t, h\) or declare slots = \(\"m\", \"v\"\)$",
    ),
    "slot for slots": (
        changed(RULE, (NAME, f'{NAME}; slot = ("m",)')),
        r"'planted' declares slot, which optbench does not read; did you mean 'slots'\?$",
    ),
    "need for needs": (
        changed(STEPPER, (NAME, f'{NAME}; need = {{"rng"}}')),
        r"'planted' declares need, which optbench does not read; did you mean 'needs'\?$",
    ),
    "variants for variant": (
        changed(RULE, (NAME, f'{NAME}; variants = "plain"')),
        r"declares variants, which optbench does not read; did you mean 'variant'\?$",
    ),
    "step without self": (
        changed(STEPPER, ("step(self, ", "step(")),
        r"defines step\(params, grads, state, context\); optbench calls step\(self, params,",
    ),
    "a hook without its mark": (
        RULE + "\ndef optbench_register_optimizers():\n    return [Mine]\n",
        "optbench_register_optimizers is not marked; put @optbench.hookimpl above it",
    ),
    "a whole number with a broken bound": (
        changed(RULE, (RATE, "lr: float = hyper(1, log_range=(1e-3, 10))")),
        "'planted' declares lr = 1, which allows whole numbers only, with the bound 0.001; "
        r"write 1\.0$",
    ),
    "a whole number with low": (
        changed(RULE, (RATE, "lr: int = hyper(2, low=0.5)")),
        r"lr = 2, .* with the bound 0.5; write 2\.0$",
    ),
    "a whole number for float": (
        changed(RULE, (RATE, "lr: float = hyper(1, low=0)")),
        r"'planted' declares lr = 1, .* with the annotation float; write 1\.0$",
    ),
    "a whole number for 'float'": (
        changed(RULE, (RATE, "lr: 'float' = hyper(1, low=0)")),
        r"lr = 1, .* with the annotation float; write 1\.0$",
    ),
    "a keyword that hyper lacks": (
        changed(RULE, ("low=0", "lo=0")),
        r"hyper\(\) got an unexpected keyword argument 'lo'; did you mean 'low'\? "
        r"\(planted.py:8\)$",
    ),
    "a range from high to low": (
        changed(RULE, ("low=0", "log_range=(10, 0.1)")),
        r"'planted' declares lr = 0.1 with the search range \(10, 0.1\); low must be below high: "
        r"write \(0.1, 10\)$",
    ),
    "arguments in another order": (
        changed(RULE, ("grad, t, h", "grad, h, t")),
        r"defines update\(theta, grad, h, t\); write update\(theta, grad, t, h\)$",
    ),
    "slots without a comma": (
        with_slots('("m")', "t, h"),
        r"declares slots = 'm', not a tuple of names; write \(\"m\",\), with a comma",
    ),
    "nothing": ("x = 1\n", "registers nothing; it needs a function marked @optbench.hookimpl, or"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_declaration_is_refused_when_the_file_is_loaded(mistake: str, tmp_path: Path) -> None:
    """And not in the middle of a study."""
    text, message = REFUSED[mistake]
    with pytest.raises(PluginError, match=message):
        load(text.replace("{body}", DESCENT), tmp_path)


def test_a_whole_number_with_whole_bounds_is_one(tmp_path: Path) -> None:
    """Where nothing says that fractions are meant."""
    text = changed(RULE, (RATE, "lr: int = hyper(1, low=0, high=9)"))
    item = load(text.format(body=DESCENT), tmp_path).optimizer("planted")
    assert item.hypers()["lr"].kind is int


def test_a_file_with_a_class_of_another_library_says_how_to_enter_it(tmp_path: Path) -> None:
    """A library is known by the optimizers that a plugin lists for it."""
    lister = "@hookimpl\ndef optbench_list_optimizers():\n    return {'fractions:a': 'planted'}\n"
    (tmp_path / "first").mkdir()
    registry = load(lister, tmp_path / "first")
    file = tmp_path / "theirs.py"
    file.write_text("import fractions\nclass Mine(fractions.Fraction):\n    pass\n")
    with pytest.raises(PluginError, match=r"-o fractions:theirs.Mine with PYTHONPATH set"):
        registry.load_named(str(file))


@pytest.mark.parametrize("line", ["lr = 0.1", "lr: float = 0.1"])
def test_a_rate_without_hyper_is_told_how_to_declare_it(line: str, tmp_path: Path) -> None:
    """The value is that of the class."""
    text = changed(RULE, (RATE, line))
    (first, *_) = outcomes_of(text.format(body=DESCENT), tmp_path)
    assert "write `lr: float = hyper(0.1)` in the class (planted.py:11)" in first.detail


def test_the_same_fault_is_told_once(tmp_path: Path) -> None:
    """Checks that fail in the same way are counted, though the cure has colons of its own."""
    text = changed(RULE, (RATE, "lr = 0.1"))
    faults = {each.fault for each in outcomes_of(text.format(body=DESCENT), tmp_path)}
    assert "AttributeError at planted.py:11" in faults


def test_values_name_what_is_declared() -> None:
    """The nearest name, or else all of them."""
    with pytest.raises(AttributeError, match=r"'bet' is declared; did you mean 'beta'\?"):
        _ = Values({"lr": 0.1, "beta": 0.9}).bet
    with pytest.raises(AttributeError, match="'xyz' is declared; declared: lr, beta"):
        _ = Values({"lr": 0.1, "beta": 0.9}).xyz


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("adma", "adam"),
        ("adamm", "adam"),
        ("nadma", "nadam"),
        ("sdg", "sgd"),
        ("rmsporp", "rmsprop"),
    ],
)
def test_the_nearest_name_has_the_fewest_edits(wrong: str, meant: str) -> None:
    """Two letters in the wrong order are one edit."""
    with pytest.raises(ConfigError, match=f"unknown optimizer '{wrong}'; did you mean '{meant}'"):
        optbench.train(wrong, dataset="iris")


def test_of_many_names_the_nearest_few_are_shown() -> None:
    """With the command that lists all of them, and none of them twice."""
    ended = CliRunner().invoke(main, ["check", "nooo"])
    assert ended.exit_code == 1
    assert len(ended.output) < 200
    assert "others (`optbench list`)" in ended.output
    names = ended.output.partition("known: ")[2].partition(" and ")[0].split(", ")
    assert len(set(names)) == len(names) == 5
    with pytest.raises(ConfigError, match=r"known: \w.* and \d+ others \(`optbench list datasets`"):
        optbench.load_dataset("zzzzz")


def test_a_table_in_another_encoding_is_told_how_to_convert_it(tmp_path: Path) -> None:
    """Latin-1, as spreadsheets write it."""
    (tmp_path / "towns.csv").write_bytes("town,x,y\nKöln,0,1\n".encode("latin-1"))
    with pytest.raises(
        ConfigError, match=r"save it as CSV in UTF-8, or .* iconv -f latin1 -t utf-8"
    ):
        optbench.load_dataset(f"{tmp_path}/towns.csv")


@pytest.mark.parametrize(
    ("body", "cure"),
    [
        ("return (theta - h.lr * grad / np.sqrt(grad * grad),)", "needs a constant such as eps"),
        ("return (theta - h.lr * grad**5 / (1 + grad**4),)", "divide before you multiply"),
    ],
)
def test_extreme_gradients_name_what_breaks(body: str, cure: str, tmp_path: Path) -> None:
    """A denominator without eps; powers that overflow."""
    details = [each.detail for each in outcomes_of(RULE.format(body=body), tmp_path)]
    assert any(cure in detail for detail in details)


def test_slots_that_are_returned_in_another_order_are_told(tmp_path: Path) -> None:
    """By the names in the last line; NaN that follows from it is no reason to write a Stepper."""
    text = with_slots('("m", "c")', "m, c, t, h")
    body = "m, c = 0.9 * m + grad, c - abs(grad); return theta - h.lr * m / c**0.5, c, m"
    details = [each.detail for each in outcomes_of(text.format(body=body), tmp_path)]
    assert "update returns c, m; write `return theta, m, c`" in details
    assert not any("Stepper" in detail for detail in details)


def test_a_statement_that_is_not_compiled_has_its_line(tmp_path: Path) -> None:
    """The line of the file, and the function that is called."""
    item = load(RULE.format(body="print(t); " + DESCENT), tmp_path).optimizer("planted")
    rule: Any = item
    assert "a call of print that nothing uses (planted.py:11)" in why_not_fused(rule)


def test_the_rate_of_another_name_is_named_in_a_sweep(tmp_path: Path) -> None:
    """It is another axis, so it cannot stand for `lr`."""
    text = changed(RULE, ("lr: float", "eta: float"), ("low=0", "low=0, rate=True"))
    registry = load(text.format(body=DESCENT.replace("h.lr", "h.eta")), tmp_path)
    with pytest.raises(ConfigError, match=r"planted has no .* 'lr'; its rate is eta: sweep it"):
        make_axis("lr", [0.1, 1.0], ["planted"], registry)


CALLS: dict[str, Any] = {
    "compare": (
        lambda: optbench.compare(dataset="iris"),  # type: ignore[call-arg]
        TypeError, r"compare\(\) got an .* 'dataset'; did you mean 'datasets'\?",
    ),
    "compare, nothing near": (
        lambda: optbench.compare(qqq="iris"),  # type: ignore[call-arg]
        TypeError, r"'qqq'; allowed: optimizers, suite, datasets, ",
    ),
    "train": (
        lambda: optbench.train("adam", dataset="iris", epoch=5),
        ConfigError, r"train: unknown argument 'epoch'; did you mean 'epochs'\?",
    ),
    "a class": (
        lambda: default_registry().optimizer("adam")(lr=0.5),  # type: ignore[call-arg]
        TypeError, r"takes no arguments; write functools.partial\(Adam, lr=0.5\)",
    ),
    "an objective": (
        lambda: optbench.trajectory("sgd", lambda x: x @ x, np.ones(2), 3),  # type: ignore
        ConfigError, r"does not return its value and its gradient; write as in `lambda x: \(x @ x,",
    ),
    "a public name": (
        lambda: optbench.compar,  # type: ignore[attr-defined]
        AttributeError, r"module 'optbench' has no attribute 'compar'; did you mean 'compare'\?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_call_in_python_names_the_right_one(call: str) -> None:
    """The nearest argument or name, and the form that is meant."""
    function, kind, text = CALLS[call]
    with pytest.raises(kind, match=text):
        function()


def test_inspect_of_a_study_names_its_diagnosis() -> None:
    """A study has its own inspection."""
    study = optbench.compare("sgd", suite="smoke")
    with pytest.raises(ConfigError, match=r"is not an initializer; .*, or call its diagnose\(\)"):
        optbench.inspect(study)  # type: ignore[arg-type]


def test_more_replicates_name_the_plugin_that_is_missing(tmp_path: Path) -> None:
    """It stands in the command that the study was run with."""
    file = tmp_path / "planted.py"
    file.write_text(START + RULE.format(body=DESCENT))
    out = ["--out", str(tmp_path / "out")]
    small = "-d iris -r batch --hidden 2 -o planted --epochs 2 --seeds 2 --budget 1 --replicates 1"
    assert _optbench("run", *small.split(), "--plugin", str(file), *out).returncode == 0
    ended = _optbench("run", "--more", "1", *out)
    assert ended.returncode == 1
    assert "unknown optimizer 'planted'; " in ended.stderr
    assert f"; the study in {tmp_path / 'out'} was run with --plugin {file}" in ended.stderr


@pytest.mark.parametrize("text", ["adam(lr=0.1)", "adam{lr: 0.1}", "adam (lr=0.1)"])
def test_other_brackets_are_told_as_square_ones(text: str) -> None:
    """With the whole spelling, ready to be copied."""
    with pytest.raises(ConfigError, match=r"write 'adam\[lr=0.1\]', in square brackets"):
        parse_spelling(text)


def test_other_brackets_of_a_dataset_are_told_too() -> None:
    """On the command line: one line, and the exit code of a mistake."""
    ended = CliRunner().invoke(main, ["run", "-d", "iris(train_size=20)", "--dry-run"])
    assert ended.exit_code == 1
    assert "write 'iris[train_size=20]'" in ended.output
    assert "Traceback" not in ended.output


def test_float_labels_are_told_to_be_whole(tmp_path: Path) -> None:
    """`optbench check` names the conversion."""
    text = (
        "class Data(DatasetSource):\n    '''Planted.'''\n    name = 'planted'\n"
        "    task = 'multiclass'\n    def load(self):\n"
        "        x = np.random.default_rng(0).normal(size=(300, 4))\n"
        "        return x, np.arange(300) % 3 + 0.0\n"
    )
    item = load(text, tmp_path).dataset_source("planted")
    details = [run_check(each, item).detail for each in checks_for(item)]
    assert "labels are float64, not whole numbers; return y.astype(int)" in details


def test_lines_that_differ_in_numbers_are_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One note says that more were printed; another kind of line is shown as well."""
    lines = RepeatedLines()
    printed = [each for t in range(5213) for each in lines.select(f"t is {t}, loss {t / 7:.3e}")]
    assert printed == [
        "t is 0, loss 0.000e+00",
        f"(lines like 't is 1, loss 1.429e-01' are shown once; {OUTPUT}=all shows all)",
    ]
    assert lines.select("done") == ["done"]
    monkeypatch.setenv(OUTPUT, "all")
    assert lines.select("t is 7") == ["t is 7"]


def test_pieces_of_a_line_are_joined() -> None:
    """`print` writes text and end of line in two calls."""
    shown: list[str] = []
    stream = PrintedLines()
    with log_through(shown.append, shown.append):
        print("one piece", "and another", file=stream)
    assert shown == ["one piece and another"]


def test_a_print_in_update_costs_two_lines(tmp_path: Path) -> None:
    """In the checks and in a whole run, whose lines come from worker processes."""
    body = "print('step number', t)\n        " + DESCENT
    file = tmp_path / "planted.py"
    file.write_text(START + RULE.format(body=body))
    checked = _optbench("check", str(file), "-q")
    assert checked.stderr.count("step number") == 2
    assert "step number" not in checked.stdout
    small = "-d iris -r batch --hidden 2 -o planted --epochs 9 --seeds 2 --budget 1 --replicates 1"
    ran = _optbench("run", *small.split(), "--plugin", str(file), "--out", str(tmp_path / "out"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("step number") == 2


def _optbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optbench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
