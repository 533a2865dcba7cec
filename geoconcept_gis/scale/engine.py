"""The engine: dask, here or on a cluster. It schedules; nothing in this package does."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingDependencyError
from ..progress import report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..progress import Progress

__all__ = ["compute_each", "is_lazy", "require_dask", "workers"]


def is_lazy(frame: Any) -> bool:
    """Tell whether a frame is one of dask's, without importing dask."""
    return hasattr(frame, "__dask_graph__")


def require_dask(more: Sequence[str] = ()) -> None:
    """Check that dask and dask-geopandas are there.

    Parameters
    ----------
    more : sequence of str
        Other packages of the extra that are needed.

    Raises
    ------
    MissingDependencyError
        One of them is not installed; the message names the extra.
    """
    try:
        # Importing dask_geopandas teaches dask about geometries.
        for package in ("dask.dataframe", "dask_geopandas", "distributed", *more):
            importlib.import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"this needs {error.name}: install the extra, pip install 'geoconcept-gis[dask]'"
        ) from None
    _name_geometries_by_content()


@cache
def _name_geometries_by_content() -> None:
    """Let dask name plans with geometries the same in every process, or a second run would not know the first."""
    import shapely
    from dask.tokenize import normalize_token
    from geopandas.array import GeometryArray

    def content(array: Any) -> tuple[Any, ...]:
        return (shapely.to_wkb(array.to_numpy()).tolist(), None if array.crs is None else array.crs.to_wkt())

    normalize_token.register(GeometryArray, content)


@contextmanager
def workers(scheduler: str | None = None, count: int | None = None) -> Iterator[Any]:
    """Connect to a scheduler, or start workers of our own for as long as the block runs.

    Parameters
    ----------
    scheduler : str, optional
        Address such as ``"tcp://10.0.0.1:8786"``. None starts worker processes on this machine.
    count : int, optional
        Worker processes to start here; as many as there are cores when left out. Each runs one thread.

    Yields
    ------
    distributed.Client

    Raises
    ------
    InputError
        The scheduler cannot be reached, or `count` is below one or given along with it.
    MissingDependencyError
    """
    require_dask()
    import logging

    from distributed import Client, LocalCluster

    if scheduler is not None:
        if count is not None:
            raise InputError("workers are started on this machine; a scheduler has its own: give one of the two")
        try:
            client = Client(scheduler)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(f"cannot reach a dask scheduler at {scheduler!r}: {error}") from None
        with client:
            yield client
        return
    if count is not None and count < 1:
        raise InputError(f"workers must be a whole number of at least 1; got {count!r}")
    # One thread each: the libraries' own threads would wait for each other. The web page takes any free port.
    options = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "silence_logs": logging.ERROR}
    with LocalCluster(n_workers=count, **options) as cluster, Client(cluster) as client:
        yield client


def compute_each(tasks: Sequence[Any], progress: Progress | None = None) -> list[Any]:
    """Run delayed tasks on the current client, or on dask's own threads where there is none.

    Parameters
    ----------
    tasks : sequence of dask.delayed.Delayed
    progress : callable, optional
        Called as ``progress(done, total)`` in tasks; return true to cancel what has not begun.

    Returns
    -------
    list
        Results, in the order in which they were finished.

    Raises
    ------
    Cancelled
        `progress` asked to stop.
    """
    from distributed import as_completed, get_client

    report(progress, 0, len(tasks))
    try:
        client = get_client()
    except ValueError:  # there is none
        return _compute_here(tasks, progress)
    futures = client.compute(list(tasks))
    results: list[Any] = []
    try:
        for future in as_completed(futures):
            results.append(future.result())
            report(progress, len(results), len(tasks))
    finally:
        client.cancel(futures)
    return results


def _compute_here(tasks: Sequence[Any], progress: Progress | None) -> list[Any]:
    import dask
    from dask.callbacks import Callback

    wanted = {task.key for task in tasks}
    results: list[Any] = []

    def finished(key: Any, result: Any, *_: Any) -> None:
        if key in wanted:
            results.append(result)
            report(progress, len(results), len(tasks))

    with Callback(posttask=finished), _threads():
        dask.compute(*tasks)
    return results


@contextmanager
def _threads() -> Iterator[None]:
    """Give dask threads that have come to rest when the block ends: after an error its own would still be writing."""
    import dask
    from dask.system import CPU_COUNT

    if dask.config.get("scheduler", None) not in (None, "threads", "threading") or dask.config.get("pool", None):
        yield  # the caller's own choice
        return
    pool = ThreadPoolExecutor(dask.config.get("num_workers", None) or CPU_COUNT)
    try:
        with dask.config.set(pool=pool):
            yield
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
