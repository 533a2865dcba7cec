"""Convert the weights inside the `geoclip` 1.3.0 wheel to the bundled model folder.

    python tools/convert_geoclip.py [--wheel geoclip-1.3.0-py3-none-any.whl]

Needs torch (to read the checkpoint, with ``weights_only=True``). Without ``--wheel``, pip downloads it. The concept
bank is left as it is: fit it with `geoconcept bank build`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from geoconcept_gis.storage import CONFIG, FORMAT_VERSION, MODEL_FORMAT, write_arrays, write_json

WHEEL = "geoclip-1.3.0-py3-none-any.whl"
WHEEL_SHA256 = "08a93791166a279d52b95c466a952c75f17f654cc61bdf6ab20355325b564dec"
MODEL = Path(__file__).parents[1] / "geoconcept_gis" / "models" / "geoclip"


def main() -> None:
    """Convert and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the geoclip 1.3.0 wheel; downloaded with pip when left out")
    parser.add_argument("--out", type=Path, default=MODEL)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = args.wheel or download(Path(folder))
        content = wheel.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"{wheel} is not the geoclip 1.3.0 wheel: sha256 {found}, expected {WHEEL_SHA256}")
    args.out.mkdir(parents=True, exist_ok=True)
    convert(zipfile.ZipFile(io.BytesIO(content)), args.out)


def download(folder: Path) -> Path:
    """Fetch the wheel with pip, without its dependencies."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(folder), "geoclip==1.3.0"], check=True
    )
    return folder / WHEEL


def convert(wheel: zipfile.ZipFile, out: Path) -> None:
    """Write safetensors, config, licence; print what was changed."""
    location = read_checkpoint(wheel, "location_encoder_weights.pth")
    head = read_checkpoint(wheel, "image_encoder_mlp_weights.pth")
    logit_scale = float(read_checkpoint(wheel, "logit_scale_weights.pth"))
    tiny = np.finfo(np.float32).tiny
    subnormal = sum(int(((np.abs(w) < tiny) & (w != 0)).sum()) for w in location.values())
    print(f"location encoder: {sum(w.size for w in location.values()):,} numbers, {subnormal:,} subnormal ones removed")
    # The phase matrices are multiplied by up to 1,600 radians: float16 would destroy them, and they are small.
    stored = {k: w.astype(np.float32 if k.endswith("capsule.0.b") else np.float16) for k, w in location.items()}
    files = {
        "location_encoder.safetensors": write_arrays(stored, out / "location_encoder.safetensors"),
        "image_head.safetensors": write_arrays(
            {k: w.astype(np.float16) for k, w in head.items()}, out / "image_head.safetensors"
        ),
    }
    write_json(
        {
            "format": MODEL_FORMAT,
            "format_version": FORMAT_VERSION,
            "name": "geoclip",
            "space": "geoclip-1.3.0",
            "description": "GeoCLIP's location encoder and image head, float16",
            "scale_km": [5, 10],
            "logit_scale": round(float(np.exp(logit_scale)), 4),
            "files": files,
            "source": f"PyPI wheel {WHEEL}, sha256 {WHEEL_SHA256}",
            "paper": "arXiv 2309.16020",
            "licence": "MIT",
        },
        out / CONFIG,
    )
    (out / "LICENSE").write_bytes(wheel.read("geoclip-1.3.0.dist-info/licenses/LICENSE"))
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")


def read_checkpoint(wheel: zipfile.ZipFile, name: str):
    """Read one of the wheel's checkpoints without running any code from it."""
    import torch

    content = torch.load(io.BytesIO(wheel.read(f"geoclip/model/weights/{name}")), weights_only=True, map_location="cpu")
    if isinstance(content, dict):
        return {key: value.numpy() for key, value in content.items()}
    return content.detach().numpy()


if __name__ == "__main__":
    main()
