"""GeoCLIP's location encoder and image head in plain numpy: the float32 reference."""

from .location import LocationEncoder
from .image_head import ImageHead
from .projection import equal_earth

__all__ = ["ImageHead", "LocationEncoder", "equal_earth"]
