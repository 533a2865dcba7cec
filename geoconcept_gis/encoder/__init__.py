"""GeoCLIP's location encoder and image head in plain numpy: the float32 reference."""

from .image_head import ImageHead
from .location import LocationEncoder
from .projection import equal_earth

__all__ = ["ImageHead", "LocationEncoder", "equal_earth"]
