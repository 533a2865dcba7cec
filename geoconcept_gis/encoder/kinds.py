"""Location encoders of several kinds: fixed features of a place, then a small network; float32 numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from ..errors import ModelFileError
from .details import detail_shapes, details_of
from .feature_encoder import LISTS, FeatureEncoder
from .features import grid_features, sphere_c_plus, spherical_harmonics, unit_vectors
from .location import LocationEncoder
from .tables import corners, count_knots, nearness, read_table, take_rows

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
    jumps = True
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
    jumps = True
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
    knots of the grid each has; 0 means all), ``waves``, ``hidden``, ``blocks``, ``details`` (waves of the fixed random
    features of `geoconcept_gis.encoder.details`, which are added near the knots of the last table; 0 means none). No
    seam and no pole.

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
        "details": 0,
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

    def inputs(self, lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return place, waves and what the tables say, (N, 2) to (N, F)."""
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
        return features

    def finish(self, out: NDArray[np.float32], lonlat: NDArray[np.float64]) -> NDArray[np.float32]:
        """Add the details, near the knots of the last table: elsewhere there is nothing to tell apart."""
        if self.record["details"]:
            share = self._share_of_details(lonlat)
            near = np.flatnonzero(share)
            added = details_of(self.weights, unit_vectors(lonlat[near]))
            added *= share[near, None].astype(np.float32)
            out[near, : added.shape[1]] += added
        return out

    def _share_of_details(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self._rows or self._rows[-1] is None:  # a table of all knots is near everywhere
            return np.ones(len(lonlat))
        indices, weights = corners(lonlat, self.record["cells"][-1])
        return np.asarray(nearness(self._rows[-1][indices], weights))

    @classmethod
    def complete(cls, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with every setting; each list has one value a table."""
        found = super().complete(record)
        if "knots" not in record:
            found["knots"] = [0] * len(found["cells"])
        if len({len(found[name]) for name in LISTS}) > 1:
            counts = ", ".join(f"{name} has {len(found[name])}" for name in LISTS)
            raise ModelFileError(f"encoder {cls.kind!r}: each list needs one value a table; {counts}")
        return found

    @staticmethod
    def width(record: Mapping[str, Any]) -> int:
        """Return how many numbers the network reads."""
        return int(3 + 2 * record["waves"] + sum(record["widths"]))

    @classmethod
    def shapes(cls, record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor: waves, tables, layers, details."""
        shapes: dict[str, tuple[int, ...]] = {"waves": (record["waves"], 3)}
        for k, (degrees, width, count) in enumerate(zip(record["cells"], record["widths"], record["knots"])):
            shapes[f"tables.{k}"] = (count + 1 if count else count_knots(degrees), width)
        return {**shapes, **cls._layer_shapes(cls.width(record), record), **detail_shapes(record["details"], cls.dim)}


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
