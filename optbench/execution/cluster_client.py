"""Connects to the scheduler of a Dask cluster, with errors in one line."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from optbench.errors import ConfigError, describe_error

CONNECT_SECONDS = 30
"""Time that a scheduler has to answer: as long as Dask itself waits for one."""


def connect(address: str) -> Any:
    """Return a client of the scheduler at an address.

    Raises:
        ConfigError: `distributed` is not installed, a certificate is missing, no scheduler answers,
            or it has no worker.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise ConfigError("--scheduler needs Dask: pip install 'optbench[cluster]'") from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # optbench reports it in its own words
    if address.startswith("tls:"):
        _check_certificates(distributed.Security(), address)
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as cause:
        raise ConfigError(f"no Dask scheduler answers at '{address}'") from cause
    if not client.nthreads():
        client.close()
        raise ConfigError(f"the Dask cluster at '{address}' has no worker")
    return client


def _check_certificates(security: Any, address: str) -> None:
    """Refuse missing certificates before Dask does: its client would hang at exit."""
    try:
        if security.get_connection_args("client").get("ssl_context") is not None:
            return
        why = "none is named"
    except OSError as cause:  # a missing file, or one that is not a certificate
        why = describe_error(cause)
    raise ConfigError(
        f"no certificate for '{address}' ({why}); set Dask's distributed.comm.tls.ca-file and "
        "distributed.comm.tls.client.{cert,key}"
    )
