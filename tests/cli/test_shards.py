"""``optbench run --shard``: several drivers, one study."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from optbench.plan import build_plan, decode_study
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study.folders import STORE_NAME
from optbench.suites.overrides import change_suite, resolve_suite
from tests.cli.study_helpers import TINY, optbench

STUDY = [*TINY, "-d", "iris", "-d", "wine", "-o", "adam", "-o", "sgd", "--replicates", "2"]


def keys_of(folder: Path) -> list[str]:
    with Store(folder / STORE_NAME) as store:
        return sorted(store.keys())


def boards(text: str) -> list[Any]:
    """Return the boards without the measured times."""
    found: list[Any] = json.loads(text)["boards"]
    for pair in [pair for board in found for pair in board["pairs"]]:
        (pair.get("needs") or {}).pop("seconds", None)
    return found


def test_shards_merge_into_the_study_of_one_driver(tmp_path: Path) -> None:
    """No run is trained twice, none is missing, and the boards are the same."""
    alone = optbench("run", *STUDY, "--out", tmp_path / "alone", "--json")
    assert alone.code == 0, alone.err
    folders = [tmp_path / str(number) for number in (1, 2, 3)]
    for number, folder in enumerate(folders, 1):
        done = optbench("run", *STUDY, "--shard", f"{number}/3", "--out", folder)
        assert done.code == 0, done.err
        assert f"shard {number} of 3" in done.err
        assert not (folder / "report.html").exists()
    parts = [keys_of(folder) for folder in folders]
    assert sorted(itertools.chain(*parts)) == keys_of(tmp_path / "alone")
    merged = optbench("merge", *folders, "--out", tmp_path / "all", "--formats", "none", "--json")
    assert merged.code == 0, merged.err
    assert boards(merged.out) == boards(alone.out)


def heading(out: str) -> str:
    """Return the sentence before the boards, which a narrow terminal folds, as one line."""
    return " ".join(out.partition("On these")[0].split())


def test_shards_that_are_missing_are_named_until_they_are_merged(tmp_path: Path) -> None:
    """On the first line, also by a merge of a merged study."""
    for number in (1, 2, 3):
        folder = tmp_path / str(number)
        assert optbench("run", *STUDY, "--shard", f"{number}/3", "--out", folder).code == 0
    part = optbench("merge", tmp_path / "1", "--out", tmp_path / "one", "--formats", "none")
    assert "unfinished: shards 2/3 and 3/3 are missing" in heading(part.out)
    both = tmp_path / "both"
    merged = optbench("merge", tmp_path / "one", tmp_path / "2", "--out", both, "--formats", "none")
    assert merged.code == 0, merged.err
    assert "unfinished: shard 3/3 is missing" in heading(merged.out)
    assert "Unfinished: shard 3/3 is missing" in (both / "leaderboard.md").read_text()
    whole = optbench("merge", both, tmp_path / "3", "--out", tmp_path / "all", "--formats", "none")
    assert whole.code == 0, whole.err
    assert "unfinished" not in whole.out


def test_shards_have_all_entrants_and_nothing_in_common() -> None:
    """They are about as large as each other, and together they are the plan."""
    registry = default_registry()
    plan = build_plan(change_suite(resolve_suite("quick", registry), {}), registry)
    shards = [plan.shard(number, 5) for number in range(1, 6)]
    places = [{cell.stream for cell in shard.cells} for shard in shards]
    assert sum(map(len, places)) == len(set.union(*places))
    assert max(map(len, places)) - min(map(len, places)) <= 1
    assert sum(len(shard.cells) for shard in shards) == len(plan.cells)
    assert all(shard.entrants == plan.entrants for shard in shards)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--shard", "4/3"], "'4/3' is not a part: 1/3 to 3/3 are"),
        (["--shard", "0/3"], "'0/3' is not a part"),
        (["--shard", "third"], "'third' is not a part such as 2/10"),
        (["--shard", "1/0"], "'1/0' is not a part"),
        (["--shard", "1/5"], "5 shards are too many: this study has 4 workloads and replicates"),
        (["--shard", "1/2", "--until", "decided"], "neither --until nor --more"),
    ],
)
def test_what_is_no_shard_is_refused(arguments: list[str], line: str, tmp_path: Path) -> None:
    """In one line, before anything is trained."""
    outcome = optbench("run", *STUDY, "--out", tmp_path, *arguments)
    assert outcome.code in (1, 2)
    assert line in " ".join(outcome.err.split())
    assert not list(tmp_path.iterdir())


def test_shards_that_are_unfinished_merge_into_a_study_that_says_so_first(tmp_path: Path) -> None:
    """On the first line of the terminal and of leaderboard.md, with the runs of all shards."""
    folders = [tmp_path / str(number) for number in (1, 2)]
    for number, folder in enumerate(folders, 1):
        assert optbench("run", *STUDY, "--shard", f"{number}/2", "--out", folder).code == 0
        leave_out_runs(folder, number)
    merged = optbench("merge", *folders, "--out", tmp_path / "all", "--formats", "none")
    assert merged.code == 0, merged.err
    with Store(tmp_path / "all" / STORE_NAME) as store:
        record = decode_study(store.last_study() or b"")
    done = sum(len(list(cell.keys())) for cell in record.cells)
    cure = "finish the parts with their own commands, and merge again"
    state = f"unfinished: {done} of {done + 3} runs; {cure}"
    assert f"({state})" in heading(merged.out)
    page = (tmp_path / "all" / "leaderboard.md").read_text()
    assert page.splitlines()[2].startswith(f"**{state.capitalize()}")


def leave_out_runs(folder: Path, missing: int) -> None:
    """Make the record of a finished study that of one that lacks evaluation runs."""
    with Store(folder / STORE_NAME) as store:
        record = decode_study(store.last_study() or b"")
        *cells, last = record.cells
        kept = last.evaluation[missing:]
        cells.append(msgspec.structs.replace(last, evaluation=kept, missing=missing))
        done = sum(len(list(cell.keys())) for cell in cells)
        record = msgspec.structs.replace(
            record, cells=tuple(cells), complete=False, progress=(done, done + missing)
        )
        store.save_study(msgspec.json.encode(record))
