"""Every sentence a person reads about a decision, with the YAML that would pass.

A refusal must be enough to fix the manifest without asking anyone; a warning says the same in one line. Names come
from objects that nobody has validated: control characters are made visible, lengths are bounded, nothing is markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from plimsoll.policy.model import Mode, Policy
from plimsoll.policy.outcome import Evaluation, Prediction, Side, Violation
from plimsoll.policy.remedy import Advised, Remedy, remedy_for
from plimsoll.policy.workload import Resources, Workload

MAX_REFUSAL = 32 * 1024
"""Characters; kubectl and Events cut long before the API server would."""
MAX_WARNING = 256
"""Runes the API server leaves of each warning once all of them together are too long."""
MAX_WARNINGS = 8
MAX_LINES = 50
"""Violations listed in one refusal, and containers shown in its YAML."""
MAX_NAME = 80
OPEN = "<amount>"
"""Stands in YAML where the author must choose."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_INDEX = re.compile(r"[0-9]+\Z")
_NOT_TEXT = re.compile(r"(?i)(null|true|false|yes|no|on|off|y|n|[-+.0-9].*)\Z")


def plain(text: str, most: int = MAX_NAME) -> str:
    """``text`` on one line, printable, at most ``most`` characters."""
    head = text if len(text) <= most else text[: most - 1] + "…"
    if head.isprintable():
        return head
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)


def field_path(pointer: str) -> str:
    """``/spec/containers/0/resources`` as people write it: ``spec.containers[0].resources``."""
    path = ""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if _INDEX.match(name):
            path += f"[{name}]"
        elif "." in name or "/" in name:
            path += f"[{plain(name)}]"
        else:
            path += f".{plain(name)}"
    return path.removeprefix(".")


def violation_line(violation: Violation) -> str:
    """What was found and what is allowed, in one line: container, field by its path, check id."""
    who = "the pod's total" if violation.container is None else f"container {plain(violation.container)}"
    found = "missing" if violation.found is None else plain(violation.found)
    note = f" ({plain(violation.note, 400)})" if violation.note else ""
    return f"{who}: {field_path(violation.pointer)}: {found}, {violation.allowed}{note} [{violation.check}]"


def refusal(evaluation: Evaluation, now: datetime, violations: Sequence[Violation] | None = None) -> str:
    """The whole message of a refusal; ``violations`` names those it is refused for, else all."""
    policy = evaluation.policy
    listed = evaluation.violations if violations is None else violations
    lines = [f"{_title(evaluation)}:"]
    lines += [f"  - {violation_line(violation)}" for violation in listed[:MAX_LINES]]
    if len(listed) > MAX_LINES:
        lines.append(f"  - … and {len(listed) - MAX_LINES} more")
    lines += _offer(remedy_for(evaluation, now), evaluation.workload, policy)
    text = "\n".join(lines)
    return text if len(text) <= MAX_REFUSAL else text[: MAX_REFUSAL - 2] + "\n…"


def _title(evaluation: Evaluation) -> str:
    ref, policy = evaluation.workload.ref, evaluation.policy
    name = plain(ref.name or (f"{ref.generate_name}…" if ref.generate_name else ""))
    shown = f"{plain(ref.kind)} {name}".strip()
    return f"{shown} breaks policy {policy.name if policy else ''} of namespace {plain(ref.namespace)}"


def _offer(remedy: Remedy, workload: Workload, policy: Policy | None) -> Iterator[str]:
    if not remedy.containers:
        yield "Lower what its containers ask for together, or change spec.resources, to stay within the totals above."
        return
    if any(advised.open for advised in remedy.containers):
        name = policy.name if policy else ""
        least = "" if remedy.passes else ", and smaller amounts than these where the pod as a whole asks for too much"
        yield f"Write this, with an amount of your choice for {OPEN} (policy {name} has no default){least}:"
    elif remedy.passes:
        yield "This passes:"
    else:
        yield "This mends the containers; what is said about the pod as a whole needs smaller amounts than these:"
    yield passing_yaml(remedy, workload)


def passing_yaml(remedy: Remedy, workload: Workload) -> str:
    """The YAML to write, nested as in the object, containers by name; block style."""
    lines, indent = [], ""
    for token in [*workload.pointer.split("/")[1:], "spec"]:
        if _INDEX.match(token):
            lines.append(f"{indent}# item {token}")
            continue
        lines.append(f"{indent}{_scalar(token)}:")
        indent += "  "
    shown = remedy.containers[:MAX_LINES]
    for list_name in ("containers", "initContainers"):
        chosen = [advised for advised in shown if advised.container.pointer.rsplit("/", 2)[1] == list_name]
        if chosen:
            lines.append(f"{indent}{list_name}:")
        for advised in chosen:
            lines.append(f"{indent}- name: {_scalar(advised.container.name)}")
            lines.append(f"{indent}  resources:")
            lines += (f"{indent}    {line}" for line in _block(advised))
    if len(remedy.containers) > MAX_LINES:
        lines.append(f"{indent}# … and {len(remedy.containers) - MAX_LINES} more containers")
    return "\n".join(lines)


def _block(advised: Advised) -> Iterator[str]:
    for side, amounts in _sides(advised):
        yield f"{side.field}:"
        for name, amount in amounts:
            yield f"  {_scalar(name)}: {amount}"


def _sides(advised: Advised) -> Iterator[tuple[Side, list[tuple[str, str]]]]:
    resources: Resources = advised.resources
    for side, amounts in ((Side.REQUEST, resources.requests), (Side.LIMIT, resources.limits)):
        listed = [(name, _amount(quantity.canonical)) for name, quantity in amounts.items()]
        listed += [(name, OPEN) for open_side, name in advised.open if open_side is side]
        if listed:
            yield side, sorted(listed)


def _amount(text: str) -> str:
    return f'"{text}"' if text.lstrip("-").isdigit() else text


def _scalar(text: str) -> str:
    """A YAML scalar that reads back as this text."""
    return text if _PLAIN.match(text) and not _NOT_TEXT.match(text) else json.dumps(text[:MAX_NAME])


def flow_yaml(advised: Advised) -> str:
    """The same for one container in one line."""
    sides = ", ".join(
        f"{side.field}: {{" + ", ".join(f"{_scalar(name)}: {amount}" for name, amount in amounts) + "}"
        for side, amounts in _sides(advised)
    )
    return f"resources: {{{sides}}}"


def warnings(evaluation: Evaluation, now: datetime, violations: Sequence[Violation] | None = None) -> list[str]:
    """One line for each container that breaks the policy, for each slip of the pen and each refusal to come."""
    policy = evaluation.policy
    if policy is None:
        return []
    listed = evaluation.violations if violations is None else violations
    remedy = remedy_for(evaluation, now) if listed else Remedy((), passes=True)
    lines = list(_container_warnings(policy, listed, remedy, _announcement(policy, evaluation, now)))
    lines += _advice_warnings(evaluation)
    lines += (f"plimsoll: {prediction_line(prediction)}" for prediction in evaluation.predictions)
    if len(lines) > MAX_WARNINGS:
        lines[MAX_WARNINGS - 1 :] = [f"plimsoll: … and {len(lines) - MAX_WARNINGS + 1} more"]
    return lines


def _container_warnings(
    policy: Policy, violations: Sequence[Violation], remedy: Remedy, announcement: str
) -> Iterator[str]:
    offers = {advised.container.name: flow_yaml(advised) for advised in remedy.containers}
    names = list(dict.fromkeys(violation.container for violation in violations))
    for name in names:
        of_container = [violation for violation in violations if violation.container == name]
        what = "; ".join(_short(violation) for violation in of_container)
        who = "pod" if name is None else f"container {plain(name)}"
        head = plain(f"plimsoll: policy {policy.name}: {who}: {what}", 400)
        offer = f"; {announcement}passes with {offers[name]}" if name in offers else ""
        yield head + (plain(offer, 400) if offer else announcement and f"; {announcement.strip()}")


def _short(violation: Violation) -> str:
    field = f"{violation.side.field}.{violation.resource}" if violation.side else violation.resource
    found = "missing" if violation.found is None else violation.found
    note = f" ({violation.note})" if violation.note else ""
    return f"{field} {found}, {violation.allowed}{note}"


def _announcement(policy: Policy, evaluation: Evaluation, now: datetime) -> str:
    """When a warning becomes a refusal."""
    is_template = evaluation.workload.is_template
    enforced = Mode.ENFORCE in (policy.mode, policy.templates if is_template else policy.mode)
    if enforced and policy.enforce_from is not None and now < policy.enforce_from:
        return f"refused from {policy.enforce_from.strftime('%Y-%m-%dT%H:%M:%SZ')}; "
    if is_template and policy.mode is Mode.ENFORCE:
        return "its Pods will be refused; "
    return ""


def _advice_warnings(evaluation: Evaluation) -> Iterable[str]:
    for advice in evaluation.advice:
        doubt = advice.suspicion
        meant = f"; {doubt.meant} was probably meant" if doubt.meant else ""
        yield plain(
            f"plimsoll: container {plain(advice.container)}: {field_path(advice.pointer)}: "
            f"{doubt.found} is {doubt.meaning}{meant}",
            400,
        )


def prediction_line(prediction: Prediction) -> str:
    """A refusal that the API server itself will answer when the Pods are made."""
    who = f"container {plain(prediction.container)}: " if prediction.container else ""
    by = f"LimitRange {plain(prediction.limit_range)}" if prediction.limit_range else "the API server"
    return plain(f"{who}{by} will refuse its Pods: {prediction.text}", 500)
