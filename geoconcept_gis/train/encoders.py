"""Torch twins of the numpy location encoders: the same tensor names, the same numbers, and they can be trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..encoder import LocationEncoder
from ..encoder.details import details_of, draw_details
from ..encoder.features import unit_vectors
from ..encoder.kinds import HarmonicsEncoder, TablesEncoder, kind_of
from ..encoder.location import HIDDEN
from ..encoder.projection import A1, A2, A3, A4, SCALE
from ..encoder.tables import corners, count_knots, nearness, pack_knots, rows_of_knots
from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from ..encoder.kinds import AnyEncoder

__all__ = ["from_numpy", "make_encoder", "to_numpy"]

#: Spread of GeoCLIP's three phase matrices (arXiv 2309.16020, section 3.1): coarse to fine.
GEOCLIP_SIGMAS = (1.0, 16.0, 256.0)
_PHASES = 256


class _Twin(nn.Module):
    """What all twins share.

    Attributes
    ----------
    record : dict
        ``{"kind": ..., setting: value}``, as a model's ``config.json`` has it.
    dim : int
        512.
    """

    dim = LocationEncoder.dim

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__()
        self.record = record


class FeatureTwin(_Twin):
    """Twin of `geoconcept_gis.encoder.FeatureEncoder`, of any kind: its features and network, with trained layers."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._kind = kind_of(record)
        super().__init__(self._kind.complete(record))
        shapes = self._kind.shapes(self.record)
        sizes = [shapes[f"layers.{k}.weight"] for k in range(self._kind.hidden_layers(self.record) + 1)]
        self.layers = nn.ModuleList(nn.Linear(into, out) for out, into in sizes)
        if self._kind is HarmonicsEncoder:
            _siren_init(self.layers, self.record["w0"])

    def forward(self, lonlat: Tensor) -> Tensor:
        """Return vectors (N, 512) of places (N, 2): (lon, lat) in degrees, float64."""
        with torch.no_grad():
            features = self._kind.features(_checked(lonlat), self.record, torch).float()
        return self._kind.network(features, self._linear, self.record, torch)

    def _linear(self, k: int, x: Tensor) -> Tensor:
        if k > 0 or self._kind is not HarmonicsEncoder:
            return self.layers[k](x)
        # w0 makes phases of what the first layer returns: no short format may touch them.
        with torch.autocast(x.device.type, enabled=False):
            return self.layers[k](x.float())


#: Spread of the numbers of details, where that of all numbers is 1.
DETAILS = 0.17


def _put(module: nn.Module, name: str, tensor: Tensor) -> None:
    """Keep a tensor that is not trained under a name with dots."""
    *path, last = name.split(".")
    for part in path:
        if not hasattr(module, part):
            module.add_module(part, nn.Module())
        module = getattr(module, part)
    module.register_buffer(last, tensor)


class TablesTwin(FeatureTwin):
    """Twin of `geoconcept_gis.encoder.kinds.TablesEncoder`: tables and layers are trained.

    Waves, masks and details are not. Its numbers are meant to have a spread of some 1, details of ``DETAILS``.
    """

    waves: Tensor

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__(record)
        shapes = TablesEncoder.shapes(self.record)
        self.register_buffer("waves", _draw_waves(shapes["waves"][0]))
        sizes = (shapes[f"tables.{k}"] for k in range(len(self.record["cells"])))
        self.tables = nn.ParameterList(nn.Parameter(0.2 * torch.randn(size)) for size in sizes)
        self.masks = nn.Module()  # holds buffers "0", "1", ..., for tables that have not all knots
        for k, (degrees, count) in enumerate(zip(self.record["cells"], self.record["knots"], strict=True)):
            if count:
                self.masks.register_buffer(str(k), torch.zeros(-(-count_knots(degrees) // 8), dtype=torch.uint8))
        seed = int(torch.randint(2**31, ()))  # of torch's state, as all that is drawn here
        drawn = draw_details(self.record["details"], self.dim, DETAILS, np.random.default_rng(seed))
        self.details = nn.Module()
        for name, tensor in drawn.items():
            _put(self.details, name.removeprefix("details."), torch.from_numpy(tensor))
        self._rows: dict[int, Tensor] = {}

    def choose_knots(self, lonlat: NDArray[np.float64]) -> None:
        """Give every table that has not all knots those with the most places around them."""
        for k, (degrees, count) in enumerate(zip(self.record["cells"], self.record["knots"], strict=True)):
            if count:
                often = np.bincount(corners(lonlat, degrees)[0].ravel(), minlength=count_knots(degrees))
                knots = np.argsort(-often, kind="stable")[:count]
                getattr(self.masks, str(k)).copy_(torch.from_numpy(pack_knots(knots, degrees)))
        self._rows.clear()

    def forward(self, lonlat: Tensor) -> Tensor:
        """Return vectors (N, 512) of places (N, 2): (lon, lat) in degrees, float64."""
        places = _checked(lonlat)
        with torch.no_grad(), torch.autocast(places.device.type, enabled=False):
            point = unit_vectors(places, torch)
            angle = point.float() @ self.waves.T
            found = [self._corners(k, places) for k in range(len(self.tables))]
        read = [
            nn.functional.embedding_bag(indices, table, per_sample_weights=weights, mode="sum")
            for (indices, weights), table in zip(found, self.tables, strict=True)
        ]
        features = torch.cat([point.float(), angle.sin(), angle.cos(), *read], 1)
        out = self._kind.network(features, self._linear, self.record, torch)
        if not self.record["details"]:
            return out
        with torch.no_grad():
            details = details_of({f"details.{n}": b for n, b in self.details.named_buffers()}, point, torch)
            if any(self.record["knots"][-1:]):
                details *= nearness(*(one.T for one in found[-1])).float()[:, None]
        # Added out here: under no_grad nothing would be learnt.
        return out + nn.functional.pad(details, (0, self.dim - details.shape[1]))

    def _corners(self, k: int, places: Tensor) -> tuple[Tensor, Tensor]:
        degrees = self.record["cells"][k]
        indices, weights = corners(places, degrees, torch)
        if self.record["knots"][k]:
            rows = self._rows.get(k)
            if rows is None or rows.device != places.device:
                packed = getattr(self.masks, str(k)).cpu().numpy()
                rows = torch.from_numpy(rows_of_knots(packed, degrees)).to(places.device)
                self._rows[k] = rows
            indices = rows[indices].long()
        return indices.T, weights.T.float()

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Load weights and masks."""
        self._rows.clear()
        return super().load_state_dict(*args, **kwargs)


#: Frequencies of the waves, in radians of the unit sphere: from a wave around the world to one of some 500 km.
_SLOWEST, _FASTEST = 1.26, 75.0


def _draw_waves(count: int) -> Tensor:
    """Draw directions evenly and frequencies evenly on a logarithmic scale."""
    direction = nn.functional.normalize(torch.randn(count, 3), dim=1)
    return direction * (_SLOWEST * (_FASTEST / _SLOWEST) ** torch.rand(count, 1))


class CapsuleTwin(_Twin):
    """Twin of `geoconcept_gis.encoder.LocationEncoder`: capsules with fixed phases and trained layers."""

    def __init__(self, record: Mapping[str, Any], count: int) -> None:
        super().__init__({"kind": "capsules", **record})
        self._count = count
        for k in range(count):
            setattr(self, f"LocEnc{k}", _Capsule())

    def forward(self, lonlat: Tensor) -> Tensor:
        """Return vectors (N, 512) of places (N, 2): (lon, lat) in degrees, float64."""
        with torch.no_grad():
            plane = _equal_earth(_checked(lonlat))
        return torch.stack([getattr(self, f"LocEnc{k}")(plane) for k in range(self._count)]).sum(0)


class _Phases(nn.Module):
    """Cosines and sines of 2 pi B v: the product in float64, the phases in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("b", torch.zeros(_PHASES, 2))

    def forward(self, plane: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(plane.device.type, enabled=False):
            angle = (plane @ (2.0 * math.pi * self.b.double().T)).float()
            return torch.cat([angle.cos(), angle.sin()], 1)


class _Capsule(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_Phases()]
        for into in (2 * _PHASES, HIDDEN, HIDDEN):
            layers += [nn.Linear(into, HIDDEN), nn.ReLU()]
        self.capsule = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(HIDDEN, LocationEncoder.dim))

    def forward(self, plane: Tensor) -> Tensor:
        return self.head(self.capsule(plane))


def make_encoder(record: Mapping[str, Any], seed: int = 0) -> CapsuleTwin | FeatureTwin:
    """Make an untrained location encoder.

    Parameters
    ----------
    record : mapping of str to object
        ``{"kind": ...}`` and settings, as a model's ``config.json`` has them under ``"encoder"``. ``capsules`` has
        ``sigmas``, one a capsule, GeoCLIP's where it is absent.
    seed : int, default 0
        The same seed gives the same weights; torch's own random state stays as it is.

    Returns
    -------
    torch.nn.Module
        From (lon, lat) in degrees, float64 (N, 2), to vectors (N, 512). Attributes ``record`` and ``dim``.

    Raises
    ------
    ModelFileError
        The kind or a setting is unknown.
    InputError
        `sigmas` is no list of positive numbers.

    Notes
    -----
    Capsules: phase matrices drawn from a normal distribution of spread sigma, and never trained; layers as torch draws
    them, as in GeoCLIP. ``sh-siren``: as Sitzmann et al. 2020 (arXiv 2006.09661, section 3.2), the first layer within
    1 / F of zero, the others within sqrt(6 / hidden). All other kinds: as torch draws them.

    Examples
    --------
    >>> encoder = make_encoder({"kind": "sh-siren", "degree": 8})
    >>> encoder(torch.tensor([[31.2, 30.0]], dtype=torch.float64)).shape
    torch.Size([1, 512])
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind_of(record) is not LocationEncoder:
            return _feature_twin(record)
        sigmas = _sigmas(record.get("sigmas", GEOCLIP_SIGMAS))
        twin = CapsuleTwin({"sigmas": sigmas}, len(sigmas))
        for k, sigma in enumerate(sigmas):
            getattr(twin, f"LocEnc{k}").capsule[0].b.copy_(sigma * torch.randn(_PHASES, 2))
        return twin


def _feature_twin(record: Mapping[str, Any]) -> FeatureTwin:
    return TablesTwin(record) if kind_of(record) is TablesEncoder else FeatureTwin(record)


def from_numpy(encoder: AnyEncoder) -> CapsuleTwin | FeatureTwin:
    """Return the twin of a numpy encoder; place heads stay behind, for training changes what they read.

    Parameters
    ----------
    encoder : LocationEncoder or FeatureEncoder
        For example ``load_model().encoder``: training then starts from GeoCLIP.

    Returns
    -------
    torch.nn.Module
        As `make_encoder` returns it, with a copy of the weights.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> twin = from_numpy(load_model().encoder)
    >>> twin(torch.tensor([[31.2, 30.0]], dtype=torch.float64)).shape
    torch.Size([1, 512])
    """
    twin: CapsuleTwin | FeatureTwin
    if isinstance(encoder, LocationEncoder):
        twin = CapsuleTwin(encoder.record, sum(name.endswith(".capsule.0.b") for name in encoder.weights))
    else:
        with torch.random.fork_rng(devices=[]):
            twin = _feature_twin(encoder.record)
    twin.load_state_dict({name: torch.tensor(weight) for name, weight in encoder.weights.items()})
    return twin


def to_numpy(module: CapsuleTwin | FeatureTwin) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Return the weights and the record of a twin, for `geoconcept_gis.encoder.open_encoder` and `write_model`.

    Parameters
    ----------
    module : torch.nn.Module
        As `make_encoder` or `from_numpy` returns it, on any device.

    Returns
    -------
    weights : dict of str to ndarray of float32
        Copies.
    record : dict of str to object

    Examples
    --------
    >>> from geoconcept_gis.encoder import open_encoder
    >>> weights, record = to_numpy(make_encoder({"kind": "xyz"}))
    >>> open_encoder(record, weights).encode_chunk(np.array([[31.2, 30.0]])).shape
    (1, 512)
    """
    state = {name: tensor.detach().cpu() for name, tensor in sorted(module.state_dict().items())}
    plain = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    return {name: tensor.numpy().copy() for name, tensor in plain.items()}, dict(module.record)


def _siren_init(layers: nn.ModuleList, w0: float) -> None:
    for k, layer in enumerate(layers):
        into = layer.weight.shape[1]
        bound = 1.0 / into if k == 0 else math.sqrt(6.0 / into)
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)


def _sigmas(sigmas: Any) -> list[float]:
    good = isinstance(sigmas, (list, tuple)) and len(sigmas) > 0
    if not good or not all(isinstance(one, (int, float)) and 0.0 < one < math.inf for one in sigmas):
        raise InputError(f"sigmas must be positive numbers, one a capsule, for example [1, 16, 256]; got {sigmas!r}")
    return [float(one) for one in sigmas]


def _checked(lonlat: Tensor) -> Tensor:
    if lonlat.dtype != torch.float64 or lonlat.ndim != 2 or lonlat.shape[1] != 2:
        raise InputError(
            f"places must be a float64 tensor of shape (N, 2), (lon, lat) in degrees; got {lonlat.dtype} "
            f"{tuple(lonlat.shape)} (float32 would round them by metres, and fine phases with them)"
        )
    return lonlat


def _equal_earth(lonlat: Tensor) -> Tensor:
    """`geoconcept_gis.encoder.equal_earth` in torch, on any device; float64."""
    lon, lat = torch.deg2rad(lonlat).T
    theta = torch.asin(math.sqrt(3.0) / 2.0 * torch.sin(lat))
    theta2 = theta * theta
    theta6 = theta2 * theta2 * theta2
    slope = A1 + 3.0 * A2 * theta2 + theta6 * (7.0 * A3 + 9.0 * A4 * theta2)
    x = 2.0 * math.sqrt(3.0) * lon * torch.cos(theta) / (3.0 * slope)
    y = theta * (A1 + A2 * theta2 + theta6 * (A3 + A4 * theta2))
    return torch.stack([x, y], 1) * SCALE
