"""CIFAR-10: 50,000 + 10,000 colour photos of 32 × 32, from its authors' binary archive.

The binary version, not the Python one: that would have to be unpickled, and a pickle is a program.
The archive is read in place, nothing is unpacked onto the disk. Its checksum is TensorFlow
Datasets' (`url_checksums/cifar10.txt`); its MD5 on the authors' page is
c32a1d4ab5d03f1284b67883e8d87530.
"""

import tarfile
from pathlib import Path

import numpy as np

from bnlib.data.dataset import Dataset, Labels, Pixels, to_unit
from bnlib.data.fetch import RemoteFile, data_folder, obtain
from bnlib.errors import DataError

ARCHIVE = RemoteFile(
    "cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"{FOLDER}/data_batch_{i}.bin" for i in range(1, 6))
TEST = (f"{FOLDER}/test_batch.bin",)
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue plane


def cifar10(folder: Path | str | None = None, *, archive: RemoteFile = ARCHIVE) -> Dataset:
    """Return CIFAR-10: 50,000 training and 10,000 test photos of ten classes, (3, 32, 32).

    Parameters
    ----------
    folder : path or None
        Data folder; the file is `folder/cifar10/cifar-10-binary.tar.gz`, 162 MB. If it is missing
        it is downloaded. None: the environment variable `BNLIB_DATA`, or the user's cache folder.
    archive : RemoteFile, default ARCHIVE
        The file, with its checksum. Another one is for copies of the format: tests use it.

    Returns
    -------
    Dataset
        740 MB of float32.

    Raises
    ------
    DataError
        If the file cannot be had, or has another content than was published.

    Notes
    -----
    Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """
    place = (Path(folder) if folder is not None else data_folder()) / "cifar10"
    path = obtain(archive, place)
    train_x, train_y = _read(path, TRAIN)
    test_x, test_y = _read(path, TEST)
    return Dataset("cifar10", to_unit(train_x), train_y, to_unit(test_x), test_y, CLASSES)


def _read(path: Path, members: tuple[str, ...]) -> tuple[Pixels, Labels]:
    """Return the images and labels of some of the archive's files, in this order."""
    with tarfile.open(path) as tar:
        found = {
            member.name: stream.read()
            for member in tar
            if member.name in members and (stream := tar.extractfile(member)) is not None
        }
    missing = sorted(set(members) - set(found))
    if missing:
        raise DataError(f"{path} must contain {', '.join(missing)}: this is another archive.")
    content = b"".join(found[name] for name in members)
    if len(content) % RECORD:
        raise DataError(
            f"{path} must hold records of {RECORD} bytes; {len(content)} bytes are no whole number "
            "of them."
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, *SHAPE), records[:, 0].astype(np.int64)
