"""Signed frames between the driver and a worker: what a plugin writes between them is noticed.

A plugin can write to every descriptor of its process. So each frame carries its place in the order
of frames and is signed with a key that only the two ends know. This notices accidents. It does not
stop a plugin that searches the memory of its process for the key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from typing import IO

KEY_BYTES = 32
_LENGTH = struct.Struct("<I")
_PLACE = struct.Struct("<QI")
_TAG_BYTES = 16
_HEAD_BYTES = _LENGTH.size + 2 * _TAG_BYTES


class DisturbedError(Exception):
    """Something that is not the next frame was read."""


def _sign(key: bytes, place: int, size: int, data: bytes) -> bytes:
    signed = _PLACE.pack(place, size) + data
    return hashlib.blake2b(signed, key=key, digest_size=_TAG_BYTES).digest()


class SignedWriter:
    """Writes signed frames; a forked copy of this process writes none, it ends.

    Args:
        stream: Where the frames are written.
        key: Shared with the reader.
    """

    def __init__(self, stream: IO[bytes], key: bytes) -> None:
        self._stream, self._key = stream, key
        self._place = 0
        self._pid = os.getpid()

    def write(self, data: bytes) -> None:
        """Write one frame."""
        if os.getpid() != self._pid:
            os._exit(1)
        size = _LENGTH.pack(len(data))
        head = _sign(self._key, self._place, len(data), b"")
        body = _sign(self._key, self._place, len(data), b":" + data)
        self._place += 1
        self._stream.write(size + head + body + data)
        self._stream.flush()


class SignedReader:
    """Reads signed frames.

    Args:
        stream: Where the frames are read.
        key: Shared with the writer.
    """

    def __init__(self, stream: IO[bytes], key: bytes) -> None:
        self._stream, self._key = stream, key
        self._place = 0

    def read(self) -> bytes | None:
        """Return the next frame; None at the end, or if it comes in the middle of a frame.

        Raises:
            DisturbedError: It is not the next frame of the writer.
        """
        head = self._stream.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return None
        size: int = _LENGTH.unpack_from(head)[0]
        head_tag, body_tag = head[4 : 4 + _TAG_BYTES], head[4 + _TAG_BYTES :]
        if not hmac.compare_digest(head_tag, _sign(self._key, self._place, size, b"")):
            raise DisturbedError
        data = self._stream.read(size)
        if len(data) < size:
            return None
        if not hmac.compare_digest(body_tag, _sign(self._key, self._place, size, b":" + data)):
            raise DisturbedError
        self._place += 1
        return data
