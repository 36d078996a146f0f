"""Failed runs that are trained again: the study ends like one in which nothing failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from optbench.records import RunResult, is_evaluation
from optbench.store import Store
from tests.faults.studies import Folder

ENTRANT = ("-o", "walker")


@pytest.mark.parametrize("widen", ["0", "2"])
def test_choices_made_without_a_failed_trial_are_made_again(tmp_path: Path, widen: str) -> None:
    """The best trial dies three times, and another one wins; --retry-failed makes up for it."""
    options = ("--budget", "5", "--widen", widen)
    quiet, hurt = (Folder(tmp_path / name, ENTRANT, *options) for name in ("quiet", "hurt"))
    quiet.run().check(0)
    best = min(_trials(quiet), key=lambda result: result.final("val_loss"))
    hurt.run(FAULTS_VICTIM=best.key).check(3)
    assert hurt.board() != quiet.board()
    hurt.arguments.append("--retry-failed")
    hurt.run().check(0)
    assert hurt.board() == quiet.board()
    starts = len(hurt.starts())
    hurt.run().check(0)
    assert len(hurt.starts()) == starts, "something is trained at every retry"


def _trials(folder: Folder) -> list[RunResult]:
    with Store(folder.out / "runs.sqlite", create=False) as store:
        return [result for result in store.results() if not is_evaluation(result.spec.seed)]
