"""From trained weights to a model folder that `load_model` opens, with its bank and its model card."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..encoder import open_encoder
from ..model_files import rounded, write_model
from ..storage import ENCODER_FILE, read_arrays
from .encoders import to_numpy

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..concepts import ConceptBank
    from ..locate.density import Calibration
    from ..model import GeoConceptModel
    from ..progress import Progress
    from .alignment import Alignment
    from .config import TrainConfig

__all__ = ["Parts", "collect", "image_head_weights", "write"]


class Parts:
    """What goes into a model folder.

    Attributes
    ----------
    encoder, image_head : dict of str to ndarray
        Weights.
    record : dict or None
        Of the encoder; None for GeoCLIP's.
    bank : ConceptBank
        In the space of the encoder.
    """

    def __init__(
        self,
        encoder: dict[str, NDArray[np.floating]],
        record: dict[str, Any] | None,
        image_head: dict[str, NDArray[np.floating]],
        bank: ConceptBank,
    ) -> None:
        self.encoder, self.record, self.image_head, self.bank = encoder, record, image_head, bank


def collect(
    alignment: Alignment, config: TrainConfig, teacher: GeoConceptModel, progress: Progress | None = None
) -> Parts:
    """Turn trained weights into the parts of a model.

    Parameters
    ----------
    alignment : Alignment
    config : TrainConfig
    teacher : GeoConceptModel
        What training started from.
    progress : callable, optional
        Called as ``progress(done, total)`` while the bank is carried over, where the encoder was trained.

    Returns
    -------
    Parts

    Notes
    -----
    With a frozen location encoder its file is kept byte for byte: concepts, gallery and words stay valid as they are.
    With a trained one, concepts are carried into the new space by `geoconcept_gis.bank.carry.carry_bank`.
    """
    head = image_head_weights(alignment)
    if config.location_encoder.frozen:
        weights = read_arrays(teacher.folder / ENCODER_FILE, teacher.sha256)
        return Parts(weights, teacher.config.get("encoder"), head, teacher.bank)
    from ..bank.carry import carry_bank

    trained, record = to_numpy(alignment.location_encoder)
    # Half of the space for the large one; the others are small, and sines of large phases want all digits.
    weights = rounded(trained) if record["kind"] == "capsules" else dict(trained)
    encoder = open_encoder(record, weights)
    digest = hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights))).hexdigest()
    bank = carry_bank(teacher, encoder, f"{config.name}-{digest[:12]}", seed=config.seed, progress=progress)
    return Parts(weights, record, head, bank)


def image_head_weights(alignment: Alignment) -> dict[str, NDArray[np.floating]]:
    """Return the image head as a model stores it; what standardises its input is folded into the first layer.

    Parameters
    ----------
    alignment : Alignment

    Returns
    -------
    dict of str to ndarray of float32
        ``0.weight``, ``0.bias``, ``2.weight``, ``2.bias``.
    """
    first, second = alignment.image_head[1], alignment.image_head[4]
    weight, bias = alignment.standardise.fold(first.weight.detach(), first.bias.detach())
    tensors = {"0.weight": weight, "0.bias": bias, "2.weight": second.weight, "2.bias": second.bias}
    return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in tensors.items()}


def write(
    folder: Path,
    parts: Parts,
    config: TrainConfig,
    teacher: GeoConceptModel,
    tower: dict[str, Any],
    *,
    photo_mean: NDArray[np.floating],
    calibration: Calibration | None = None,
    readme: str = "",
) -> Path:
    """Write the model folder.

    Parameters
    ----------
    folder : pathlib.Path
        One that does not exist yet.
    parts : Parts
    config : TrainConfig
    teacher : GeoConceptModel
    tower : dict
        Whose features the image head reads: ``name``, ``sha256``, ``dim``.
    photo_mean : ndarray, shape (512,)
        Mean unit vector of the photos trained on.
    calibration : Calibration, optional
    readme : str

    Returns
    -------
    pathlib.Path
    """
    record: dict[str, Any] = {
        "name": config.name,
        "description": f"Trained by geoconcept_gis {__version__} from {teacher.name} ({teacher.sha256[:12]})",
        "scale_km": list(teacher.scale_km),
        "image": {
            "tower": tower["name"],
            "sha256": tower.get("sha256", ""),
            "dim": parts.image_head["0.weight"].shape[1],
        },
        "source": f"started from model {teacher.name}, sha256 {teacher.sha256}",
        "licence": config.licence,
    }
    if parts.record is not None:
        record["encoder"] = parts.record
    if calibration is not None:
        record["calibration"] = {"temperature": calibration.temperature, "floor": calibration.floor}
    return write_model(
        folder,
        config=record,
        encoder_weights=parts.encoder,
        image_head_weights=parts.image_head,
        bank=parts.bank,
        photo_mean=photo_mean,
        readme=readme,
    )
