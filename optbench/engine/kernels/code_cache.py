"""Machine code on disk, verified before it is loaded.

Each compiled signature of a function is one file: a digest, then the pickled code. The digest
covers the code and its key (function, sources, argument types, versions, CPU). A damaged file, or
one that was made for another function, is recognized before anything in it is unpickled or run.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import pickle
from pathlib import Path
from typing import Any, ClassVar

import llvmlite
import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)
from numba.core.serialize import dumps

from optbench.data.cache import cache_folder
from optbench.support.files import write_text

_log = logging.getLogger(__name__)

SUFFIX = ".nbc"
_DIGEST_BYTES = 32


class CodeFiles:
    """The files of one function, with the interface of Numba's ``IndexDataCacheFile``.

    Args:
        folder: Folder of the files.
        name: Beginning of their names: module, function and line.
        generation: What all files of the function have in common; files of another generation are
            deleted when one is saved.
    """

    def __init__(self, folder: Path, name: str, generation: object) -> None:
        self._folder, self._name = folder, name
        self._generation = repr((generation, numba.__version__, llvmlite.__version__))

    def load(self, key: object) -> Any:
        """Return the code saved under a key; None if there is none, or it is damaged."""
        path = self._path(key)
        if not path.is_file():  # reading a FIFO, for example, would never end
            return None
        content = path.read_bytes()
        digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if digest != self._digest(key, payload):
            _log.info("the machine code in %s is damaged; compiling it again", path)
            return None
        return pickle.loads(payload)

    def save(self, key: object, code: object) -> None:
        """Save code under a key, in place of what is there."""
        payload, path = dumps(code), self._path(key)
        write_text(path, self._digest(key, payload) + payload, concurrent=True)
        generation = path.name.removesuffix(SUFFIX).rpartition(".")[0]
        for old in self._folder.iterdir():
            is_own = old.name.startswith(f"{self._name}.") and old.suffix in (SUFFIX, ".nbi")
            if is_own and not old.name.startswith(f"{generation}."):
                with contextlib.suppress(OSError):
                    old.unlink()

    def exist(self) -> bool:
        """Return whether there is a file of this generation."""
        generation = self._path("").name.rpartition(".")[0].rpartition(".")[0]
        return any(self._folder.glob(f"{generation}.*{SUFFIX}"))

    def flush(self) -> None:
        """Do nothing: a file that cannot be used is written again when the code is compiled."""

    def _path(self, key: object) -> Path:
        generation, code = (
            _sha256(text.encode()).hex()[:16] for text in (self._generation, repr(key))
        )
        return self._folder / f"{self._name}.{generation}.{code}{SUFFIX}"

    def _digest(self, key: object, payload: bytes) -> bytes:
        return _sha256(repr((self._name, self._generation, key)).encode() + b"\0" + payload)


@functools.cache
def _kernel_sources() -> str:
    """Return the hash of all files of this folder.

    Numba looks only at the file of a function, not at those of the functions that it calls.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    return _sha256(b"".join(file.read_bytes() for file in files)).hex()


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


class _SharedLocator(UserProvidedCacheLocator):
    """The cache folder of optbench, for code in a folder that cannot be written."""

    def __init__(self, function: Any, path: str) -> None:
        super().__init__(function, path)
        self._cache_path = str(cache_folder() / "kernels" / Path(self._cache_path).name)

    @classmethod
    def from_function(cls, function: Any, path: str) -> Any:
        """Return the locator of a function; None if the folder cannot be written either."""
        return super(UserProvidedCacheLocator, cls).from_function(function, path)


class _CodePlaces(CompileResultCacheImpl):
    """Numba's search for a folder: its own variable, beside the source, optbench's cache, home."""

    _locator_classes: ClassVar[list[Any]] = [  # type: ignore[misc]  # Numba has no types
        UserProvidedCacheLocator, InTreeCacheLocator, _SharedLocator, UserWideCacheLocator,
    ]  # fmt: skip


class CodeCache(FunctionCache):
    """Numba's cache of a function, on `CodeFiles`: what goes wrong with a file only costs time."""

    _impl_class = _CodePlaces

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        generation = (self._impl.locator.get_source_stamp(), _kernel_sources())
        name = self._impl.filename_base
        self._cache_file: Any = CodeFiles(Path(self._cache_path), name, generation)

    def has_files(self) -> bool:
        """Return whether code of the function is on disk, for some types of arguments."""
        files: CodeFiles = self._cache_file
        return files.exist()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; None, so that it is compiled, if it cannot be loaded."""
        with contextlib.suppress(Exception):
            return super().load_overload(sig, target_context)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save the code for a signature, unless the disk is full or cannot be written."""
        with contextlib.suppress(Exception):
            super().save_overload(sig, data)
