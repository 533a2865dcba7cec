"""Small photos, archives and a stand-in tower, for the tests of what training reads."""

import io
import json
import tarfile
import time

import numpy as np
from PIL import Image


class StandInTower:
    """Mean colours of a picture's quarters: quick, deterministic, and it counts what it sees."""

    side = 16
    shortest = None
    dim = 12

    def __init__(self, slow=0.0, scale=1.0):
        self.slow, self.scale = slow, scale
        self.seen = 0
        self.largest = 0

    def features_record(self):
        return {"name": "quarters", "sha256": "ab" * 32, "dim": self.dim}

    def view(self, image):
        return image.resize((self.side, self.side))

    def features(self, images, *, batch_size=16):
        time.sleep(self.slow)
        self.seen += len(images)
        self.largest = max(self.largest, len(images))
        assert {image.size for image in images} == {(self.side, self.side)}
        pixels = np.stack([np.asarray(image, dtype=np.float32) for image in images]) / 255
        quarters = pixels.reshape(len(images), 2, 8, 2, 8, 3).mean(axis=(2, 4))
        return self.scale * quarters.reshape(len(images), -1)


def picture(seed, size=(40, 30)):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def photo_folder(folder, count, broken=()):
    """Photos 000.png and so on with a table; those in `broken` are no photos."""
    folder.mkdir()
    lines = ["IMG_ID,AUTHOR,LAT,LON"]
    for k in range(count):
        path = folder / f"{k:03d}.png"
        path.write_bytes(b"not a photo") if k in broken else picture(k).save(path)
        lines.append(f"{path.name},person{k % 3},{k % 90},{k % 180}")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n")
    return folder


def png_bytes(seed):
    buffer = io.BytesIO()
    picture(seed).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path, members):
    """A .tar with (name, bytes or record) in this order."""
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path
