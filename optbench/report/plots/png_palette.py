"""Pictures with a palette, which take a sixth of the space of those with three channels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from optbench.contracts import Array

COLOURS = 56
"""Colors of a picture: with more, letters and lines look the same and need more space."""
FREQUENT = 16
"""The most frequent colors, which are not rounded: those of paper, text and areas."""
VIVID = 16
"""Further colors that are not rounded, of those that are no greys: a dot has fewer pixels than the
edges of letters, and its color says whose it is."""
GREYS = 8
"""Further grays that are not rounded: text on an area of many shades stays readable."""
CHROMA = 64
"""Least difference between the channels of a color that is no gray."""


def with_palette(pixels: Array) -> Image.Image:
    """Return a picture in which every pixel has the nearest color of a palette of its own.

    Args:
        pixels: Channels red, green and blue from 0 to 255, shape (height, width, 3).
    """
    codes = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    present, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colours = np.stack([present >> 16, present >> 8 & 255, present & 255], axis=1)
    order = np.argsort(-counts, kind="stable")
    rest = order[FREQUENT:]
    is_vivid = np.ptp(colours[rest], axis=1) >= CHROMA
    exact = [order[:FREQUENT], rest[is_vivid][:VIVID], rest[~is_vivid][:GREYS]]
    palette = colours[np.concatenate(exact)]
    if len(colours) > len(palette):
        sample = Image.fromarray(pixels).quantize(COLOURS - len(palette)).getpalette() or []
        palette = np.concatenate([palette, np.array(sample, int).reshape(-1, 3)])[:COLOURS]
    indices = _nearest(colours, palette)[inverse].reshape(pixels.shape[:2])
    picture = Image.fromarray(indices.astype(np.uint8), mode="P")
    picture.putpalette(palette.astype(np.uint8).tobytes())
    return picture


def _nearest(colours: Array, palette: Array) -> Array:
    """Return for each color the index of the nearest one in the palette."""
    points, centres = colours.astype(np.float32), palette.astype(np.float32)
    distances = (centres**2).sum(1) - 2 * points @ centres.T  # up to a term of each colour alone
    nearest: Array = distances.argmin(1)
    return nearest
