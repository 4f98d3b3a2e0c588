"""A client of Opsgenie's, as tests use it: it writes, has Sitrep do it, and reads."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.test import Client

from alerts.ingest import process_raw_events
from alerts.models import AlertSource

ALERTS = "/opsgenie/v2/alerts"


class Opsgenie:
    """A client that knows nothing but its key and a host."""

    def __init__(self, source: AlertSource, now: datetime) -> None:
        self.source = source
        # (what is stored is due by the wall clock)
        self.later = now.replace(year=2100)

    def send(self, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body) if body is not None else ""
        headers = {"Authorization": f"GenieKey {self.source.token}", **headers}
        return Client().generic(method, ALERTS + path, text, content_type="application/json", headers=headers)

    def write(self, method: str, path: str = "", body: Any = None) -> dict[str, Any]:
        """A write that is accepted and done: what its request's status says."""
        response = self.send(method, path, body)
        content = response.json()
        assert (response.status_code, content["result"]) == (202, "Request will be processed"), content
        assert isinstance(content["took"], float)
        assert response["X-Request-ID"] == content["requestId"]
        assert self.send("GET", f"/requests/{content['requestId']}").status_code == 404, "it is not yet processed"
        process_raw_events(self.later)
        return dict(self.read(f"/requests/{content['requestId']}"))

    def read(self, path: str = "") -> Any:
        response = self.send("GET", path)
        assert response.status_code == 200, response.content
        return response.json()["data"]

    def do(self, path: str, body: Any = None, *, method: str = "POST", alias: str = "a1") -> dict[str, Any]:
        """A write to the alert of an alias."""
        sign = "&" if "?" in path else "?"
        return self.write(method, f"/{quote(alias, safe='')}{path}{sign}identifierType=alias", body or {})
