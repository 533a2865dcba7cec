"""How fast cached features reach training: sampler, memory maps, conversion to float32, one thread ahead.

    python benchmarks/training_input.py [--rows 200000] [--dim 768] [--batch 512] [--workers 1]

Shards of random numbers are written into a temporary folder and read as the training loop reads them. `cold` drops
the files from the page cache before it starts (`posix_fadvise`, which needs no rights).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from geoconcept_gis.train import FeatureShards, write_features
from geoconcept_gis.train.sampler import Prefetcher, ShardSampler

TOWER = {"name": "random", "sha256": "0" * 64}


def make(folder: Path, rows: int, views: int, dim: int) -> FeatureShards:
    """Write shards of random numbers; all blocks hold the same, which reading does not notice."""
    block = np.random.default_rng(0).normal(size=(4096, views, dim)).astype(np.float16)
    features = np.broadcast_to(block, (-(-rows // 4096), *block.shape)).reshape(-1, views, dim)[:rows]
    lonlat = np.random.default_rng(1).uniform([-180, -90], [180, 90], (rows, 2))
    return write_features(folder, features, lonlat, tower=TOWER)


def throughput(folder: str | Path, batch_size: int, *, workers: int = 1, cold: bool = False, seed: int = 0) -> float:
    """Return photos per second over one epoch of shards, as training reads them but with nothing else to do."""
    if cold:
        drop(Path(folder))
    source = FeatureShards(folder)
    sampler = ShardSampler(source.shard, batch_size, seed)

    def load(key: tuple[int, np.ndarray]) -> np.ndarray:
        step, rows = key
        return source.take(rows, np.random.default_rng([seed, step]))

    start = time.perf_counter()
    count = 0
    with Prefetcher(load, enumerate(sampler.batches(0)), workers=workers) as batches:
        for features in batches:
            count += len(features)
    return count / (time.perf_counter() - start)


def drop(folder: Path) -> None:
    """Ask the system to forget the files' contents."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the temporary shards go; the disk to be measured")
    options = parser.parse_args()
    print(f"{options.rows:,} photos x {options.dim}, batches of {options.batch:,}, {options.workers} threads ahead\n")
    print("| views | cache | photos/s | GB/s of float16 |")
    print("| ---: | --- | ---: | ---: |")
    for views in (1, 4):
        with tempfile.TemporaryDirectory(dir=options.folder) as work:
            folder = Path(work) / "shards"
            make(folder, options.rows, views, options.dim)
            for cold in (True, False) if hasattr(os, "posix_fadvise") else (False,):
                rate = throughput(folder, options.batch, workers=options.workers, cold=cold)
                print(f"| {views} | {'cold' if cold else 'warm'} | {rate:,.0f} | {rate * options.dim * 2 / 1e9:.2f} |")


if __name__ == "__main__":
    main()
