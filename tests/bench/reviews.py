"""The AdmissionReviews of the benchmark, made from two that a real API server sent (1.37.2, trimmed to 5.5 kB).

`reviews/patched.json` is a Pod of three containers whose resources are missing in part, `reviews/untouched.json` the
same Pod as its policy wants it. The API server never sends the same bytes twice, so neither does the benchmark.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent / "reviews"
Review = dict[str, Any]


def review(name: str) -> Review:
    """`patched` or `untouched`."""
    read: Review = json.loads((HERE / f"{name}.json").read_text())
    return read


def variation(made_from: Review, rng: random.Random) -> Review:
    """A Pod of the same shape and length: names, images and amounts of its own."""
    text = json.dumps(made_from).replace("checkout", _letters(rng, 8)).replace("5d9f7c6b84", _letters(rng, 10))
    new: Review = json.loads(text.replace("kube-api-access-x7v2q", f"kube-api-access-{_letters(rng, 5)}"))
    digits = f"{rng.getrandbits(128):032x}"
    new["request"]["uid"] = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    for container in new["request"]["object"]["spec"]["containers"]:
        requests = container["resources"].get("requests", {})
        if "cpu" in requests:
            requests["cpu"] = f"{rng.randrange(10, 1000)}m"
        if "memory" in requests:
            requests["memory"] = f"{rng.randrange(200, 256)}Mi"
        container["image"] = container["image"].rpartition(":")[0] + f":{rng.randrange(100)}.{rng.randrange(100)}.7"
    return new


def named(made_from: Review, rng: random.Random) -> Review:
    """The same as /validate sees it: the API server has given it a name by then."""
    new = variation(made_from, rng)
    name = new["request"]["object"]["metadata"]["generateName"] + _letters(rng, 5)
    new["request"]["name"] = new["request"]["object"]["metadata"]["name"] = name
    return new


def in_namespace(made_from: Review, namespace: str) -> bytes:
    """The body of a review of another namespace."""
    request = {**made_from["request"], "namespace": namespace}
    request["object"] = {**request["object"], "metadata": {**request["object"]["metadata"], "namespace": namespace}}
    return encoded({**made_from, "request": request})


def encoded(document: Review) -> bytes:
    """As the API server writes it: without a space."""
    return json.dumps(document, separators=(",", ":")).encode()


def write(path: Path, name: str, make: Callable[[Review, random.Random], Review], count: int) -> Path:
    """`count` bodies of one kind, one on each line; the same ones in every run."""
    rng, made_from = random.Random(4), review(name)
    path.write_bytes(b"\n".join(encoded(make(made_from, rng)) for _ in range(count)) + b"\n")
    return path


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("bcdfghjklmnpqrstvwxz2456789", k=count))
