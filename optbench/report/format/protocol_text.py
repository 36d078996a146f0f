"""Protocol, environment and chosen values as text, the same in Markdown and on the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optbench.analysis.leaderboard import Leaderboard
from optbench.hyperparameters import parse_spelling
from optbench.records import Cell, Status, StudyProtocol
from optbench.support.text import count


def tuned(protocol: StudyProtocol) -> str:
    """Return what was tuned, and with how many trials."""
    scopes = {"lr": "the learning rate", "full": "every hyperparameter"}
    if protocol.ruleset == "defaults":
        return "nothing"
    trials = f"{count(protocol.budget, 'trial')} for each optimizer and workload"
    refined = f", {protocol.refine_trials} more beside the best value"
    widened = ", half as many more where the best value lies at the edge of its range"
    return (
        f"{scopes[protocol.ruleset]}, {trials}{refined if protocol.refine_trials else ''}"
        f"{widened if protocol.widen else ''}"
    )


def chosen(hyper: Mapping[str, Any], ruleset: str) -> str:
    """Return the chosen values in short: ``lr=0.0123``, or all values if more than lr was tuned."""
    if ruleset == "lr" and "lr" in hyper:
        hyper = {"lr": hyper["lr"]}
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={str(value).lower()}"
        for name, value in hyper.items()
    )


def chosen_texts(board: Leaderboard) -> dict[tuple[str, str], str]:
    """Return (label, workload) -> the chosen values, as ranges over the replicates."""
    return {
        (row.label, each.label): _range_text(
            [_values(text) for text in row.configurations or (row.configuration,)],
            board.ruleset,
        )
        for each in board.workloads
        for row in each.rows
    }


def _values(configuration: str) -> Mapping[str, Any]:
    """Return the values of a configuration, whatever its name is."""
    name, bracket, values = configuration.rpartition("[")
    return parse_spelling(f"name[{values}")[1] if bracket and name else {}


def _range_text(choices: Sequence[Mapping[str, Any]], ruleset: str) -> str:
    parts = []
    for name in choices[0]:
        if ruleset == "lr" and name != "lr" and "lr" in choices[0]:
            continue
        values = [choice[name] for choice in choices if name in choice]
        if len(set(values)) == 1 or not all(isinstance(v, int | float) for v in values):
            texts = dict.fromkeys(chosen({name: v}, "").partition("=")[2] for v in values)
            parts.append(f"{name}={' or '.join(texts)}")
        else:
            parts.append(f"{name}={min(values):.3g} to {max(values):.3g}")
    return ", ".join(parts)


def evaluations_text(cells: Iterable[Cell]) -> str:
    """Return how often the runs were evaluated along the way, as a range over the workloads."""
    counts: dict[str, int] = {}
    for cell in cells:
        label = cell.workload.label
        finished = [run for run in cell.evaluation if run.status is Status.OK]
        if label not in counts and finished:  # the points depend on the workload alone
            counts[label] = finished[0].curve.rows - 1
    if not counts:
        return ""
    least, most = min(counts.values()), max(counts.values())
    if least == most:
        return f"{most}, and the start"
    return f"{least} to {most}, and the start; fewer in short runs, where they would cost much"


def protocol_rows(protocol: StudyProtocol, evaluations: str = "") -> list[tuple[str, str]]:
    """Return the protocol as pairs of a setting and its value.

    Args:
        protocol: The protocol.
        evaluations: How often the runs were evaluated, from `evaluations_text`. The protocol has
            only the largest number.
    """
    select = {
        "best_val_loss": "lowest validation loss along the run; test data is read there",
        "val_loss": "final validation loss; test data is read at the end",
        "time": "examples to the target; test data is read at the lowest validation loss",
    }
    return [
        ("tuned", tuned(protocol)),
        ("chosen by", select[protocol.select]),
        ("tuning seeds", str(protocol.tuning_seeds)),
        ("tried again", _retest(protocol)),
        ("replicates", _replicates(protocol)),
        ("evaluation seeds", f"{protocol.seeds} in each replicate, none of them a tuning seed"),
        ("search ranges widened", _widened(protocol.widen)),
        ("precision", protocol.dtype),
        ("evaluations in a run", evaluations or f"at most {protocol.grid_points}"),
    ]


def _widened(times: int) -> str:
    """Return how often a range is widened.

    Example:
        >>> _widened(0), _widened(1), _widened(2)
        ('never', 'at most once', 'at most 2 times')
    """
    return "never" if times == 0 else f"at most {'once' if times == 1 else f'{times} times'}"


def _retest(protocol: StudyProtocol) -> str:
    if not protocol.retest_trials or protocol.ruleset == "defaults":
        return "none"
    trials = count(protocol.retest_trials, "best trial")
    again = f"{trials}, on {count(protocol.retest_seeds, 'further tuning seed')} each"
    if protocol.retest_trials < 4:
        return again
    return f"{again}; the better half of them on twice as many more"


def _replicates(protocol: StudyProtocol) -> str:
    text = str(protocol.replicates)
    if protocol.first_replicate:
        last = protocol.first_replicate + protocol.replicates - 1
        text += f", numbers {protocol.first_replicate} to {last}"
    fewer = protocol.stepper_replicates
    if 0 < fewer < protocol.replicates:
        text += f"; {fewer} of them for optimizers in ordinary Python"
    return text


def flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested mappings as pairs such as ``("packages.numpy", "2.1")``."""
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            pairs += flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            pairs.append((f"{prefix}{key}", ", ".join(map(str, value))))
        else:
            pairs.append((f"{prefix}{key}", str(value)))
    return pairs
