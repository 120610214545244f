"""A decoded object as one of the documents, and pydantic's complaints in words that say what would be accepted.

Where parts of a document have the wrong shape they are taken out and the rest is looked at again, so that a typo does
not hide what else is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

from msgspec import Struct
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from plimsoll.objects.read import escaped
from plimsoll.policy.quantity import shown
from plimsoll.schemas.compile.words import MOST_COMPLAINTS, Complaint, nearest

Model = TypeVar("Model", bound=BaseModel)
_Location = tuple[int | str, ...]

_ACCEPTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "amount": "an amount such as 500m or 256Mi",
}


MOST_ROUNDS = 6
"""Each round fills in what is missing one step deeper: spec, then namespaces, then what they hold."""

_STAND_INS: dict[str, Any] = {
    "containers": {},
    "expires": "9999-12-31",
    "hard": {"pods": 1},
    "match": {},
    "metadata": {},
    "namespaces": {"include": ["*"]},
    "operator": "Exists",
    "spec": {},
    "waive": ["*"],
}


class Unshapable(Exception):
    """Too little is left of a document to look at the rest."""


class Shaped(Struct, frozen=True):
    """What could be read of a document."""

    document: Any
    """The model."""
    complaints: tuple[Complaint, ...] = ()
    removed: tuple[str, ...] = ()
    """Pointers of the parts that were taken out: what is said about their parents may be untrue."""


def shaped(model: type[BaseModel], value: object) -> Shaped:
    """The document in ``value``, decoded JSON; every part with a wrong shape is a complaint. Raises Unshapable."""
    complaints: tuple[Complaint, ...] | None = None
    removed: list[str] = []
    kept = value
    for _ in range(MOST_ROUNDS):
        try:
            return Shaped(model.model_validate(kept), complaints or (), tuple(removed))
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if complaints is None:
            complaints = tuple(_complaint(model, each) for each in errors[:MOST_COMPLAINTS])
            kept = copy.deepcopy(value)
        missing = [each["loc"] for each in errors if each["type"] == "missing"]
        for location in missing:
            _stand_in(kept, location)
        removed += (_pointer(_removed(kept, each["loc"])) for each in errors if each["type"] != "missing")
    raise Unshapable("it has not even the outline of such a document")


def _stand_in(value: Any, location: _Location) -> None:
    """Put something harmless where a field is missing, so that the rest can be looked at."""
    for step in location[:-1]:
        value = value[step]
    value[location[-1]] = copy.deepcopy(_STAND_INS.get(str(location[-1]), "x"))


def _removed(value: Any, location: _Location) -> _Location:
    """Take the key nearest to ``location`` out of the maps in ``value``; answers what was taken out."""
    owner: dict[Any, Any] = {}
    place: _Location = ()
    for length, step in enumerate(location, 1):
        if isinstance(value, dict):
            owner, place = value, location[:length]
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break  # gone already, with another complaint
    owner.pop(place[-1] if place else None, None)
    return place


def _pointer(location: Sequence[int | str]) -> str:
    return "".join(f"/{escaped(str(step))}" for step in location)


def _complaint(model: type[BaseModel], error: ErrorDetails) -> Complaint:
    location, kind = error["loc"], error["type"]
    name = str(location[-1]) if location else "the document"
    if kind == "missing":
        field = _fields(_model_at(model, location[:-1])).get(name, "")
        reason = f"{name} is missing; needed: {field[:1].lower()}{field[1:].rstrip('.')}"
    elif kind == "extra_forbidden":
        known = _fields(_model_at(model, location[:-1]))
        accepted = ", ".join(known)
        reason = f"unknown field {shown(name)}{nearest(name, known)}; accepted here: {accepted}"
    elif kind == "literal_error":
        words = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        found = error["input"]
        hint = nearest(found, words) if isinstance(found, str) else ""
        reason = f"found {_found(found)}{hint}; accepted: {', '.join(words)}"
    elif kind in {"too_long", "string_too_long"}:
        what = "characters" if kind == "string_too_long" else "entries"
        reason = f"found {len(error['input'])} {what}; accepted: at most {error['ctx']['max_length']}"
    elif kind in {"greater_than_equal", "less_than_equal"}:
        reason = f"found {_found(error['input'])}; accepted: a whole number from -2147483648 to 2147483647"
    else:
        accepted = _ACCEPTED.get(kind, error["msg"])
        quotes = ""
        if kind == "string_type" and isinstance(error["input"], int | float):
            quotes = "; in quotes it is text"
        reason = f"found {_found(error['input'])}; accepted: {accepted}{quotes}"
    return Complaint(_pointer(location), reason)


def _found(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value:.17g}" if isinstance(value, float) else _number(value)
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else "nothing"


def _number(value: int) -> str:
    return f"the number {value}" if abs(value) < 10**20 else "a number of many digits"


def _fields(model: type[BaseModel] | None) -> dict[str, str]:
    """Name → description of the fields of a part."""
    return {name: field.description or "" for name, field in model.model_fields.items()} if model is not None else {}


def _model_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    """The part that stands at ``location``."""
    found: type[BaseModel] | None = model
    for step in location:
        if isinstance(step, str) and found is not None:
            field = found.model_fields.get(step)
            found = _model_in(field.annotation) if field is not None else None
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The part in ``list[Part]``, ``Part | None`` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model_in(argument)) is not None), None)
