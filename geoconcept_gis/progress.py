"""Progress and cancelling: one callback, whatever shows it.

A progress function takes ``(done, total)`` in points and may return ``True`` to
cancel; `tqdm`, `rich` and QGIS's feedback objects are adapted in one line each.
"""

from __future__ import annotations

from typing import Callable, Optional

from .errors import Cancelled

__all__ = ["Progress", "report"]

Progress = Callable[[int, int], Optional[bool]]


def report(progress: Progress | None, done: int, total: int) -> None:
    """Call `progress` if there is one; raise `Cancelled` when it returns true.

    Parameters
    ----------
    progress : callable or None
        Called as ``progress(done, total)``.
    done, total : int
        Points finished and points in all.

    Raises
    ------
    Cancelled
        The function returned a true value.

    Examples
    --------
    >>> report(lambda done, total: print(f"{done} of {total}"), 512, 1024)
    512 of 1024
    """
    if progress is not None and progress(done, total):
        raise Cancelled(f"stopped after {done:,} of {total:,} points, as asked")
