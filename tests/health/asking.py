"""Asks a server's probes, and reads what Prometheus would."""

import json
from http.client import HTTPConnection
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.servers import Server


def get(server: Server, path: str) -> tuple[int, str]:
    """Status and body."""
    client = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        client.request("GET", path)
        response = client.getresponse()
        return response.status, response.read().decode()
    finally:
        client.close()


def readyz(server: Server, query: str = "") -> tuple[int, dict[str, Any]]:
    """Status and parts."""
    status, text = get(server, f"/readyz{query}")
    return status, json.loads(text)["parts"]


def ready(server: Server, query: str = "") -> bool:
    return readyz(server, query)[0] == 200


class Metrics:
    """One look at `/metrics`."""

    def __init__(self, server: Server) -> None:
        _, text = get(server, "/metrics")
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def each(self, name: str, **labels: str) -> list[float]:
        """The values of the series with these labels."""
        return [one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()]

    def sum(self, name: str, **labels: str) -> float:
        return sum(self.each(name, **labels))

    def labels(self, name: str, label: str) -> set[str]:
        return {one.labels[label] for one in self.samples if one.name == name}
