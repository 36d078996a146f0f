"""Pictures with a palette, which take a quarter of the space of those with three channels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from optbench.contracts import Array

COLOURS = 256
"""Colours of a picture; more do not fit into one byte."""
EXACT = 96
"""The most frequent colours, which are not rounded: those of lines, text and paper."""


def with_palette(pixels: Array) -> Image.Image:
    """Return a picture in which every pixel has the nearest colour of a palette of its own.

    Args:
        pixels: Channels red, green and blue from 0 to 255, shape (height, width, 3).
    """
    codes = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    present, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colours = np.stack([present >> 16, present >> 8 & 255, present & 255], axis=1)
    palette = colours[np.argsort(-counts, kind="stable")[:EXACT]]
    if len(colours) > EXACT:
        sample = Image.fromarray(pixels).quantize(COLOURS - EXACT).getpalette() or []
        palette = np.concatenate([palette, np.array(sample, int).reshape(-1, 3)])[:COLOURS]
    indices = _nearest(colours, palette)[inverse].reshape(pixels.shape[:2])
    picture = Image.fromarray(indices.astype(np.uint8), mode="P")
    picture.putpalette(palette.astype(np.uint8).tobytes())
    return picture


def _nearest(colours: Array, palette: Array) -> Array:
    """Return for each colour the index of the nearest one in the palette."""
    points, centres = colours.astype(np.float32), palette.astype(np.float32)
    distances = (centres**2).sum(1) - 2 * points @ centres.T  # up to a term of each colour alone
    nearest: Array = distances.argmin(1)
    return nearest
