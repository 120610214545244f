"""What `check` and `explain` judge and by what: paths in, subjects and a Snapshot out. Supplies the clock.

Policies come from ``--policies``, from the input itself, or, where there are none, from a preset; Namespaces and
LimitRanges in the input count as well. Loads neither the server nor its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from plimsoll.audit.run import Subject, Unread, nowhere, subject_of
from plimsoll.errors import InvalidPolicy, Problem
from plimsoll.files.manifests import Identity, Manifest, Unreadable, read_manifests
from plimsoll.objects.kinds import group_of
from plimsoll.policy.snapshot import Snapshot
from plimsoll.schemas.compile import Loaded, load
from plimsoll.schemas.manifests import API_VERSION, POLICY_KIND, ManifestObject, Role, read_objects
from plimsoll.schemas.yaml import UnreadableDocument

PRESETS: Final = Path(__file__).parents[1] / "presets"
DEFAULT_PRESET: Final = "memory-guard"

Found = ManifestObject | UnreadableDocument


class Inputs(Struct, frozen=True):
    """Everything that a report needs."""

    subjects: tuple[Subject | Unread, ...]
    snapshot: Snapshot
    sources: tuple[str, ...]
    """Where the policies came from, in words."""
    documents: int
    """How many were read, whatever is in them."""
    now: datetime


def read_inputs(
    paths: Sequence[str],
    policies: Sequence[str],
    stdin: BinaryIO,
    *,
    namespace: str,
    heard: Callable[[int], None] = lambda files: None,
) -> Inputs:
    """Read ``paths`` and compile what governs them; ``heard`` is told how many files were read so far.

    ``policies``: files, folders or names of presets. Raises InvalidPolicy with all that is wrong with them, and with
    policies and exemptions in the input.
    """
    loaded, identities, sources = _policies(policies, stdin, namespace)
    subjects: list[Subject | Unread] = []
    governing: list[Found] = []
    documents: set[tuple[str, int]] = set()
    for count, manifest in enumerate(read_manifests(paths, stdin), 1):
        heard(count)
        if isinstance(manifest, Unreadable):
            subjects.append(Unread(nowhere(manifest.origin), manifest.reason, manifest.line))
            continue
        for found in read_objects(manifest.text, manifest.origin):
            subjects.append(subject_of(found))
            documents.add(_document(found))
            if manifest.identity not in identities:
                governing.append(found)
    loaded, sources = _governed(loaded, [found for found in governing if _is_ours(found)], sources, namespace)
    loaded, problems = loaded.with_context((one for one in governing if not _is_ours(one)), namespace=namespace)
    context = (Unread(nowhere(each.origin), f"{each.pointer}: {each.reason}", each.line) for each in problems)
    return Inputs((*context, *subjects), loaded.snapshot, sources, len(documents), datetime.now(UTC))


def preset_names() -> tuple[str, ...]:
    """Of the presets that are shipped, in the order of their names."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def _document(found: Found) -> tuple[str, int]:
    document = found.document if isinstance(found, ManifestObject) else found
    return document.origin, document.index


def _is_ours(found: Found) -> bool:
    return isinstance(found, ManifestObject) and group_of(found.api_version) == group_of(API_VERSION)


def _policies(
    wanted: Sequence[str], stdin: BinaryIO, namespace: str
) -> tuple[Loaded, frozenset[Identity | None], tuple[str, ...]]:
    """What ``--policies`` names, compiled, with the files it stands in and its names for people."""
    manifests: list[Manifest] = []
    sources: list[str] = []
    problems: list[Problem] = []
    for name in wanted:
        preset = PRESETS / f"{name}.yaml"
        if not Path(name).exists() and name in preset_names():
            sources.append(f"{name} (preset)")
            manifests.append(Manifest(f"preset {name}", preset.read_text("utf-8")))
            continue
        sources.append(name)
        read = list(_read(name, stdin))
        problems += (one for one in read if isinstance(one, Problem))
        manifests += (one for one in read if isinstance(one, Manifest))
        if not read:
            problems.append(Problem(name, None, "", "there is no *.yaml, *.yml or *.json file in it"))
    if problems:
        raise InvalidPolicy(problems)
    loaded = load(((manifest.origin, manifest.text) for manifest in manifests), namespace=namespace)
    identities = frozenset(manifest.identity for manifest in manifests if manifest.identity is not None)
    return loaded, identities, tuple(sources)


def _read(path: str, stdin: BinaryIO) -> Iterator[Manifest | Problem]:
    for one in read_manifests([path], stdin):
        if isinstance(one, Manifest):
            yield one
            continue
        known = f"; a file, a folder or one of the presets {', '.join(preset_names())} is needed"
        missing = one.origin == path and not Path(path).exists()
        yield Problem(one.origin, one.line, "", one.reason + (known if missing else ""))


def _governed(
    loaded: Loaded, ours: Sequence[Found], sources: tuple[str, ...], namespace: str
) -> tuple[Loaded, tuple[str, ...]]:
    """Policies and exemptions of the input laid over those named; a preset where there is no policy at all."""
    loaded, problems = loaded.with_context(ours)
    if problems:
        raise InvalidPolicy(problems)
    if any(isinstance(one, ManifestObject) and one.role is Role.POLICY for one in ours):
        return loaded, (*sources, "the input")
    if loaded.policies:
        return loaded, sources
    if sources:
        reason = f"there is no {POLICY_KIND} in it, so nothing would be judged"
        raise InvalidPolicy([Problem(", ".join(sources), None, "", reason)])
    text = (PRESETS / f"{DEFAULT_PRESET}.yaml").read_text("utf-8")
    preset = load([(f"preset {DEFAULT_PRESET}", text)], namespace=namespace)
    both = Loaded(preset.policies, loaded.exemptions, loaded.namespaces, loaded.limit_ranges)
    return both, (f"{DEFAULT_PRESET} (preset; --policies names others)",)
