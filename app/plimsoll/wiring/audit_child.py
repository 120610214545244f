"""The audit's own process: texts in on standard input, Reports out on standard output, until the input ends.

A large text takes seconds of computing, and a hostile one as much memory as it can get: neither may touch the process
that answers admissions. So this one has less priority and bounded memory, and nothing of it outlives a question but
the policies.
"""

from __future__ import annotations

import os
import resource
import sys
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
from msgspec import Struct

from plimsoll.files.manifests import Manifest

MEMORY_BYTES = 1024 * 1024 * 1024
PRIORITY = 10
LENGTH_BYTES = 8
OUT_OF_MEMORY = 12
"""The exit code that says so."""


class Question(Struct, frozen=True):
    """One audit."""

    policies: tuple[Manifest, ...] | None
    """None: those of the question before."""
    sources: tuple[str, ...]
    text: str
    namespace: str


def encode_frame(content: bytes) -> bytes:
    """A message of either direction: its length, then itself."""
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message; None where the stream has ended."""
    head = stream.read(LENGTH_BYTES)
    return stream.read(int.from_bytes(head, "big")) if len(head) == LENGTH_BYTES else None


def main() -> None:
    """Answer questions until there are no more."""
    os.nice(PRIORITY)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from plimsoll.audit.answer import report
    from plimsoll.wiring.local import compile_policies

    decoder = msgspec.msgpack.Decoder(Question)
    loaded = None
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        try:
            question = decoder.decode(frame)
            if question.policies is not None:
                loaded = compile_policies(question.policies)
            assert loaded is not None, "the first question brings the policies"  # noqa: S101
            now = datetime.now(UTC)
            answer = report(question.text, loaded, now, sources=question.sources, namespace=question.namespace)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        sys.stdout.buffer.write(encode_frame(answer))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
