"""Data sets from files: right ones are read, all others are refused and say what to do."""

import gzip
import hashlib
import http.server
import io
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

from bnlib.data import RemoteFile, cifar10, data_folder, fashion_mnist, load, mnist
from bnlib.data.cifar import ARCHIVE
from bnlib.data.fetch import obtain
from bnlib.data.idx import read_idx
from bnlib.data.idx_sets import FASHION_MNIST, MNIST
from bnlib.errors import DataError

NOWHERE = "http://127.0.0.1:9/"  # the discard port: nobody listens there


def idx(array):
    """Return an array of bytes as a gzipped IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)


def planted(name, content, mirrors=(NOWHERE,)):
    """Return the registry's entry of a content."""
    return RemoteFile(name, hashlib.sha256(content).hexdigest(), tuple(mirrors))


@pytest.fixture
def arrays(rng):
    """Return images and labels of a small set in MNIST's form."""
    return {
        "train_x": rng.integers(0, 256, (7, 28, 28), np.uint8),
        "train_y": rng.integers(0, 10, 7).astype(np.uint8),
        "test_x": rng.integers(0, 256, (3, 28, 28), np.uint8),
        "test_y": rng.integers(0, 10, 3).astype(np.uint8),
    }


@pytest.fixture
def rng():
    """Make a generator with a fixed seed."""
    return np.random.default_rng(1998)


def write_mnist(folder, arrays, name="mnist"):
    """Write a set in MNIST's form, and return its registry."""
    registry = {}
    for role, array in arrays.items():
        file = MNIST[role].name
        (folder / name).mkdir(exist_ok=True)
        (folder / name / file).write_bytes(idx(array))
        registry[role] = planted(file, idx(array))
    return registry


def photos(n, rng):
    """Return n records of CIFAR-10's binary form with their images and labels."""
    x = rng.integers(0, 256, (n, 3, 32, 32), np.uint8)
    y = rng.integers(0, 10, n).astype(np.uint8)
    return np.concatenate([y[:, None], x.reshape(n, -1)], 1).tobytes(), x, y


def archive(members):
    """Return a gzipped tar of files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("loader", [mnist, fashion_mnist], ids=lambda f: f.__name__)
def test_idx_sets_come_as_their_files_say(tmp_path, arrays, loader):
    """Pixels over 255, one channel, labels as int64, both parts."""
    registry = write_mnist(tmp_path, arrays, loader.__name__)
    found = loader(tmp_path, registry=registry)
    np.testing.assert_allclose(found.train_x[:, 0], arrays["train_x"] / 255, rtol=1e-6)
    np.testing.assert_array_equal(found.test_y, arrays["test_y"])
    assert found.train_x.dtype == np.float32
    assert found.train_y.dtype == np.int64
    assert found.name == loader.__name__
    assert len(found.classes) == 10
    assert repr(found) == (
        f"Dataset('{loader.__name__}': 7 + 3 images of shape (1, 28, 28), 10 classes)"
    )


def test_photos_come_in_the_order_of_their_batches(tmp_path, rng):
    """Whatever the order in the archive: red, green and blue planes, training before test."""
    parts = {f"data_batch_{i}.bin": photos(2, rng) for i in range(1, 6)}
    parts["test_batch.bin"] = photos(3, rng)
    members = {f"cifar-10-batches-bin/{name}": part[0] for name, part in reversed(parts.items())}
    content = archive({"cifar-10-batches-bin/readme.html": b"hello", **members})
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / ARCHIVE.name).write_bytes(content)
    found = cifar10(tmp_path, archive=planted(ARCHIVE.name, content))
    expected = np.concatenate([parts[f"data_batch_{i}.bin"][1] for i in range(1, 6)])
    np.testing.assert_allclose(found.train_x, expected / 255, rtol=1e-6)
    np.testing.assert_array_equal(found.test_y, parts["test_batch.bin"][2])
    assert found.classes[3] == "cat"


def test_another_archive_is_refused(tmp_path, rng):
    """One that lacks a batch, and one whose batch is cut."""
    (tmp_path / "cifar10").mkdir()
    path = tmp_path / "cifar10" / ARCHIVE.name
    for members, words in (
        ({"cifar-10-batches-bin/test_batch.bin": b"x"}, "must contain .*data_batch_1.bin"),
        (
            {f"cifar-10-batches-bin/data_batch_{i}.bin": b"12" for i in range(1, 6)},
            "records of 3073 bytes; 10 bytes",
        ),
    ):
        path.write_bytes(archive(members))
        with pytest.raises(DataError, match=words):
            cifar10(tmp_path, archive=planted(ARCHIVE.name, path.read_bytes()))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no gzip at all", "must be a gzipped IDX file"),
        (gzip.compress(b"\0\0\x0d\1\0\0\0\1abcd"), "starts with 00 00 0d"),
        (gzip.compress(b""), "must start with the bytes 00 00 08"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\5abc"), r"shape \(5,\), and has 3 bytes"),
        (gzip.compress(b"\0\0\x08\2\0\0\0\1"), r"shape \(1,\), and has 0 bytes"),
        (idx(np.zeros(9, np.uint8))[:-12], "cannot be unpacked"),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path, content, words):
    """With what is wrong about it."""
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_idx(path)


def test_labels_that_do_not_fit_their_images_are_refused(tmp_path, arrays):
    """Files mixed up have right checksums one by one."""
    registry = write_mnist(tmp_path, {**arrays, "train_y": arrays["test_y"]})
    with pytest.raises(DataError, match=r"train files hold \(7, 28, 28\) and \(3,\)"):
        mnist(tmp_path, registry=registry)


def test_a_file_with_another_content_is_refused_and_kept(tmp_path, arrays):
    """It may be the user's; both checksums are named, and what to do."""
    registry = write_mnist(tmp_path, arrays)
    path = tmp_path / "mnist" / MNIST["test_y"].name
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"not the published file.*Delete it") as caught:
        mnist(tmp_path, registry=registry)
    assert registry["test_y"].sha256 in str(caught.value)
    assert path.read_bytes() == b"something else"


def test_without_file_and_network_the_message_says_what_to_do(tmp_path):
    """The file's name, where to put it, its checksum, the variable, and what needs no download."""
    file = planted("train-images-idx3-ubyte.gz", b"wanted")
    with pytest.raises(DataError) as caught:
        obtain(file, tmp_path / "mnist", progress=False)
    message = str(caught.value)
    for words in (
        "could not be downloaded",
        NOWHERE,
        str(tmp_path / "mnist" / file.name),
        file.sha256,
        "BNLIB_DATA",
        "digits()",
    ):
        assert words in message
    assert not list(tmp_path.rglob("*.gz"))


@pytest.fixture
def server(tmp_path):
    """Serve a folder on this machine; return the folder, its address and what was asked for."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, format, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def test_what_is_missing_is_downloaded_once(tmp_path, arrays, server):
    """From the first mirror that has it; the second time nothing is asked for."""
    folder, address, asked = server
    registry = {}
    for role, array in arrays.items():
        name = MNIST[role].name
        (folder / name).write_bytes(idx(array))
        registry[role] = planted(
            name, idx(array), (f"{address}/missing/{name}", f"{address}/{name}")
        )
    found = mnist(tmp_path, registry=registry)
    np.testing.assert_array_equal(found.train_y, arrays["train_y"])
    count = len(asked)
    assert count >= 8  # each of four files, at both mirrors
    mnist(tmp_path, registry=registry)
    assert len(asked) == count


def test_a_download_of_another_content_never_appears(tmp_path, server):
    """Neither under the file's name nor under a temporary one."""
    folder, address, _ = server
    (folder / "file.gz").write_bytes(b"what a captive portal sends")
    file = planted("file.gz", b"wanted", (f"{address}/file.gz",))
    with pytest.raises(DataError, match="does not match"):
        obtain(file, tmp_path / "kept", progress=False)
    assert list((tmp_path / "kept").iterdir()) == []


def test_the_folder_is_the_users_to_choose(tmp_path, monkeypatch, arrays):
    """By the environment variable; else a cache folder of this course."""
    monkeypatch.setenv("BNLIB_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    registry = write_mnist(tmp_path, arrays)
    assert len(mnist(registry=registry).train_x) == 7
    monkeypatch.delenv("BNLIB_DATA")
    assert "batchnorm-course" in str(data_folder())


def test_the_published_files_are_named_completely():
    """Four files each, a checksum of 64 digits, an address that ends in the file's name."""
    for file in [*MNIST.values(), *FASHION_MNIST.values(), ARCHIVE]:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert all(address.endswith("/" + file.name) for address in file.mirrors)
    assert len({file.sha256 for file in [*MNIST.values(), *FASHION_MNIST.values()]}) == 8


def test_every_loader_is_known_by_name(tmp_path):
    """Asked for by name, a set that is not there says where it looked."""
    for name in ("mnist", "fashion_mnist", "cifar10"):
        folder = tmp_path / name
        folder.mkdir()
        file = ARCHIVE.name if name == "cifar10" else MNIST["train_x"].name
        (folder / file).write_bytes(b"not it")
        with pytest.raises(DataError, match=str(Path(name) / file)):
            load(name, tmp_path)
