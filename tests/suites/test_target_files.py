"""Frozen targets: written files are read back, whatever the names; a bad file is one line."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.errors import ConfigError
from optbench.registry import Registry, default_registry
from optbench.registry.hookspecs import hookimpl
from optbench.suites.target_files import (
    BEST,
    LEVELS,
    Target,
    Targets,
    known_targets,
    read_targets,
    write_targets,
)

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', '"]\n[[target]]\n', "\\", "'", "a\nb", "\x7f", "\x00", "\x1b[31m", "#", "🙂"]
)
losses = st.floats(1e-6, 1e6).map(lambda loss: float(f"{loss:.4g}"))


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """A target with any losses in order, and any of the best known losses."""
    hard, medium, easy = sorted(draw(st.tuples(losses, losses, losses)))
    known = draw(st.dictionaries(st.sampled_from(BEST), losses))
    return Target(easy=easy, medium=medium, hard=hard, origin=draw(names), **known)


def losses_of(target: Target) -> list[object]:
    """Every field; NaN, which equals nothing, as None."""
    losses = [getattr(target, name) for name in (*LEVELS, *BEST)]
    return [target.origin, *(None if math.isnan(loss) else loss for loss in losses)]


@given(
    st.dictionaries(st.tuples(names, names), targets(), max_size=4),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_targets_are_read_back_whatever_their_names(
    tmp_path_factory: pytest.TempPathFactory, drawn: Targets, head: str
) -> None:
    """A dataset's name, or a command in the comment, cannot write other targets."""
    path = tmp_path_factory.getbasetemp() / "targets.toml"
    path.write_text(write_targets(drawn, head), encoding="utf-8")
    read = read_targets([path])
    assert list(map(losses_of, read.values())) == [losses_of(drawn[key]) for key in read]
    assert set(read) == set(drawn)
    assert set(tomllib.loads(path.read_text(encoding="utf-8"))) <= {"target"}


def test_files_without_best_losses_are_still_read(tmp_path: Path) -> None:
    """They come from earlier versions: what they do not say is unknown."""
    path = tmp_path / "old.toml"
    path.write_text(ONE + "easy = 3\nmedium = 2\nhard = 1\n", encoding="utf-8")
    target = read_targets([path])["a", "b"]
    assert [target.loss(level) for level in LEVELS] == [3, 2, 1]
    assert all(math.isnan(getattr(target, name)) for name in BEST)


ONE = '[[target]]\ndataset = "a"\nnetwork = "b"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ONE, r"target\[0\].easy is missing"),
        (ONE + "easy = 1\nmedium = 2\nhard = 3", "easy >= medium >= hard > 0"),
        (ONE + "easy = inf\nmedium = 2\nhard = 1", "must be finite"),
        (ONE + "easy = nan\nmedium = 2\nhard = 1", "easy >= medium >= hard > 0"),
        (ONE + "easy = 3\nmedium = 2\nhard = 0", "easy >= medium >= hard > 0"),
        (ONE + "easy = 3\nmedium = 2\nhard = 'x'", r"target\[0\].hard is text, not a number"),
        ((ONE + "easy = 3\nmedium = 2\nhard = 1\n") * 2, "a, b come twice"),
        (
            ONE + f"easy = {10**400}\nmedium = 2\nhard = 1",
            "easy is too large a number",
        ),
        (ONE + "easy = 3\nmedium = 2\nhard = 1\nbest_val = 0", "best_val is 0; a finite loss"),
        (ONE + "easy = 3\nmedium = 2\nhard = 1\nbest_test = inf", "best_test is inf; a finite"),
        ("target = 3", "target is a whole number, not a list"),
        ("goal = 3", "unknown key 'goal'; known: target"),
        ("[[target", "not valid TOML"),
    ],
)
def test_a_mistake_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    """The error is one line that names the file and the key, as for suites."""
    path = tmp_path / "targets.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_targets([path])
    assert str(caught.value).startswith(f"targets {path}: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder, and bytes that are not text."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.toml", ".", "binary.toml"):
        with pytest.raises(ConfigError, match="targets "):
            read_targets([tmp_path / name])


def test_the_targets_of_every_plugin_are_known(tmp_path: Path) -> None:
    """The files that plugins register are read; the built-in ones cover the quick suite."""
    path = tmp_path / "mine.toml"
    path.write_text(ONE + "easy = 3\nmedium = 2\nhard = 1\n", encoding="utf-8")

    class Module:
        @hookimpl
        def optbench_register_targets(self) -> list[Path]:
            return [path]

    registry = Registry()
    assert known_targets(registry) == {}
    registry.register(Module())
    assert known_targets(registry)["a", "b"].easy == 3
    builtin = known_targets(default_registry())
    assert {dataset for dataset, _ in builtin} >= {"digits", "moons"}
