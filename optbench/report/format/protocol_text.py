"""Protocol, environment and chosen values as text, the same in Markdown and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optbench.analysis.words.prose import count
from optbench.records import StudyProtocol


def tuned(protocol: StudyProtocol) -> str:
    """Return what was tuned, and with how many trials."""
    scopes = {"lr": "the learning rate", "full": "every hyperparameter"}
    if protocol.ruleset == "defaults":
        return "nothing"
    trials = f"{count(protocol.budget, 'trial')} for each optimizer and workload"
    more = ", half as many more where the best value lies at the edge of its range"
    return f"{scopes[protocol.ruleset]}, {trials}{more if protocol.widen else ''}"


def chosen(hyper: Mapping[str, Any], ruleset: str) -> str:
    """Return the chosen values in short: ``lr=0.0123``, or all values if more than lr was tuned."""
    if ruleset == "lr" and "lr" in hyper:
        hyper = {"lr": hyper["lr"]}
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={str(value).lower()}"
        for name, value in hyper.items()
    )


def protocol_rows(protocol: StudyProtocol) -> list[tuple[str, str]]:
    """Return the protocol as pairs of a setting and its value."""
    select = {"val_loss": "final validation loss", "time": "examples to the target"}
    return [
        ("tuned", tuned(protocol)),
        ("chosen by", select[protocol.select] + "; test data is read once, at the end"),
        ("tuning seeds", str(protocol.tuning_seeds)),
        ("evaluation seeds", f"{protocol.seeds}, none of them a tuning seed"),
        ("search ranges widened", f"at most {count(protocol.widen, 'time')}"),
        ("precision", protocol.dtype),
        ("evaluations in a run", str(protocol.grid_points)),
    ]


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
