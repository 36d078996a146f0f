"""Promises of MNIST and Fashion-MNIST, tested on small images of a mirror on loopback."""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from optbench_builtin.idx import read_idx

import optbench
from optbench.cli import main
from optbench.conformance import CHECKS, run_checks
from optbench.data import local_files
from optbench.data.splits import prepare_dataset, typed_parts
from optbench.errors import PluginError
from optbench.registry import default_registry
from tests.support.mirror import NAMES, Mirror, idx, image_files, serving, sha256
from tests.support.waiting import PATIENCE

FILES = image_files()
HASHES = {name: sha256(content) for name, content in FILES.items()}
CONTENTS = {name: sha256(gzip.decompress(content)) for name, content in FILES.items()}
FROZEN = "363e90e7ad436cdb"
"""Content hash of the small images after splitting and scaling."""


@pytest.fixture(params=["mnist", "fashion-mnist"])
def name(request: pytest.FixtureRequest) -> str:
    """Name of each dataset."""
    return str(request.param)


@pytest.fixture
def mirror(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with small images instead of the published ones, and an empty cache."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path / "cache"))
    source = default_registry().dataset_source(name)
    monkeypatch.setattr(source, "cached", False)  # the files are read each time
    monkeypatch.setattr(source, "files", HASHES)
    monkeypatch.setattr(source, "contents", CONTENTS)
    monkeypatch.setattr(local_files, "SYSTEM_FOLDERS", ())
    monkeypatch.delenv("OPTBENCH_DATA", raising=False)
    with serving() as server:
        server.files = {f"/{name}/{file}": content for file, content in FILES.items()}
        monkeypatch.setattr(source, "mirrors", (f"{server.url}/{name}",))
        forget()
        yield server
    forget()


def forget() -> None:
    """Forget loaded datasets, as in a new process."""
    prepare_dataset.cache_clear()
    typed_parts.cache_clear()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"], indirect=True)
def test_the_published_files_are_named(name: str) -> None:
    """Four files, each with a complete SHA-256, from more than one mirror."""
    source = default_registry().dataset_source(name)
    assert tuple(source.files) == NAMES
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in source.files.values())
    assert len(set(source.files.values())) == 4
    assert tuple(source.contents) == NAMES
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in source.contents.values())
    assert len(source.mirrors) >= 2
    assert all(re.match("https?://", mirror) for mirror in source.mirrors)


def test_both_keep_every_promise_of_a_dataset(name: str, mirror: Mirror) -> None:
    """The same checks as everything else that is registered, with four requests in all."""
    outcomes = list(run_checks(default_registry().dataset_source(name)))
    applicable = sum("dataset" in each.kinds for each in CHECKS.values())
    assert len(outcomes) == applicable - 2  # neither has hyperparameters or expected cautions
    assert [outcome for outcome in outcomes if not outcome.ok] == []
    assert mirror.asked == [f"/{name}/{file}" for file in NAMES]


def test_the_test_part_is_the_published_one(name: str, mirror: Mirror) -> None:
    """A fifth of the training images is for validation; values never change."""
    data = optbench.load_dataset(name)
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (240, 60, 100)
    assert (data.n_features, data.n_outputs, data.task) == (16, 10, "multiclass")
    assert np.array_equal(data.y_test, np.arange(100) % 10)
    assert data.content_hash[:16] == FROZEN


def test_pixels_are_scaled_jointly(name: str, mirror: Mirror) -> None:
    """One mean and one variance: a black pixel is the same number in every place."""
    data = optbench.load_dataset(name)
    assert data.x_train.dtype == np.float64
    assert data.x_train.mean() == pytest.approx(0, abs=1e-9)
    assert data.x_train.std() == pytest.approx(1, abs=1e-9)
    never_lit = data.x_train[:, 15]
    assert np.unique(never_lit).size == 1
    assert never_lit[0] == data.x_train.min() == data.x_test.min() < -0.5


def test_a_network_learns_from_them(name: str, mirror: Mirror) -> None:
    """A name is enough to train a network, in float32."""
    result = optbench.train("adam[lr=0.01]", name, hidden=(16,), epochs=20)
    assert result.status == "ok"
    assert result.final("val_loss") < 0.5
    assert result.params is not None
    assert result.params[0][0].dtype == np.float32


def test_without_a_network_there_is_one_line(
    name: str, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever command needs the data, and nothing else is printed as an error."""
    mirror.files = {}
    for command in (["check", name], ["run", "-d", name, "--dry-run"], ["inspect", "-d", name]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: dataset '{name}' needs the file {NAMES[0]}")
        assert result.stderr.count("\n") == 1
        assert f"(and {NAMES[1]}, {NAMES[2]}, {NAMES[3]}) into" in result.stderr


def test_to_show_them_downloads_nothing(name: str, mirror: Mirror) -> None:
    """Known facts are shown, and where the files would go; after a download, everything."""
    for command in (["list", "datasets"], ["list", "--json"], ["run", "--dry-run", "smoke"]):
        assert CliRunner().invoke(main, command).exit_code == 0
    before = CliRunner().invoke(main, ["show", name]).stdout
    assert "4, missing files are downloaded at first use into" in before
    assert "hash:" not in before
    assert mirror.asked == []
    optbench.load_dataset(name)
    after = CliRunner().invoke(main, ["show", name]).stdout
    assert "16 features, 10 outputs; 240 train, 60 val, 100 test" in after
    assert "all features together" in after


def test_workers_find_what_the_driver_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study in worker processes asks for each file once."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path / "cache"))
    plugin = tmp_path / "small.py"
    with serving() as server:
        server.files = {f"/{file}": content for file, content in FILES.items()}
        plugin.write_text(
            "from optbench_builtin.idx import IdxImages\n"
            "class Small(IdxImages):\n"
            '    """Small images."""\n'
            '    name, source = "small-images", "a test"\n'
            f"    files, mirrors = {HASHES!r}, ({server.url!r},)\n"
        )
        study = [
            *("run", "smoke", "--plugin", plugin, "-d", "small-images", "-o", "muon"),
            *("-r", "batch", "--epochs", "2", "--budget", "1", "--seeds", "2", "--jobs", "2"),
            *("--formats", "none", "--out", tmp_path / "out"),
        ]
        code = (
            "from optbench.data import downloads; from optbench.cli import main; "
            f"downloads.SECONDS = {PATIENCE}; main()"
        )
        done = subprocess.run([sys.executable, "-c", code, *map(str, study)], check=False)
        assert done.returncode == 0
        assert server.asked == [f"/{file}" for file in NAMES]


IMAGES = np.arange(24).reshape(2, 3, 4)
HEAD = gzip.decompress(idx(IMAGES))[:16]
BODY = gzip.decompress(idx(IMAGES))[16:]
zipped = functools.partial(gzip.compress, mtime=0)


@pytest.mark.parametrize("compress", [zipped, lzma.compress, bz2.compress, bytes])
def test_an_idx_file_is_read_as_it_was_written(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """The same numbers in the same order, in any compression or in none."""
    path = tmp_path / "images"
    path.write_bytes(compress(HEAD + BODY))
    assert np.array_equal(read_idx(path, 3), IMAGES)


@pytest.mark.parametrize("place", ["{name}", "{name}/raw", "", "MNIST/raw"])
@pytest.mark.parametrize("compress", [functools.partial(gzip.compress, compresslevel=1), bytes])
def test_images_of_a_folder_of_ones_own_are_used(
    name: str,
    mirror: Mirror,
    place: str,
    compress: Callable[[bytes], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OPTBENCH_DATA names folders as distributions and libraries have them, in any compression."""
    folder = tmp_path / "data" / place.format(name=name)
    if place.startswith("MNIST") and name != "mnist":
        folder = tmp_path / "data" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    suffix = "" if compress is bytes else ".gz"
    paths = [folder / f"{file.removesuffix('.gz')}{suffix}" for file in NAMES]
    for path, content in zip(paths, FILES.values(), strict=True):
        path.write_bytes(compress(gzip.decompress(content)))
    monkeypatch.setenv("OPTBENCH_DATA", f"{tmp_path / 'none'}{os.pathsep}{tmp_path / 'data'}")
    assert optbench.load_dataset(name).content_hash.startswith(FROZEN)
    assert mirror.asked == []
    paths[0].write_bytes(b"something else")
    forget()
    assert optbench.load_dataset(name).content_hash.startswith(FROZEN)
    assert mirror.asked == [f"/{name}/{NAMES[0]}"]


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "xztar"])
def test_images_in_an_archive_are_used(
    name: str, mirror: Mirror, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPTBENCH_DATA may name an archive, whatever its folders; a damaged one is no error."""
    folder = tmp_path / "files" / "any" / "folder"
    folder.mkdir(parents=True)
    for file, content in FILES.items():
        (folder / file).write_bytes(content)
    archive = shutil.make_archive(str(tmp_path / "images"), kind, tmp_path / "files")
    monkeypatch.setenv("OPTBENCH_DATA", archive)
    assert optbench.load_dataset(name).content_hash.startswith(FROZEN)
    assert mirror.asked == []
    Path(archive).write_bytes(Path(archive).read_bytes()[:200])
    forget()
    assert optbench.load_dataset(name).content_hash.startswith(FROZEN)
    assert mirror.asked != []


def test_the_real_images_of_debian_train_well() -> None:
    """Its files are compressed in another way than the published ones; their content is not."""
    if not Path("/usr/share/datasets/fashion-mnist").is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is missing")
    data = optbench.load_dataset("fashion-mnist")
    assert data.x_train.shape == (48000, 784)
    assert data.x_test.shape == (10000, 784)
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.content_hash.startswith("7bca5fddea485675")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\3\4" + HEAD + BODY, "is not an IDX file: it begins with 504b0304"),
        (lzma.compress(HEAD + BODY)[:-9], "is not a complete xz file: Compressed data ended"),
        (idx(IMAGES)[:-9], "is not a complete gzip file: Compressed file ended"),
        (zipped(HEAD[:10]), "10 bytes are too few"),
        (zipped(b"\1" + HEAD[1:] + BODY), "is not an IDX file: it begins with 01000803"),
        (zipped(HEAD[:2] + b"\x0d" + HEAD[3:] + BODY), "elements of type 0x0d, not"),
        (idx(np.arange(16)), "has 1 dimensions, not 3"),
        (zipped(HEAD + BODY[:-1]), "announces 2 x 3 x 4 elements and has 23"),
        (zipped(HEAD + BODY + b"\0"), "announces 2 x 3 x 4 elements and has 25"),
        (zipped(HEAD[:4] + b"\xff" * 12), "4294967295 elements and has 0"),
    ],
)
def test_a_file_that_is_not_exactly_idx_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    """The error names the file and the fault; nothing is guessed and nothing is allocated."""
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        read_idx(path, 3)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("name", ["mnist"], indirect=True)
def test_a_verified_file_that_is_not_idx_is_the_plugins_fault(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash was right, so the plugin is at fault; the message names file and dataset."""
    wrong = idx(IMAGES[0])
    mirror.files[f"/mnist/{NAMES[0]}"] = wrong
    source = default_registry().dataset_source("mnist")
    monkeypatch.setattr(source, "files", {**HASHES, NAMES[0]: sha256(wrong)})
    with pytest.raises(PluginError, match=r"dataset 'mnist' does not load: .* has 2 dimensions"):
        optbench.load_dataset("mnist")


def test_all_processes_share_one_copy(
    name: str, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prepared parts are mapped from a file; nothing is read, scaled or copied again."""
    source = default_registry().dataset_source(name)
    expected = optbench.load_dataset(name)
    monkeypatch.setattr(source, "cached", True)
    for _ in range(2):
        forget()
        data = optbench.load_dataset(name)
        assert isinstance(data.x_train.base, np.memmap)
        assert isinstance(typed_parts(source, "float32")[0][0].base, np.memmap)
        assert data.content_hash == expected.content_hash
        assert (data.x_val == expected.x_val).all()
        assert (data.n_outputs, data.n_features) == (expected.n_outputs, expected.n_features)
        mirror.files = {}
