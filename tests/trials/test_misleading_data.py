"""Reports of the class "99% accuracy, and it had learned nothing": data whose figures mislead.

Such data are trained on, but the board, `optbench show` and `optbench check` say what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

import optbench
from optbench import Array, ConfigError, DatasetSource
from optbench.cli import main
from optbench.conformance import run_cautions, run_checks
from optbench.data.dataset_cautions import count_duplicates, dataset_cautions, find_cautions
from optbench.plan import decode_study
from optbench.registry import default_registry
from optbench.registry.registry import Registry
from optbench.study.folders import open_store

ROWS = 500
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 4))
Y = np.arange(ROWS) % 3


def constant(x: Array, y: Array) -> tuple[Array, ...]:
    """Make one column constant."""
    x[:, 2] = 7
    return x, y


def duplicated(x: Array, y: Array) -> tuple[Array, ...]:
    """Put training examples into the test part."""
    return x[:400], y[:400], np.concatenate([x[400:], x[:100]]), np.concatenate([y[400:], y[:100]])


def unequal(x: Array, y: Array) -> tuple[Array, ...]:
    """Give class 1 one example in a hundred."""
    return x, (np.arange(ROWS) % 100 == 0).astype(int)


PLANTED: dict[str, tuple[Callable[[Array, Array], tuple[Array, ...]], str]] = {
    "constant-columns": (constant, r"1 of 4 columns is constant in the training part \(column 2\)"),
    "duplicates": (duplicated, r"\d\d of 200 test examples \(\d\d%\) are in the training part too"),
    "unequal-classes": (
        unequal,
        "class 0 has 297 training examples, class 1 only 3: always guessing class 0 gets a test "
        "accuracy of 0.99",
    ),
}


def source_of(kind: str, **attributes: object) -> type[DatasetSource]:
    """Return a dataset with the fault, or one without any."""
    plant = PLANTED[kind][0] if kind in PLANTED else lambda x, y: (x, y)
    body = {
        "name": "planted",
        "task": "multiclass",
        "source": "planted",
        "load": lambda self: plant(X.copy(), Y.copy()),
        "__doc__": "Planted.",
    }
    return type("Planted", (DatasetSource,), body | attributes)


@pytest.mark.parametrize("kind", PLANTED)
def test_each_fault_gives_its_caution(kind: str) -> None:
    """One sentence, with numbers, for this fault and no other."""
    source = source_of(kind)
    cautions: dict[Any, str] = dict(find_cautions(source))
    assert list(cautions) == [kind]
    assert [each.check for each in run_cautions(source)] == [kind]
    assert re.match(PLANTED[kind][1], cautions[kind])


def test_good_data_give_none() -> None:
    """Normal numbers in equal classes have nothing to be said about."""
    assert find_cautions(source_of("")) == {}


def test_the_count_of_duplicates_is_exact() -> None:
    """Rows that agree in most columns are no duplicates, nor in all with another target.

    -0.0 and 0.0 are the same number.
    """
    train = RNG.integers(2, size=(3000, 40)).astype(float)
    near = train[:50].copy()
    near[:, 21] = 0.5
    again = train[100:120] * -1.0
    again[again == -1] = 1.0
    test = np.concatenate([near, again])
    targets = np.arange(3000) % 3
    same = np.concatenate([targets[:50], targets[100:120]])
    assert count_duplicates((train, targets), (test, same)) == 20
    assert count_duplicates((train, targets), (test, (same + 1) % 3)) == 0


def test_an_expected_caution_is_not_said_on_boards() -> None:
    """A dataset says why it is so; a declaration that is not true fails a check."""
    reason = {"constant-columns": "pixels"}
    source = source_of("constant-columns", expected_cautions=reason)
    assert dataset_cautions(source) == ()
    assert list(run_cautions(source)) == []
    idle = source_of("", expected_cautions=reason)
    failed = [each.detail for each in run_checks(idle) if not each.ok]
    assert failed == ["expected_cautions names constant-columns, which does not apply"]


def test_an_unknown_expected_caution_is_refused() -> None:
    """With the nearest name."""
    with pytest.raises(ConfigError, match="unknown caution 'duplicate'; did you mean 'duplicates'"):
        optbench.load_dataset(source_of("", expected_cautions={"duplicate": "x"}))


def test_built_in_datasets_have_only_the_caution_that_is_meant() -> None:
    """Of those that are generated or ship with scikit-learn, rare-classes is unequal on purpose."""
    registry: Registry = default_registry()
    said = {
        name: dataset_cautions(entry.item)
        for name, entry in registry.entries("datasets").items()
        if not entry.item.files
    }
    texts = {name: texts for name, texts in said.items() if texts}
    assert list(texts) == ["rare-classes"]
    assert "gets a test accuracy of 0.25" in texts["rare-classes"][0]


def test_the_board_says_it_with_the_name_of_the_dataset(tmp_path: Path) -> None:
    """In the study, its record and its report; an older record has none."""
    study = optbench.compare(
        ["sgd", "adam"],
        datasets=[source_of("unequal-classes"), "iris"],
        regimes=["batch"],
        hidden=(4,),
        epochs=1,
        seeds=2,
        budget=1,
        replicates=1,
        out=tmp_path,
    )
    (text,) = study.data_cautions
    assert text.startswith("planted: class 0 has 297 training examples")
    assert study.leaderboard.warnings[0] == text
    loaded = optbench.load_study(tmp_path)
    assert loaded.data_cautions == study.data_cautions
    assert loaded.base_rates == study.base_rates
    with open_store(tmp_path) as store:
        saved = store.last_study()
    assert saved is not None
    fields = json.loads(saved)
    del fields["data_cautions"], fields["base_rates"]
    older = decode_study(msgspec.json.encode(fields))
    assert (older.data_cautions, older.base_rates) == ((), {})


def test_accuracies_stand_beside_that_of_always_guessing_one_class(tmp_path: Path) -> None:
    """In JSON, Markdown and on the page, where there are classes; R squared has none."""
    planted = source_of("unequal-classes")
    study = optbench.compare(
        "sgd",
        datasets=[planted, "diabetes"],
        regimes=["batch"],
        hidden=(4,),
        epochs=1,
        seeds=1,
        budget=1,
        replicates=1,
    )
    labels = optbench.load_dataset(planted)
    rate = float((labels.y_test == 0).mean())
    assert 0.9 < rate < 1
    assert study.base_rates == {"planted": rate}
    boards = {board.workload.dataset: board for board in study.leaderboard.workloads}
    assert (boards["planted"].base_rate, boards["diabetes"].base_rate) == (rate, None)
    study.report(tmp_path, formats=())
    text = (tmp_path / "leaderboard.md").read_text()
    assert text.count("The metric is accuracy; always guessing the largest class has") == 1
    assert f"always guessing the largest class has {rate:.3g}." in text
    page = (tmp_path / "report.html").read_text()
    assert page.count(f"<small>vs {rate:.3g}</small>") == 1
    assert page.count("<small>vs ") == 1


def test_show_gives_the_accuracy_of_always_guessing_one_class() -> None:
    """For a dataset with classes; as JSON it is null for regression."""
    told = {name: CliRunner().invoke(main, ["show", name, "--json"]).output for name in SHOWN}
    classes, regression = (json.loads(text)["base_rate"] for text in told.values())
    assert round(classes, 2) == 0.25
    assert regression is None
    lines = CliRunner().invoke(main, ["show", "rare-classes"]).output
    assert "always guessing the largest class has accuracy 0.25" in lines


SHOWN = ("rare-classes", "diabetes")


def test_classes_that_leave_nothing_to_validate_on_are_refused() -> None:
    """One example of each class: all of them would be in the training part."""
    data = optbench.make_dataset(X[:20], [f"class {i}" for i in range(20)])
    with pytest.raises(ConfigError, match="20 examples of 20 classes leave none for validation"):
        optbench.train("sgd", dataset=data, epochs=1)


@pytest.mark.parametrize("datasets", ["iris", None])
def test_a_target_that_no_dataset_takes_is_refused(datasets: str | None) -> None:
    """It would be ignored, and another column than the reader thinks would be predicted."""
    with pytest.raises(ConfigError, match="target 'price' is a column of a file or a table"):
        optbench.compare("sgd", datasets=datasets, target="price")
    given = [] if datasets is None else ["-d", datasets]
    outcome = CliRunner().invoke(main, ["run", *given, "--target", "price", "--dry-run"])
    assert outcome.exit_code == 1
    assert "target 'price' is a column of a file or a table" in outcome.output
