"""Hooks that return anything: unusable results are refused when the plugin loads, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench import ConfigError, PluginError, hyper
from optbench.registry import Registry
from optbench.registry.kinds import REGISTERED
from optbench.suites import find_suite
from tests.properties.planted import (
    BASES,
    JUNK,
    Bowl,
    Descent,
    Draws,
    Line,
    Page,
    Points,
    one,
    returning,
    variant,
)


class MuteError(Exception):
    """An exception without a readable text."""

    def __str__(self) -> str:
        raise RuntimeError


def refusal(registry: Registry, module: Any) -> str:
    """Return the error for a plugin that is refused; check that nothing of it stays."""
    before = {kind: set(registry.entries(kind)) for kind in REGISTERED}
    with pytest.raises(PluginError) as caught:
        registry.register(module)
    assert {kind: set(registry.entries(kind)) for kind in REGISTERED} == before
    text = str(caught.value)
    assert text.isprintable()
    assert 0 < len(text) < 2000
    return text


@pytest.mark.parametrize("kind", REGISTERED)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: (x, x), one])
@pytest.mark.parametrize("item", JUNK)
def test_a_hook_may_return_anything(kind: str, item: str, wrap: Callable[[Any], Any]) -> None:
    """Anything but a list of the right things is refused, and named."""
    text = refusal(Registry(), returning(kind, lambda: wrap(JUNK[item])))
    assert f"optbench_register_{kind}" in text


@pytest.mark.parametrize("kind", BASES)
def test_instances_and_other_kinds_are_refused(kind: str) -> None:
    """A hook takes classes of its own kind, and no others."""
    registry = Registry()
    text = refusal(registry, returning(kind, lambda: [BASES[kind]()]))
    assert "classes" in text
    for other in set(BASES) - {kind}:
        refusal(registry, returning(kind, partial(list, [BASES[other]])))


@pytest.mark.parametrize("kind", BASES)
@pytest.mark.parametrize(
    "exception", [ValueError("a\nb"), KeyError(), MuteError(), SystemExit("no")]
)
def test_a_hook_that_raises_is_named(kind: str, exception: Any) -> None:
    """Any exception becomes one line; a plugin cannot end the program either."""

    def fail() -> Any:
        raise exception

    assert f"optbench_register_{kind} raised" in refusal(Registry(), returning(kind, fail))


names = st.sampled_from(
    [
        *(
            "",
            " ",
            "a b",
            "a[b]",
            "a/b",
            "../x",
            "/etc/x",
            "a\\b",
            "a.b",
            "a\x00b",
            "é",
            "名",
            "🙂",
        ),
        *("A", "a_b", "-a", "a-", "a--b", "a\n", "<script>", "[red]", "\x1b[31m", "a" * 300, "a,b"),
        *("a=b", "a|b", "'", '"', "`", "%s", "{}", "$(x)", "a;b", "con.", "\u202ea"),
    ]
) | st.text(max_size=20).filter(lambda text: not text.isascii() or " " in text)


@pytest.mark.parametrize("kind", BASES)
@given(name=names)
def test_names_that_could_leave_their_place_are_refused(kind: str, name: str) -> None:
    """A name has only letters, digits and hyphens, which are safe in a shell, a path and a page."""
    text = refusal(Registry(), returning(kind, lambda: [variant(BASES[kind], name=name)]))
    assert "kebab-case" in text


@pytest.mark.parametrize("item", sorted(JUNK.keys() - {"text"}))
@pytest.mark.parametrize("kind", BASES)
def test_names_that_are_not_strings_are_refused(kind: str, item: str) -> None:
    """Any other object as a name is refused."""
    planted = variant(BASES[kind], name=JUNK[item])
    assert "kebab-case" in refusal(Registry(), returning(kind, lambda: [planted]))


@pytest.mark.parametrize("kind", ["suites", "targets"])
@given(name=names.filter(lambda name: Path(f"{name}.toml").stem == name))
def test_files_with_such_names_are_refused(kind: str, name: str) -> None:
    """The stem of a file is a name like any other."""
    refusal(Registry(), returning(kind, lambda: [Path(f"{name}.toml")]))


@pytest.mark.parametrize(
    ("base", "changes", "message"),
    [
        (Descent, {"slots": "mv"}, "slots"),
        (Descent, {"slots": ("a b",)}, "slots"),
        (Descent, {"slots": 3}, "slots"),
        (Descent, {"scalars": ["a"]}, "scalars"),
        (Descent, {"scalars": {"a": "b"}}, "scalars"),
        (Descent, {"scalars": {"a": float("nan")}}, "scalars"),
        (Descent, {"needs": "rng"}, "needs"),
        (Descent, {"url": "javascript:alert(1)"}, "not an address that begins with https://"),
        (Points, {"url": 3}, "not an address that begins with https://"),
        (Descent, {"needs": None}, "needs"),
        (Descent, {"needs": {1}}, "needs"),
        (Descent, {"needs": {"closures"}}, "unknown need 'closures'; did you mean 'closure'?"),
        (Draws, {"needs": {"rng", "date"}}, "unknown need 'date'; did you mean 'data'?"),
        (Bowl, {"needs": {"zzz"}}, "known: closure, data, full-batch, layers, rng, total_steps"),
        (Descent, {"expected_failures": ["x"]}, "expected_failures"),
        (Descent, {"../lr": hyper(0.1)}, "not a name in Python"),
        (Descent, {"l r": hyper(0.1)}, "not a name in Python"),
        (Descent, {"x" * 200: hyper(0.1)}, "not a name in Python"),
        (Descent, {"lr": hyper(cast(Any, None))}, "not a number, a word"),
        (Descent, {"lr": hyper(cast(Any, [1]))}, "not a number, a word"),
        (Descent, {"lr": hyper(float("nan"))}, "outside its own range"),
        (Descent, {"lr": hyper(-1.0, low=0)}, "outside its own range"),
        (Descent, {"kind": hyper("a", choices=("b",))}, "outside its own range"),
        (Points, {"task": "ranking"}, "task"),
        (Points, {"task": None}, "task"),
        (Line, {"warmup": 1}, "not a number >= 0 and < 1"),
        (Line, {"warmup": None}, "not a number >= 0 and < 1"),
        (Page, {"title": ""}, "not a heading"),
        (Page, {"title": 3}, "not a heading"),
        (Page, {"note": None}, "not a text"),
        (Bowl, {"span": None}, "span"),
        (Bowl, {"span": ((1, -1), (0, 1))}, "span"),
        (Bowl, {"span": ((0, float("inf")), (0, 1))}, "span"),
        (Bowl, {"start": (0, 0, 0)}, "start"),
        (Bowl, {"start": "ab"}, "start"),
        (Bowl, {"minima": 0}, "minima"),
        (Bowl, {"minima": ((0, float("nan")),)}, "minima"),
    ],
)
def test_a_senseless_declaration_is_refused_when_it_is_loaded(
    base: type, changes: dict[str, Any], message: str
) -> None:
    """The error names the plugin, the attribute and the fault."""
    kind = next(kind for kind, good in BASES.items() if good is base)
    text = refusal(Registry(), returning(kind, lambda: [variant(base, **changes)]))
    assert f"'{base.name}' declares" in text  # type: ignore[attr-defined]
    assert message in text


def test_a_broken_suite_file_is_named(tmp_path: Path) -> None:
    """A plugin's file is checked like a user's."""
    path = tmp_path / "broken.toml"
    path.write_bytes(b"\xff\x00")
    registry = Registry()
    registry.register(returning("suites", lambda: [path]))
    known = {name: entry.item for name, entry in registry.entries("suites").items()}
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        find_suite("broken", known)
