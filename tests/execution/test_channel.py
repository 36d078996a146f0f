"""Signed frames: what is not the next frame of the writer is noticed."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.execution.channel import KEY_BYTES, DisturbedError, SignedReader, SignedWriter

KEY = bytes(range(KEY_BYTES))
FRAMES = st.lists(st.binary(max_size=40), min_size=1, max_size=4)


def written(frames: list[bytes]) -> bytes:
    """Return the bytes that a writer makes of these frames."""
    stream = io.BytesIO()
    writer = SignedWriter(stream, KEY)
    for frame in frames:
        writer.write(frame)
    return stream.getvalue()


def read(data: bytes) -> list[bytes]:
    """Return the frames in these bytes."""
    reader = SignedReader(io.BytesIO(data), KEY)
    return list(iter(reader.read, None))


@given(FRAMES)
def test_frames_arrive_as_they_were_written(frames: list[bytes]) -> None:
    assert read(written(frames)) == frames


@given(FRAMES, st.data())
def test_noise_changes_no_frame(frames: list[bytes], data: st.DataObject) -> None:
    """Wherever bytes are put in between, only true frames arrive, and none twice."""
    stream = written(frames)
    place = data.draw(st.integers(0, len(stream)))
    noisy = stream[:place] + data.draw(st.binary(min_size=1)) + stream[place:]
    reader = SignedReader(io.BytesIO(noisy), KEY)
    arrived: list[bytes] = []
    try:
        while (frame := reader.read()) is not None:
            arrived.append(frame)
    except DisturbedError:
        pass
    assert arrived == frames[: len(arrived)]


def test_a_frame_sent_twice_or_with_another_key_is_noticed() -> None:
    once = written([b"result"])
    with pytest.raises(DisturbedError):
        read(once + once)
    with pytest.raises(DisturbedError):
        SignedReader(io.BytesIO(once), bytes(KEY_BYTES)).read()
