"""Globs, image names and label selectors, compiled once when a policy is loaded.

``*`` matches any run of characters, also ``/``; ``?`` matches one; everything else stands for itself and the whole
text must match. Names, images and labels are the pod author's word: whoever matches on them trusts the author.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct


class Globs(Struct, frozen=True):
    """Alternatives: a text matches when any of them does."""

    written: tuple[str, ...]
    exact: frozenset[str]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, globs: Iterable[str]) -> Globs:
        """Compile ``globs``; none at all match nothing."""
        written = tuple(globs)
        wild = [glob for glob in written if "*" in glob or "?" in glob]
        # fnmatch builds patterns that cannot backtrack; its [classes] are no part of our language.
        pattern = re.compile("|".join(fnmatch.translate(glob.replace("[", "[[]")) for glob in wild)) if wild else None
        return cls(written, frozenset(written).difference(wild), pattern)

    def match(self, text: str) -> bool:
        """True when ``text`` as a whole matches one of the alternatives."""
        return text in self.exact or (self.pattern is not None and self.pattern.match(text) is not None)


def image_names(image: str) -> tuple[str, ...]:
    """The names an image goes by: as written and fully qualified, each also without digest and without tag.

    ``nginx`` is ``docker.io/library/nginx``. Follows the reference grammar of distribution: the first part is a
    registry when it holds a dot, a colon or a capital letter or is ``localhost``; ``index.docker.io`` is ``docker.io``.
    """
    return _remembered(image) if len(image) <= MAX_REMEMBERED else _image_names(image)


def _image_names(image: str) -> tuple[str, ...]:
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    base, colon, _ = last.partition(":")
    registry, _, path = name.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost" or registry.lower() != registry):
        registry, path = "", name
    host = registry.lower()
    if host in ("", "index.docker.io", "docker.io"):
        host = "docker.io" if "/" in path else "docker.io/library"
    names: dict[str, None] = {}
    for short in (image, name, f"{head}{slash}{base}") if digest or colon else (image,):
        names[short] = None
        names[f"{host}/{short[len(registry) + 1 if registry else 0 :]}"] = None
    return tuple(names)


MAX_REMEMBERED = 512
"""Characters of an image whose names are remembered: what the memory costs is no author's choice."""
_remembered = lru_cache(maxsize=4096)(_image_names)


class ImageGlobs(Struct, frozen=True):
    """Alternatives over image names, see `image_names`."""

    globs: Globs

    def match(self, image: str) -> bool:
        """True when any name of ``image`` matches any alternative."""
        return any(self.globs.match(name) for name in image_names(image))


class Requirement(Struct, frozen=True):
    """One row of a label selector's ``matchExpressions``."""

    key: str
    operator: str
    """``In``, ``NotIn``, ``Exists`` or ``DoesNotExist``."""
    values: frozenset[str]

    def match(self, labels: Mapping[str, str]) -> bool:
        """Kubernetes' meaning: ``NotIn`` also holds where the label is absent."""
        if self.operator == "In":
            return labels.get(self.key) in self.values
        if self.operator == "NotIn":
            return labels.get(self.key) not in self.values
        return (self.key in labels) is (self.operator == "Exists")


class LabelSelector(Struct, frozen=True):
    """A Kubernetes label selector; all its requirements must hold, an empty one matches everything."""

    requirements: tuple[Requirement, ...]

    def match(self, labels: Mapping[str, str]) -> bool:
        """True when every requirement holds for ``labels``."""
        return all(requirement.match(labels) for requirement in self.requirements)
