"""The answers, and that nothing is skipped silently."""

from __future__ import annotations

from plimsoll.admission.response import AdmissionResponse, Trace, Verdict, skipped


def test_what_is_skipped_is_allowed_and_says_why() -> None:
    assert skipped("it is being deleted", "guard") == AdmissionResponse(
        allowed=True, trace=Trace(Verdict.SKIPPED, policy="guard", reason="it is being deleted")
    )


def test_an_answer_says_nothing_unless_told() -> None:
    answer = AdmissionResponse(allowed=True, trace=Trace(Verdict.ALLOWED))
    assert (answer.code, answer.message, answer.causes, answer.patch) == (0, "", (), ())
    assert (answer.warnings, answer.audit_annotations) == ((), {})


def test_a_verdict_is_a_word_fit_for_a_label() -> None:
    assert all(verdict.value.isalpha() and verdict.value.islower() for verdict in Verdict)
    assert len({verdict.value for verdict in Verdict}) == len(Verdict) == 7
