"""The policy file or folder: read by content again and again, compiled when it changed, the last good version kept.

The last good text also lies in the state folder, so that a restart on a file that has become invalid still has
policies. Must not know what a policy is: it is given ``compile``, which raises InvalidPolicy.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from plimsoll.errors import InvalidPolicy, Problem
from plimsoll.files.manifests import Manifest, Unreadable, read_manifests
from plimsoll.files.state import StateFolder

MAX_FILE_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 16 * 1024 * 1024
MAX_FILES = 5_000
SETTLE_SECONDS = 0.1
"""What changed is read once more after this long: an editor may be in the middle of writing, and half of a file can be
a valid file."""

Compiled = TypeVar("Compiled")


class Version(Struct, frozen=True):
    """All texts of one reading, and what is wrong with the reading itself."""

    manifests: tuple[Manifest, ...]
    problems: tuple[Problem, ...]
    digest: str
    """Short and the same for the same content."""


class _Saved(Struct, frozen=True):
    origin: str
    saved_at: datetime
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True)
class InForce(Generic[Compiled]):
    """A compiled version, and when its text was last seen to be good."""

    compiled: Compiled
    version: Version
    seconds: float
    """What compiling took."""
    saved_at: datetime | None = None
    """Set when it came from the state folder."""


class PolicyFiles(Generic[Compiled]):
    """One file or folder of policies. Methods block: call them in a thread."""

    def __init__(self, path: Path, state: StateFolder, compile_texts: Callable[[Sequence[Manifest]], Compiled]) -> None:
        self.path = path
        self._state = state
        self._compile = compile_texts
        self._saved_name = f"policies-{sha256(str(path.absolute()).encode()).hexdigest()[:16]}.json"

    def read(self) -> Version:
        """What lies there now."""
        manifests: list[Manifest] = []
        problems: list[Problem] = []
        total = 0
        found = read_manifests([str(self.path)], io.BytesIO(), limit=MAX_FILE_BYTES, most=MAX_FILES)
        for each in found:
            if isinstance(each, Unreadable):
                problems.append(Problem(each.origin, each.line, "", each.reason))
                continue
            total += len(each.text)
            if total > MAX_TOTAL_BYTES:
                reason = f"the policies are longer than {MAX_TOTAL_BYTES // 2**20} MiB together; at most that is read"
                problems.append(Problem(str(self.path), None, "", reason))
                break
            manifests.append(each)
        if not manifests and not problems:
            reason = "there is no *.yaml, *.yml or *.json file in it; at least one policy is needed"
            problems.append(Problem(str(self.path), None, "", reason))
        return Version(tuple(manifests), tuple(problems), _digest(manifests, problems))

    def compile(self, version: Version) -> InForce[Compiled]:
        """The version compiled. Raises InvalidPolicy with everything that is wrong with it."""
        began = time.perf_counter()
        if version.problems:
            raise InvalidPolicy(version.problems)
        compiled = self._compile(version.manifests)
        return InForce(compiled, version, time.perf_counter() - began)

    def keep(self, version: Version, now: datetime) -> None:
        """Write the version to the state folder as the last good one. Raises OSError."""
        saved = _Saved(str(self.path.absolute()), now, version.manifests)
        self._state.write(self._saved_name, msgspec.json.encode(saved), private=True)

    def last_good(self) -> InForce[Compiled] | None:
        """The last good version of this very path, compiled; None where none was kept or it is good no more."""
        try:
            saved = msgspec.json.decode(self._state.read(self._saved_name) or b"", type=_Saved)
            version = Version(saved.manifests, (), _digest(saved.manifests, ()))
            kept = self.compile(version)
        except (OSError, msgspec.MsgspecError, InvalidPolicy):
            return None
        return InForce(kept.compiled, version, kept.seconds, saved.saved_at.astimezone(UTC))


class PolicyKeeper(Generic[Compiled]):
    """What is in force, and what is wrong with what lies there now."""

    def __init__(
        self,
        files: PolicyFiles[Compiled],
        now: Callable[[], datetime],
        tell: Callable[[InForce[Compiled], InvalidPolicy | None], None],
        not_kept: Callable[[str], None],
    ) -> None:
        """``tell`` hears of each change: what is in force, and why the newest version is not, if it is not."""
        self._files = files
        self._now = now
        self._tell = tell
        self._not_kept = not_kept
        self.in_force: InForce[Compiled]
        self.rejected: InvalidPolicy | None = None
        """Why the newest version is not in force; None while it is."""
        self._seen: Version

    def start(self) -> None:
        """The newest version, or else the last good one. Raises InvalidPolicy where there is neither."""
        self._seen = self._files.read()
        try:
            self.in_force = self._files.compile(self._seen)
        except InvalidPolicy as error:
            kept = self._files.last_good()
            if kept is None:
                raise
            self.in_force, self.rejected = kept, error
        else:
            self._keep()
        self._tell(self.in_force, self.rejected)

    async def look(self) -> None:
        """One round: read, and compile what changed.

        Both run in a thread, because they take longer than the loop may stand still; the thread shares the
        interpreter in turns that ``wiring`` keeps short.
        """
        version = await asyncio.to_thread(self._files.read)
        if version.digest == self._seen.digest:
            return
        await asyncio.sleep(SETTLE_SECONDS)
        if (await asyncio.to_thread(self._files.read)).digest != version.digest:
            return
        self._seen = version
        try:
            self.in_force = await asyncio.to_thread(self._files.compile, version)
            self.rejected = None
        except InvalidPolicy as error:
            self.rejected = error
        else:
            await asyncio.to_thread(self._keep)
        self._tell(self.in_force, self.rejected)

    def _keep(self) -> None:
        try:
            self._files.keep(self.in_force.version, self._now())
        except OSError as error:
            self._not_kept(str(error))


def _digest(manifests: Sequence[Manifest], problems: Sequence[Problem]) -> str:
    digest = sha256()
    for manifest in manifests:
        digest.update(f"{manifest.origin}\0{len(manifest.text)}\0{manifest.text}".encode())
    for problem in problems:
        digest.update(f"\0{problem}".encode())
    return digest.hexdigest()[:12]
