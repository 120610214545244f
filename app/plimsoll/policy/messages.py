"""Every sentence a person reads about a decision, with the YAML that would pass.

A refusal must be enough to fix the manifest without asking anyone; a warning says the same in one line. Names come
from objects that nobody has validated: control characters are made visible, lengths are bounded, nothing is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice

from plimsoll.policy.model import Mode, Policy
from plimsoll.policy.outcome import Advice, Evaluation, Prediction, Side, Violation
from plimsoll.policy.remedy import Advised, Remedy, remedy_for
from plimsoll.policy.workload import Resources, Workload

MAX_REFUSAL = 32 * 1024
"""Bytes; kubectl and Events cut long before the API server would."""
MAX_WARNING = 256
"""Runes the API server leaves of each warning once all of them together are too long."""
MAX_WARNINGS = 8
MAX_ALL_WARNINGS = MAX_WARNINGS * MAX_WARNING
"""Half of what the API server takes from all webhooks together; beyond it each of ours is cut."""
MAX_OFFER = 400
"""Of YAML in one line; what is longer is left out, since half of it is no YAML."""
MAX_LINES = 50
"""Violations listed in one refusal."""
MAX_PREDICTIONS = 8
MAX_NAME = 80
MAX_AMOUNTS = 160
"""Of what was found and what is allowed: two amounts of 64 characters and some words."""
MAX_RESOURCE = 253 + 1 + 63
MAX_CHECK = MAX_RESOURCE + 24
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
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def plain_each(texts: Sequence[str], most: int) -> tuple[str, ...]:
    """`plain` of each; all of them are looked at at once, since hardly any text is not plain."""
    if "".join(texts).isprintable() and max(map(len, texts), default=0) <= most:
        return tuple(texts)
    return tuple(plain(text, most) for text in texts)


def field_path(pointer: str) -> str:
    """``/spec/containers/0/resources`` as people write it: ``spec.containers[0].resources``."""
    path = ""
    for token in pointer.split("/")[1:]:
        name = _unescaped(token)
        if _INDEX.match(name):
            path += f"[{name}]"
        elif "." in name or "/" in name:
            path += f"[{plain(name)}]"
        else:
            path += f".{plain(name)}"
    return path.removeprefix(".")


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def violation_line(violation: Violation) -> str:
    """What was found and what is allowed, in one line: container, field by its path, check id."""
    who = "the pod's total" if violation.container is None else f"container {plain(violation.container)}"
    found = "missing" if violation.found is None else plain(violation.found, MAX_AMOUNTS)
    note = f" ({plain(violation.note, 400)})" if violation.note else ""
    allowed, check = plain(violation.allowed, MAX_AMOUNTS), check_name(violation)
    return f"{who}: {field_path(violation.pointer)}: {found}, {allowed}{note} [{check}]"


def check_name(violation: Violation) -> str:
    """The id of its check, in one line: a resource is named by the object's author."""
    return plain(violation.check, MAX_CHECK)


def refusal(evaluation: Evaluation, now: datetime, violations: Sequence[Violation] | None = None) -> str:
    """The whole message of a refusal; ``violations`` names those it is refused for, else all."""
    listed = evaluation.violations if violations is None else violations
    lines = [f"{_title(evaluation)}:"]
    lines += [f"  - {violation_line(violation)}" for violation in listed[:MAX_LINES]]
    if len(listed) > MAX_LINES:
        lines.append(f"  - … and {len(listed) - MAX_LINES} more")
    lines += (f"  - {prediction_line(prediction)}" for prediction in evaluation.predictions[:MAX_PREDICTIONS])
    lines += _offer(evaluation, remedy_for(evaluation, now))
    text = "\n".join(lines)
    whole = text.encode()
    return text if len(whole) <= MAX_REFUSAL else whole[: MAX_REFUSAL - 4].decode(errors="ignore") + "\n…"


def _title(evaluation: Evaluation) -> str:
    ref, policy = evaluation.workload.ref, evaluation.policy
    name = plain(ref.name or (f"{ref.generate_name}…" if ref.generate_name else ""))
    shown = f"{plain(ref.kind)} {name}".strip()
    return f"{shown} breaks policy {policy.name if policy else ''} of namespace {plain(ref.namespace)}"


def _offer(evaluation: Evaluation, remedy: Remedy) -> Iterator[str]:
    policy = evaluation.policy.name if evaluation.policy else ""
    if not remedy.containers:
        yield (
            "Lower what its containers ask for together, or change spec.resources, to stay within the totals above."
            if any(violation.container is None for violation in evaluation.violations)
            else f"Policy {policy} names no amounts that would pass here; what it allows stands above."
        )
        return
    if any(advised.open for advised in remedy.containers):
        least = "" if remedy.passes else ", and mend what else is said above"
        yield f"Write this, with an amount of your choice for {OPEN} (policy {policy} has no default){least}:"
    elif remedy.passes:
        yield "This passes:"
    else:
        yield "This mends what policy and containers say of each other; mend what else is said above, too:"
    yield passing_yaml(remedy, evaluation.workload)


def passing_yaml(remedy: Remedy, workload: Workload) -> str:
    """The YAML to write, nested as in the object, containers by name; block style."""
    lines, indent = [], ""
    for token in [*workload.pointer.split("/")[1:], "spec"]:
        if _INDEX.match(token):
            lines.append(f"{indent}# item {token}")
            continue
        lines.append(f"{indent}{_scalar(_unescaped(token))}:")
        indent += "  "
    for list_name in ("containers", "initContainers"):
        chosen = [advised for advised in remedy.containers if advised.container.pointer.rsplit("/", 2)[1] == list_name]
        if chosen:
            lines.append(f"{indent}{list_name}:")
        for advised in chosen:
            lines.append(f"{indent}- name: {_scalar(advised.container.name)}")
            block = [f"{indent}    {line}" for line in _block(advised)]
            lines += [f"{indent}  resources:", *block] if block else [f"{indent}  resources: {{}}"]
    if remedy.left_out:
        lines.append(f"{indent}# … and likewise {remedy.left_out} more containers")
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
    """A YAML scalar that reads back as this text, as long as the text could be a name at all."""
    head = text[:MAX_RESOURCE]
    if _PLAIN.match(head) and not _NOT_TEXT.match(head):
        return head
    quoted = head.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in quoted) + '"'


def flow_yaml(advised: Advised) -> str:
    """The same for one container in one line."""
    sides = ", ".join(
        f"{side.field}: {{" + ", ".join(f"{_scalar(name)}: {amount}" for name, amount in amounts) + "}"
        for side, amounts in _sides(advised)
    )
    return f"resources: {{{sides}}}"


def warnings(evaluation: Evaluation, now: datetime) -> list[str]:
    """One line for each container that breaks the policy, for each slip of the pen and each refusal to come."""
    policy = evaluation.policy
    if policy is None:
        return []
    places: dict[str, list[Violation]] = {}
    for violation in evaluation.violations:
        places.setdefault(violation.place, []).append(violation)
    advice, predictions = evaluation.advice, evaluation.predictions
    lines = chain(
        _container_warnings(evaluation, policy, places, now),
        _advice_warnings(advice),
        (f"plimsoll: {prediction_line(prediction)}" for prediction in predictions),
    )
    return bounded(list(islice(lines, MAX_WARNINGS)), len(places) + len(advice) + len(predictions))


def bounded(lines: Sequence[str], count: int) -> list[str]:
    """The first of ``count`` warnings, as many and as long as the API server passes on whole."""
    shown = list(lines)
    if count > MAX_WARNINGS:
        shown[MAX_WARNINGS - 1 :] = [f"plimsoll: … and {count - MAX_WARNINGS + 1} more"]
    if sum(map(len, shown)) > MAX_ALL_WARNINGS:
        return [plain(line, MAX_WARNING) for line in shown]
    return shown


def _container_warnings(
    evaluation: Evaluation, policy: Policy, places: Mapping[str, Sequence[Violation]], now: datetime
) -> Iterator[str]:
    if not places:
        return
    announcement = _announcement(policy, evaluation, now)
    remedy = remedy_for(evaluation, now)
    offers = {advised.container.pointer: flow_yaml(advised) for advised in remedy.containers}
    for place, violations in places.items():
        name = violations[0].container
        who = "pod" if name is None else f"container {plain(name)}"
        what = "; ".join(_short(violation) for violation in violations[:MAX_LINES])
        head = plain(f"plimsoll: policy {policy.name}: {who}: {what}", 400)
        offer = offers.get(place, "")
        if offer and len(offer) <= MAX_OFFER:
            offer = f"{'passes with' if remedy.passes else 'mended by'} {offer}"
        else:
            offer = ""
        yield head + f"; {announcement}{offer}".removesuffix("; ")


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


def _advice_warnings(listed: Iterable[Advice]) -> Iterator[str]:
    for advice in listed:
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
