"""Writing files whole or not at all, and the rules of an output folder."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children
from os import PathLike
from pathlib import Path

from synsys.core.errors import UserError


class Terminated(BaseException):
    """The process was told to end (SIGTERM); raised so that what is half written is removed."""


@contextmanager
def terminable() -> Iterator[None]:
    """Within it SIGTERM ends worker processes at once and raises `Terminated`, as Ctrl-C raises its own.

    Without effect outside the main thread, or where the caller has its own handler or ignores the signal.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    owner = os.getpid()

    def end(number: int, frame: object) -> None:
        if os.getpid() != owner:  # a worker, forked with this handler
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked twice, the clean-up still finishes
        for child in active_children():
            child.terminate()
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def prepare_out(path: str | PathLike[str], force: bool = False) -> Path:
    """Check, before any work starts, that results can go to a folder; creates nothing.

    Parameters
    ----------
    path : path
        Folder, which need not exist.
    force : bool
        Whether a folder that holds something is accepted (files of the same name are replaced).

    Returns
    -------
    Path
        The folder, to be handed to `whole_folder` when the results are ready.

    Raises
    ------
    UserError
        If it is a file, is not empty, or cannot be written.
    """
    out = Path(path)
    try:
        if out.exists() and not out.is_dir():
            raise UserError(f"{out} is a file; --out needs a folder")
        if not force and out.is_dir() and any(out.iterdir()):
            raise UserError(f"{out} is not empty; choose another --out or overwrite with --force")
        nearest = out.absolute()
        while not nearest.exists():
            nearest = nearest.parent
        if not nearest.is_dir():
            raise UserError(f"{out} cannot be created: {nearest} is a file")
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror or error}") from error
    return out


@contextmanager
def whole_folder(out: str | PathLike[str]) -> Iterator[Path]:
    """Collect files in a temporary folder and move them to `out` when all are there.

    On any exception, an interrupt included, the temporary folder is removed and `out` is as before.

    Parameters
    ----------
    out : path
        As returned by `prepare_out`; created if need be. Files of the same name are replaced, others stay.

    Yields
    ------
    Path
        Folder to write into.

    Raises
    ------
    UserError
        If the folder cannot be written.
    """
    out = Path(out).resolve()
    made = _missing_parents(out)
    staging = out.parent / f".{out.name}.{os.getpid()}.part"
    try:
        try:
            staging.mkdir(parents=True)
        except OSError as error:
            raise UserError(f"{out} cannot be written: {error.strerror or error}") from error
        yield staging
        if out.is_dir():
            for file in sorted(staging.iterdir()):
                file.replace(out / file.name)
        else:
            staging.replace(out)
            return
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
    shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Write to a temporary file beside `path`, which takes its place only once it is complete.

    Yields
    ------
    Path
        The temporary file, to be created by the caller.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder; a file is needed")
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_whole(path: str | PathLike[str], content: str | bytes) -> Path:
    """Write a text (UTF-8) or bytes to a file, whole or not at all.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(path)


def _missing_parents(out: Path) -> list[Path]:
    """Parents of a folder that do not exist, the innermost first."""
    return [parent for parent in out.parents if not parent.exists()]
