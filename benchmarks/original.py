"""The original to compare with: geoclip 1.3.0's own location encoder, without the rest of that package.

``import geoclip`` pulls in transformers and torchvision. Its location encoder needs only torch and pandas, so its
files are loaded under a name of our own, from wherever ``pip install --no-deps geoclip==1.3.0`` put them.
"""

import importlib
import importlib.util
import sys
import types
import warnings
from pathlib import Path

ALIAS = "original_geoclip_model"


def find_original() -> Path | None:
    """Folder of the installed geoclip package, which is not imported; None where it is not installed."""
    spec = importlib.util.find_spec("geoclip")
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def load_original():
    """Return geoclip's LocationEncoder with its own float32 weights (read with weights_only=True)."""
    folder = find_original()
    if folder is None:
        raise ModuleNotFoundError("the original is not installed: pip install --no-deps geoclip==1.3.0")
    package = sys.modules.setdefault(ALIAS, types.ModuleType(ALIAS))
    package.__path__ = [str(folder / "model")]
    with warnings.catch_warnings():
        # geoclip's phases are a TorchScript function, which newer torch calls deprecated.
        warnings.simplefilter("ignore")
        module = importlib.import_module(f"{ALIAS}.location_encoder")
        return module.LocationEncoder().eval()


def zero_subnormals(encoder):
    """Set subnormal weights to zero, in place: the same output bits, without the microcode some CPUs need."""
    import torch

    for parameter in encoder.parameters():
        parameter.data[parameter.data.abs() < torch.finfo(torch.float32).tiny] = 0.0
    return encoder


def encode(encoder, lonlat):
    """Encode one chunk of (lon, lat), shape (N, 2), with the original; it wants (lat, lon) in float32."""
    import torch

    with torch.inference_mode():
        return encoder(torch.from_numpy(lonlat[:, ::-1].astype("float32")))
