"""LimitRanges: reading with the server's own defaulting, and everything the server would refuse about one."""

import json

import pytest
from plimsoll.errors import MalformedObject
from plimsoll.policy.limit_range import LimitRange, LimitRangeItem, limit_range_problems, read_limit_range
from plimsoll.policy.quantity import parse

from tests.policy.shorthand import Json, limit_range, limit_ranges, parts, rows

REFUSED = [(row[0], row[1], row[4]) for row in rows("limitranger.tsv") if row[4].startswith("refused")]


def read(value: object) -> tuple[str, LimitRange]:
    return read_limit_range(json.dumps(value).encode())


def item(**fields: Json) -> LimitRangeItem:
    """A Container item with these fields, read."""
    return read({"spec": {"limits": [{"type": "Container", **fields}]}})[1].items[0]


class TestReading:
    def test_namespace_name_and_who_keeps_it(self) -> None:
        labels = {"app.kubernetes.io/managed-by": "plimsoll"}
        meta = {"name": "plimsoll", "namespace": "team", "labels": labels}
        assert read({"metadata": meta, "spec": {"limits": []}}) == ("team", LimitRange("plimsoll", (), managed=True))

    @pytest.mark.parametrize(
        "value", [{}, {"metadata": None, "spec": None}, {"metadata": {}, "spec": {"limits": None}}]
    )
    def test_what_is_absent_is_empty(self, value: Json) -> None:
        assert read(value) == ("", LimitRange(""))

    def test_a_generated_name_stands_in(self) -> None:
        assert read({"metadata": {"generateName": "limits-"}})[1].name == "limits-"

    def test_another_manager_is_not_ours(self) -> None:
        assert not read({"metadata": {"labels": {"app.kubernetes.io/managed-by": "helm"}}})[1].managed

    def test_the_default_limit_comes_from_max_and_the_request_from_either(self) -> None:
        found = item(max={"cpu": "2", "memory": "1Gi"}, min={"cpu": "1"}, default={"memory": "512Mi"})
        assert found.default == {"cpu": parse("2"), "memory": parse("512Mi")}
        assert found.default_request == {"cpu": parse("2"), "memory": parse("512Mi")}

    def test_a_min_alone_gives_a_request_and_no_limit(self) -> None:
        found = item(min={"cpu": "1"})
        assert found.default == {}
        assert found.default_request == {"cpu": parse("1")}

    def test_a_written_default_request_is_kept(self) -> None:
        assert item(default={"cpu": "2"}, defaultRequest={"cpu": 1}).default_request == {"cpu": parse("1")}

    def test_items_of_other_types_derive_nothing(self) -> None:
        (found,) = limit_ranges("Pod min cpu=1 max cpu=2")[0].items
        assert (found.default, found.default_request) == ({}, {})

    def test_amounts_are_rounded_up_to_milli(self) -> None:
        found = item(max={"cpu": "0.0001"}, maxLimitRequestRatio={"cpu": "1.0001"})
        assert found.default == {"cpu": parse("1m")}
        assert found.ratio == {"cpu": parse("1001m")}

    def test_a_type_that_is_missing_is_empty(self) -> None:
        assert read({"spec": {"limits": [{}]}})[1].items == (LimitRangeItem(""),)

    @pytest.mark.parametrize(
        ("value", "pointer"),
        [
            ([], ""),
            ({"spec": []}, "/spec"),
            ({"spec": {"limits": {}}}, "/spec/limits"),
            ({"spec": {"limits": [None]}}, "/spec/limits/0"),
            ({"spec": {"limits": [{"type": 1}]}}, "/spec/limits/0/type"),
            ({"spec": {"limits": [{"type": "Pod"}, {"max": {"cpu": []}}]}}, "/spec/limits/1/max"),
            ({"spec": {"limits": [{"max": {"cpu": "2 cores"}}]}}, "/spec/limits/0/max/cpu"),
            ({"spec": {"limits": [{"min": {"a.b/c~d": "1GB"}}]}}, "/spec/limits/0/min/a.b~1c~0d"),
            ({"spec": {"limits": [{"default": {"cpu": "x"}}]}}, "/spec/limits/0/default/cpu"),
            ({"spec": {"limits": [{"defaultRequest": {"cpu": ""}}]}}, "/spec/limits/0/defaultRequest/cpu"),
            (
                {"spec": {"limits": [{"maxLimitRequestRatio": {"cpu": "5%"}}]}},
                "/spec/limits/0/maxLimitRequestRatio/cpu",
            ),
        ],
    )
    def test_what_cannot_be_read_is_pointed_at(self, value: object, pointer: str) -> None:
        with pytest.raises(MalformedObject) as caught:
            read(value)
        assert caught.value.pointer == pointer

    def test_what_is_no_json_is_malformed(self) -> None:
        with pytest.raises(MalformedObject, match="not JSON"):
            read_limit_range(b"spec: {}")


def problems(text: str) -> list[tuple[str, str]]:
    """(pointer, text) for each problem of a LimitRange in short."""
    return [(found.pointer, found.text) for found in limit_range_problems(limit_ranges(text)[0])]


class TestProblems:
    @pytest.mark.parametrize(("name", "text", "outcome"), REFUSED, ids=[row[0] for row in REFUSED])
    def test_the_server_would_say_the_same(self, name: str, text: str, outcome: str) -> None:
        found = [f"refused {field(pointer)}: {said}" for pointer, said in problems(text)]
        assert sorted(found) == sorted(parts(outcome))

    @pytest.mark.parametrize(
        "text",
        [
            "Container default cpu=1",
            "Container min cpu=1 max cpu=1 default cpu=1 defReq cpu=1 ratio cpu=1",
            "Container max nvidia.com/gpu=1 min nvidia.com/gpu=1",
            "Container min cpu=1 max cpu=3 ratio cpu=3",
            "Container min memory=9Pi max memory=27Pi ratio memory=3",
            "Pod min cpu=0 max cpu=1 ratio cpu=100",
            "PersistentVolumeClaim max storage=1Gi",
            "PersistentVolumeClaim min storage=1Gi max pods=1",
            "example.com/Thing max widgets.example.com/size=1 default cpu=1 + Pod max cpu=1",
            "Container max hugepages-2Mi=4Mi,ephemeral-storage=1Gi,foo.kubernetes.io/bar=1500m",
        ],
    )
    def test_a_good_one_has_none(self, text: str) -> None:
        assert problems(text) == []

    @pytest.mark.parametrize(
        ("text", "pointer", "said"),
        [
            (
                "Container min cpu=2 max cpu=1 default cpu=2 defReq cpu=2",
                "/spec/limits/0/min/cpu",
                'Invalid value: "2": min value 2 is greater than max value 1',
            ),
            (
                "Container default nvidia.com/gpu=2 defReq nvidia.com/gpu=1",
                "/spec/limits/0/defaultRequest/nvidia.com~1gpu",
                'Invalid value: "1": default value 2 must equal to defaultRequest value 1 in nvidia.com/gpu',
            ),
            (
                "PersistentVolumeClaim max cpu=1",
                "/spec/limits/0/limits",
                "Required value: either minimum or maximum storage value is required, but neither was provided",
            ),
            (
                "Node max cpu=1",
                "/spec/limits/0/type",
                'Invalid value: "Node": must be a standard limit type or fully qualified',
            ),
            (
                "Pod defReq cpu=1",
                "/spec/limits/0/defaultRequest",
                "Forbidden: may not be specified when `type` is 'Pod'",
            ),
            (
                "Container default gpu=1 defReq gpu=1",
                "/spec/limits/0/default/gpu",
                'Invalid value: "gpu": must be a standard resource type or fully qualified',
            ),
            (
                "Pod max pods=1",
                "/spec/limits/0/max/pods",
                'Invalid value: "pods": must be a standard resource for containers',
            ),
            (
                "example.com/Thing ratio gpu=1",
                "/spec/limits/0/maxLimitRequestRatio/gpu",
                'Invalid value: "gpu": must be a standard resource type or fully qualified',
            ),
            (
                "Pod min cpu=1 max cpu=-1",
                "/spec/limits/0/min/cpu",
                'Invalid value: "1": min value 1 is greater than max value -1',
            ),
        ],
    )
    def test_each_is_pointed_at(self, text: str, pointer: str, said: str) -> None:
        assert (pointer, said) in problems(text)

    def test_a_type_that_is_no_name_is_told(self) -> None:
        ((pointer, said),) = [
            (found.pointer, found.text) for found in limit_range_problems(read({"spec": {"limits": [{}]}})[1])[:1]
        ]
        assert pointer == "/spec/limits/0/type"
        assert said == 'Invalid value: "": name part must be non-empty'

    @pytest.mark.parametrize(
        ("low", "high", "ratio", "said"),
        [
            ("1", "2", "2", None),
            ("1", "2", "2001m", "ratio 2001m is greater than max/min = 2.000000"),
            ("3", "10", "3.334", "ratio 3.334 is greater than max/min = 3.333333"),
            ("9Pi", "18Pi", "3", "ratio 3 is greater than max/min = 2.000000"),  # whole units from here on
            ("9Pi", "18Pi", "2.5", "ratio 2500m is greater than max/min = 2.000000"),
            ("0", "1", "100", None),
            ("0", "0", "100", None),
            ("0", "-1", "1", "ratio 1 is greater than max/min = -inf"),
        ],
    )
    def test_a_ratio_beyond_max_over_min(self, low: str, high: str, ratio: str, said: str | None) -> None:
        written = f"Pod min memory={low} max memory={high} ratio memory={ratio}"
        found = [
            text.partition(": ")[2].partition(": ")[2] for pointer, text in problems(written) if "Ratio" in pointer
        ]
        assert found == ([] if said is None else [said])


def field(pointer: str) -> str:
    """A JSON Pointer as the server names the place; the last step of five is a key."""
    steps = pointer.split("/")[1:]
    text = f"{steps[0]}.{steps[1]}[{steps[2]}].{steps[3]}"
    return text + "".join(f"[{step}]" for step in steps[4:])


def test_the_shorthand_is_what_a_person_would_write() -> None:
    assert limit_range("Container default cpu=1 defReq cpu=500m + Pod ratio cpu=2")["spec"] == {
        "limits": [
            {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}},
            {"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}},
        ]
    }
