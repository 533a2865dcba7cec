# SPDX-License-Identifier: GPL-2.0-or-later
"""What a report of a problem needs: versions, speed, the model's checksum. Made in a thread."""

import platform
import sys
import time

import numpy as np
from osgeo import gdal
from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_VERSION_STR

from .. import service
from ..blas import product_seconds
from ..core._version import __version__
from ..core.errors import GeoConceptError

__all__ = ["cache_bytes", "clear_cache", "diagnostics"]

#: Places a second below which something is wrong with the machine's BLAS.
_SLOW = 1000.0


def diagnostics(engine=""):
    """Return the facts, one a line; `engine` is what is known about the photo engine."""
    speed = f"512 x 512 product in {1000.0 * product_seconds():.1f} ms"
    try:
        model = service.model()
        places = _rate(model)
        hint = " (slow: on Debian and Ubuntu install libopenblas0-pthread)" if places < _SLOW else ""
        sha, rate = f"{model.name} {model.sha256}", f"{places:,.0f} places/s{hint}"
    except (GeoConceptError, OSError) as error:
        sha, rate = f"cannot be read: {error}", "-"
    facts = {
        "GeoConcept": __version__,
        "QGIS": Qgis.QGIS_VERSION,
        "Qt": QT_VERSION_STR,
        "Python": sys.version.split()[0],
        "numpy": np.__version__,
        "GDAL": gdal.__version__,
        "platform": platform.platform(),
        "numpy's BLAS": speed,
        "encoder": rate,
        "model": sha,
        "cache": f"{cache_bytes():,} bytes",
        "engine": engine or "not looked for",
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items())


def _rate(model):
    places = np.stack([np.linspace(-20.0, 50.0, 1024), np.linspace(-30.0, 60.0, 1024)], axis=1)
    model.encoder.encode_chunk(places[:64])
    begun = time.perf_counter()
    model.encoder.encode_chunk(places)
    return len(places) / (time.perf_counter() - begun)


def _cached():
    folder = service.cache_folder()
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def cache_bytes():
    """Return the size of what is kept."""
    return sum(path.stat().st_size for path in _cached())


def clear_cache():
    """Delete what is kept; return how many bytes that was.

    Raises
    ------
    OSError
        A file cannot be deleted.
    """
    size = cache_bytes()
    for path in _cached():
        path.unlink()
    return size
