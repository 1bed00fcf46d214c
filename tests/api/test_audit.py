"""Who changed what, for programs."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from tests.api.conftest import Person, network, person


@pytest.fixture
def tag(ada: Person) -> int:
    answer = ada.client.post("/api/v1/id-tags/", {"value": "04A1B2", "note": "blue van"}, content_type="application/json")
    pk: int = answer.json()["id"]
    ada.client.patch(f"/api/v1/id-tags/{pk}/", {"note": "red van"}, content_type="application/json")
    return pk


def test_what_a_key_does_is_told_with_its_prefix(ada: Person, tag: int) -> None:
    newest = ada.client.rows("audit/")[0]
    assert newest["actor"] == f"ada@example.org (key {ada.key.prefix})"
    assert (newest["via"], newest["action"], newest["kind"], newest["thing"]) == ("api", "id_token.changed", "idtoken", str(tag))
    assert (newest["before"], newest["after"]) == ({"note": "blue van"}, {"note": "red van"})


def test_each_filter_narrows_the_list(ada: Person, tag: int) -> None:
    one = network(ada.operator, "AMBER-01")
    today = datetime.now(UTC).date()
    tomorrow = today + timedelta(days=1)
    for params, wanted in (
        ({"kind": "idtoken", "thing": str(tag)}, ["id_token.changed", "id_token.added"]),
        ({"action": "id_token.added"}, ["id_token.added"]),
        ({"person": "ADA@example.org"}, ["id_token.changed", "id_token.added"]),
        ({"person": "nobody@example.org"}, []),
        ({"station": one.station.identity}, ["station.added"]),
        ({"station": "NOWHERE"}, []),
        ({"via": "api"}, ["id_token.changed", "id_token.added"]),
        ({"q": "BLUE", "since": str(today), "until": str(tomorrow)}, ["id_token.changed", "id_token.added"]),
        ({"since": str(tomorrow)}, []),
        ({"until": str(today)}, []),
    ):
        assert [row["action"] for row in ada.client.rows("audit/", **params)] == wanted, params


@pytest.mark.parametrize("query", ["q=van", "q=van&since=2020-01-01", "thing=1", "via=fax", "since=soon"])
def test_a_filter_that_makes_no_sense_is_refused_with_the_remedy(ada: Person, query: str) -> None:
    answer = ada.client.get(f"/api/v1/audit/?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_only_those_who_may_read_it(ada: Person, ben: Person, cleo: Person, tag: int) -> None:
    assert ben.client.get("/api/v1/audit/").status_code == 403
    assert not [row for row in cleo.client.rows("audit/") if "id_token" in row["action"]]
    reader = person("eve", ada.operator, "owner", scopes=("read",))
    assert reader.client.get("/api/v1/audit/").status_code == 403
    auditor = person("abe", ada.operator, "owner", scopes=("audit.view",))
    assert auditor.client.rows("audit/")
    assert auditor.client.get("/api/v1/stations/").status_code == 403


def test_nobody_alters_it(ada: Person, tag: int) -> None:
    assert ada.client.post("/api/v1/audit/", {}, content_type="application/json").status_code == 405
    assert ada.client.delete("/api/v1/audit/").status_code == 405


def test_what_was_done_at_the_machine_is_told_apart(ada: Person) -> None:
    call_command("operator", "keep", ada.operator.name, "--messages", "30", stdout=StringIO())
    newest = ada.client.rows("audit/")[0]
    assert newest["via"] == "shell"
    assert newest["actor"].startswith("shell")
    assert (newest["before"], newest["after"]) == ({"keep_messages_days": None}, {"keep_messages_days": 30})
