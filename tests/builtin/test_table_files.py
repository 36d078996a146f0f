"""Files of tables as datasets, from their name to the runs on them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from optbench_builtin.table_files import readers
from optbench_builtin.table_files.readers import read_columns

import optbench
from optbench.cli.group import main
from tests.support.packages import need

IRIS = optbench.load_dataset("iris")
ROWS = 60
RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {"size": RNG.normal(size=ROWS), "town": np.array(["Rome", "Oslo"])[np.arange(ROWS) % 2],
     "price": RNG.normal(size=ROWS)}
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_csv(name: str, text: str | None = None, separator: str = ",") -> None:
    Path(name).write_text(text or FRAME.to_csv(index=False, sep=separator), encoding="utf-8")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_whatever_separates_its_values(separator: str) -> None:
    """Columns by the names in the first line; numbers as numbers."""
    write_csv("houses.csv", separator=separator)
    columns = read_columns(Path("houses.csv"))
    assert list(columns) == list(FRAME.columns)
    assert columns["price"].tolist() == FRAME["price"].tolist()
    assert columns["town"].tolist() == FRAME["town"].tolist()


@pytest.mark.long
def test_all_kinds_of_files_hold_the_same_dataset() -> None:
    """CSV, Parquet and ARFF give equal arrays, and equal runs."""
    need("pyarrow")
    write_csv("houses.csv")
    FRAME.to_parquet("houses.parquet")
    lines = [",".join(map(str, row)) for row in FRAME.itertuples(index=False)]
    header = "@relation houses\n@attribute size numeric\n@attribute town {Rome,Oslo}\n"
    Path("houses.arff").write_text(
        header + "@attribute price numeric\n@data\n" + "\n".join(lines), encoding="utf-8"
    )
    hashes = {
        optbench.load_dataset(f"houses.{kind}", target="price").content_hash
        for kind in ("csv", "parquet", "arff")
    }
    assert len(hashes) == 1


def test_an_archive_of_numpy_has_columns_of_x_and_a_target_y() -> None:
    """The usual names of the two arrays."""
    x = RNG.normal(size=(ROWS, 3))
    np.savez("points.npz", x=x, y=np.arange(ROWS) % 2)
    data = optbench.load_dataset("points.npz")
    assert (data.n_features, data.task) == (3, "binary")


def test_missing_values_and_a_file_without_names() -> None:
    """Empty fields, NA and ? are missing; columns are numbered."""
    write_csv("plain.csv", "".join(f"{i},{'?' if i == 3 else i % 5}\n" for i in range(40)))
    columns = read_columns(Path("plain.csv"))
    assert list(columns) == ["column1", "column2"]
    assert np.isnan(columns["column2"]).sum() == 1
    assert columns["column1"].dtype.kind == "i"


def test_the_file_trains_the_same_runs_as_its_arrays() -> None:
    """A name with a target, in Python and on the command line."""
    write_csv("houses.csv")
    run = optbench.train("adam", dataset="houses.csv", target="price", epochs=3)
    spelled = optbench.train("adam", dataset="houses.csv[target=price]", epochs=3)
    frame = optbench.train("adam", dataset=FRAME, target="price", epochs=3)
    assert run.curve.val_loss.tolist() == spelled.curve.val_loss.tolist()
    assert run.curve.val_loss.tolist() == frame.curve.val_loss.tolist()


def test_the_command_of_the_documentation(folder: Path) -> None:
    """A plain CSV file and two optimizers, to the boards; then again, without training."""
    classes = np.array(["setosa", "versicolor", "virginica"])
    frame = pd.DataFrame(IRIS.x_train, columns=list("abcd")).assign(species=classes[IRIS.y_train])
    frame.to_csv("iris.csv", index=False)
    arguments = ["run", "-d", "iris.csv", "--target", "species", "-o", "adam", "-o", "sgd", "-r",
                 "mini-batch", "--replicates", "2", "--seeds", "2", "--epochs", "2", "--formats",
                 "none", "--jobs", "1"]  # fmt: skip
    first = CliRunner().invoke(main, arguments)
    assert first.exit_code == 0, first.stderr
    assert "iris.csv[target=species]: the target is species, with 3 different texts" in first.stderr
    assert "nothing to train" in CliRunner().invoke(main, arguments).stderr
    more = CliRunner().invoke(main, ["run", "--more", "1", "--formats", "none", "--jobs", "1"])
    assert more.exit_code == 0, more.stderr


def test_a_changed_file_is_another_dataset() -> None:
    """Its runs are trained, because their content differs; no stale copy is used."""
    write_csv("houses.csv")
    before = optbench.load_dataset("houses.csv", target="price").content_hash
    FRAME.assign(price=-FRAME["price"]).to_csv("houses.csv", index=False)
    os.utime("houses.csv", (1, 1))
    assert optbench.load_dataset("houses.csv", target="price").content_hash != before


def test_worker_processes_find_the_file() -> None:
    """A run with a time limit is trained in another process."""
    write_csv("my houses.csv")
    study = optbench.compare(
        ["adam", "sgd"], datasets="my houses.csv", target="price", regimes="mini-batch",
        replicates=1, seeds=1, budget=1, retest_trials=0, epochs=1, timeout=120, jobs=1,
    )  # fmt: skip
    assert {run.spec.dataset for run in study.runs} == {"my houses.csv[target=price]"}
    assert not study.failed


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "hauses.csv[target=price]",
            None,
            "there is no file hauses.csv; did you mean 'houses.csv'",
        ),
        (
            "houses.csv[target=prize]",
            None,
            "houses.csv: unknown column 'prize'; did you mean 'price'",
        ),
        ("houses.csv[goal=price]", None, "unknown value 'goal'; allowed: target, task, split"),
        ("houses.csv", None, "name the column to predict"),
        ("houses.csv[target=town,task=regresion]", None, "unknown task 'regresion'"),
        ("houses.csv", "a,y\n", "has no rows below"),
        ("houses.csv", "a,y\n1,2\n3\n", "row 2 has 1 values, and there are 2 columns"),
        ("houses.csv", "a,a\n1,2\n", "two columns are named 'a'"),
        ("houses.csv", "a,\n1,2\n", "column 2 has no name; the first line has one for each$"),
        ("houses.csv", ",a,y\n0,1,2\n", r"column 1 has no name; .* \(pandas .* index=False\)"),
        ("houses.csv", "a,y\n" + "1,2\n" * 9, "9 rows are too few; a dataset needs at least 10"),
        (
            "houses.txt",
            "a,y\n",
            "no installed plugin reads files such as 'houses.txt'; save it as CSV",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    name: str, text: str | None, message: str
) -> None:
    """With the file, the place, and the nearest name."""
    write_csv("houses.csv")
    if text is not None:
        Path(name.partition("[")[0]).write_text(text, encoding="utf-8")
    with pytest.raises(optbench.ConfigError, match=message):
        optbench.load_dataset(name)


@pytest.mark.parametrize(
    "name", [pytest.param("x.parquet", marks=pytest.mark.long), "x.arff", "x.npz", "x.csv"]
)
def test_bytes_of_another_kind_are_refused(name: str) -> None:
    """One line that names the file, for every reader."""
    if name.endswith("parquet"):
        need("pyarrow")
    Path(name).write_bytes(b"\xff\x00\xfenothing\n\xff,\n")
    with pytest.raises(optbench.ConfigError, match=f"x.{name[2:]}"):
        optbench.load_dataset(name, target="y")


def test_a_file_in_another_encoding_is_told_how_to_convert_it() -> None:
    """Notepad and Excel write UTF-16, older programs Latin-1."""
    for encoding in ("utf-16", "latin1"):
        Path("x.csv").write_bytes("a,y\nZ\u00fcrich,1\n".encode(encoding))
        with pytest.raises(optbench.ConfigError, match=f"iconv -f {encoding} -t utf-8"):
            optbench.load_dataset("x.csv", target="y")


def test_a_huge_file_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its size and the limit."""
    write_csv("houses.csv")
    monkeypatch.setattr(readers, "MOST_BYTES", 10)
    with pytest.raises(optbench.ConfigError, match=r"houses.csv has .* GB; the limit is"):
        optbench.load_dataset("houses.csv", target="price")


def test_show_says_what_was_understood() -> None:
    """The target, the task and what was done to the columns."""
    write_csv("houses.csv")
    shown = CliRunner().invoke(main, ["show", "houses.csv", "--target", "price"])
    assert shown.exit_code == 0, shown.stderr
    assert "the target is price, with numbers on a scale: regression" in shown.stdout
    assert "town (2)" in shown.stdout
    assert "36 train, 12 val, 12 test" in shown.stdout


def test_a_share_of_the_rows_of_a_file() -> None:
    """`train_size` works as for every dataset."""
    write_csv("houses.csv")
    data = optbench.load_dataset("houses.csv[target=price,train_size=20]")
    assert (len(data.x_train), data.name) == (20, "houses.csv[target=price,train_size=20]")
