"""The audit's other process when it is slow, greedy, broken or busy: small programs stand in for it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

from plimsoll.files.manifests import Manifest
from plimsoll.files.policies import Version
from plimsoll.observations import Fault, Observation
from plimsoll.serving.exchange import HttpResponse
from plimsoll.wiring.auditor import MAX_WAITING, Auditor

from tests.wiring.served import policy

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
"""


def version(name: str) -> Version:
    return Version((Manifest("guard.yaml", policy(name)),), (), name)


class Asked:
    """An auditor, and what it told."""

    def __init__(self, program: str = "", seconds: float = 30) -> None:
        self.told: list[Observation] = []
        self.version = version("guard")
        command = {"command": (sys.executable, "-c", program)} if program else {}
        self.auditor = Auditor(lambda: self.version, ("here",), self.told.append, seconds=seconds, **command)

    def run(self, questions: Callable[[Auditor], Awaitable[None]]) -> None:
        async def asking() -> None:
            try:
                await questions(self.auditor)
            finally:
                self.auditor.close()
                await asyncio.sleep(0.05)  # the loop learns that the process is gone

        asyncio.run(asking())


def message(answer: HttpResponse) -> str:
    return str(json.loads(answer.body)["message"])


def policies_of(answer: HttpResponse) -> list[str]:
    assert answer.status == 200
    return [each["name"] for each in json.loads(answer.body)["policies"]]


def test_questions_are_answered_by_the_policies_of_the_moment() -> None:
    asked = Asked()

    async def questions(auditor: Auditor) -> None:
        assert policies_of(await auditor.audit(DEPLOYMENT, "default")) == ["guard"]
        assert policies_of(await auditor.audit(DEPLOYMENT, "default")) == ["guard"]
        asked.version = version("second")
        assert policies_of(await auditor.audit(DEPLOYMENT, "default")) == ["second"]

    asked.run(questions)
    assert asked.told == []


def test_one_that_takes_too_long_is_ended_and_the_next_one_is_answered() -> None:
    slow = Asked("import time; time.sleep(600)", seconds=0.3)

    async def questions(auditor: Auditor) -> None:
        for _ in range(2):
            answer = await auditor.audit(DEPLOYMENT, "default")
            assert answer.status == 413
            assert message(answer) == "judging took longer than 0.3 s; send fewer objects at once"

    slow.run(questions)
    assert slow.told == []


def test_one_that_takes_too_much_memory_is_the_fault_of_the_question() -> None:
    greedy = Asked("import os; os._exit(12)")

    async def questions(auditor: Auditor) -> None:
        answer = await auditor.audit(DEPLOYMENT, "default")
        assert answer.status == 413
        assert "took more memory than it is given" in message(answer)

    greedy.run(questions)
    assert greedy.told == []


def test_one_that_breaks_is_a_fault_of_ours_with_its_last_words() -> None:
    broken = Asked("import sys; sys.stdin.buffer.read(9); raise ZeroDivisionError('a defect')")

    async def questions(auditor: Auditor) -> None:
        answer = await auditor.audit(DEPLOYMENT, "default")
        assert answer.status == 500
        assert "ZeroDivisionError" not in message(answer)

    broken.run(questions)
    [fault] = broken.told
    assert isinstance(fault, Fault)
    assert fault.where == "/v1/audit"
    assert "ZeroDivisionError: a defect" in fault.traceback


def test_beyond_the_bound_of_those_that_wait_the_answer_is_at_once() -> None:
    slow = Asked("import time; time.sleep(600)", seconds=1)

    async def questions(auditor: Auditor) -> None:
        waiting = [asyncio.create_task(auditor.audit(DEPLOYMENT, "default")) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0.1)
        answer = await auditor.audit(DEPLOYMENT, "default")
        assert answer.status == 429
        assert message(answer) == f"{MAX_WAITING} audits are waiting already; try again later"
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    slow.run(questions)


def test_what_is_cancelled_makes_room_and_does_not_answer_the_next_one() -> None:
    asked = Asked()

    async def questions(auditor: Auditor) -> None:
        for _ in range(MAX_WAITING + 2):
            left = asyncio.create_task(auditor.audit("\n---\n".join([DEPLOYMENT] * 500), "default"))
            await asyncio.sleep(0.02)
            left.cancel()
            await asyncio.gather(left, return_exceptions=True)
        answer = await auditor.audit(DEPLOYMENT, "default")
        assert json.loads(answer.body)["input"]["documents"] == 1

    asked.run(questions)
