"""LimitRanger, simulated: what it fills in, what it refuses and in which words; what of it is only a hint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plimsoll.policy.api_validation import api_validation_problems
from plimsoll.policy.draft import Draft
from plimsoll.policy.limitranger import (
    MAX_ANNOTATION,
    Filled,
    LimitRange,
    LimitRangeItem,
    Refusal,
    accepts,
    defaults,
    fill,
    named_by_annotation,
    order_matters,
    refusals,
)
from plimsoll.policy.pod_level import pod_level_defaults
from plimsoll.policy.qos import qos_class
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import Resources

from tests.policy.shorthand import contents, drafts, drafts_of, limit_ranges, parts, pod, rows, workload, written

VECTORS = [row for row in rows("limitranger.tsv") if not row[4].startswith("refused")]


@pytest.mark.parametrize(("name", "ranges", "given_pod", "after", "outcome"), VECTORS, ids=[row[0] for row in VECTORS])
def test_a_pod_ends_as_the_server_ends_it(name: str, ranges: str, given_pod: str, after: str, outcome: str) -> None:
    read = workload(pod(given_pod))
    made = drafts_of(read)
    fill(made, limit_ranges(ranges))
    stored = pod_level_defaults(made, read.pod_resources)

    assert contents(made) == written(after)[0]
    invalid = [f"422 {problem}" for problem in api_validation_problems(made, stored, pod_level=True)]
    refused = [f"403 {refusal.text}" for refusal in refusals(made, read.pod_resources, limit_ranges(ranges))]
    admitted = [] if invalid or refused else ["admitted " + qos_class(_resources(made), stored)]
    assert sorted(invalid + refused + admitted) == sorted(parts(outcome))


def _resources(made: list[Draft]) -> list[Resources]:
    return [Resources(draft.requests, draft.limits) for draft in made]


class TestFilling:
    def test_what_was_filled_is_told_by_container_side_and_limit_range(self) -> None:
        made = drafts(pod("a req cpu=1; init i"))
        told = fill(made, limit_ranges("Container default memory=1Gi | Container defReq cpu=2"))
        assert set(told) == {
            Filled(0, "limit", "memory", "limits-0"),
            Filled(0, "request", "memory", "limits-0"),
            Filled(1, "limit", "memory", "limits-0"),
            Filled(1, "request", "memory", "limits-0"),
            Filled(1, "request", "cpu", "limits-1"),
        }

    def test_the_first_limit_range_wins(self) -> None:
        made = drafts(pod("a"))
        fill(made, limit_ranges("Container default cpu=1 | Container default cpu=2"))
        assert contents(made) == written("a req cpu=1 lim cpu=1")[0]

    def test_a_written_zero_is_left_alone(self) -> None:
        made = drafts(pod("a req cpu=0 lim cpu=0"))
        assert fill(made, limit_ranges("Container default cpu=2")) == ()

    def test_ephemeral_containers_are_skipped(self) -> None:
        object_ = pod("a lim cpu=1")
        object_["spec"]["ephemeralContainers"] = [{"name": "debug"}]
        made = drafts(object_)
        ranges = limit_ranges("Container max cpu=2 ratio cpu=2 | Container default cpu=3")
        assert fill(made, ranges) == ()
        assert refusals(made, None, ranges) == ()
        assert not order_matters(made, ranges)

    @pytest.mark.parametrize(
        "text", ["Pod max cpu=2", "PersistentVolumeClaim max storage=1Gi", "Container ratio cpu=2"]
    )
    def test_only_defaults_of_container_items_are_filled(self, text: str) -> None:
        assert fill(drafts(pod("a")), limit_ranges(text)) == ()

    def test_nothing_is_filled_without_a_limit_range(self) -> None:
        assert fill(drafts(pod("a")), ()) == ()

    def test_of_two_container_items_the_last_default_wins(self) -> None:
        """No server stores two of them any more; one that got in long ago is still read."""
        both = LimitRange("old", (_item(default="1"), _item(default="2")))
        assert defaults(both) == ({"cpu": parse("2")}, {})


def _item(*, type_: str = "Container", default: str) -> LimitRangeItem:
    return LimitRangeItem(type=type_, default={"cpu": parse(default)})


class TestOrder:
    @pytest.mark.parametrize(
        ("ranges", "given_pod", "matters"),
        [
            ("Container default cpu=1", "a", False),
            ("Container default cpu=1 | Container default memory=1Gi", "a", False),
            ("Container default cpu=1 | Container default cpu=1000m", "a", False),
            ("Container default cpu=1 | Container default cpu=2", "a", True),
            ("Container default cpu=1 | Container default cpu=2", "a lim cpu=3", False),
            ("Container default cpu=1 | Container default cpu=2", "a lim cpu=3; init i", True),
            ("Container default cpu=1 | Container default cpu=2", "a req cpu=3", True),
            ("Container defReq cpu=1 | Container defReq cpu=2", "a req cpu=3", False),
            ("Container defReq cpu=1 | Container min cpu=2", "a", True),
            ("Container max cpu=4 | Container default cpu=2 defReq cpu=4", "a lim cpu=1", False),
            ("Container max cpu=1 | Pod max cpu=2", "a", False),
        ],
    )
    def test_it_matters_where_two_limit_ranges_would_fill_other_values(
        self, ranges: str, given_pod: str, matters: bool
    ) -> None:
        assert order_matters(drafts(pod(given_pod)), limit_ranges(ranges)) is matters

    @given(
        st.lists(
            st.fixed_dictionaries(
                {}, optional={key: st.sampled_from(["1", "2"]) for key in ("default", "defReq", "max")}
            ),
            min_size=2,
            max_size=2,
        ),
        st.sampled_from(["a", "a lim cpu=1", "a req cpu=1", "a req cpu=1 lim cpu=2", "a lim cpu=2; sidecar s"]),
    )
    def test_it_matters_exactly_where_the_two_orders_end_differently(
        self, both: list[dict[str, str]], given_pod: str
    ) -> None:
        ranges = limit_ranges(
            " | ".join("Container" + "".join(f" {k} cpu={v}" for k, v in one.items()) for one in both)
        )
        ends = []
        for order in (ranges, ranges[::-1]):
            made = drafts(pod(given_pod))
            fill(made, order)
            ends.append(contents(made))
        assert order_matters(drafts(pod(given_pod)), ranges) == (ends[0] != ends[1])


class TestRefusals:
    def test_a_refusal_says_which_limit_range_item_container_and_constraint(self) -> None:
        made = drafts(pod("a lim cpu=3; b req memory=1"))
        ranges = limit_ranges("Container max cpu=2 | Pod min memory=2 + Container ratio memory=1")
        assert set(refusals(made, None, ranges)) == {
            Refusal("limits-0", "Container", "a", "cpu", "max", "maximum cpu usage per Container is 2, but limit is 3"),
            Refusal(
                "limits-0",
                "Container",
                "b",
                "cpu",
                "max",
                "maximum cpu usage per Container is 2.  No limit is specified",
            ),
            Refusal("limits-1", "Pod", None, "memory", "min", "minimum memory usage per Pod is 2, but request is 1"),
            Refusal(
                "limits-1",
                "Container",
                "a",
                "memory",
                "ratio",
                "memory max limit to request ratio per Container is 1, but no request is specified or request is 0",
            ),
            Refusal(
                "limits-1",
                "Container",
                "b",
                "memory",
                "ratio",
                "memory max limit to request ratio per Container is 1, but no limit is specified or limit is 0",
            ),
        }

    @pytest.mark.parametrize(
        ("item", "given_pod", "text"),
        [
            (
                "ratio memory=10Pi",
                "a req memory=1 lim memory=11Pi",
                "memory max limit to request ratio per Container is 10Pi, "
                "but provided ratio is 12384898975268864.000000",
            ),
            ("min cpu=1", "a", "minimum cpu usage per Container is 1.  No request is specified"),
            ("min cpu=2", "a req cpu=2 lim cpu=1", "minimum cpu usage per Container is 2, but limit is 1"),
            ("max cpu=1", "a req cpu=2 lim cpu=1", "maximum cpu usage per Container is 1, but request is 2"),
            ("max memory=1e3", "a lim memory=1500", "maximum memory usage per Container is 1e3, but limit is 1500"),
            ("max memory=5e2", "a lim memory=15e8", "maximum memory usage per Container is 500, but limit is 1500e6"),
            (
                "ratio cpu=1",
                "a lim cpu=0",
                "cpu max limit to request ratio per Container is 1, but no request is specified or request is 0",
            ),
            (
                "ratio cpu=3",
                "a req cpu=1 lim cpu=0",
                "cpu max limit to request ratio per Container is 3, but no limit is specified or limit is 0",
            ),
        ],
    )
    def test_the_words_are_the_servers(self, item: str, given_pod: str, text: str) -> None:
        found = [r.text for r in refusals(drafts(pod(given_pod)), None, limit_ranges(f"Container {item}"))]
        assert found == [text]

    @pytest.mark.parametrize(
        ("limits", "total"),
        [
            ("1000M 500Mi", "1524288k"),
            ("500Mi 1000M", "1524288000"),
            ("1Gi 1Gi", "2Gi"),
            ("0 1Ki", "1Ki"),
            ("1Ki 0", "1Ki"),
            ("1e3 1", "1001"),
            ("1e3 2k", "3e3"),
            ("1.5Gi 512Mi 1k", "2147484648"),
        ],
    )
    def test_a_total_is_printed_like_its_first_amount(self, limits: str, total: str) -> None:
        made = drafts(pod("; ".join(f"c{i} lim memory={limit}" for i, limit in enumerate(limits.split()))))
        found = [refusal.text for refusal in refusals(made, None, limit_ranges("Pod max memory=1"))]
        assert found == [f"maximum memory usage per Pod is 1, but limit is {total}"]

    @pytest.mark.parametrize(
        ("item", "given_pod"),
        [
            ("Container min cpu=1", "a lim cpu=1"),
            ("Container min cpu=1", "a req cpu=1"),
            ("Container max cpu=1", "a lim cpu=1"),
            ("Container max cpu=1", "a req cpu=0 lim cpu=1"),
            ("Container ratio cpu=1.5", "a req cpu=2 lim cpu=3"),
            ("Pod max cpu=2", "a lim cpu=1; b"),
            ("Container ratio memory=10Pi", "a req memory=1 lim memory=9Pi"),
            ("Pod max cpu=2 | Pod min cpu=1", "a lim cpu=2"),
        ],
    )
    def test_a_value_at_the_bound_passes(self, item: str, given_pod: str) -> None:
        assert refusals(drafts(pod(given_pod)), None, limit_ranges(item)) == ()

    def test_a_server_that_drops_pod_level_resources_counts_the_containers(self) -> None:
        given_pod = pod("pod lim cpu=3; a lim cpu=1")
        own, ranges = workload(given_pod).pod_resources, limit_ranges("Pod max cpu=2")
        assert [r.text for r in refusals(drafts(given_pod), own, ranges)] == [
            "maximum cpu usage per Pod is 2, but limit is 3"
        ]
        assert refusals(drafts(given_pod), own, ranges, pod_level=False) == ()

    def test_pod_level_hugepages_do_not_count_in_a_pod_item(self) -> None:
        given_pod = pod("pod lim cpu=1,hugepages-2Mi=8Mi; a lim cpu=1,hugepages-2Mi=2Mi")
        own = workload(given_pod).pod_resources
        assert refusals(drafts(given_pod), own, limit_ranges("Pod max hugepages-2Mi=2Mi")) == ()

    def test_items_of_other_types_judge_no_pod(self) -> None:
        ranges = limit_ranges("PersistentVolumeClaim max cpu=1 + example.com/Thing max cpu=1")
        assert refusals(drafts(pod("a lim cpu=2")), None, ranges) == ()


class TestBeyondTheMachineIntegers:
    """Up to 1.37 the server wraps there; a prediction that did not would be wrong."""

    @pytest.mark.parametrize(
        ("bound", "limit", "refused"),
        [
            ("1000", "9223372036854775807", True),  # the last that fits
            ("1000", "9223372036854775808", False),  # wraps to the lowest number
            ("1000", "18446744073709551616", False),  # wraps to zero
            ("1000", "18446744073709552617", True),  # wraps to 1001
            ("1000", "10E", False),  # noticed by the server, and counted as zero
            ("1000", "1e30", False),
            ("1000", "9.3E", False),
            ("1000", "10000P", False),  # fifteen zeros are multiplied one by one
            ("1000", "20000000000G", True),  # nine zeros at once, which wraps to 1553255926290448384
            ("9Pi", "10Pi", True),  # compared in whole units
            ("9Pi", "9007199254740992001m", False),  # 9Pi is below this, and stays so when compared in milli
        ],
    )
    def test_a_limit_beyond_them(self, bound: str, limit: str, refused: bool) -> None:
        found = refusals(drafts(pod(f"a lim memory={limit}")), None, limit_ranges(f"Container max memory={bound}"))
        assert bool(found) is refused


class TestAccepting:
    def test_one_resource_is_asked_about_alone(self) -> None:
        ranges = limit_ranges("Container min cpu=1 max memory=1Gi + Pod max memory=1 | Container max memory=512Mi")
        assert accepts("memory", parse("1Mi"), parse("512Mi"), ranges) is None
        assert accepts("ephemeral-storage", None, None, ranges) is None
        assert accepts("memory", parse("1Mi"), parse("513Mi"), ranges) == (
            "LimitRange 'limits-1': maximum memory usage per Container is 512Mi, but limit is 513Mi"
        )
        assert accepts("cpu", None, parse("2"), ranges) == (
            "LimitRange 'limits-0': minimum cpu usage per Container is 1.  No request is specified"
        )

    @given(st.sampled_from(["0", "1", "2", "3", "4"]), st.sampled_from(["0", "1", "2", "3", "4"]))
    def test_what_is_accepted_is_never_refused(self, request: str, limit: str) -> None:
        ranges = limit_ranges("Container min cpu=1 max cpu=3 ratio cpu=2")
        refused = refusals(drafts(pod(f"a req cpu={request} lim cpu={limit}")), None, ranges)
        accepted = accepts("cpu", parse(request), parse(limit), ranges)
        assert (accepted is None) == (not refused)
        if refused:
            assert accepted == f"LimitRange 'limits-0': {refused[0].text}"


class TestTheAnnotation:
    """Anybody can write it: whatever it holds, reading it is harmless and quick."""

    def test_it_names_what_was_set(self) -> None:
        text = (
            "LimitRanger plugin set: cpu, memory request for container app; nvidia.com/gpu limit for container app; "
            "cpu limit for init container setup"
        )
        assert named_by_annotation(text) == {
            (False, "app", "request", "cpu"),
            (False, "app", "request", "memory"),
            (False, "app", "limit", "nvidia.com/gpu"),
            (True, "setup", "limit", "cpu"),
        }

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "cpu request for container app",
            "LimitRanger plugin set: ",
            "LimitRanger plugin set: cpu requests for container app",
            "LimitRanger plugin set: cpu request for container ",
            "LimitRanger plugin set: cpu request for container App",
            "LimitRanger plugin set:  request for container app",
            "LimitRanger plugin set: , request for container app",
            "LimitRanger plugin set: cpu request for ephemeral container app",
            "LimitRanger plugin set: cpu request for container " + "a" * 64,
            "LimitRanger plugin set: cpu request for container app\n",
        ],
    )
    def test_other_texts_name_nothing(self, text: str) -> None:
        assert named_by_annotation(text) == frozenset()

    def test_a_note_that_cannot_be_read_spoils_no_other(self) -> None:
        text = "LimitRanger plugin set: nonsense; cpu limit for container app; ; memory for container app"
        assert named_by_annotation(text) == {(False, "app", "limit", "cpu")}

    def test_an_endless_one_names_nothing(self) -> None:
        note = "cpu limit for container app; "
        text = "LimitRanger plugin set: " + note * (MAX_ANNOTATION // len(note))
        assert named_by_annotation(text) == {(False, "app", "limit", "cpu")}
        assert named_by_annotation(text + note) == frozenset()

    @given(st.text(alphabet="cpu, ;requstlimfoancy-/.é\n\x00", max_size=200))
    def test_any_text_can_be_read(self, text: str) -> None:
        for _, container, side, resource in named_by_annotation("LimitRanger plugin set: " + text):
            assert side in {"request", "limit"}
            assert container
            assert resource
            assert resource in text

    @given(
        st.sampled_from(["a", "a lim cpu=1", "a req memory=1", "a; b lim cpu=1", "init i; a", "sidecar s; a lim cpu=1"])
    )
    def test_it_says_what_filling_says(self, given_pod: str) -> None:
        """The server's sentence, made from our own simulation, reads back to the same values."""
        made = drafts(pod(given_pod))
        filled = fill(made, limit_ranges("Container default cpu=1,memory=1Gi defReq cpu=500m"))
        notes = [
            f"{f.resource} {f.side} for {'init ' if 'init' in made[f.index].container.pointer else ''}container "
            f"{made[f.index].container.name}"
            for f in filled
        ]
        assert named_by_annotation("LimitRanger plugin set: " + "; ".join(notes)) == {
            ("init" in made[f.index].container.pointer, made[f.index].container.name, f.side, f.resource)
            for f in filled
        }
