"""What the tests of this room judge: a policy, a text of manifests, and the way from there to rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from plimsoll.audit.run import Subject, Unread, report_rows, subject_of
from plimsoll.audit.tally import Tally
from plimsoll.policy.matching import Globs
from plimsoll.policy.model import Bounds, Exemption, Matcher, Mode, NamespaceMatch, Policy, Rules
from plimsoll.policy.quantity import parse
from plimsoll.policy.snapshot import Snapshot
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.manifests import read_objects
from plimsoll.schemas.report import ReportRow

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
EVERYWHERE = NamespaceMatch(include=Globs.of(["*"]))

MEMORY = Bounds(
    "memory",
    request_required=True,
    limit_required=True,
    default_request=parse("128Mi"),
    default=parse("256Mi"),
    max=parse("1Gi"),
)

INCIDENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: elastalert
  namespace: logging
spec:
  template:
    spec:
      containers:
      - name: elastalert
        image: elastalert:2
        resources: {}
"""


def policy(*bounds: Bounds, **fields: Any) -> Policy:
    rules = dict.fromkeys(ContainerClass, Rules(bounds or (MEMORY,)))
    given: dict[str, Any] = {
        "name": "guard",
        "namespaces": EVERYWHERE,
        "mode": Mode.ENFORCE,
        "templates": Mode.WARN,
        "rules": rules,
    }
    return Policy(**(given | fields))


def exemption(**fields: Any) -> Exemption:
    given: dict[str, Any] = {
        "name": "legacy",
        "owner": "team-data",
        "reason": "sizes itself",
        "expires": datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC),
        "expires_text": "2027-01-31",
        "match": Matcher(),
        "namespaces": None,
        "waive": frozenset(["*"]),
    }
    return Exemption(**(given | fields))


def subjects(text: str, file: str = "web.yaml") -> Iterator[Subject | Unread]:
    return map(subject_of, read_objects(text, file))


def rows(text: str, *policies: Policy, exemptions: Iterable[Exemption] = (), now: datetime = NOW) -> list[ReportRow]:
    return rows_under(Snapshot(policies or (policy(),), exemptions), text, now)


def rows_under(snapshot: Snapshot, text: str, now: datetime = NOW) -> list[ReportRow]:
    return list(report_rows(subjects(text), snapshot, now, Tally(("test",))))


def pod(*containers: dict[str, Any], **spec: Any) -> str:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers, **spec}}
    return msgspec.json.encode(body).decode()
