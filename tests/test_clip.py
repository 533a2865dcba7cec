"""The CLIP tower: with a stand-in network everywhere, and against Hugging Face's CLIP where open_clip is installed."""

import importlib.util
import shutil
import sys
import types
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

from geoconcept_gis.bank.sources import package_folder
from geoconcept_gis.errors import (
    Cancelled,
    GeoConceptError,
    InputError,
    MissingDependencyError,
    ModelFileError,
    PhotoError,
    UnknownWeightsWarning,
)
from geoconcept_gis.files import sha256_of
from geoconcept_gis.towers import clip, clip_weights
from geoconcept_gis.towers.clip import TEMPLATES, WEIGHTS_VARIABLE, ClipTower, load_clip, weights_at_hand

torch = pytest.importorskip("torch", reason="the CLIP tower needs torch (extra images)")
Image = pytest.importorskip("PIL.Image", reason="the CLIP tower needs pillow (extra images)")
ImageOps = pytest.importorskip("PIL.ImageOps")

PLAIN = ("{}",)


class Tokenizer:
    """Words as tokens; a whole sentence becomes one number."""

    context_length = 77

    def encode(self, text):
        return text.split()

    def __call__(self, texts):
        return torch.tensor([[zlib.crc32(text.encode())] for text in texts])


class Network(torch.nn.Module):
    """Fixed random features of length near 12, another for every sentence; one weight, so that it can be filled."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2, 3))
        self.batches = []

    def encode_text(self, tokens):
        self.batches.append(len(tokens))
        features = [np.random.default_rng(int(token)).normal(0.2, 0.4, 768) for [token] in tokens]
        return torch.tensor(np.array(features))

    def encode_image(self, pixels):
        self.batches.append(len(pixels))
        return pixels.flatten(1)[:, :: 3 * 224 * 224 // 768][:, :768]


@pytest.fixture
def tower():
    return ClipTower(Network(), Tokenizer(), sha256="0" * 64)


def raw(tower, text):
    return tower._network.encode_text(tower._tokenizer([text])).numpy()[0]


# ---------------------------------------------------------------- texts


def test_one_template_gives_the_native_features(tower):
    """Nothing is scaled: what the network says is what comes out."""
    got = tower.encode_text(["rice terraces", "fjord"], PLAIN)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [raw(tower, "rice terraces"), raw(tower, "fjord")], rtol=1e-6)
    assert np.linalg.norm(got, axis=1).min() > 10


def test_templates_give_the_mean_direction_at_native_length(tower):
    """The direction is that of the plain mean, the length the mean of the lengths, longer than the plain mean."""
    parts = np.array([raw(tower, template.replace("{}", "fjord")) for template in TEMPLATES])
    [got] = tower.encode_text("fjord")
    mean = parts.mean(axis=0)
    length = np.linalg.norm(parts, axis=1).mean()
    np.testing.assert_allclose(got, mean / np.linalg.norm(mean) * length, atol=1e-5)
    assert length > 1.1 * np.linalg.norm(mean)


def test_texts_do_not_depend_on_their_batch(tower):
    """Small batches give what one large batch gives, and no batch is larger than asked for."""
    texts = [f"place {k}" for k in range(9)]
    whole = tower.encode_text(texts, batch_size=1000)
    tower._network.batches.clear()
    np.testing.assert_array_equal(tower.encode_text(texts, batch_size=2 * len(TEMPLATES)), whole)
    assert max(tower._network.batches) == 2 * len(TEMPLATES)


def test_braces_in_a_phrase_stay(tower):
    """A phrase is data: its braces are not filled in."""
    np.testing.assert_allclose(tower.encode_text("{} {x}", PLAIN)[0], raw(tower, "{} {x}"), rtol=1e-6)


def test_no_texts_give_no_rows(tower):
    """An empty list is no error."""
    assert tower.encode_text([]).shape == (0, 768)


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["fjord", " "], {}, "text 1 is empty"),
        (["fjord", None], {}, "text 1 is empty or no text"),
        (["fjord", "very " * 80], {}, "text 1 .* has 80 tokens with its template; CLIP reads 75"),
        ("fjord", {"templates": ["a photo"]}, "templates must be sentences with {}"),
        ("fjord", {"templates": []}, "templates must be"),
        ("fjord", {"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_unreadable_texts_are_named(tower, texts, options, message):
    """Nothing is cut off or skipped in silence."""
    with pytest.raises(InputError, match=message):
        tower.encode_text(texts, **({"templates": PLAIN} | options))


def test_progress_counts_and_cancels(tower):
    """The callback sees phrases and may stop the work."""
    seen = []
    tower.encode_text(["a", "b", "c"], PLAIN, batch_size=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        tower.encode_text(["a", "b", "c"], PLAIN, batch_size=2, progress=lambda done, total: True)


# ---------------------------------------------------------------- images


def photo(width, height, seed=0):
    """Smooth colours with some noise, as photos are."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=float)
    return Image.fromarray((pixels + rng.normal(0, 12, pixels.shape)).clip(0, 255).astype(np.uint8))


def test_pixels_are_scaled_as_clip_wants_them():
    """A picture of one colour becomes that colour, standardised, at the size the network reads."""
    got = clip._pixels(Image.new("RGB", (300, 500), (255, 0, 128)))
    assert got.shape == (3, 224, 224)
    assert got.dtype == np.float32
    wanted = (np.array([1, 0, 128 / 255]) - clip._MEAN) / clip._STD
    np.testing.assert_allclose(got, np.broadcast_to(wanted[:, None, None], got.shape), atol=1e-6)


def test_only_the_middle_square_is_read():
    """What lies far outside it makes no difference."""
    image = photo(600, 200)
    painted = image.copy()
    painted.paste((255, 0, 0), (0, 0, 150, 200))
    np.testing.assert_array_equal(clip._pixels(image), clip._pixels(painted))


def test_pictures_may_be_images_or_paths(tower, tmp_path):
    """One or several, opened or not, in any batches."""
    pictures = [photo(300, 240, seed) for seed in range(3)]
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for picture, path in zip(pictures, paths, strict=True):
        picture.save(path)
    whole = tower.encode_images(pictures)
    assert whole.shape == (3, 768)
    assert len(np.unique(whole, axis=0)) == 3
    np.testing.assert_array_equal(tower.encode_images([*paths[:2], pictures[2]], batch_size=2), whole)
    np.testing.assert_array_equal(tower.encode_images(str(paths[1])), whole[1:2])
    np.testing.assert_array_equal(tower.encode_images(pictures[1]), whole[1:2])


def test_pictures_are_turned_upright(tmp_path):
    """A camera held sideways writes its pixels sideways and says so in EXIF."""
    upright = photo(260, 300)
    sideways = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    sideways.save(tmp_path / "sideways.png", exif=exif)
    np.testing.assert_array_equal(clip._read_pixels(tmp_path / "sideways.png", 0), clip._pixels(upright))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_kind_of_8_bit_picture_is_read_as_rgb(mode):
    """A palette is resolved before pixels are interpolated."""
    picture = photo(250, 230).convert(mode)
    np.testing.assert_array_equal(clip._read_pixels(picture, 0), clip._pixels(picture.convert("RGB")))


def test_pixels_are_those_of_before_photos_were_read_in_one_place(tmp_path):
    """Upright, RGB, scaled and cropped by Pillow alone gives the same bits, from a JPEG and from an image."""
    picture = photo(640, 427)
    exif = Image.Exif()
    exif[0x0112] = 3
    picture.save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as opened:
        wanted = ImageOps.exif_transpose(opened).convert("RGB").resize((335, 224), Image.Resampling.BICUBIC)
    wanted = np.asarray(wanted.crop((55, 0, 279, 224)), dtype=np.float32) / 255
    wanted = ((wanted - clip._MEAN) / clip._STD).transpose(2, 0, 1)
    np.testing.assert_array_equal(clip._read_pixels(tmp_path / "a.jpg", 0), wanted)
    with Image.open(tmp_path / "a.jpg") as opened:
        np.testing.assert_array_equal(clip._read_pixels(opened, 0), wanted)


def test_unreadable_pictures_are_named(tower, tmp_path):
    """Number, name and reason; tests/locate/test_photos.py has the reasons."""
    good = photo(240, 240)
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(PhotoError, match=r"image 1: .*words\.png: no photo"):
        tower.encode_images([good, tmp_path / "words.png"])
    with pytest.raises(PhotoError, match="image 1: image: mode F holds numbers"):
        tower.encode_images([good, Image.new("F", (240, 240))])


# ---------------------------------------------------------------- weights


@pytest.fixture
def no_weights(monkeypatch):
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)


@pytest.fixture
def stand_in(monkeypatch, no_weights):
    """A package in open_clip's place, with a network of one weight, that would fail to download."""

    def refuse(cfg):
        raise OSError(f"no network for {cfg}")

    package = types.SimpleNamespace(
        CLIP=lambda **cfg: Network(),
        get_model_config=lambda name: {},
        get_tokenizer=lambda name: Tokenizer(),
        get_pretrained_cfg=lambda name, tag: f"{name} {tag}",
        download_pretrained=refuse,
    )
    monkeypatch.setitem(sys.modules, "open_clip", package)
    return package


@pytest.fixture
def weights(tmp_path):
    """A file that fits the stand-in network."""
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.arange(6.0).reshape(2, 3)}, path)
    return path


def test_without_weights_the_error_says_how_to_get_them(stand_in):
    """Size, place and the three ways; nothing is fetched."""
    with pytest.raises(ModelFileError) as caught:
        load_clip()
    message = str(caught.value)
    for part in ("weights=PATH", WEIGHTS_VARIABLE, "download=True", "1.71 GB", "cache"):
        assert part in message
    assert isinstance(caught.value, GeoConceptError)
    assert isinstance(caught.value, OSError)


def test_weights_may_be_a_file_a_folder_or_a_variable(stand_in, weights, monkeypatch):
    """All three load the same file; the argument goes before the variable."""
    monkeypatch.setattr(clip, "KNOWN", {sha256_of(weights): "test"})
    assert not weights_at_hand()
    for tower in (load_clip(weights), load_clip(str(weights.parent))):
        assert tower.sha256 == sha256_of(weights)
        assert tower._network.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert tower.sha256[:12] in repr(tower)
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    assert weights_at_hand()
    assert load_clip().sha256 == sha256_of(weights)
    with pytest.raises(ModelFileError, match="argument weights"):
        load_clip(weights.with_name("other.safetensors"))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights.with_name("gone.safetensors")))
    with pytest.raises(ModelFileError, match=f"gone.safetensors .environment variable {WEIGHTS_VARIABLE}"):
        load_clip(download=True)  # a wrong path is an error, never a reason to download


def test_a_folder_without_weights_is_named(stand_in, tmp_path):
    """The error lists the names that would have been read."""
    with pytest.raises(ModelFileError, match=r"holds none of open_clip_model\.safetensors"):
        load_clip(tmp_path)


def test_download_goes_through_open_clip_when_asked(stand_in, weights, monkeypatch):
    """Consent fetches the OpenAI weights of the QuickGELU network; a failed fetch says what to do."""
    with pytest.raises(ModelFileError, match=rf"no network for ViT-L-14-quickgelu openai.*{WEIGHTS_VARIABLE}"):
        load_clip(download=True)
    stand_in.download_pretrained = lambda cfg: str(weights)
    monkeypatch.setattr(clip, "KNOWN", {sha256_of(weights): "test"})
    assert load_clip(download=True).sha256 == sha256_of(weights)


def test_unpublished_weights_bring_a_warning(stand_in, weights):
    """Other trainings of the same shape cannot be told apart by anything but the file's hash."""
    with pytest.warns(UnknownWeightsWarning, match="none of the published files"):
        load_clip(weights)


def test_a_missing_open_clip_is_named(monkeypatch, weights):
    """The error says which extra to install."""
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingDependencyError, match=r'needs open_clip.*pip install "geoconcept-gis\[images\]"'):
        load_clip(weights)


def test_a_torchvision_of_another_torch_is_explained(monkeypatch, weights, tmp_path):
    """torchvision fails with RuntimeError inside open_clip's import; the user learns what to install."""
    (tmp_path / "open_clip").mkdir()
    (tmp_path / "open_clip" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    for name in [name for name in sys.modules if name.split(".")[0] == "open_clip"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match=r"torchvision::nms.*builds for each other"):
        load_clip(weights)


def test_tensors_must_fit(weights):
    """One wrong shape, one missing or one too many names the tensor."""
    with pytest.raises(ModelFileError, match=r"not CLIP ViT-L/14.*weight \(wanted \(3, 3\), found \(2, 3\)\)"):
        clip_weights.fill(torch.nn.Linear(3, 3, bias=False), weights, "")
    with pytest.raises(ModelFileError, match=r"1 tensors are missing.*bias \(wanted \(2,\), found None\)"):
        clip_weights.fill(torch.nn.Linear(3, 2), weights, "")


def test_corrupt_files_are_refused(tmp_path, weights):
    """A cut file, a file of words and a dictionary of other things are errors of the model file."""
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:-8])
    (tmp_path / "words.bin").write_text("no weights")
    torch.save({"state_dict": {"weight": torch.zeros(2, 3)}}, tmp_path / "nested.bin")
    for name in ("cut.safetensors", "words.bin", "nested.bin"):
        with pytest.raises(ModelFileError, match=name):
            clip_weights.fill(Network(), tmp_path / name, "")


class Payload:
    """A pickle of this would make a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_with_code_is_not_run(tmp_path):
    """Weights are data: whatever else a file holds is refused."""
    path, trace = tmp_path / "evil.bin", tmp_path / "it-ran"
    torch.save({"weight": Payload(trace)}, path)
    with pytest.raises(ModelFileError, match=r"evil\.bin"):
        clip_weights.fill(Network(), path, "")
    assert not trace.exists()


def test_a_torchscript_program_must_be_openais(tmp_path, monkeypatch):
    """TorchScript carries code, so one program is opened, known by its hash; its settings are no weights."""
    path = tmp_path / "ViT-L-14.pt"
    layer = torch.nn.Linear(3, 2).half()
    layer.register_buffer("input_resolution", torch.tensor(224))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated in newer torch
        torch.jit.script(layer).save(str(path))
    with pytest.raises(ModelFileError, match=r"TorchScript program.*give the weights as safetensors"):
        clip_weights.fill(torch.nn.Linear(3, 2), path, sha256_of(path))
    monkeypatch.setattr(clip_weights, "OPENAI_PT", sha256_of(path))
    filled = torch.nn.Linear(3, 2)
    clip_weights.fill(filled, path, sha256_of(path))
    assert torch.equal(filled.weight, layer.weight.float())


# ---------------------------------------------------------------- against Hugging Face's CLIP, which GeoCLIP uses


def require(*names):
    """Import packages of the second environment, or skip and say which one is missing or broken."""
    for name in names:
        try:
            importlib.import_module(name)
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            pytest.skip(f"comparison with Hugging Face's CLIP needs open_clip and transformers; {name}: {error}")


def geoclips_image_encoder():
    """GeoCLIP's own module, read alone: the package around it wants things that CLIP does not."""
    try:
        path = package_folder("geoclip", "geoclip==1.3.0") / "model" / "image_encoder.py"
    except MissingDependencyError as error:
        pytest.skip(str(error))
    spec = importlib.util.spec_from_file_location("geoclip_image_encoder", path)
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():  # it changes the filters
        spec.loader.exec_module(module)
    return module.ImageEncoder(from_pretrained=False).eval()


def randomise(network):
    """Move what starts at zero or one, so that a swapped bias or scale shows."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn(parameter.shape))
    return network


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """GeoCLIP's encoder at full size with random weights, and our tower with the same, through a folder on disk."""
    require("open_clip", "transformers")
    theirs = geoclips_image_encoder()
    randomise(theirs.CLIP)
    folder = tmp_path_factory.mktemp("clip")
    theirs.CLIP.save_pretrained(folder)
    try:
        with pytest.warns(UnknownWeightsWarning):
            ours = load_clip(folder, device="cpu")
    finally:
        shutil.rmtree(folder)  # 1.7 GB
    return theirs, ours


def features(output):
    return getattr(output, "pooler_output", output).numpy()


TEXTS = ["rice terraces", "a photo of a fjord", "Cairo", "church in São Paulo, 19th century & later"]


def test_text_equals_hugging_face(both):
    """Same weights, same tokens, same features: names, QuickGELU, pooling and projection agree."""
    theirs, ours = both
    with torch.inference_mode():
        wanted = features(theirs.CLIP.get_text_features(input_ids=ours._tokenizer(TEXTS)))
    np.testing.assert_allclose(ours.encode_text(TEXTS, PLAIN), wanted, atol=1e-4, rtol=0)
    assert len(np.unique(wanted.round(3), axis=0)) == len(TEXTS)


# Landscape, portrait, small, and one whose odd margin torchvision's crop rounds the other way.
PHOTOS = [photo(640, 480), photo(300, 900), photo(101, 77), photo(227, 224)]


def test_image_equals_hugging_face(both):
    """The whole way from the picture, with the processor that resizes with pillow."""
    theirs, ours = both
    pixels = torch.from_numpy(np.concatenate([processed(picture, "pil") for picture in PHOTOS]))
    with torch.inference_mode():
        wanted = features(theirs.CLIP.get_image_features(pixel_values=pixels))
    np.testing.assert_allclose(ours.encode_images(PHOTOS), wanted, atol=1e-4, rtol=0)
    assert np.linalg.norm(wanted[0] - wanted[1]) > 0.01


def test_texts_of_a_batch_do_not_touch_each_other(both):
    """A text alone gives what it gives beside longer ones."""
    ours = both[1]
    np.testing.assert_allclose(ours.encode_text(TEXTS)[1:2], ours.encode_text(TEXTS[1]), atol=1e-4)


def processed(picture, backend):
    """Return what Hugging Face's CLIP processor makes of a picture."""
    if backend == "pil":
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil as Processor
    else:
        from transformers import CLIPImageProcessor as Processor
    return np.asarray(Processor()(images=picture, return_tensors="pt")["pixel_values"])


@pytest.mark.parametrize("picture", [*PHOTOS, PHOTOS[0].convert("P"), PHOTOS[1].convert("L")])
def test_pixels_equal_the_processors(picture):
    """The pillow processor to the last bit; the torchvision one but for rounding between its passes."""
    require("open_clip", "transformers")
    own = clip._read_pixels(picture, 0)[None]
    np.testing.assert_allclose(own, processed(picture, "pil"), atol=1e-5)
    # It rounds to 8 bits after each direction: up to a few of 255 levels at single pixels, nothing on average.
    difference = np.abs(own - processed(picture, "torchvision"))
    assert difference.max() < 0.05
    assert difference.mean() < 0.005


# ---------------------------------------------------------------- formats of open_clip and Hugging Face, small


@pytest.fixture(scope="module")
def small():
    """A small network of the same build from open_clip, and one of Hugging Face with the same shapes."""
    require("open_clip", "transformers")
    import open_clip
    from transformers import CLIPConfig, CLIPModel

    def ours(quick_gelu=True):
        return open_clip.CLIP(
            32,
            {"image_size": 28, "layers": 2, "width": 128, "patch_size": 14},
            {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
            quick_gelu=quick_gelu,
        ).eval()

    shared = {"num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 32}
    config = CLIPConfig(
        projection_dim=32,
        text_config={**shared, "hidden_size": 64, "intermediate_size": 256, "bos_token_id": 0, "eos_token_id": 2},
        vision_config={**shared, "hidden_size": 128, "intermediate_size": 512, "image_size": 28, "patch_size": 14},
    )
    return ours, randomise(CLIPModel(config).eval())


@pytest.mark.parametrize("kind", ["folder", "bin", "open_clip.safetensors", "open_clip.bin"])
def test_every_format_gives_the_same_network(small, tmp_path, kind):
    """Hugging Face's names and open_clip's, as safetensors and as a state dict of torch."""
    from safetensors.torch import save_file

    make, theirs = small
    if kind == "folder":
        theirs.save_pretrained(tmp_path)
        path = clip_weights.find(tmp_path)
    elif kind == "bin":
        path = tmp_path / "pytorch_model.bin"
        positions = {"text_model.embeddings.position_ids": torch.arange(77)[None]}  # as older files hold
        torch.save(theirs.state_dict() | positions, path)
    else:
        first = tmp_path / "first.bin"
        torch.save(theirs.state_dict(), first)
        network = make()
        clip_weights.fill(network, first, "")
        path = tmp_path / f"{kind}"
        (save_file if path.suffix == ".safetensors" else torch.save)(network.state_dict(), path)
    network = make()
    clip_weights.fill(network, path, "")
    tokens = torch.randint(1, 49407, (3, 77), generator=torch.Generator().manual_seed(0))
    tokens[:, 20] = 49407  # the end of a text is its largest number
    pixels = torch.randn(3, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        np.testing.assert_allclose(
            network.encode_text(tokens), features(theirs.get_text_features(input_ids=tokens)), atol=1e-4
        )
        np.testing.assert_allclose(
            network.encode_image(pixels), features(theirs.get_image_features(pixel_values=pixels)), atol=1e-4
        )


def test_the_comparison_sees_another_activation(small, tmp_path):
    """Without QuickGELU the features differ by far more than the tolerance: the tests above can fail."""
    make, theirs = small
    torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    network = make(quick_gelu=False)
    clip_weights.fill(network, tmp_path / "pytorch_model.bin", "")
    pixels = torch.randn(3, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        got, wanted = network.encode_image(pixels), features(theirs.get_image_features(pixel_values=pixels))
    assert np.abs(got.numpy() - wanted).max() > 1e-3


def test_open_clip_knows_the_weights_by_that_name():
    """The download asks for OpenAI's QuickGELU weights, at the hub that the documentation names."""
    require("open_clip")
    import open_clip

    cfg = open_clip.get_pretrained_cfg(clip._ARCHITECTURE, "openai")
    assert cfg["hf_hub"] == "timm/vit_large_patch14_clip_224.openai/"
    assert clip_weights.OPENAI_PT in cfg["url"]
    assert open_clip.get_model_config(clip._ARCHITECTURE)["quick_gelu"]
