"""Location encoders of several kinds: fixed features of a place, then a small network; float32 numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from ..errors import ModelFileError
from .features import grid_features, sphere_c_plus, spherical_harmonics, unit_vectors
from .location import LocationEncoder, check_tensors, no_heads, to_float32
from .tables import count_knots, read_table, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.floating]]
    Heads = tuple[NDArray[np.floating], NDArray[np.floating]]

__all__ = [
    "ENCODER_KINDS",
    "FeatureEncoder",
    "GridEncoder",
    "HarmonicsEncoder",
    "SphereCPlusEncoder",
    "TablesEncoder",
    "XyzEncoder",
    "open_encoder",
]

DIM = 512
#: Least and largest value of each setting, and its type.
_LIMITS = {
    "degree": (int, 1, 100),
    "scales": (int, 1, 24),
    "hidden": (int, 1, 8192),
    "layers": (int, 1, 32),
    "blocks": (int, 0, 32),
    "w0": (float, 1e-3, 1e3),
    "waves": (int, 0, 4096),
    "cells": (float, 0.05, 90.0),
    "widths": (int, 1, 256),
    "knots": (int, 0, 1 << 24),
}
#: Settings that are lists, one value a table.
_LISTS = ("cells", "widths", "knots")


class FeatureEncoder:
    """Features that are not trained, then layers that are: what every kind but GeoCLIP's own is.

    Parameters
    ----------
    record : mapping of str to object
        ``{"kind": ..., setting: value}``, as ``config.json`` of a model has it under ``"encoder"``. What it does not
        name has the value in `defaults`.
    weights : mapping of str to ndarray
        ``layers.0.weight`` (out, in), ``layers.0.bias`` (out,), ``layers.1.weight`` ..., float16 or float32.

    Attributes
    ----------
    record : dict
        All settings.
    weights : dict of str to ndarray of float32
    heads : tuple of ndarray
        Empty: a head reads GeoCLIP's hidden layers.

    Raises
    ------
    ModelFileError
        A setting is unknown or out of range, or tensors are missing, left over or of the wrong shape.
    """

    name = "numpy"
    kind = ""
    dim = DIM
    #: Points per chunk.
    chunk_size = 1024
    #: Settings and their values where a record does not name them.
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, record: Mapping[str, Any], weights: Weights) -> None:
        self.record = self.complete(record)
        check_tensors(weights, self.shapes(self.record), f"{self.kind} location encoder")
        self.weights = {name: to_float32(weights[name]) for name in sorted(weights)}
        self.heads = no_heads()
        self._layers = [
            (np.ascontiguousarray(self.weights[f"layers.{k}.weight"].T), self.weights[f"layers.{k}.bias"])
            for k in range(self.hidden_layers(self.record) + 1)
        ]

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode one chunk of checked coordinates.

        Parameters
        ----------
        lonlat : ndarray of float64, shape (N, 2)
            (lon, lat) in degrees, already checked and wrapped.

        Returns
        -------
        ndarray of float32, shape (N, 512)
            Raw vectors, not normalised.

        Examples
        --------
        >>> weights = {"layers.0.weight": np.ones((8, 3)), "layers.0.bias": np.zeros(8),
        ...            "layers.1.weight": np.ones((512, 8)), "layers.1.bias": np.zeros(512)}
        >>> encoder = open_encoder({"kind": "xyz", "hidden": 8, "blocks": 0}, weights)
        >>> encoder.encode_chunk(np.array([[0.0, 90.0]]))[0, :2].tolist()
        [8.0, 8.0]
        """
        features = np.ascontiguousarray(self.features(lonlat, self.record), dtype=np.float32)
        return np.asarray(self.network(features, self._linear, self.record), dtype=np.float32)

    def _linear(self, k: int, x: NDArray[np.float32]) -> NDArray[np.float32]:
        weight, bias = self._layers[k]
        out = x @ weight
        out += bias
        return out

    @classmethod
    def complete(cls, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with every setting.

        Parameters
        ----------
        record : mapping of str to object
            As `open_encoder` takes it.

        Returns
        -------
        dict of str to object

        Raises
        ------
        ModelFileError
            A setting is unknown, of the wrong type or out of range.

        Examples
        --------
        >>> XyzEncoder.complete({"kind": "xyz", "hidden": 64})
        {'kind': 'xyz', 'hidden': 64, 'blocks': 2}
        """
        settings = {name: value for name, value in record.items() if name != "kind"}
        if unknown := sorted(set(settings) - set(cls.defaults)):
            raise ModelFileError(
                f"encoder {cls.kind!r} has no settings {unknown}; it has {', '.join(cls.defaults) or 'none'}"
            )
        for name, value in settings.items():
            cls._check(name, value)
        found = {"kind": cls.kind, **cls.defaults, **settings}
        return {name: list(value) if name in _LISTS else value for name, value in found.items()}

    @classmethod
    def _check(cls, name: str, value: object) -> None:
        kind, low, high = _LIMITS[name]
        listed = isinstance(value, (list, tuple))
        for one in value if listed else [value]:  # type: ignore[attr-defined]
            number = isinstance(one, (int, float) if kind is float else int) and not isinstance(one, bool)
            if listed is not (name in _LISTS) or not number or not low <= one <= high:
                what = f"a list of {kind.__name__}" if name in _LISTS else kind.__name__
                raise ModelFileError(f"encoder {cls.kind!r}: {name} must be {what}, {low:g} to {high:g}; got {value!r}")

    @classmethod
    def shapes(cls, record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor.

        Parameters
        ----------
        record : mapping of str to object
            Complete.

        Returns
        -------
        dict of str to tuple of int

        Examples
        --------
        >>> XyzEncoder.shapes({"hidden": 64, "blocks": 0})["layers.1.weight"]
        (512, 64)
        """
        return cls._layer_shapes(cls.features(np.zeros((1, 2)), record).shape[1], record)

    @classmethod
    def _layer_shapes(cls, width: int, record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shape of every layer's weight and bias, where the first reads so many numbers."""
        widths = [width, *[record["hidden"]] * cls.hidden_layers(record), cls.dim]
        shapes: dict[str, tuple[int, ...]] = {}
        for k, (into, out) in enumerate(zip(widths[:-1], widths[1:])):
            shapes[f"layers.{k}.weight"] = (out, into)
            shapes[f"layers.{k}.bias"] = (out,)
        return shapes

    @classmethod
    def hidden_layers(cls, record: Mapping[str, Any]) -> int:
        """Return how many layers there are before the last.

        Parameters
        ----------
        record : mapping of str to object
            Complete.

        Returns
        -------
        int

        Examples
        --------
        >>> XyzEncoder.hidden_layers({"blocks": 2}), HarmonicsEncoder.hidden_layers({"layers": 2})
        (5, 2)
        """
        return 1 + 2 * int(record["blocks"])

    @staticmethod
    def features(lonlat: Any, record: Mapping[str, Any], xp: Any = np) -> Any:
        """Return the features of places.

        Parameters
        ----------
        lonlat : ndarray or torch.Tensor of float64, shape (N, 2)
            (lon, lat) in degrees, EPSG:4326.
        record : mapping of str to object
            Complete.
        xp : module, default numpy
            ``numpy`` or ``torch``.

        Returns
        -------
        ndarray or torch.Tensor of float64, shape (N, F)

        Examples
        --------
        >>> GridEncoder.features(np.array([[31.2, 30.0]]), {"scales": 10}).shape
        (1, 40)
        """
        raise NotImplementedError

    @classmethod
    def network(cls, x: Any, linear: Callable[[int, Any], Any], record: Mapping[str, Any], xp: Any = np) -> Any:
        """Take features through a residual network: Mac Aodha et al. 2019 (arXiv 1906.05272), without dropout.

        Parameters
        ----------
        x : ndarray or torch.Tensor of float32, shape (N, F)
            Features.
        linear : callable
            ``linear(k, x)`` is layer k of x.
        record : mapping of str to object
            Complete.
        xp : module, default numpy
            ``numpy`` or ``torch``.

        Returns
        -------
        ndarray or torch.Tensor, shape (N, 512)

        Notes
        -----
        ``h = relu(W0 x)``, then for each block ``h = h + relu(Wb relu(Wa h))``, then a linear layer.

        Examples
        --------
        >>> XyzEncoder.network(np.array([[-2.0, 3.0]]), lambda k, x: 2.0 * x, {"blocks": 1})
        array([[ 0., 60.]])
        """
        hidden = linear(0, x).clip(0)
        for k in range(record["blocks"]):
            hidden = hidden + linear(2 * k + 2, linear(2 * k + 1, hidden).clip(0)).clip(0)
        return linear(2 * record["blocks"] + 1, hidden)


class HarmonicsEncoder(FeatureEncoder):
    """Kind ``sh-siren``: spherical harmonics, then a network of sines; no seam and no pole.

    Settings: ``degree`` (L, so L * L harmonics), ``hidden``, ``layers`` (of sines), ``w0`` (of the first).

    Notes
    -----
    Russwurm et al. 2024 (arXiv 2310.06743), as in SatCLIP (Klemmer et al. 2025, arXiv 2311.17179):
    ``h1 = sin(w0 (W1 y + b1))``, ``h2 = sin(W2 h1 + b2)``, ..., then a linear layer, y being the harmonics. The sines
    are those of SIREN (Sitzmann et al. 2020, arXiv 2006.09661).
    """

    kind = "sh-siren"
    defaults: ClassVar[dict[str, Any]] = {"degree": 40, "hidden": 512, "layers": 2, "w0": 30.0}

    @classmethod
    def hidden_layers(cls, record: Mapping[str, Any]) -> int:
        """Return how many layers of sines there are."""
        return int(record["layers"])

    @staticmethod
    def features(lonlat: Any, record: Mapping[str, Any], xp: Any = np) -> Any:
        """Return `spherical_harmonics`, shape (N, L * L)."""
        return spherical_harmonics(lonlat, record["degree"], xp)

    @classmethod
    def network(cls, x: Any, linear: Callable[[int, Any], Any], record: Mapping[str, Any], xp: Any = np) -> Any:
        """Take harmonics through layers of sines and a linear one, to shape (N, 512)."""
        for k in range(record["layers"]):
            x = xp.sin((record["w0"] if k == 0 else 1.0) * linear(k, x))
        return linear(record["layers"], x)


class SphereCPlusEncoder(FeatureEncoder):
    """Kind ``spherec+``: features of Sphere2Vec's sphereC+, then a residual network.

    Settings: ``scales``, ``hidden``, ``blocks``. No seam at the antimeridian; the poles are discontinuous, as in the
    paper (see `geoconcept_gis.encoder.features.sphere_c_plus`).
    """

    kind = "spherec+"
    defaults: ClassVar[dict[str, Any]] = {"scales": 10, "hidden": 512, "blocks": 2}

    @staticmethod
    def features(lonlat: Any, record: Mapping[str, Any], xp: Any = np) -> Any:
        """Return `sphere_c_plus`, shape (N, 6 S)."""
        return sphere_c_plus(lonlat, record["scales"], xp)


class GridEncoder(FeatureEncoder):
    """Kind ``grid``: sines and cosines of longitude and latitude at several scales, then a residual network.

    Settings: ``scales``, ``hidden``, ``blocks``. A control that knows nothing of the sphere: no seam at the
    antimeridian, but the poles are discontinuous (see `geoconcept_gis.encoder.features.grid_features`).
    """

    kind = "grid"
    defaults: ClassVar[dict[str, Any]] = {"scales": 10, "hidden": 512, "blocks": 2}

    @staticmethod
    def features(lonlat: Any, record: Mapping[str, Any], xp: Any = np) -> Any:
        """Return `grid_features`, shape (N, 4 S)."""
        return grid_features(lonlat, record["scales"], xp)


class XyzEncoder(FeatureEncoder):
    """Kind ``xyz``: the point of the unit sphere, then a residual network; no seam and no pole.

    Settings: ``hidden``, ``blocks``. A control with no fine scale at all.
    """

    kind = "xyz"
    defaults: ClassVar[dict[str, Any]] = {"hidden": 512, "blocks": 2}

    @staticmethod
    def features(lonlat: Any, record: Mapping[str, Any], xp: Any = np) -> Any:
        """Return `unit_vectors`, shape (N, 3)."""
        return unit_vectors(lonlat, xp)


class TablesEncoder(FeatureEncoder):
    """Kind ``tables``: numbers read from tables on the sphere, coarse to fine, and waves, then a residual network.

    Settings: ``cells`` (spacing of each table in degrees), ``widths`` (numbers a knot of each), ``knots`` (how many
    knots of the grid each has; 0 means all), ``waves``, ``hidden``, ``blocks``. No seam and no pole.

    Notes
    -----
    Multi-resolution tables as in Mueller et al. 2022 (arXiv 2201.05989), on the grids of
    `geoconcept_gis.encoder.tables.corners`; where they hash, fine tables here have the knots around places that matter,
    and one row for all others. Waves are Fourier features (Tancik et al. 2020, arXiv 2006.10739) of the point of the
    unit sphere: ``sin(B p), cos(B p)``. Tensor ``waves`` (F, 3) is B, in radians; ``tables.0`` ... are the tables;
    ``masks.k`` says which knots table k has, see `geoconcept_gis.encoder.tables.pack_knots`.
    """

    kind = "tables"
    defaults: ClassVar[dict[str, Any]] = {
        "cells": (8.0, 4.0, 2.0, 1.0, 0.5),
        "widths": (32, 32, 32, 24, 8),
        "knots": (0, 0, 0, 0, 0),
        "waves": 64,
        "hidden": 384,
        "blocks": 1,
    }

    def __init__(self, record: Mapping[str, Any], weights: Weights) -> None:
        masks = {name: np.asarray(array) for name, array in weights.items() if name.startswith("masks.")}
        super().__init__(record, {name: array for name, array in weights.items() if name not in masks})
        self._rows = [
            take_rows(masks, k, degrees, count)
            for k, (degrees, count) in enumerate(zip(self.record["cells"], self.record["knots"]))
        ]
        if masks:
            raise ModelFileError(
                f"encoder {self.kind!r}: {', '.join(sorted(masks))} belong to no table with fewer knots"
            )

    def encode_chunk(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Encode one chunk of checked coordinates, (N, 2) to (N, 512)."""
        record, point = self.record, unit_vectors(lonlat)
        features = np.empty((len(lonlat), self.width(record)), dtype=np.float32)
        features[:, :3] = point
        end = 3 + 2 * record["waves"]
        angle = point.astype(np.float32) @ self.weights["waves"].T
        np.sin(angle, out=features[:, 3 : 3 + record["waves"]])
        np.cos(angle, out=features[:, 3 + record["waves"] : end])
        for k, (degrees, width) in enumerate(zip(record["cells"], record["widths"])):
            read_table(self.weights[f"tables.{k}"], lonlat, degrees, features[:, end : end + width], self._rows[k])
            end += width
        return np.asarray(self.network(features, self._linear, record), dtype=np.float32)

    @classmethod
    def complete(cls, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with every setting; each list has one value a table."""
        found = super().complete(record)
        if "knots" not in record:
            found["knots"] = [0] * len(found["cells"])
        if len({len(found[name]) for name in _LISTS}) > 1:
            counts = ", ".join(f"{name} has {len(found[name])}" for name in _LISTS)
            raise ModelFileError(f"encoder {cls.kind!r}: each list needs one value a table; {counts}")
        return found

    @staticmethod
    def width(record: Mapping[str, Any]) -> int:
        """Return how many numbers the network reads."""
        return int(3 + 2 * record["waves"] + sum(record["widths"]))

    @classmethod
    def shapes(cls, record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor: waves, tables, layers."""
        shapes: dict[str, tuple[int, ...]] = {"waves": (record["waves"], 3)}
        for k, (degrees, width, count) in enumerate(zip(record["cells"], record["widths"], record["knots"])):
            shapes[f"tables.{k}"] = (count + 1 if count else count_knots(degrees), width)
        return {**shapes, **cls._layer_shapes(cls.width(record), record)}


AnyEncoder = Union[LocationEncoder, FeatureEncoder]
#: The class of each kind; ``capsules`` is GeoCLIP's own.
ENCODER_KINDS: dict[str, type[Any]] = {
    one.kind: one
    for one in (LocationEncoder, HarmonicsEncoder, SphereCPlusEncoder, XyzEncoder, GridEncoder, TablesEncoder)
}


def open_encoder(record: Mapping[str, Any] | None, weights: Weights, heads: Heads | None = None) -> AnyEncoder:
    """Make the location encoder that a record and its weights describe.

    Parameters
    ----------
    record : mapping of str to object, or None
        ``"encoder"`` of a model's ``config.json``: ``{"kind": ...}`` and the settings of that kind. None means
        ``capsules``, whose settings (``sigmas``, how its phases were drawn) are in its weights already.
    weights : mapping of str to ndarray
        Its tensors.
    heads : tuple of ndarray, optional
        As in `LocationEncoder`, for ``capsules`` alone.

    Returns
    -------
    LocationEncoder or FeatureEncoder

    Raises
    ------
    ModelFileError
        The kind or a setting is unknown, the tensors do not fit, or heads are given to an encoder that has none.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> open_encoder(None, load_model().encoder.weights).kind
    'capsules'
    """
    kind = kind_of(record)
    if kind is LocationEncoder:
        return LocationEncoder(weights, heads, record)
    if heads is not None:
        raise ModelFileError(
            f"the concept bank has heads, which read GeoCLIP's hidden layers; the encoder is {kind.kind!r}: a bank for "
            "it is made without (geoconcept_gis.bank.carry.carry_bank)"
        )
    opened: FeatureEncoder = kind(record, weights)
    return opened


def kind_of(record: Mapping[str, Any] | None) -> type[Any]:
    """Return the class that a record names."""
    if record is not None and not isinstance(record, Mapping):
        raise ModelFileError(f"the record of an encoder must be an object; got {record!r}")
    name = "capsules" if record is None else record.get("kind")
    if name not in ENCODER_KINDS:
        raise ModelFileError(f"no encoder kind {name!r}; there are {', '.join(ENCODER_KINDS)}")
    return ENCODER_KINDS[name]
