"""The settings of a teaching run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..config import Count, NotNegative, Part, Positive

__all__ = ["LessonsConfig", "TeachConfig", "TeachOptimConfig", "TeachersConfig"]

Source = Literal["climate", "terrain", "vegetation", "people", "countries"]


class LessonsConfig(Part):
    """Which places are drawn.

    Attributes
    ----------
    photos, settlements, land, earth : int
        How many are learnt from each set: where photos were taken (GeoCLIP's gallery) and near there, near settlements,
        evenly over the land, evenly over the Earth.
    held : int
        How many more of each are held out, to measure on.
    seed : int
    """

    photos: Count = 180_000
    settlements: Count = 100_000
    land: Count = 380_000
    earth: Count = 110_000
    held: Count = 5_000
    seed: Annotated[int, Field(ge=0)] = 10


class TeachersConfig(Part):
    """What is taught, and how much each counts.

    Attributes
    ----------
    meaning : float
        GeoCLIP's vectors without their finest capsule: mean squared error of unit vectors, over their variance.
    labels : float
        Yes-or-no truths of the concept bank: balanced cross-entropy.
    numbers : float
        Truths that are numbers: mean squared error over their variance.
    regions : float
        First-level regions: cross-entropy.
    without : list of str
        Sources left out, for tasks that they are near to: ``climate``, ``terrain``, ``vegetation``, ``people``,
        ``countries``.
    """

    meaning: Positive = 1.0
    labels: NotNegative = 0.5
    numbers: NotNegative = 0.3
    regions: NotNegative = 0.02
    without: list[Source] = Field(default=[])


class TeachOptimConfig(Part):
    """AdamW on a cosine schedule.

    Attributes
    ----------
    steps, batch_size : int
    lr, table_lr : float
        Of layers and heads, and of tables.
    weight_decay : float
        Of layers and heads; tables have none.
    warmup_steps : int
    """

    steps: Count = 20_000
    batch_size: Count = 2048
    lr: Positive = 2e-3
    table_lr: Positive = 1e-2
    weight_decay: NotNegative = 1e-4
    warmup_steps: Count = 100


class TeachRunConfig(Part):
    """Where and how it runs.

    Attributes
    ----------
    device : {"auto", "cpu", "cuda"}
    precision : {"32-true", "bf16-mixed"}
        Of the products; waves and places in tables are never shortened.
    checkpoint_steps, validate_steps : int
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"
    checkpoint_steps: Count = 500
    validate_steps: Count = 1000


class TeachConfig(Part):
    """All settings of a teaching run; a YAML file with the key ``teachers`` is one. Made by `read_config`.

    Attributes
    ----------
    name : str
        Of the model, and of its vector space.
    model : str
        Whose encoder teaches; its image head is kept.
    encoder : dict
        Kind and settings of the encoder that is taught.
    seed : int
    licence : str
    lessons, teachers, optim, run
        See their classes.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    teachers: TeachersConfig
    model: str = "geoclip"
    encoder: dict[str, Any] = Field(default={"kind": "tables"})
    seed: Annotated[int, Field(ge=0)] = 0
    licence: str = "MIT"
    lessons: LessonsConfig = LessonsConfig()
    optim: TeachOptimConfig = TeachOptimConfig()
    run: TeachRunConfig = TeachRunConfig()

    @model_validator(mode="after")
    def _known_encoder(self) -> TeachConfig:
        from ...encoder.kinds import kind_of
        from ...errors import ModelFileError

        try:
            kind_of(self.encoder)
        except ModelFileError as error:
            raise ValueError(str(error)) from None
        return self
