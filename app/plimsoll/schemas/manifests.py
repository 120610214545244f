"""Documents → objects: Lists taken apart, and what governs (policies, namespaces, LimitRanges) told from the rest.

Shared by the policy loader, `check` and the audit API, so that all see the same objects in a text. Reads nothing but
apiVersion and kind; must not raise for anything that a text can hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from plimsoll.errors import MalformedObject
from plimsoll.objects.kinds import template_pointers
from plimsoll.objects.read import decode
from plimsoll.schemas.positions import Position
from plimsoll.schemas.yaml import Document, UnreadableDocument, read_documents

API_VERSION: Final = "plimsoll.dev/v1alpha1"
POLICY_KIND: Final = "ClusterLimitPolicy"
EXEMPTION_KIND: Final = "ClusterLimitExemption"


class Role(Enum):
    """What an object is for."""

    POLICY = "policy"
    EXEMPTION = "exemption"
    NAMESPACE = "namespace"
    LIMIT_RANGE = "limit range"
    OTHER = "other"
    """Workloads, and everything else."""


_ROLES: Final = {
    (API_VERSION, POLICY_KIND): Role.POLICY,
    (API_VERSION, EXEMPTION_KIND): Role.EXEMPTION,
    ("v1", "Namespace"): Role.NAMESPACE,
    ("v1", "LimitRange"): Role.LIMIT_RANGE,
}


class ManifestObject(Struct, frozen=True):
    """One object of a text; an item of a List is an object of its own."""

    document: Document
    pointer: str
    """JSON Pointer of the object in its document: empty, or ``/items/3``."""
    json: bytes
    api_version: str
    """Empty where the object says none: it is then no object of Kubernetes."""
    kind: str
    role: Role

    @property
    def line(self) -> int:
        """The line where it begins; cheaper than any other position."""
        return self.line_of("") if self.pointer else self.document.line

    def position(self, pointer: str) -> Position:
        """Where a field of the object stands, or its nearest parent."""
        return self.document.position(self.pointer + pointer)

    def line_of(self, pointer: str) -> int:
        """The line of `position`."""
        return self.position(pointer).line


_Part = tuple[str, bytes | msgspec.Raw, str, str]
"""Pointer and JSON of what may be an object, and the apiVersion and kind that its list implies."""


class _Kind(Struct, gc=False):
    apiVersion: str | None = None  # noqa: N815 - Kubernetes' name
    kind: str | None = None


class _Items(Struct, gc=False):
    items: list[msgspec.Raw] | None = None


_KIND: Final = msgspec.json.Decoder(_Kind)
_ITEMS: Final = msgspec.json.Decoder(_Items)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_objects(text: str, origin: str) -> Iterator[ManifestObject | UnreadableDocument]:
    """Each object of a text in its order. Empty documents and null items are left out."""
    for document in read_documents(text, origin):
        if isinstance(document, UnreadableDocument):
            yield document
        else:
            yield from objects_of(document)


def objects_of(document: Document) -> Iterator[ManifestObject | UnreadableDocument]:
    """The objects of one document: itself, or what its List holds, Lists in Lists too."""
    waiting: list[_Part] = [("", document.json, "", "")]
    while waiting:
        pointer, raw, implied_version, implied_kind = waiting.pop()
        try:
            says = decode(_KIND, raw, pointer)
            api_version, kind = says.apiVersion or "", says.kind or ""
            if implied_kind and not kind:
                api_version, kind = implied_version, implied_kind
                raw = _completed(raw, api_version, kind)
            if _is_list(api_version, kind):
                waiting.extend(reversed(_items(raw, pointer, api_version, kind)))
                continue
        except MalformedObject as error:
            yield UnreadableDocument(document.origin, document.index, document.line_of(error.pointer), _reason(error))
            continue
        role = _ROLES.get((api_version, kind), Role.OTHER)
        yield ManifestObject(document, pointer, bytes(raw), api_version, kind, role)


def _is_list(api_version: str, kind: str) -> bool:
    if kind == "List":
        return api_version == "v1"
    item = kind.removesuffix("List")
    return item != kind and (bool(template_pointers(api_version, item)) or (api_version, item) in _ROLES)


def _items(raw: bytes | msgspec.Raw, pointer: str, api_version: str, kind: str) -> list[_Part]:
    """The items with their pointers, and what an item of a typed list (PodList) is without saying so."""
    item_kind = kind.removesuffix("List")
    return [
        (f"{pointer}/items/{index}", item, api_version, item_kind)
        for index, item in enumerate(decode(_ITEMS, raw, pointer).items or ())
        if bytes(item) != b"null"
    ]


def _completed(raw: bytes | msgspec.Raw, api_version: str, kind: str) -> bytes:
    fields = _FIELDS.decode(raw)
    fields["apiVersion"] = msgspec.Raw(msgspec.json.encode(api_version))
    fields["kind"] = msgspec.Raw(msgspec.json.encode(kind))
    return msgspec.json.encode(fields)


def _reason(error: MalformedObject) -> str:
    """What the decoder found, in the words of a person who wrote a manifest."""
    where = f"{error.pointer}: " if error.pointer else ""
    return f"{where}{error.reason}; an object with apiVersion and kind is needed"
