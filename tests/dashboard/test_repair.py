"""The admin at /admin/."""

import pytest
from django.test import Client
from django_scopes import scope

from accounts.models import AuditEntry
from billing import tariffs
from billing.models import ChargeRecord, FormerAssignment, Tariff, TariffAssignment, TariffVersion
from csms.admin import repair
from tests.dashboard.rows import bill, finding, finished, plug, session
from tests.network import Network


@pytest.fixture
def root(amber: Network) -> Client:
    client = Client()
    client.force_login(amber.user("root", operator=None, is_superuser=True, is_staff=True))
    return client


def test_only_superusers_come_in(ada: Client, amber: Network, client: Client) -> None:
    assert "/admin/login/" in ada.get("/admin/")["Location"]
    client.force_login(amber.user("staff", is_staff=True))
    assert "/admin/login/" in client.get("/admin/")["Location"]


def test_every_model_has_a_list_and_forms_that_open(root: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    session(connector)
    done = finished(connector)
    finding(done)
    bill(done, amber.tariff())
    amber.token("DEE-CARD", group="DEE")
    for model in repair._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        answer = root.get(base)
        assert answer.status_code == 200, base
        # Charge records are made by rule, and corrected by a credit and a new one; a tariff is made with its first version.
        assert root.get(f"{base}add/").status_code == (403 if model in (ChargeRecord, Tariff, TariffVersion) else 200), base


def test_a_row_can_be_repaired(root: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    answer = root.get(f"/admin/stations/connector/{connector.pk}/change/")
    form = answer.context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"status": "Available"}
    for name in ("status_at",):
        data.pop(name)
        data |= {f"{name}_0": "2026-11-20", f"{name}_1": "12:00:00"}
    assert root.post(f"/admin/stations/connector/{connector.pk}/change/", data).status_code == 302
    assert amber.connectors(connector.evse.station)[1].status == "Available"
    entry = newest(amber)
    assert (entry.action, entry.object_type, entry.object_id) == ("repair.changed", "connector", str(connector.pk))
    assert (entry.before["status"], entry.after["status"], entry.actor_label[:5]) == ("Charging", "Available", "root.")


def newest(network: Network) -> AuditEntry:
    with scope(operator=network.operator):
        entry = AuditEntry.objects.first()
    assert entry is not None
    return entry


def test_what_is_added_and_removed_by_way_of_repair_is_told_too(root: Client, amber: Network) -> None:
    base = "/admin/accounts/idtokengroup/"
    root.post(f"{base}add/", {"operator": amber.operator.pk, "name": "DEE"})
    entry = newest(amber)
    assert (entry.action, entry.after["name"], entry.before) == ("repair.added", "DEE", {})
    assert root.post(f"{base}{entry.object_id}/delete/", {"post": "yes"}).status_code == 302
    gone = newest(amber)
    assert (gone.action, gone.object_id, gone.before["name"], gone.after) == ("repair.removed", entry.object_id, "DEE", {})


@pytest.mark.parametrize("by", ["its page", "the list"])
def test_an_assignment_of_a_tariff_that_is_deleted_is_ended(root: Client, amber: Network, by: str) -> None:
    with scope(operator=amber.operator):
        one = tariffs.assign(tariff=amber.tariff())
    base = "/admin/billing/tariffassignment/"
    if by == "its page":
        answer = root.post(f"{base}{one.pk}/delete/", {"post": "yes"})
    else:
        answer = root.post(base, {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"})
    assert answer.status_code == 302
    with scope(operator=amber.operator):
        assert not TariffAssignment.objects.exists()
        former = FormerAssignment.objects.get()
        assert (former.tariff_id, former.began_at) == (one.tariff_id, one.created_at)
        assert "tariff.unassigned" in AuditEntry.objects.values_list("action", flat=True)


def test_an_assignment_of_a_tariff_is_not_changed_here(root: Client, amber: Network) -> None:
    with scope(operator=amber.operator):
        one = tariffs.assign(tariff=amber.tariff())
    address = f"/admin/billing/tariffassignment/{one.pk}/change/"
    assert root.get(address).status_code == 200, "it can be looked at"
    assert root.post(address, {"operator": amber.operator.pk, "tariff": one.tariff_id, "audience": "ad_hoc"}).status_code == 403


def test_a_new_password_of_a_person_is_told_without_it(root: Client, amber: Network) -> None:
    person = amber.user()
    answer = root.post(
        f"/admin/accounts/user/{person.pk}/password/", dict.fromkeys(("password1", "password2"), "charge-it-all-day")
    )
    assert answer.status_code == 302
    entry = newest(amber)
    assert (entry.action, entry.object_label, entry.after) == ("repair.changed", person.email, {"password": "***"})


def test_a_person_added_here_can_log_in_however_their_address_was_typed(root: Client, client: Client, amber: Network) -> None:
    given = {"email": "Zoe@Example.org", "operator": amber.operator.pk, "role": "viewer"}
    passwords = {"password1": "plugs-and-sockets", "password2": "plugs-and-sockets", "usable_password": "true"}
    assert root.post("/admin/accounts/user/add/", given | passwords).status_code == 302
    assert client.post("/login/", {"login": "zoe@example.org", "password": "plugs-and-sockets"})["Location"] == "/"


def test_versions_of_tariffs_stay_as_they_are(root: Client, amber: Network) -> None:
    tariff = amber.tariff()
    with scope(operator=amber.operator):
        version = TariffVersion.objects.get(tariff=tariff)
    assert root.post(f"/admin/billing/tariffversion/{version.pk}/change/", {"note": "x"}).status_code == 403
    for address in (f"tariffversion/{version.pk}", f"tariff/{tariff.pk}"):
        assert root.post(f"/admin/billing/{address}/delete/", {"post": "yes"}).status_code == 403
