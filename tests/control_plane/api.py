"""What one user says to the API server and hears back: status, body, warnings.

Built on httpx, not on the product's client, so that the tests see what any client would see. Refusals are values
(`Reply.status`), never exceptions: most tests are about them.
"""

import re
from dataclasses import dataclass
from typing import Any

import httpx

Object = dict[str, Any]
"""A Kubernetes object as JSON."""

_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Reply:
    """`body` is the stored object, or the Status that says why not; `warnings` are the texts kubectl would print."""

    status: int
    body: Object
    warnings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """Why it was refused; empty when it was not."""
        return "" if self.ok else str(self.body.get("message", ""))

    def expect_ok(self) -> Object:
        """The body, or an AssertionError that quotes the server."""
        assert self.ok, f"the API server answered {self.status}: {self.message}"
        return self.body


class Kinds:
    """Where each kind lives, asked of the server's own discovery once per group and version."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._known: dict[str, dict[str, tuple[str, bool]]] = {}

    def path(self, api_version: str, kind: str, namespace: str) -> str:
        """The collection's path, "/apis/apps/v1/namespaces/x/deployments". LookupError where the kind is not served."""
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        if kind not in self._known.get(root, {}):
            found = self._http.get(root).json().get("resources", [])
            self._known[root] = {
                entry["kind"]: (entry["name"], entry["namespaced"]) for entry in found if "/" not in entry["name"]
            }
        try:
            plural, namespaced = self._known[root][kind]
        except KeyError:
            raise LookupError(f"this API server serves no {kind} in {api_version}") from None
        return f"{root}/namespaces/{namespace}/{plural}" if namespaced else f"{root}/{plural}"


class Api:
    """One user's calls. Objects without a namespace go to `default`, as kubectl would send them."""

    def __init__(self, http: httpx.Client, kinds: Kinds) -> None:
        self._http = http
        self._kinds = kinds

    def create(self, obj: Object, *, dry_run: bool = False) -> Reply:
        return self.request("POST", self._collection(obj), json=obj, dry_run=dry_run)

    def update(self, obj: Object, *, subresource: str = "", dry_run: bool = False) -> Reply:
        """Replace it, or one of its subresources ("resize")."""
        return self.request("PUT", self._item(obj, subresource), json=obj, dry_run=dry_run)

    def apply(self, obj: Object, *, field_manager: str = "tests", dry_run: bool = False) -> Reply:
        """Server-side apply, taking over the fields of others."""
        return self.request(
            "PATCH",
            self._item(obj),
            json=obj,
            dry_run=dry_run,
            headers={"Content-Type": "application/apply-patch+yaml"},
            params={"fieldManager": field_manager, "force": "true"},
        )

    def patch(self, obj: Object, change: Object, *, subresource: str = "", dry_run: bool = False) -> Reply:
        """A JSON merge patch of the object that `obj` names."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self.request("PATCH", self._item(obj, subresource), json=change, dry_run=dry_run, headers=headers)

    def read(self, api_version: str, kind: str, name: str, namespace: str = "default") -> Reply:
        return self.request("GET", f"{self._kinds.path(api_version, kind, namespace)}/{name}")

    def listing(self, api_version: str, kind: str, namespace: str = "default") -> list[Object]:
        """All objects of the kind in the namespace."""
        found: list[Object] = self.request("GET", self._kinds.path(api_version, kind, namespace)).expect_ok()["items"]
        return found

    def delete(self, obj: Object, *, dry_run: bool = False) -> Reply:
        """Delete the object that `obj` names, at once."""
        return self.request("DELETE", self._item(obj), dry_run=dry_run, params={"gracePeriodSeconds": "0"})

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Object | None = None,
        dry_run: bool = False,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Any call, by its path."""
        asked = {**(params or {}), **({"dryRun": "All"} if dry_run else {})}
        response = self._http.request(method, path, json=json, params=asked, headers=headers)
        try:
            body = response.json()
        except ValueError:
            body = {"message": response.text}
        return Reply(response.status_code, body, warnings_of(response.headers.get_list("warning")))

    def text(self, path: str) -> str:
        """What a path answers that does not speak JSON ("/metrics", "/readyz")."""
        return self._http.get(path).raise_for_status().text

    def _collection(self, obj: Object) -> str:
        return self._kinds.path(obj["apiVersion"], obj["kind"], obj["metadata"].get("namespace", "default"))

    def _item(self, obj: Object, subresource: str = "") -> str:
        item = f"{self._collection(obj)}/{obj['metadata']['name']}"
        return f"{item}/{subresource}" if subresource else item


def warnings_of(headers: list[str]) -> tuple[str, ...]:
    """The texts of `Warning: 299 - "…"` headers, unquoted."""
    quoted = [text for header in headers for text in _WARNING.findall(header)]
    return tuple(re.sub(r"\\(.)", r"\1", text) for text in quoted)
