"""A mirror on loopback, with small images to download from it."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from optbench.data import downloads
from tests.support.waiting import PATIENCE

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


class Mirror(http.server.ThreadingHTTPServer):
    """Serves files by path and notes each request.

    Attributes:
        files: contents by path, e.g. ``"/mnist/a.gz"``; anything else is 404.
        cut: paths of which the last byte is announced and never sent.
        asked: paths in the order of the requests.
        before: called in the server's thread before each answer.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        self.before: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.before()
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:-1] if self.path in self.server.cut else content)

    def log_message(self, *args: object) -> None:
        """Nothing: pytest would show it as the test's own words."""


@contextmanager
def serving() -> Iterator[Mirror]:
    """A mirror that answers until the context ends, and may take its time.

    No proxy comes in between, and no mirror of the user is asked before.
    """
    with Mirror() as mirror, pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "SECONDS", PATIENCE)
        patch.delenv(downloads.MIRRORS, raising=False)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        thread = threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield mirror
        finally:
            mirror.shutdown()
            thread.join()


def sha256(content: bytes) -> str:
    """The hash that a dataset names a file by."""
    return hashlib.sha256(content).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes, gzipped."""
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0)


def image_files() -> dict[str, bytes]:
    """300 images of 4 x 4 pixels to train on and 100 to test on, of ten classes."""
    rng = np.random.default_rng(0)
    files = []
    for n in (300, 100):
        labels = np.arange(n) % 10
        images = rng.integers(0, 100, (n, 4, 4))
        images.reshape(n, -1)[np.arange(n), labels] += 150  # the class is a bright pixel
        images[:, 3, 3] = 0  # and one is never lit
        files += [idx(images), idx(labels)]
    return dict(zip(NAMES, files, strict=True))
