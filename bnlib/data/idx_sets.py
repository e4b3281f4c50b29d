"""MNIST and Fashion-MNIST: 60,000 + 10,000 images of 28 × 28, in four gzipped IDX files each.

The checksums are those that TensorFlow Datasets records (its `url_checksums/mnist.txt` and
`fashion_mnist.txt`), which the files of torchvision's mirrors match.
"""

from collections.abc import Mapping
from pathlib import Path

from bnlib.data.dataset import Dataset, to_unit
from bnlib.data.fetch import RemoteFile, data_folder, obtain
from bnlib.data.idx import read_idx
from bnlib.errors import DataError

Registry = Mapping[str, RemoteFile]
"""The four files of a data set by their role: train_x, train_y, test_x, test_y."""

_NAMES = {
    "train_x": "train-images-idx3-ubyte.gz",
    "train_y": "train-labels-idx1-ubyte.gz",
    "test_x": "t10k-images-idx3-ubyte.gz",
    "test_y": "t10k-labels-idx1-ubyte.gz",
}


def _registry(mirrors: tuple[str, ...], checksums: dict[str, str]) -> Registry:
    """Put names, checksums and addresses together."""
    return {
        role: RemoteFile(name, checksums[role], tuple(f"{base}/{name}" for base in mirrors))
        for role, name in _NAMES.items()
    }


MNIST = _registry(
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
    {
        "train_x": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train_y": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "test_x": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "test_y": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)
FASHION_MNIST = _registry(
    (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ),
    {
        "train_x": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train_y": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "test_x": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "test_y": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
)
CLOTHES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)


def mnist(folder: Path | str | None = None, *, registry: Registry = MNIST) -> Dataset:
    """Return MNIST: 60,000 training and 10,000 test images of handwritten digits, (1, 28, 28).

    Parameters
    ----------
    folder : path or None
        Data folder; the files are `folder/mnist/train-images-idx3-ubyte.gz` and so on, 12 MB in
        all. What is missing is downloaded. None: the environment variable `BNLIB_DATA`, or the
        user's cache folder.
    registry : Registry, default MNIST
        The files, with their checksums. Another one is for copies of the format: tests use it.

    Raises
    ------
    DataError
        If a file cannot be had, or has another content than was published.

    Notes
    -----
    LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document
    recognition".
    """
    return _load("mnist", folder, registry, tuple("0123456789"))


def fashion_mnist(
    folder: Path | str | None = None, *, registry: Registry = FASHION_MNIST
) -> Dataset:
    """Return Fashion-MNIST: 60,000 training and 10,000 test images of clothes, (1, 28, 28).

    Parameters
    ----------
    folder : path or None
        Data folder; the files are `folder/fashion_mnist/train-images-idx3-ubyte.gz` and so on,
        31 MB in all. Otherwise as for `mnist`.
    registry : Registry, default FASHION_MNIST
        The files, with their checksums.

    Raises
    ------
    DataError
        If a file cannot be had, or has another content than was published.

    Notes
    -----
    Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747. MIT licence.
    """
    return _load("fashion_mnist", folder, registry, CLOTHES)


def _load(
    name: str, folder: Path | str | None, registry: Registry, classes: tuple[str, ...]
) -> Dataset:
    """Read the four files."""
    place = (Path(folder) if folder is not None else data_folder()) / name
    paths = {role: obtain(file, place) for role, file in registry.items()}
    arrays = {role: read_idx(path) for role, path in paths.items()}
    for part in ("train", "test"):
        images, labels = arrays[f"{part}_x"], arrays[f"{part}_y"]
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise DataError(
                f"{place} must hold images (N, H, W) and labels (N,); its {part} files hold "
                f"{images.shape} and {labels.shape}."
            )
    return Dataset(
        name,
        train_x=to_unit(arrays["train_x"][:, None]),
        train_y=arrays["train_y"].astype("int64"),
        test_x=to_unit(arrays["test_x"][:, None]),
        test_y=arrays["test_y"].astype("int64"),
        classes=classes,
    )
