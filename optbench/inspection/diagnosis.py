"""Rules that diagnose the problems of a run, with evidence and advice.

The rules use the curve of a run and the layer health recorded with it. The thresholds are chosen
so that networks that train well have no findings. Losses are compared with the initial loss L0, so
that the rules apply to any dataset.

This file is longer than others because the thresholds and the rules need to be read together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optbench.contracts import Array, Task
from optbench.engine.health import BOUNDED, last_health
from optbench.records import RunResult, Status, StepControl
from optbench.support.text import count

ILLNESSES = (
    "symmetric",
    "dead",
    "saturated",
    "unstable learning rate",
    "edge of stability",
    "noise floor",
    "undertrained",
    "high variance",
    "high bias",
)
"""All illnesses in the order in which they are reported: causes before effects."""
LAYER_ILLNESSES = ILLNESSES[:3]
"""Illnesses that are seen only in runs with layer health."""

DEAD = 0.4
"""Threshold for the fraction of a layer's units that are inactive on every example."""
SATURATED = 0.6
"""Threshold for the fraction of a layer's activations in the flat region."""
SPIKES = 3
"""Minimum number of evaluations with a spike in the training loss."""
SPIKE = (2.0, 0.1)
"""A spike exceeds the lowest loss so far by this factor, and by this part of the initial one."""
FALLING = (0.06, 0.03)
"""Relative decrease of the training and validation loss over the last quarter of a run, above
which they are still falling."""
LEARNED = 0.1
"""Fraction of the initial training loss; a run with a lower one is not undertrained."""
HIGH = 0.1
"""A gap is high if it exceeds this fraction of the possible or achieved decrease in loss."""
LITTLE = 0.05
"""Minimum decrease of the validation loss for high variance, as a fraction of the initial one."""
RISEN, WIDE = 1.15, 0.35
"""High variance also needs a validation loss above `RISEN` times its minimum, or a gap above the
fraction `WIDE` of the decrease in validation loss."""
WEAK = (0.85, 0.3)
"""Without a reference, a classifier has high bias if its training accuracy is below the first value
and its training loss above the second, as a fraction of the initial one."""
VANISHING = 0.01
"""Ratio of the first layer's gradient to the last layer's, below which the gradient vanishes."""
STILL = 1e-4
"""Relative size of the first updates, as a median over the layers, below which weights hardly
move."""
FLAT, JITTER = 0.04, 0.02
"""Relative changes: a loss is flat if it falls by less than `FLAT`, and noisy if its jitter exceeds
`JITTER`."""
WINDOW = 8
"""Number of final evaluations used to measure noise."""
EDGE = (0.8, 1.5)
"""Range of the ratio of the sharpness to its stability limit at the edge of stability."""


@dataclass(frozen=True)
class Finding:
    """A problem found in a run.

    Attributes:
        illness: One of `ILLNESSES`.
        evidence: Measurements that support the finding.
        advice: Suggested next steps.
    """

    illness: str
    evidence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.illness}: {self.evidence}. Try: {self.advice}."


def diagnose(
    result: RunResult,
    *,
    reference: float | None = None,
    sharpness: float | None = None,
    stable_below: float | None = None,
    task: Task = "multiclass",
) -> tuple[Finding, ...]:
    """Diagnose a run.

    Args:
        result: The run, preferably with layer health recorded.
        reference: Loss of a good model on the dataset, used to detect high bias.
        sharpness: Largest eigenvalue of the Hessian at the end of the run, if measured.
        stable_below: Sharpness above which the optimizer is unstable; 2 / lr for plain gradient
            descent.
        task: Task of the dataset. High bias of a regression is reported only with a reference,
            because a single run cannot distinguish bias from noise in the targets.

    Returns:
        The findings, causes before effects; empty if the run has no problems.
    """
    if result.status is Status.FAILED or not result.curve.rows:
        return ()
    found = list(_layers(result))
    if result.status is Status.OK and not found:
        found += _noise(result)
    found += _stability(result)
    if sharpness is not None and stable_below is not None:
        found += _edge(sharpness, stable_below)
    if result.status is Status.OK:
        found += _progress(result, reference, task, broken=bool(found))
    return tuple(sorted(found, key=lambda finding: ILLNESSES.index(finding.illness)))


# -- layers -----------------------------------------------------------------------------------


def _layers(result: RunResult) -> Iterator[Finding]:
    curve: Mapping[str, Array] = result.curve
    if result.status is Status.DIVERGED:  # use the initial health; later damage is an effect
        curve = {name: values[:1] for name, values in curve.items()}
    health = last_health(curve)
    widths = {f"layer{i + 1}": width for i, width in enumerate(result.spec.hidden)}
    alike = {
        layer: int(health[f"{layer}.distinct"])
        for layer, width in widths.items()
        if width > 1 and health.get(f"{layer}.distinct", width) <= width / 2
    }
    if alike:
        told = ", ".join(f"{count} of {widths[layer]} in {layer}" for layer, count in alike.items())
        yield Finding(
            "symmetric",
            f"units that compute different things: {told}",
            "random initial weights, which tell units apart",
        )
    bounded = result.spec.activation in BOUNDED
    kind, limit = ("saturated", SATURATED) if bounded else ("dead", DEAD)
    sick = {
        layer: health[f"{layer}.{kind}"]
        for layer in widths
        if layer not in alike and health.get(f"{layer}.{kind}", 0.0) > limit
    }
    told = ", ".join(f"{share:.0%} in {layer}" for layer, share in sick.items())
    if sick and bounded:
        yield Finding(
            "saturated",
            f"activations on the flat part of {result.spec.activation}: {told}",
            "smaller initial weights (fan-in scaled), inputs scaled to variance 1, "
            "or a smaller learning rate",
        )
    elif sick:
        yield Finding(
            "dead",
            f"units that are off on every example: {told}",
            "a smaller learning rate, initial weights scaled for the activation, or leaky-relu",
        )


# -- learning rate ----------------------------------------------------------------------------


def _stability(result: RunResult) -> Iterator[Finding]:
    advice = "a third of the learning rate, warm-up, or clip_norm=1"
    if result.status is Status.DIVERGED:
        yield Finding("unstable learning rate", f"diverged: {result.reason}", advice)
        return
    loss = result.curve["train_loss"]
    lowest = np.minimum.accumulate(loss)
    factor, part = SPIKE
    high = (loss > factor * lowest) & (loss - lowest > part * loss[0])
    count = int(np.count_nonzero(high))
    if count >= SPIKES or loss[-1] > 1.2 * loss[0]:
        worst = float((loss / np.maximum(lowest, 1e-300)).max())
        yield Finding(
            "unstable learning rate",
            f"the training loss jumped at {count} of {len(loss)} evaluations, "
            f"to {worst:.3g} x the lowest before",
            advice,
        )


def _edge(sharpness: float, stable_below: float) -> Iterator[Finding]:
    ratio = sharpness / stable_below
    if EDGE[0] < ratio < EDGE[1]:
        yield Finding(
            "edge of stability",
            f"sharpness {sharpness:.3g} is {ratio:.2f} x the {stable_below:.3g} at which "
            "the learning rate becomes unstable",
            "nothing, if the loss still falls; a smaller rate only sharpens the valley found",
        )


def _noise(result: RunResult) -> Iterator[Finding]:
    spec, loss = result.spec, result.curve["train_loss"][-WINDOW:]
    steady = spec.regime == "batch" or spec.control.schedule != StepControl().schedule
    if steady or len(loss) < WINDOW or loss.min() <= 0:
        return
    half = WINDOW // 2
    before, after = float(np.median(loss[:half])), float(np.median(loss[half:]))
    jitter = _jitter(loss)
    stands = (before - after) / before < max(FLAT, jitter / 2)
    if stands and jitter > JITTER and after > 0.02 * _initial(result):
        noise = last_health(result.curve).get("noise_scale")
        more = "" if noise is None else f"; gradient noise scale {noise:.3g} examples"
        yield Finding(
            "noise floor",
            f"the training loss no longer falls ({before:.3g}, then {after:.3g}) and jitters by "
            f"{jitter:.0%} with {count(spec.batch_size, 'example')} an update{more}",
            "a falling schedule (optbench list schedules), a smaller learning rate, or larger "
            "batches",
        )


# -- progress ---------------------------------------------------------------------------------


def _progress(
    result: RunResult, reference: float | None, task: Task, broken: bool
) -> Iterator[Finding]:
    curve, initial = result.curve, float(result.curve["val_loss"][0])
    left = curve.last("train_loss") / _initial(result)  # both on the examples of the curve
    train, val = result.final("train_loss"), result.final("val_loss")
    falls = [_last_quarter(curve["examples"], curve[c]) for c in ("train_loss", "val_loss")]
    undertrained = (
        all(fall > limit for fall, limit in zip(falls, FALLING, strict=True))
        and falls[0] > _jitter(curve["train_loss"][-WINDOW:])
        and left > LEARNED
    )
    if undertrained and not broken:
        yield Finding(
            "undertrained",
            f"over the last quarter the training loss fell by {falls[0]:.0%} and the validation "
            f"loss by {falls[1]:.0%}",
            "more epochs, or a larger learning rate",
        )
    gain = initial - float(np.nanmin(curve["val_loss"]))
    if (
        gain > LITTLE * initial
        and val - train > HIGH * gain
        and (val > RISEN * (initial - gain) or val - train > WIDE * gain)
    ):
        yield Finding(
            "high variance",
            f"the validation loss {val:.3g} is {val - train:.3g} above the training loss, "
            f"{(val - train) / gain:.0%} of the whole improvement; its lowest was "
            f"{initial - gain:.3g}",
            "stopping earlier, weight decay, a smaller network, or more data",
        )
    if broken or undertrained:
        return
    if reference is not None:
        if train - reference > HIGH * (initial - reference):
            told = f"the training loss stays at {train:.3g}, a good model has {reference:.3g}"
            yield _bias(result, told)
    elif task != "regression" and result.final("train_metric") < WEAK[0] and left > WEAK[1]:
        told = f"the training loss stays at {train:.3g}, {left:.0%} of the initial one"
        yield _bias(result, told)


def _bias(result: RunResult, evidence: str) -> Finding:
    advice = "a larger network, another activation, or a better optimizer"
    layers = len(result.spec.hidden) + 1
    ends = [result.curve.get(f"layer{layer}.grad_rms") for layer in (1, layers)]
    if ends[0] is not None and ends[1] is not None and ends[0][0] < VANISHING * ends[1][0]:
        evidence += (
            f"; at the start the gradient of layer1 was {ends[0][0] / ends[1][0]:.1e} of the last's"
        )
        advice = "another initializer or activation, through which the gradient passes"
    elif (moved := _first_update(result, layers)) < STILL:
        evidence += (
            f"; at the start an update changed a layer's weights by {moved:.1e} of their size"
        )
        advice = (
            "another initializer or activation, through which signal and gradient pass, or a "
            "larger learning rate"
        )
    return Finding("high bias", evidence, advice)


def _first_update(result: RunResult, layers: int) -> float:
    """Return the first measured update over weights, median over layers; infinite without one."""
    columns = [result.curve.get(f"layer{layer + 1}.update_ratio") for layer in range(layers)]
    measured = [column[np.isfinite(column)] for column in columns if column is not None]
    first = [values[0] for values in measured if len(values)]
    return float(np.median(first)) if first else math.inf


def _jitter(loss: Array) -> float:
    """Return the median deviation of a loss from its local trend, relative to its median.

    Each value is compared with the mean of its neighbors, so that a steady decrease does not
    count as jitter.
    """
    if len(loss) < 3 or np.median(loss) <= 0:
        return 0.0
    swings = np.abs(loss[1:-1] - (loss[:-2] + loss[2:]) / 2)
    return float(np.median(swings) / np.median(loss))


def _initial(result: RunResult) -> float:
    return float(result.curve["train_loss"][0])


def _last_quarter(examples: Array, loss: Array) -> float:
    """Return the relative decrease of a loss over the last quarter of the examples."""
    then = float(np.interp(0.75 * examples[-1], examples, loss))
    return (then - float(loss[-1])) / then if then > 0 else 0.0


# -- a workload -------------------------------------------------------------------------------


@dataclass(frozen=True)
class WorkloadDiagnosis:
    """Diagnosis of the runs on one workload.

    Attributes:
        findings: Mapping from run keys to findings.
        shared: Illnesses of more than half of the runs that could show them, each with the number
            of these runs in words. They are attributed to the workload and not to an optimizer.
        verdict: Summary in one sentence.
    """

    findings: Mapping[str, tuple[Finding, ...]]
    shared: Mapping[str, str]
    verdict: str


def diagnose_workload(results: Sequence[RunResult]) -> WorkloadDiagnosis:
    """Diagnose the runs of several optimizers on one workload.

    The lowest final validation loss of the runs is the reference for high bias, because it is
    known to be attainable.

    Args:
        results: Runs on one workload.

    Returns:
        The findings of each run, the shared illnesses and a verdict.
    """
    reached = [r.final("val_loss") for r in results if r.status is Status.OK]
    reference = min(reached, default=None)
    findings = {r.key: diagnose(r, reference=reference) for r in results}
    counts = Counter(f.illness for found in findings.values() for f in found)
    with_health = sum(bool(last_health(r.curve)) for r in results)
    seen = {i: with_health if i in LAYER_ILLNESSES else len(results) for i in ILLNESSES}
    shared = {
        i: _share(counts[i], seen[i], len(results)) for i in ILLNESSES if counts[i] > seen[i] / 2
    }
    if shared:
        told = ", ".join(f"{illness} ({share})" for illness, share in shared.items())
        verdict = f"{told}; look at network, initialization and data before the optimizer"
    elif counts:
        among = "" if with_health == len(results) else f" of {with_health} with layer health"
        told = ", ".join(
            f"{i} ({counts[i]}{among if i in LAYER_ILLNESSES else ''})"
            for i in ILLNESSES
            if counts[i]
        )
        verdict = f"of {count(len(results), 'run')}: {told}"
    else:
        verdict = "no problem found"
    return WorkloadDiagnosis(findings, shared, verdict)


def _share(ill: int, seen: int, runs: int) -> str:
    """Say how many runs show an illness, of all or of those that have the record it needs.

    Example:
        >>> _share(4, 5, 240), _share(130, 240, 240)
        ('4 of the 5 runs with layer health', '130 of 240 runs')
    """
    if seen == runs:
        return f"{ill} of {count(runs, 'run')}"
    return f"{ill} of the {count(seen, 'run')} with layer health"
