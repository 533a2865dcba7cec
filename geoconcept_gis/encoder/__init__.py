"""Location encoders and the image head in plain numpy: the float32 reference."""

from .image_head import ImageHead
from .kinds import ENCODER_KINDS, FeatureEncoder, open_encoder
from .location import LocationEncoder
from .projection import equal_earth

__all__ = ["ENCODER_KINDS", "FeatureEncoder", "ImageHead", "LocationEncoder", "equal_earth", "open_encoder"]
