"""Train models of your own: image head, location encoder and the concept-aware alignment between them.

Needs the ``train`` extra. Everything is loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import TrainConfig, read_config
    from .features import cache_features
    from .job import split
    from .loop import Fitted, fit
    from .run import train
    from .shards import FeatureShards, write_features
    from .sources import Source, open_source

_HOMES = {
    "FeatureShards": "shards",
    "Fitted": "loop",
    "Source": "sources",
    "TrainConfig": "config",
    "cache_features": "features",
    "fit": "loop",
    "open_source": "sources",
    "read_config": "config",
    "split": "job",
    "train": "run",
    "write_features": "shards",
}

__all__ = [
    "FeatureShards",
    "Fitted",
    "Source",
    "TrainConfig",
    "cache_features",
    "fit",
    "open_source",
    "read_config",
    "split",
    "train",
    "write_features",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
