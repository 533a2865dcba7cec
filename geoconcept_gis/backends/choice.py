"""Which backend runs: the one asked for, or the fastest that is exact enough."""

from __future__ import annotations

import importlib
import importlib.util
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import numpy as np

from ..encoder import FeatureEncoder, LocationEncoder
from ..errors import BackendError, MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..encoder.kinds import AnyEncoder

__all__ = [
    "AUTO_MIN_COSINE",
    "AUTO_MIN_POINTS",
    "BACKENDS",
    "Backend",
    "BackendChoice",
    "Trial",
    "available",
]

#: Smaller jobs stay on numpy under ``"auto"``: importing torch and racing costs seconds.
AUTO_MIN_POINTS = 50_000
#: Smallest cosine with numpy, over the probe points, that ``"auto"`` accepts.
AUTO_MIN_COSINE = 0.9999
# A backend asked for by name may be less exact, but not broken (8-bit products overflow on some old CPUs).
_SOUND_COSINE = 0.999
_PROBES = 512
_ROUNDS = 2


class Backend(Protocol):
    """What every backend offers."""

    name: str
    chunk_size: int

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode one chunk.

        Parameters
        ----------
        lonlat : ndarray of float64, shape (N, 2)
            (lon, lat) in degrees, as `geoconcept_gis.coordinates.check_lonlat` returns them.

        Returns
        -------
        ndarray of float32, shape (N, 512 + H)
            The vectors, and after them the values of the encoder's H heads.

        Examples
        --------
        >>> import numpy as np
        >>> from geoconcept_gis import load_model
        >>> load_model().encoder.encode_chunk(np.array([[31.2, 30.0]])).shape[0]
        1
        """
        ...


class _Route(NamedTuple):
    """Where a backend lives and what it needs."""

    home: str
    extra: str
    packages: tuple[str, ...]


_ROUTES = {
    "torch": _Route("torch_backend.TorchBackend", "torch", ("torch",)),
    "torch-bf16": _Route("torch_backend.TorchBf16Backend", "torch", ("torch",)),
    "torch-cuda": _Route("torch_backend.TorchCudaBackend", "torch", ("torch",)),
    "onnx": _Route("onnx_backend.OnnxBackend", "onnx", ("onnx", "onnxruntime")),
    "onnx-int8": _Route("onnx_backend.OnnxInt8Backend", "onnx", ("onnx", "onnxruntime")),
}
#: Where backends live that run encoders of the other kinds.
_OTHER_KINDS = {
    "torch": "twin_backend.TorchTwin",
    "torch-bf16": "twin_backend.TorchBf16Twin",
    "torch-cuda": "twin_backend.TorchCudaTwin",
    "onnx": "onnx_twin.OnnxTwin",
    "onnx-int8": "onnx_twin.OnnxInt8Twin",
}
#: GeoCLIP's capsules fail the race with it; other kinds may not, and must not differ from chunk to chunk unasked.
_BY_NAME_ALONE = ("onnx-int8",)
#: Every backend by name; numpy, the reference, is always there.
BACKENDS = ("numpy", *_ROUTES)


class Trial(NamedTuple):
    """One line of the race: how a backend did, and why it was kept or not."""

    name: str
    points_per_s: float
    min_cosine: float
    verdict: str


def available() -> dict[str, bool]:
    """Say which backends have their packages installed, without importing any.

    Returns
    -------
    dict of str to bool
        Whether a GPU is there shows only when ``torch-cuda`` starts.

    Examples
    --------
    >>> available()["numpy"]
    True
    """
    return {name: name == "numpy" or not _missing(name) for name in BACKENDS}


class BackendChoice:
    """The backend asked for, or the fastest exact-enough one, found with the first large job.

    Parameters
    ----------
    encoder : LocationEncoder or FeatureEncoder
        The numpy reference.
    name : str, default "auto"
        One of `BACKENDS`, or ``"auto"``: jobs below `AUTO_MIN_POINTS` run on numpy, always, so that their result
        never depends on what ran before; with the first larger job the installed backends race on the same
        points, those whose smallest cosine with numpy is below `AUTO_MIN_COSINE` drop out, and the
        fastest serves this and all later large jobs.

    Attributes
    ----------
    report : list of Trial
        The race, in the order run; empty before it and for a backend asked for by name.

    Raises
    ------
    BackendError
        The backend is unknown, cannot run here, or disagrees with numpy on this machine.
    MissingDependencyError
        Its packages are not installed; the message names the extra.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> choice = BackendChoice(load_model().encoder)
    >>> choice.pick(100).name
    'numpy'
    """

    def __init__(self, encoder: AnyEncoder, name: str = "auto") -> None:
        self._encoder, self._asked = encoder, name
        self.report: list[Trial] = []
        self._fastest: Backend | None = None
        self._backend: Backend = encoder
        if name != "auto":
            self._backend = _make(name, encoder)
            _refuse_broken(self._backend, encoder)

    def __reduce__(self) -> tuple[type[BackendChoice], tuple[AnyEncoder, str]]:
        # Sessions and packed weights cannot travel between processes; each makes its own.
        return BackendChoice, (self._encoder, self._asked)

    @property
    def asked(self) -> str:
        """Name that was asked for, ``"auto"`` included."""
        return self._asked

    @property
    def name(self) -> str:
        """Name of the backend in use."""
        return self._backend.name

    def pick(self, total: int) -> Backend:
        """Return the backend for a job.

        Parameters
        ----------
        total : int
            Points in the whole job, all its parts together.

        Returns
        -------
        Backend

        Examples
        --------
        >>> from geoconcept_gis import load_model
        >>> BackendChoice(load_model().encoder, "numpy").pick(10_000_000).name
        'numpy'
        """
        if self._asked == "auto":
            self._backend = self._encoder if total < AUTO_MIN_POINTS else self._winner()
        return self._backend

    def _winner(self) -> Backend:
        if self._fastest is None:
            self._fastest, self.report = _race(self._encoder)
        return self._fastest


def _missing(name: str) -> list[str]:
    return [package for package in _ROUTES[name].packages if importlib.util.find_spec(package) is None]


def _make(name: str, encoder: AnyEncoder) -> Backend:
    """Build a backend, or say what keeps it from running."""
    if name == "numpy":
        return encoder
    if name not in _ROUTES:
        raise BackendError(f"no backend {name!r}; choose from {', '.join(('auto', *BACKENDS))}")
    route, home = _ROUTES[name], _home(name, encoder)
    if missing := _missing(name):
        raise MissingDependencyError(
            f"backend {name!r} needs {' and '.join(missing)}, not installed here: "
            f'pip install "geoconcept-gis[{route.extra}]"'
        )
    module, kind = home.split(".")
    try:
        return cast("Backend", getattr(importlib.import_module(f".{module}", __package__), kind)(encoder))
    except (ImportError, OSError) as error:
        raise BackendError(f"backend {name!r}: {' and '.join(route.packages)} cannot be loaded: {error}") from error


def _home(name: str, encoder: AnyEncoder) -> str:
    """Return where the backend lives that runs this kind of encoder."""
    return _OTHER_KINDS[name] if isinstance(encoder, FeatureEncoder) else _ROUTES[name].home


def _refuse_broken(backend: Backend, encoder: AnyEncoder) -> None:
    probes = _spread(64)
    lowest = _min_cosine(backend.encode_chunk(probes), encoder.encode_chunk(probes))
    if not lowest >= _SOUND_COSINE:
        raise BackendError(
            f"backend {backend.name!r} disagrees with the numpy reference on this machine (smallest cosine "
            f"{lowest:.4f} over {len(probes)} places, {_SOUND_COSINE} wanted); choose another or 'auto'"
        )


def _race(encoder: AnyEncoder) -> tuple[Backend, list[Trial]]:
    """Run every installed backend on the same places; never fails, for numpy always finishes."""
    probes = _spread(_PROBES)
    reference, best_rate = _time(encoder, probes)
    best: Backend = encoder
    trials = [Trial("numpy", best_rate, 1.0, "slower")]
    for name in _ROUTES:
        if name in _BY_NAME_ALONE and isinstance(encoder, FeatureEncoder):
            trials.append(Trial(name, np.nan, np.nan, "skipped: taken only by name, for vectors depend on the chunk"))
            continue
        try:
            rival = _make(name, encoder)
            vectors, rate = _time(rival, probes)
        except Exception as error:
            reason = (str(error).splitlines() or [""])[0]
            trials.append(Trial(name, np.nan, np.nan, f"skipped: {type(error).__name__}: {reason}"))
            continue
        lowest = _min_cosine(vectors, reference)
        exact = lowest >= AUTO_MIN_COSINE
        trials.append(Trial(name, rate, lowest, "slower" if exact else f"dropped: cosine below {AUTO_MIN_COSINE}"))
        if exact and rate > best_rate:
            best, best_rate = rival, rate
    return best, [trial._replace(verdict="kept") if trial.name == best.name else trial for trial in trials]


def _time(backend: Backend, probes: NDArray[np.float64]) -> tuple[NDArray[np.float32], float]:
    """Return the vectors of a first, untimed run and the points per second of the best later one."""
    vectors = backend.encode_chunk(probes)
    seconds = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        backend.encode_chunk(probes)
        seconds.append(time.perf_counter() - start)
    return vectors, len(probes) / max(min(seconds), 1e-9)


def _spread(count: int) -> NDArray[np.float64]:
    """Return places spread evenly over the sphere: a Fibonacci lattice."""
    k = np.arange(count) + 0.5
    lon = (k * 180.0 * (3.0 - np.sqrt(5.0))) % 360.0 - 180.0
    return np.stack([lon, np.degrees(np.arcsin(1.0 - 2.0 * k / count))], axis=1)


def _min_cosine(vectors: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    a, b = (array[:, : LocationEncoder.dim].astype(np.float64) for array in (vectors, reference))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / norms).min())
