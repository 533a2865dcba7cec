# SPDX-License-Identifier: GPL-2.0-or-later
"""Gives the encoder back its fast matrix products where QGIS has taken them away.

On Linux the programs of QGIS are linked against GSL, whose plain ``cblas_sgemm`` comes before OpenBLAS's when numpy
asks for that name: products take 25 times as long as in Python itself (68 ms, not 2.7, for 512 x 512 on Debian 12).
OpenBLAS is in memory all the same, so it can be called by its own address.

Its threads wait for each other, and beside other work on the same cores they wait long: a tenth of the speed was
measured. The products of small encoders gain nothing from them, so these stay on the thread that asks.
"""

import ctypes
import sys
import threading
import time
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

__all__ = ["Matrix", "one_thread", "product_seconds", "speed_up"]

#: Seconds that a product of two 512 x 512 matrices takes at most where numpy is well served.
_FAST = 0.02
_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # cblas.h
_MAPS = Path("/proc/self/maps")
_lock = threading.Lock()
#: How many products run on one thread now, and how many threads there were before the first of them.
_alone = {"count": 0, "before": 0}


class Matrix(np.ndarray):
    """A float32 matrix that multiplies through OpenBLAS when it stands on the right: ``x @ matrix``."""

    def __rmatmul__(self, left):
        """Return ``left @ self`` as a plain array."""
        left = np.ascontiguousarray(left, dtype=np.float32)
        right, turned = (self.T, True) if self.flags.f_contiguous and not self.flags.c_contiguous else (self, False)
        right = np.ascontiguousarray(right).view(np.ndarray)
        out = np.empty((len(left), self.shape[1]), dtype=np.float32)
        if out.size:
            _sgemm()(
                _ROWS, _PLAIN, _TRANSPOSED if turned else _PLAIN, len(left), self.shape[1], left.shape[1],
                1.0, left.ctypes.data, left.shape[1], right.ctypes.data, right.shape[1],
                0.0, out.ctypes.data, self.shape[1],
            )  # fmt: skip
        return out


def speed_up(encoder):
    """Have an encoder multiply through OpenBLAS, where that is there and numpy is slow.

    Parameters
    ----------
    encoder : LocationEncoder or FeatureEncoder
        Of the core.

    Returns
    -------
    bool
        Whether its products go through OpenBLAS now.
    """
    if encoder.kind != "capsules":
        _stay(encoder)
    if product_seconds() < _FAST or _sgemm() is None:
        return False
    if encoder.kind == "capsules":
        encoder._capsules = [(phases, _quick(layers)) for phases, layers in encoder._capsules]
        weights, biases = encoder.heads
        encoder.heads = weights.view(Matrix), biases
    else:
        encoder._layers = _quick(encoder._layers)
        details = [name for name in encoder.weights if name.startswith("details.") and name.endswith(".weight")]
        encoder.weights.update({name: encoder.weights[name].view(Matrix) for name in details})
    return True


def _stay(encoder):
    """Have an encoder keep its products on the thread that asks for them."""
    encode = encoder.encode_chunk

    def encode_chunk(lonlat):
        with one_thread():
            return encode(lonlat)

    encoder.encode_chunk = encode_chunk


@contextmanager
def one_thread():
    """Keep OpenBLAS's products on the threads that ask for them, until the last one that wants so is done."""
    library = _openblas()
    if library is None:
        yield
        return
    with _lock:
        if not _alone["count"]:
            _alone["before"] = library.openblas_get_num_threads()
            library.openblas_set_num_threads(1)
        _alone["count"] += 1
    try:
        yield
    finally:
        with _lock:
            _alone["count"] -= 1
            if not _alone["count"]:
                library.openblas_set_num_threads(_alone["before"])


def _quick(layers):
    return [(weight.view(Matrix), bias) for weight, bias in layers]


def product_seconds():
    """Return the seconds that numpy takes for a product of two 512 x 512 matrices, at best of three."""
    square, took = np.ones((512, 512), np.float32), []
    for _ in range(3):
        begun = time.perf_counter()
        square @ square
        took.append(time.perf_counter() - begun)
    return min(took)


@lru_cache(maxsize=1)
def _openblas():
    """Return the OpenBLAS in memory, or None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        loaded = {line.split()[-1] for line in _MAPS.read_text("utf-8", "replace").splitlines() if "/" in line}
    except OSError:
        return None
    for path in sorted(one for one in loaded if Path(one).name.startswith("libopenblas") and "64_" not in one):
        try:
            library = ctypes.CDLL(path)  # what is looked up in it is its own, not the whole program's
            library.cblas_sgemm, library.openblas_get_num_threads, library.openblas_set_num_threads  # noqa: B018
        except (OSError, AttributeError):
            continue
        return library
    return None


@lru_cache(maxsize=1)
def _sgemm():
    """Return OpenBLAS's own product, or None where it is not in memory."""
    library = _openblas()
    if library is None:
        return None
    product = library.cblas_sgemm
    whole, address = ctypes.c_int, ctypes.c_void_p
    product.restype = None
    product.argtypes = [
        *[whole] * 6, ctypes.c_float, address, whole, address, whole, ctypes.c_float, address, whole
    ]  # fmt: skip
    return product
