"""A Report as JSON: one row a line, so that it can be streamed, searched and compared.

Rows leave as they come; nothing is kept, sorted or left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from plimsoll.audit.tally import Tally
from plimsoll.schemas.report import API_VERSION, KIND, ReportRow


def json_parts(rows: Iterable[ReportRow], tally: Tally) -> Iterator[bytes]:
    """The document in parts, ending with a line break; ``tally`` is read after the last row."""
    encode = msgspec.json.Encoder(order=None).encode
    head = encode({"apiVersion": API_VERSION, "kind": KIND, "sources": tally.sources})
    yield head[:-1] + b',"rows":['
    between = b"\n"
    for row in rows:
        yield between + encode(row)
        between = b",\n"
    tail = {"policies": tally.policies, "input": tally.input, "summary": tally.summary}
    if tally.incomplete:
        tail["incomplete"] = tally.incomplete
    yield b"\n]," + encode(tail)[1:] + b"\n"
