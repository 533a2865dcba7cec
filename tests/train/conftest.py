"""A small world to train on, as cached features."""

import pytest

from geoconcept_gis.train.config import parse_config
from geoconcept_gis.train.shards import write_features
from geoconcept_gis.train.synthetic import make_world

TOWER = {"name": "made-up", "sha256": "ab" * 32}

#: Quick: a plain encoder, few photos, small layers. What a test is about it adds itself.
SETTINGS = """
name: small
data: {train: shards, validation: 0.2}
image_head: {hidden: 32}
location_encoder: {kind: xyz, frozen: false, settings: {hidden: 32}}
concepts: {loss: kl, families: [climate], weight: 1.0}
negatives: {size: 100}
optim: {epochs: 3, batch_size: 32, lr: 1e-3}
run: {accelerator: cpu, validation_places: 500, log_steps: 1}
"""


@pytest.fixture(scope="session")
def world():
    return make_world(240, groups=12, seed=3)


@pytest.fixture(scope="session")
def shards(world, tmp_path_factory):
    """240 photos of the world in four shards."""
    folder = tmp_path_factory.mktemp("world") / "shards"
    return write_features(folder, world.features, world.lonlat, tower=TOWER, group=world.group, shard_rows=60)


@pytest.fixture
def config():
    """Return settings, with some replaced: ``config("optim.epochs=1")``."""
    return lambda *overrides: parse_config(SETTINGS, overrides=overrides)
