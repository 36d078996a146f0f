"""Pictures with a palette keep the colours that have a meaning."""

from __future__ import annotations

import numpy as np

from optbench.report.plots.png_palette import COLOURS, with_palette


def test_a_small_dot_keeps_its_colour_among_many_greys() -> None:
    """Letters have more shades, each with more pixels, than a palette has places."""
    greys = np.repeat(np.arange(0, 250, 2, dtype=np.uint8), 200)
    pixels = np.stack([greys] * 3, axis=1).reshape(250, 100, 3)
    dots = [(0, 158, 96), (180, 20, 140), (0, 110, 190), (250, 90, 10), (150, 80, 20)]
    for place, colour in enumerate(dots):
        pixels[place, :20] = colour
    picture = with_palette(pixels)
    found = np.asarray(picture.convert("RGB"))
    for place, colour in enumerate(dots):
        assert (found[place, :20] == colour).all()
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= COLOURS
    greys_found, wanted = found[10:].astype(int), pixels[10:].astype(int)
    assert np.abs(greys_found - wanted).max() <= 12


def test_text_on_many_shades_stays_grey() -> None:
    """A heat map has more shades, each with more pixels, than a palette has places."""
    pixels = np.zeros((100, 90, 3), np.uint8)
    pixels[..., 2] = 255
    pixels[..., 1] = np.repeat(np.arange(90, dtype=np.uint8) * 2, 100).reshape(100, 90)
    pixels[50, :30] = (27, 31, 36)
    found = np.asarray(with_palette(pixels).convert("RGB"))
    assert (found[50, :30] == (27, 31, 36)).all()
