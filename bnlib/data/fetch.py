"""Files of a data set: in a folder, with the right content, downloaded where they are not.

A file is used only if its SHA-256 is the published one, wherever it came from. A download lands
under a temporary name and is moved into place once it is whole and right; so a file that is there
is never half a file, and after an interruption only what is missing is fetched again.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from bnlib.errors import DataError

FOLDER_VARIABLE = "BNLIB_DATA"
PATIENCE = 30  # seconds without a byte before a mirror is given up


@dataclass(frozen=True)
class RemoteFile:
    """A published file: what it must contain, and where it can be had."""

    name: str
    """File name, as its authors gave it."""
    sha256: str
    """Checksum of its content, in hexadecimal."""
    mirrors: tuple[str, ...]
    """Addresses of the file, tried in this order."""


def data_folder() -> Path:
    """Return where data sets are kept when no folder is named.

    `BNLIB_DATA` if that is set, else the user's cache folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("batchnorm-course"))


def obtain(file: RemoteFile, folder: Path, *, progress: bool = True) -> Path:
    """Return the path of a file with the right content, downloading it if it is not there.

    Parameters
    ----------
    file : RemoteFile
        What is wanted.
    folder : Path
        Where it is, or will be kept. Made if need be.
    progress : bool, default True
        Show a bar while downloading.

    Raises
    ------
    DataError
        If the file there has another content, or there is none and no mirror gave it. The message
        says what to put where.
    """
    path = folder / file.name
    if path.exists():
        found = _sha256(path)
        if found != file.sha256:
            raise DataError(
                f"{path} is not the published file: its SHA-256 is {found}, expected "
                f"{file.sha256}. Delete it (it will be downloaded again) or replace it."
            )
        return path
    reasons = []
    for address in file.mirrors:
        try:
            _download(address, file, folder, progress)
        except (OSError, ValueError) as error:  # no network; content other than published
            reasons.append(f"  {address}: {_in_short(error)}")
        else:
            return path
    raise DataError(
        f"{file.name} is not in {folder} and could not be downloaded:\n"
        + "\n".join(reasons)
        + f"\nWithout a network: get the file elsewhere and put it there as {path}"
        f" (SHA-256 {file.sha256}); or name another folder by the argument folder= or by the "
        f"environment variable {FOLDER_VARIABLE}. `bnlib.data.digits()` needs no download."
    )


def _download(address: str, file: RemoteFile, folder: Path, progress: bool) -> None:
    """Fetch a file from one address; it appears in the folder once it is whole and right."""
    import pooch  # 60 ms, and of no use to whoever has the files
    from tqdm.auto import tqdm

    pooch.get_logger().setLevel("WARNING")  # its notes go to stderr
    with tqdm(desc=file.name, unit="B", unit_scale=True, total=0, disable=not progress) as bar:
        pooch.retrieve(
            address,
            known_hash=f"sha256:{file.sha256}",
            fname=file.name,
            path=folder,
            downloader=pooch.HTTPDownloader(progressbar=bar, timeout=PATIENCE),
        )


def _sha256(path: Path) -> str:
    """Return the checksum of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _in_short(error: Exception) -> str:
    """Return the last link of a chain of errors in one line: network errors nest deeply."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    first = (str(error) or type(error).__name__).splitlines()[0]
    return first if len(first) <= 160 else first[:159] + "…"
