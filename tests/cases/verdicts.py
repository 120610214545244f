"""What must be said for a verdict, by whoever says it: our endpoints alone, or the API server that has asked them.

One place, so that a case can never mean something else on one of its ways. Needs no server.
"""

from collections import defaultdict
from collections.abc import Iterable

from tests.cases.case import POD
from tests.cases.reviews import Answer
from tests.cases.scene import Scene

OURS = "plimsoll: "
"""Each of our warnings begins so."""


def assert_said(staged: Scene, judged: Answer, *, also: Iterable[str] = ()) -> None:
    """The verdict, everything that must be said with it, and nothing else. `also`: phrases of further warnings."""
    expect, verdict = staged.case.expect, staged.verdict
    assert judged.allowed is (verdict != "fail"), judged.message
    if verdict == "fail":
        assert judged.code == 403
        assert refused_for(judged) == expect.checks
        assert any(document["metadata"]["name"] in judged.message for document in staged.documents)
        assert [phrase for phrase in expect.message if phrase not in judged.message] == []
        named = [cause["field"] for cause in judged.causes]
        assert [path for path in expect.fields if not any(path in field for field in named)] == []
    about_violations = [line for line in judged.warnings if line.startswith(f"{OURS}policy ")]
    others = [line for line in judged.warnings if line not in about_violations]
    if verdict == "warn":
        assert warned_about(about_violations) == set(expect.checks)
        assert [phrase for phrase in expect.message if phrase not in "\n".join(about_violations)] == []
    else:
        assert about_violations == []
    if verdict in ("audit", "fail") or staged.mode == "Audit":
        assert others == []
        return
    assert [line for line in others if not any(says in line for says in (*expect.warnings, *also))] == []
    assert [says for says in expect.warnings if not any(says in line for line in others)] == []


def refused_for(judged: Answer) -> dict[str, set[str]]:
    """Container → check ids of the causes."""
    found: dict[str, set[str]] = defaultdict(set)
    for cause in judged.causes:
        who = cause["message"].partition(":")[0]
        found[POD if who == "the pod's total" else who.removeprefix("container ")].add(cause["reason"])
        assert cause["message"] in judged.message
    return dict(found)


def warned_about(lines: Iterable[str]) -> set[str]:
    """The containers that warnings are about: `plimsoll: policy NAME: container app: …`."""
    return {line.split(": ")[2].removeprefix("container ") for line in lines}
