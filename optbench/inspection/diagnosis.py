"""Names what is wrong with a run, with the evidence and what to try next.

Rules over the curve of one run and the layer health recorded along it; thresholds are such that a
network that trains well is not accused. Losses are compared with the initial loss L0, so that the
rules hold for any dataset.

Longer than other files so that all thresholds and rules, which must be read together, stand in one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optbench.contracts import Array, Task
from optbench.engine.health import BOUNDED, last_health
from optbench.records import RunResult, Status, StepControl

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
"""In the order in which they are told: causes before effects."""

DEAD = 0.4
"""Fraction of a layer's units that pass nothing on any example."""
SATURATED = 0.6
"""Fraction of a layer's activations on the flat part."""
SPIKES = 3
"""Evaluations at which the training loss is far above the lowest so far."""
SPIKE = (2.0, 0.1)
"""Far above: this many times the lowest, and by this part of L0."""
FALLING = (0.06, 0.03)
"""Training and validation loss still fall: by these parts over the last quarter of the run."""
LEARNED = 0.1
"""A training loss below this part of L0 is not called undertrained."""
HIGH = 0.1
"""A gap is high when it is more than this part of what there was to gain, ..."""
LITTLE = 0.05
"""With less than this part of L0 gained there is nothing to overfit."""
RISEN, WIDE = 1.15, 0.35
"""... and the validation loss is so many times its lowest, or the gap more than this part."""
WEAK = (0.85, 0.3)
"""A classifier has learned little with less accuracy on the training part, and more of L0 left."""
VANISHING = 0.01
"""A gradient of the first layer below this part of the last layer's is what keeps a net from
learning."""
FLAT, JITTER = 0.04, 0.02
"""A loss stands still when it changes by less than `FLAT`; it jitters by more than `JITTER`."""
WINDOW = 8
"""Last evaluations that noise is judged by."""
EDGE = (0.8, 1.5)
"""Sharpness over the largest stable one, at the edge of stability."""


@dataclass(frozen=True)
class Finding:
    """One illness.

    Attributes:
        illness: one of `ILLNESSES`.
        evidence: the numbers that say so.
        advice: what to try next.
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
    """What is wrong with one run; nothing when it is well.

    Args:
        result: the run, best with layer health recorded.
        reference: loss that a good model has on the dataset, for bias.
        sharpness: largest eigenvalue of the Hessian at the end, if measured.
        stable_below: the sharpness above which the optimizer is unstable; 2 / lr for plain
            gradient descent.
        task: noise in a regression's targets bounds its loss from below, which one run cannot
            tell from bias, so without a reference no regression is accused of it.

    Returns:
        The findings, causes before effects.
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
    if result.status is Status.DIVERGED:  # judged as it began: what it did to its units is no cause
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
            f"{jitter:.0%} with {spec.batch_size} examples an update{more}",
            "a falling schedule (optbench list schedules), a smaller learning rate, or larger "
            "batches",
        )


# -- progress ---------------------------------------------------------------------------------


def _progress(
    result: RunResult, reference: float | None, task: Task, broken: bool
) -> Iterator[Finding]:
    curve, initial = result.curve, _initial(result)
    train, val = result.final("train_loss"), result.final("val_loss")
    falls = [_last_quarter(curve["examples"], curve[c]) for c in ("train_loss", "val_loss")]
    undertrained = (
        all(fall > limit for fall, limit in zip(falls, FALLING, strict=True))
        and falls[0] > _jitter(curve["train_loss"][-WINDOW:])
        and train > LEARNED * initial
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
            f"{(val - train) / gain:.0%} of all that was gained; its lowest was "
            f"{initial - gain:.3g}",
            "stopping earlier, weight decay, a smaller network, or more data",
        )
    if broken or undertrained:
        return
    if reference is not None:
        if train - reference > HIGH * (initial - reference):
            told = f"the training loss stays at {train:.3g}, a good model has {reference:.3g}"
            yield _bias(result, told)
    elif (
        task != "regression"
        and result.final("train_metric") < WEAK[0]
        and train > WEAK[1] * initial
    ):
        told = f"the training loss stays at {train:.3g}, {train / initial:.0%} of the initial"
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
    return Finding("high bias", evidence, advice)


def _jitter(loss: Array) -> float:
    """How far a loss swings about its trend from one evaluation to the next, relatively.

    Second differences, so that a steady fall is no jitter; a swing of one point counts as one.
    """
    if len(loss) < 3 or np.median(loss) <= 0:
        return 0.0
    swings = np.abs(loss[1:-1] - (loss[:-2] + loss[2:]) / 2)
    return float(np.median(swings) / np.median(loss))


def _initial(result: RunResult) -> float:
    return float(result.curve["train_loss"][0])


def _last_quarter(examples: Array, loss: Array) -> float:
    """Part by which a loss fell over the last quarter of the examples."""
    then = float(np.interp(0.75 * examples[-1], examples, loss))
    return (then - float(loss[-1])) / then if then > 0 else 0.0


# -- a workload -------------------------------------------------------------------------------


@dataclass(frozen=True)
class WorkloadDiagnosis:
    """What ails the runs on one workload.

    Attributes:
        findings: run key -> its findings.
        shared: illnesses of more than half of the runs: the workload's, not one optimizer's.
        verdict: one sentence.
    """

    findings: Mapping[str, tuple[Finding, ...]]
    shared: tuple[str, ...]
    verdict: str


def diagnose_workload(results: Sequence[RunResult]) -> WorkloadDiagnosis:
    """Diagnose runs of any optimizers on one workload together.

    The lowest validation loss of the runs is the reference for bias: what one of them
    reached, the others could have.

    Args:
        results: runs on one workload.
    """
    reached = [r.final("val_loss") for r in results if r.status is Status.OK]
    reference = min(reached, default=None)
    findings = {r.key: diagnose(r, reference=reference) for r in results}
    counts = Counter(f.illness for found in findings.values() for f in found)
    shared = tuple(i for i in ILLNESSES if counts[i] > len(results) / 2)
    if shared:
        verdict = (
            f"most runs are alike in this: {', '.join(shared)}; look at network, "
            "initialization and data before the optimizer"
        )
    elif counts:
        told = ", ".join(
            f"{illness} ({counts[illness]})" for illness in ILLNESSES if counts[illness]
        )
        verdict = f"of {len(results)} runs: {told}"
    else:
        verdict = "nothing to complain of"
    return WorkloadDiagnosis(findings, shared, verdict)
