"""The settings of a teaching run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from ..config import Count, NotNegative, Part, Positive

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LessonsConfig", "PhotosConfig", "TeachConfig", "TeachOptimConfig", "TeachersConfig"]

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
    finest : float
        Share of the finest capsule's part that is put back: 0 to 1. Most of it cannot be learnt; what can is taught.
    labels : float
        Yes-or-no truths of the concept bank: balanced cross-entropy.
    numbers : float
        Truths that are numbers: mean squared error over their variance.
    regions : float
        First-level regions: cross-entropy.
    texts : float
        Phrases: places where one holds against places where it does not, by their cosine with the direction that the
        bundled tower reads from it. 0 leaves them out.
    scenes : float
        Scenes and heritage at photo places (the bank's concepts of `photo_places`), not in held blocks: balanced
        cross-entropy. 0 leaves them out.
    photos : float
        Photos of the user's own, where ``photos`` names some: see `PhotosConfig`.
    held_blocks : bool
        Hold back all truths in one block of 10 by 10 degrees in five, to measure there what was understood; the
        meaning is taught everywhere. See `geoconcept_gis.train.teach.blocks`.
    without : list of str
        Sources left out, for tasks that they are near to: ``climate``, ``terrain``, ``vegetation``, ``people``,
        ``countries``.
    """

    meaning: Positive = 1.0
    finest: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    labels: NotNegative = 0.5
    numbers: NotNegative = 0.3
    regions: NotNegative = 0.02
    texts: NotNegative = 0.0
    scenes: NotNegative = 0.0
    photos: NotNegative = 0.1
    held_blocks: bool = False
    without: list[Source] = Field(default=[])


class PhotosConfig(Part):
    """Photos that teach: features that `geoconcept features --tower clip` left, with their places.

    Attributes
    ----------
    source : str
        Folder of shards or Parquet file; relative to the settings' folder.
    loss : {"infonce", "two-sided", "smoothed", "none"}
        Between photos and places; see docs/losses.md.
    scale : float
        What cosines are multiplied with.
    tau_km : float
        Of ``smoothed``: how far away a place still counts as partly right.
    concepts : {"none", "kl", "mse", "infonce", "cauchy-schwarz", "divergence"}
        The concept-aware loss: photos' concepts, read off by the teacher's bank, against those of their places.
    concepts_weight, width : float
        Of that loss; see `geoconcept_gis.train.config.ConceptsConfig`.
    batch_size : int
        Photos of a step.
    validation : float
        Share held out.
    split_by : {"group", "cell", "photo"}
        What the held-out share keeps together; see `geoconcept_gis.train.config.DataConfig`.
    """

    source: str
    loss: Literal["infonce", "two-sided", "smoothed", "none"] = "infonce"
    scale: Positive = 14.2857
    tau_km: Positive = 75.0
    concepts: Literal["none", "kl", "mse", "infonce", "cauchy-schwarz", "divergence"] = "none"
    concepts_weight: NotNegative = 1.0
    width: Positive = 0.1
    batch_size: Count = 256
    validation: Annotated[float, Field(ge=0.0, le=0.5)] = 0.1
    split_by: Literal["group", "cell", "photo"] = "group"

    @model_validator(mode="after")
    def _teaches_something(self) -> PhotosConfig:
        if self.loss == "none" and self.concepts == "none":
            raise ValueError("photos teach nothing: photos.loss and photos.concepts are both none")
        return self


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
    clip_norm : float, optional
        Gradients longer than this, all together, are shortened to it.
    """

    steps: Count = 20_000
    batch_size: Count = 2048
    lr: Positive = 2e-3
    table_lr: Positive = 1e-2
    weight_decay: NotNegative = 1e-4
    warmup_steps: Count = 100
    clip_norm: Positive | None = None


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
    photos : PhotosConfig, optional
    lessons, teachers, optim, run
        See their classes.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    teachers: TeachersConfig
    model: str = "geoclip"
    encoder: dict[str, Any] = Field(default={"kind": "tables"})
    seed: Annotated[int, Field(ge=0)] = 0
    licence: str = "MIT"
    photos: PhotosConfig | None = None
    lessons: LessonsConfig = LessonsConfig()
    optim: TeachOptimConfig = TeachOptimConfig()
    run: TeachRunConfig = TeachRunConfig()

    def absolute(self, folder: Path) -> TeachConfig:
        """Return the settings with paths that do not depend on where the command was started."""
        if self.photos is None:
            return self
        source = str((folder / self.photos.source).absolute())
        return self.model_copy(update={"photos": self.photos.model_copy(update={"source": source})})

    @model_validator(mode="after")
    def _known_encoder(self) -> TeachConfig:
        from ...encoder.kinds import kind_of
        from ...errors import ModelFileError

        try:
            kind_of(self.encoder)
        except ModelFileError as error:
            raise ValueError(str(error)) from None
        return self
