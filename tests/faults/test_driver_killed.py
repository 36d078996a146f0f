"""kill -9 of the driver: at any time, the same command goes on to the same leaderboard."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.faults.conftest import Undisturbed
from tests.faults.gates import Gate
from tests.faults.studies import Folder, no_orphans

MOMENTS = ["planning", "opening", "compiling", "training", "committing", "comparing", "writing"]
"""In the order in which a study reaches them."""


def test_killed_at_every_stage_in_turn(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """Each execution gets a little further than the one before, and the last one to the end."""
    folder = Folder(tmp_path, pause=0.02)
    for moment in MOMENTS:
        assert folder.run(f"{moment}=9").code == -9, moment
        folder.check()
    folder.run().check(0)
    folder.check()
    assert folder.board() == undisturbed()


def test_killed_at_random_again_and_again(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """No committed run is lost or trained again, in threads or in worker processes."""
    seed = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))
    print(f"FAULTS_SEED={seed}")
    chance = random.Random(seed)
    folder, gate = Folder(tmp_path, pause=0.1), Gate(tmp_path / "gate")
    for passing in (0, 6, 6):  # the first kill is certainly in the middle of a run
        gate.let(passing)
        driver = folder.start_and_train(**gate.env)
        time.sleep(chance.uniform(0, 0.8))
        with no_orphans(driver):
            assert driver.kill().code == -9
        folder.check()
    folder.run().check(0)
    folder.check()
    assert folder.board() == undisturbed()
    assert folder.ledger.in_flight > 0
    assert folder.loops() == {"compiled", "stepped"}


def test_killed_while_a_rule_is_compiled(tmp_path: Path) -> None:
    """Half-written compiled code is never loaded: it is compiled again, and trains."""
    rule = tmp_path / "fresh.py"
    rule.write_text(
        "from optbench import Rule, hyper\n"
        "class Fresh(Rule):\n"
        f"    '''New on this machine: {os.urandom(8).hex()}.'''\n"
        "    name = 'fresh'\n"
        "    lr: float = hyper(0.1, 'learning rate', low=0, log_range=(1e-2, 1))\n"
        "    @staticmethod\n"
        "    def update(theta, grad, t, h):\n"
        f"        return (theta - h.lr * grad * {1 + random.random() / 100!r},)\n"
    )
    folder = Folder(tmp_path, ["-o", "fresh", "--plugin", str(rule)])
    for moment in ("compiling", "caching", "renaming"):
        assert folder.run(f"{moment}=9").code == -9, moment
        folder.check()
        assert folder.stored() == {}
    folder.run().check(0)
    assert folder.board()["json"].count('"fresh"') > 0
