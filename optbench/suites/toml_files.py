"""Reads and writes TOML; a file that cannot be read is reported in one line that names it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from optbench.errors import ConfigError, describe_error
from optbench.support.files import read_file


def read_toml(path: Path, where: str) -> dict[str, Any]:
    """Return the document in a file.

    Args:
        path: The file, in UTF-8, with or without a byte order mark.
        where: What an error message begins with.

    Raises:
        ConfigError: There is no such file, it is not a regular file, or it is not TOML.
    """
    try:
        return tomllib.loads(read_file(path).decode("utf-8-sig"))
    except OSError as cause:
        raise ConfigError(f"{where}: {cause.strerror or cause}") from cause
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{where}: not a text file in UTF-8") from cause
    except (tomllib.TOMLDecodeError, RecursionError) as cause:
        raise ConfigError(f"{where}: not valid TOML: {cause}") from cause
    except ValueError as cause:  # a NUL in the path, a number of thousands of digits
        raise ConfigError(f"{where}: cannot be read: {describe_error(cause)}") from cause


def quote_toml(text: str) -> str:
    r"""Return a text as a TOML string, with everything unprintable escaped.

    Example:
        >>> print(quote_toml('a "b"'))
        "a \U00000022b\U00000022"
    """
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{escaped}"'
