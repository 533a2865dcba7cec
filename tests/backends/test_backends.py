"""Every backend against the numpy reference, and what happens where one cannot run."""

import pickle
import sys

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.backends import BACKENDS, BackendChoice, available
from geoconcept_gis.backends.choice import _make, _min_cosine
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import BackendError, MissingDependencyError

#: Smallest cosine with numpy that each backend promises.
EXACTNESS = {
    "numpy": 1.0 - 1e-12,
    "torch": 0.999999,
    "torch-bf16": 0.9999,
    "torch-cuda": 0.999999,
    "onnx": 0.999999,
    "onnx-int8": 0.9994,
}
EDGES = [[-180.0, -90.0], [-180.0, 0.0], [0.0, 0.0], [0.0, 90.0], [179.9999, 45.0]]


@pytest.fixture(scope="module")
def encoder():
    # Without the bank's heads: tests/test_heads.py is about these.
    return LocationEncoder(gc.load_model(backend="numpy").encoder.weights)


@pytest.fixture(scope="module")
def lonlat():
    rng = np.random.default_rng(7)
    random = np.stack([rng.uniform(-180, 180, 4096), np.degrees(np.arcsin(rng.uniform(-1, 1, 4096)))], axis=1)
    return np.concatenate([EDGES, random])


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request, encoder):
    """Each backend that can run here."""
    try:
        return _make(request.param, encoder)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    except BackendError as error:
        if request.param != "torch-cuda":
            raise
        pytest.skip(str(error))


def in_chunks(backend, lonlat, size):
    return np.concatenate([backend.encode_chunk(lonlat[i : i + size]) for i in range(0, len(lonlat), size)])


def test_every_backend_agrees_with_numpy(backend, encoder, lonlat):
    """The smallest cosine over thousands of places, the awkward ones included, is what the backend promises."""
    vectors = in_chunks(backend, lonlat, 1024)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(lonlat), 512)
    assert _min_cosine(vectors, in_chunks(encoder, lonlat, 1024)) >= EXACTNESS[backend.name]


@pytest.mark.parametrize(("size", "count"), [(1, 40), (100, 300), (2048, 300)])
def test_chunks_do_not_matter(backend, lonlat, size, count):
    """A place keeps its vector in another chunk, up to the backend's own exactness."""
    some = lonlat[:count]
    assert _min_cosine(in_chunks(backend, some, size), in_chunks(backend, some, 256)) >= EXACTNESS[backend.name] - 1e-6


def test_no_places(backend):
    """Zero places give zero vectors of the right width and type."""
    vectors = backend.encode_chunk(np.zeros((0, 2)))
    assert vectors.shape == (0, 512)
    assert vectors.dtype == np.float32


def test_input_and_weights_are_left_alone(backend, encoder):
    """A read-only input is enough, and the reference's weights stay as they are."""
    lonlat = np.array(EDGES)
    lonlat.flags.writeable = False
    before = {name: array.sum(dtype=np.float64) for name, array in encoder.weights.items()}
    backend.encode_chunk(lonlat)
    assert lonlat.tolist() == EDGES
    assert {name: array.sum(dtype=np.float64) for name, array in encoder.weights.items()} == before


def test_by_name_and_through_pickle(backend, encoder):
    """A backend asked for by name serves every job, also in another process."""
    choice = pickle.loads(pickle.dumps(BackendChoice(encoder, backend.name)))
    assert choice.name == backend.name
    assert choice.pick(1).name == choice.pick(10**6).name == backend.name
    assert choice.report == []


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("torch", "torch", "torch"),
        ("torch-bf16", "torch", "torch"),
        ("torch-cuda", "torch", "torch"),
        ("onnx", "onnxruntime", "onnx"),
        ("onnx-int8", "onnx", "onnx"),
    ],
)
def test_absent_packages_are_named_with_their_extra(encoder, monkeypatch, name, package, extra):
    """Without its packages a backend says which is missing and the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    assert not available()[name]
    with pytest.raises(MissingDependencyError, match=rf'{name}.*{package}.*pip install "geoconcept-gis\[{extra}\]"'):
        BackendChoice(encoder, name)


def test_a_broken_installation_is_a_backend_error(encoder, monkeypatch, tmp_path):
    """A package that is there but does not load is reported with its own words."""
    for package in ("onnx", "onnxruntime"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('DLL load failed')")
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match=r"'onnx'.*cannot be loaded: DLL load failed"):
        BackendChoice(encoder, "onnx")


def test_unknown_backend(encoder):
    """An unknown name is answered with the known ones."""
    with pytest.raises(BackendError, match="no backend 'abacus'; choose from auto, numpy, torch"):
        BackendChoice(encoder, "abacus")


class TestTorch:
    """What is particular to PyTorch."""

    @pytest.fixture(autouse=True)
    def torch(self):
        return pytest.importorskip("torch", reason='torch is not installed: pip install "geoconcept-gis[torch]"')

    def test_no_gpu(self, encoder, monkeypatch, torch):
        """Without a GPU, torch-cuda says so and what to choose instead."""
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(BackendError, match=r"needs an NVIDIA GPU.*choose 'torch'"):
            BackendChoice(encoder, "torch-cuda")

    def test_the_gpu_route_on_a_cpu(self, encoder, lonlat, torch):
        """The code that runs on a GPU is exact, shown on the CPU because most machines have no GPU."""
        from geoconcept_gis.backends.torch_backend import _TrunkBackend

        trunk = _TrunkBackend(encoder, "cpu", torch.float32)
        assert _min_cosine(in_chunks(trunk, lonlat, 4096), in_chunks(encoder, lonlat, 1024)) >= 0.999999

    @pytest.mark.parametrize("fault", ["absent", "wrong"])
    def test_bf16_without_packed_weights(self, encoder, lonlat, monkeypatch, torch, fault):
        """Where oneDNN's packed product is absent or wrong, the plain one takes its place."""
        from geoconcept_gis.backends.torch_backend import TorchBf16Backend

        def absent(*_):
            raise AttributeError("no such operator")

        def wrong(hidden, weight, bias, *_):
            return torch.zeros(len(hidden), len(bias), dtype=hidden.dtype)

        monkeypatch.setattr(
            torch.ops.mkldnn, "_linear_pointwise", {"absent": absent, "wrong": wrong}[fault], raising=False
        )
        some = lonlat[:256]
        vectors = TorchBf16Backend(encoder).encode_chunk(some)
        assert _min_cosine(vectors, encoder.encode_chunk(some)) >= EXACTNESS["torch-bf16"]

    def test_global_settings_stay(self, encoder, torch):
        """Threads, random state and precision are the caller's, before and after."""

        def settings():
            return torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.get_rng_state().tolist()

        before = settings()
        for name in ("torch", "torch-bf16"):
            _make(name, encoder).encode_chunk(np.array(EDGES))
        assert settings() == before
