"""Images and labels in the IDX format of the MNIST family: read strictly, never unpickled.

The files are compressed in any way that distributions and libraries use, or not at all.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

import optbench
from optbench import Array, DatasetSource

UNSIGNED_BYTE = 0x08
"""Element type of all these files."""

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"


COMPRESSIONS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"\x1f\x8b", gzip.decompress),
    "xz": (b"\xfd7zXZ\x00", lzma.decompress),
    "bzip2": (b"BZh", bz2.decompress),
}
"""First bytes of a compressed file, and what decompresses it."""


class IdxImages(DatasetSource):
    """Four IDX files: images and labels for training, and for testing.

    Pixels are scaled jointly. A pixel at the border of an image is lit in very few examples; scaled
    by its own variance, it would reach values of 200.
    """

    task = "multiclass"
    standardize = "jointly"
    cached = True  # the files are checked by hash

    def load(self) -> tuple[Array, Array, Array, Array]:
        """Return pixels (n, rows x columns), 0 to 255, and classes: for training, then testing."""
        paths = optbench.fetch_files(type(self))
        train, train_labels = read_idx(paths[TRAIN_IMAGES], 3), read_idx(paths[TRAIN_LABELS], 1)
        test, test_labels = read_idx(paths[TEST_IMAGES], 3), read_idx(paths[TEST_LABELS], 1)
        return _rows(train), train_labels, _rows(test), test_labels


def _rows(images: Array) -> Array:
    """Return each image as one row."""
    return images.reshape(len(images), -1)


def read_idx(path: Path, dimensions: int) -> Array:
    """Return the array in an IDX file of unsigned bytes.

    The file begins with two zero bytes, the element type and the number of dimensions; then comes
    the size of each dimension, big-endian in four bytes, then the elements and nothing more.

    Raises:
        ValueError: The file has another form; the message says what is wrong with it.
    """
    content = _read(path)
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise ValueError(f"{path}: {len(content)} bytes are too few for the head of an IDX file")
    zeros, element, stored = struct.unpack(">HBB", content[:4])
    if zeros != 0:
        raise ValueError(f"{path} is not an IDX file: it begins with {content[:4].hex()}")
    if element != UNSIGNED_BYTE:
        raise ValueError(f"{path} has elements of type {element:#04x}, not unsigned bytes (0x08)")
    if stored != dimensions:
        raise ValueError(f"{path} has {stored} dimensions, not {dimensions}")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path} announces {' x '.join(map(str, shape))} elements "
            f"and has {len(content) - start}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _read(path: Path) -> bytes:
    """Return what a file holds, decompressed if it begins like a compressed file."""
    content = path.read_bytes()
    for name, (magic, decompress) in COMPRESSIONS.items():
        if content.startswith(magic):
            try:
                return decompress(content)
            except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as cause:
                raise ValueError(f"{path} is not a complete {name} file: {cause}") from cause
    return content
