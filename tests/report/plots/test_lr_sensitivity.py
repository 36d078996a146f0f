"""Learning-rate sensitivity: the axis has a name, and trials beyond the scale have a mark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optbench.analysis.views.lr_profiles import LearningRateProfile
from optbench.report.format.palette import Look
from optbench.report.plots.lr_sensitivity import draw_lr_sensitivity
from optbench.report.plots.sheets import Sheet, draw_sheet

PROFILE = LearningRateProfile(
    label="a",
    rate="lr",
    trials=np.array([[0.01, 0.1, 1.0], [0.2, 0.7, 1.0]]),
    beyond=np.array([False, False, True]),
    chosen=np.array([[0.1], [0.7]]),
    lr=np.array([]),
    low=np.array([]),
    mid=np.array([]),
    high=np.array([]),
)


def drawn(*profiles: LearningRateProfile) -> Sheet:
    """A sheet with a panel for each profile."""
    looks = {profile.label: Look("#006ebb") for profile in profiles}
    return draw_sheet(lambda: draw_lr_sensitivity("sgd", profiles, 1, looks))


def test_each_panel_names_its_rate() -> None:
    """An optimizer may call its rate otherwise."""
    sheet = drawn(PROFILE, replace(PROFILE, label="b", rate="step_size"))
    assert [axes.get_xlabel() for axes in sheet.axes] == ["lr", "step_size"]


def test_the_explanation_is_no_higher_than_the_panels_of_three() -> None:
    """At most five lines above a row of three."""
    sheet = drawn(*(replace(PROFILE, label=label) for label in "abc"))
    assert sheet.figure.texts[1].get_text().count("\n") < 6


@pytest.mark.parametrize(
    ("beyond", "note"),
    [
        ([False, False, False], ""),
        ([False, False, True], "A triangle is a trial with a loss far below"),
        ([False, True, True], "Triangles are 2 trials with a loss far below"),
    ],
)
def test_trials_beyond_the_scale_are_triangles(beyond: list[bool], note: str) -> None:
    """They have markers of their own, and the subtitle says what these are."""
    sheet = drawn(replace(PROFILE, beyond=np.array(beyond)))
    sizes = [len(np.asarray(points.get_offsets())) for points in sheet.axes[0].collections]
    assert sizes == [n for n in (beyond.count(False), beyond.count(True), 1) if n]
    subtitle = sheet.figure.texts[1].get_text().replace("\n", " ")
    assert note in subtitle
    assert ("riangle" in subtitle) == bool(note)
