"""The state folder: small files of this server's own, written atomically, for this user alone.

Holds the server's own certificate and the last good policies. Must not hold anything that cannot be made again.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class StateFolder:
    """A folder of mode 0700; private files 0600, others 0644. Every method may raise OSError."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(PermissionError):  # a mounted volume belongs to somebody else; its files are still ours
            folder.chmod(0o700)
        self._folder = folder

    def path(self, name: str) -> Path:
        """Where the file of that name is."""
        return self._folder / name

    def read(self, name: str) -> bytes | None:
        """Content, or None where there is no such file."""
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes, *, private: bool) -> None:
        """Replace a file so that a reader, and a crash, see the old content or the new, never a part."""
        temporary = self.path(f".{name}.{secrets.token_hex(8)}")
        mode = 0o600 if private else 0o644
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)  # whatever the umask says
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path(name))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._sync_folder()

    def remove(self, name: str) -> None:
        """Remove a file that may be there."""
        self.path(name).unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time is inside."""
        descriptor = os.open(self.path(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
