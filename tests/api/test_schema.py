"""The OpenAPI document is true: it validates, warns of nothing, and names what the lists hold."""

from pathlib import Path

from django.core.management import call_command

from tests.api.conftest import Network, Person


def test_the_schema_is_made_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    text = file.read_text()
    assert "/api/v1/stations/{identity}/" in text
    assert "ApiKey" in text


def test_rows_have_the_fields_the_schema_says(ada: Person, amber: Network) -> None:
    schema = ada.client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    checked = 0
    for path, operations in schema["paths"].items():
        content = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        if "{" in path or path.endswith("/id-tags/"):
            continue
        page = schema["components"]["schemas"][content["$ref"].rsplit("/", 1)[1]]
        row = schema["components"]["schemas"][page["properties"]["results"]["items"]["$ref"].rsplit("/", 1)[1]]
        (shown,) = ada.client.rows(path.removeprefix("/api/v1/"))
        assert set(row["properties"]) == set(shown), path
        checked += 1
    assert checked == 8
