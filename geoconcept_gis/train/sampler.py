"""Which rows come when: seeded batches for any epoch, process and step, and a thread that has them ready."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Prefetcher", "ShardSampler"]

Key = TypeVar("Key")
Item = TypeVar("Item")


class ShardSampler:
    """Rows of every batch, in a random order that reads few shards at a time.

    Shards are drawn in random order, `buffer_shards` at a time; the rows of these are mixed and given out before
    the next shards are begun. All processes work on the same few shards and share out each step's rows.

    Parameters
    ----------
    shard : array_like of int, shape (N,)
        Which shard each row lies in, as `Source.shard` says.
    batch_size : int
        Rows a batch, of one process.
    seed : int
        Not negative. The order depends on it, on the epoch and on nothing else.
    world, rank : int
        How many processes there are, and which one this is.
    buffer_shards : int, default 8
        Shards that are mixed; with all of them the order is fully random.
    drop_last : bool, default True
        Leave out the rows that fill no batch; a different few each epoch. Otherwise a last, smaller batch has them.
        Either way each process has equally many batches of equal size, so up to ``world - 1`` rows are left out.

    Raises
    ------
    InputError
        A number is out of its range, or there are too few rows for one batch.

    Examples
    --------
    >>> sampler = ShardSampler(np.repeat([0, 1, 2], 4), batch_size=5, seed=0)
    >>> len(sampler)
    2
    >>> all_of_it = list(sampler.batches(epoch=3))
    >>> [batch.tolist() for batch in sampler.batches(epoch=3, start_step=1)] == [all_of_it[1].tolist()]
    True
    """

    def __init__(
        self,
        shard: ArrayLike,
        batch_size: int,
        seed: int,
        *,
        world: int = 1,
        rank: int = 0,
        buffer_shards: int = 8,
        drop_last: bool = True,
    ) -> None:
        shard = np.asarray(shard)
        if shard.ndim != 1:
            raise InputError(f"shard must be one number a row, shape (N,); got shape {shard.shape}")
        for name, value, least in (
            ("batch_size", batch_size, 1),
            ("seed", seed, 0),
            ("world", world, 1),
            ("buffer_shards", buffer_shards, 1),
        ):
            if value < least:
                raise InputError(f"{name} must be at least {least}; got {value}")
        if not 0 <= rank < world:
            raise InputError(f"rank must be 0 to {world - 1}, as world is {world}; got {rank}")
        found, self._shard = np.unique(shard, return_inverse=True)
        self._shards = len(found)
        self._batch_size, self._seed = batch_size, seed
        self._world, self._rank = world, rank
        self._buffer = buffer_shards
        self._full, rest = divmod(len(shard), batch_size * world)
        self._last = 0 if drop_last else rest // world
        if not len(self):
            raise InputError(
                f"{len(shard):,} rows fill no batch of {batch_size:,} for each of {world} processes: take a smaller "
                "batch_size"
            )

    def __len__(self) -> int:
        """Batches an epoch, of one process."""
        return self._full + bool(self._last)

    def batches(self, epoch: int, start_step: int = 0) -> Iterator[NDArray[np.int64]]:
        """Give out the rows of each batch.

        Parameters
        ----------
        epoch : int
            Not negative.
        start_step : int, default 0
            Begin with this batch; nothing is read to get there.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
            Rows. In an epoch no row comes twice, in any process.

        Raises
        ------
        InputError
            `epoch` or `start_step` is out of range.

        Examples
        --------
        >>> [len(rows) for rows in ShardSampler([0, 0, 1], 2, seed=1, drop_last=False).batches(0)]
        [2, 1]
        """
        if epoch < 0 or not 0 <= start_step <= len(self):
            raise InputError(
                f"epoch must be at least 0 and start_step 0 to {len(self)}; got epoch {epoch}, start_step {start_step}"
            )
        return self._batches(epoch, start_step)

    def _batches(self, epoch: int, start_step: int) -> Iterator[NDArray[np.int64]]:
        order = self._order(epoch)
        for step in range(start_step, len(self)):
            size = self._batch_size if step < self._full else self._last
            start = step * self._batch_size * self._world + self._rank * size
            yield order[start : start + size]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Return all rows, buffer by buffer, at random within each."""
        rng = np.random.default_rng([self._seed, epoch])
        turn = rng.permutation(self._shards) // self._buffer
        rows = rng.permutation(len(self._shard))
        return np.asarray(rows[np.argsort(turn[self._shard[rows]], kind="stable")], dtype=np.int64)


class Prefetcher(Generic[Item]):
    """Iterate over ``load(key)`` for each key, in order, with the next few made in the background.

    Parameters
    ----------
    load : callable
        From a key to an item, in another thread: what reads a batch, and pins it or sends it to the GPU. What is
        random in it must come from the key alone.
    keys : iterable
        Taken one by one, only as far ahead as `depth`.
    depth : int, default 4
        Items that are ready or being made.
    workers : int, default 1
        Threads.

    Raises
    ------
    InputError
        `depth` or `workers` is less than one.

    Notes
    -----
    An exception in `load` or in `keys` is raised where its item would have come, after all items before it.
    Use it in a ``with`` statement, or `close` it: what has not begun is then left, what has begun is waited for.

    Examples
    --------
    >>> with Prefetcher(lambda key: key**2, range(4)) as squares:
    ...     list(squares)
    [0, 1, 4, 9]
    """

    def __init__(self, load: Callable[[Key], Item], keys: Iterable[Key], *, depth: int = 4, workers: int = 1) -> None:
        if depth < 1 or workers < 1:
            raise InputError(f"depth and workers must be at least 1; got depth {depth}, workers {workers}")
        self._load: Callable[[Any], Item] = load
        self._keys = iter(keys)
        self._depth = depth
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="geoconcept-prefetch")
        self._pending: deque[Future[Item]] = deque()
        self._closed = False
        self._fill()

    def __enter__(self) -> Prefetcher[Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if not self._pending:
            self.close()
            raise StopIteration
        try:
            item = self._pending.popleft().result()
        except BaseException:
            self.close()
            raise
        self._fill()
        return item

    def close(self) -> None:
        """Stop: the items that are ready are dropped, and iterating is over. Calling it twice does no harm.

        Examples
        --------
        >>> ahead = Prefetcher(str, range(100))
        >>> ahead.close()
        >>> list(ahead)
        []
        """
        self._closed = True
        self._pending.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _fill(self) -> None:
        while not self._closed and len(self._pending) < self._depth:
            try:
                key = next(self._keys)
            except StopIteration:
                return
            except Exception as error:  # raised in its turn, like one of load
                failed: Future[Item] = Future()
                failed.set_exception(error)
                self._pending.append(failed)
                self._keys = iter(())
                return
            self._pending.append(self._pool.submit(self._load, key))
