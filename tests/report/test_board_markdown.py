"""The boards in leaderboard.md."""

from __future__ import annotations

import re

from optbench.analysis.words.board_sentences import board_sentence
from optbench.analysis.words.board_text import TITLES
from optbench.records import BOARD_NAMES
from optbench.report.markdown import leaderboard_markdown
from tests.report import samples


def markdown(sample: samples.Sample, pictures: tuple[str, ...] = ()) -> str:
    return leaderboard_markdown(sample[0], pictures, environment={}, command="optbench run")


def test_the_answer_comes_first() -> None:
    """Sentences, picture and the four boards side by side stand before everything else."""
    sample = samples.with_boards(samples.study(), regimes=("batch", "sgd"))
    text = markdown(sample, ("plots/ranking.png",))
    heads = re.findall("^## .*", text, flags=re.M)
    assert heads[:3] == ["## On these 9 workloads", "## On workloads like these", "## Pairs"]
    first = text.split("## On workloads like these")[0]
    assert "| Final loss | Training loss | Speed | Stability |" in first
    assert "plots/ranking.png" in first
    assert "### In each regime" in first
    for board in sample[0].boards[:4]:
        assert f"**{TITLES[board.name]}**: {board_sentence(board)}" in first


def test_every_pair_has_a_row_with_its_evidence() -> None:
    """A few entrants: difference, interval, p-values, verdict and needs, for each statement."""
    board, cells = samples.with_boards(samples.study())
    text = markdown((board, cells))
    overall = [each for each in board.boards if each.regime is None]
    assert text.count("| **better** |") == sum(
        pair.verdict == "better" for each in overall for pair in each.pairs
    )
    assert text.count("<details><summary>Final loss, on ") == 2
    assert "(within 0.03)" in text
    assert "p equal" in text


def test_many_entrants_have_a_matrix() -> None:
    """Forty entrants: one row and one column for each instead of 780 rows, on each board."""
    text = markdown(samples.crowd())
    assert "| verdict |" not in text
    block = text.split("Speed, on these 9 workloads")[1].split("</details>")[0]
    rows = re.findall(r"^     *\d+ optimizer-\d+\[lr=0.1\] +([<>=. ]{38,40})$", block, flags=re.M)
    assert len(rows) == 40


def test_one_replicate_has_no_pairs() -> None:
    """Without verdicts, the reason stands there, and no table of pairs."""
    text = markdown(samples.with_boards(samples.study(), replicates=1))
    assert "No verdicts: one replicate shows no spread of tuning." in text
    assert "## Pairs" not in text
    assert "1 to 3 ·" not in text


def test_hostile_names_stay_in_their_cells() -> None:
    """Every table has as many cells in each row as it has headings."""
    board, cells = samples.hostile()
    text = markdown(samples.with_boards((board, cells), regimes=("sgd",)))
    tables = re.findall(r"(?:^\|.*\|\n)+", text, flags=re.M)
    assert len(tables) > len(BOARD_NAMES)
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert samples.ATTACK not in text
