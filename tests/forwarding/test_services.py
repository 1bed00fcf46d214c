"""The rules for forwards: what is refused and why, what is told to the audit, what stands in the table."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from csms.forwarding import keeping, selectors, services
from csms.forwarding.dialling import address_of
from csms.forwarding.models import Forward, ForwardLink
from stations.models import Site
from tests.forwarding.backend import backend
from tests.network import Network

URL = "wss://ocpp.example.com/ocpp?key=hidden"


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


def add(network: Network, **values: Any) -> Forward:
    return services.add(operator=network.operator, **{"name": "Fleet", "url": URL} | values)


def told(network: Network) -> list[AuditEntry]:
    with scopes_disabled():
        return list(AuditEntry.objects.filter(operator=network.operator, action__startswith="forward.").order_by("pk"))


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"url": "https://example.com/"}, "url", "must begin with wss://"),
        ({"url": "wss://ada:secret@example.com/"}, "url", "must not hold a password"),
        ({"url": "wss://example.com/#x"}, "url", "behind #"),
        ({"url": "wss://[::1"}, "url", "This is no address"),
        ({"url": "wss://example.com/a b"}, "url", "percent sign"),
        ({"url": "wss://example.com/" + "x" * 500}, "url", "500 characters"),
        ({"name": " "}, "name", "Give it a name"),
        ({"identity": "FIXED"}, "identity", "Several chargers cannot have one name"),
        ({"identity": "a:{identity}"}, "identity", "Write the name"),
        ({"identity": "{other}-{identity}"}, "identity", "Write the name"),
        ({"which": "site"}, "site", "Choose the site"),
        ({"which": "chosen"}, "stations", "Name at least one charger"),
        ({"which": "chosen", "stations": ["NOBODY"]}, "stations", "There is no charger NOBODY"),
        ({"which": "chosen", "stations": [f"S{n}" for n in range(1001)]}, "stations", "At most 1000"),
        ({"which": "somewhere"}, "which", "not a valid choice"),
        ({"from_station": False}, "from_station", "at least one direction"),
        ({"only": ["Heartbit"]}, "only", "OCPP has no message Heartbit"),
        ({"only": ["Heartbeat"], "never": ["Authorize"]}, "never", "either the only messages"),
        ({"password": "x" * 201}, "password", "200 characters"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(amber: Network, values: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        add(amber, **values)
    assert words in " ".join(refused.value.message_dict[field])


@pytest.mark.parametrize("url", ["ws://127.0.0.1/", "ws://10.0.0.8/", "ws://localhost/", "ws://[::1]/"])
def test_private_networks_are_called_only_where_that_is_allowed(amber: Network, settings: Any, url: str) -> None:
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(ValidationError) as refused:
        add(amber, url=url)
    assert "CSMS_WEBHOOK_PRIVATE=1 allows it" in " ".join(refused.value.message_dict["url"])


def test_another_networks_site_and_chargers_are_not_there(amber: Network) -> None:
    other = Network()
    with scopes_disabled():
        site = Site.objects.create(operator=other.operator, name="Harbour")
    for values in ({"which": "site", "site": site}, {"which": "chosen", "stations": [other.station().identity]}):
        with pytest.raises(ValidationError):
            add(amber, **values)


def test_one_charger_may_have_a_name_of_its_own(amber: Network) -> None:
    here = amber.station()
    made = add(amber, which="chosen", stations=[here.identity, " "], identity="FIXED")
    assert made.identity_of(here.identity) == "FIXED"
    with pytest.raises(ValidationError):
        services.change(forward=made, stations=[here.identity, amber.station().identity])
    services.change(forward=made, which="all", identity="X-{identity}", stations=[])
    assert made.identity_of("A") == "FIXED"  # as it was read


def test_there_are_ten_at_most(amber: Network) -> None:
    for _ in range(services.MOST):
        add(amber)
    with pytest.raises(ValidationError) as refused:
        add(amber)
    assert "remove one first" in refused.value.messages[0]


def test_the_password_lies_sealed_in_the_table_and_nowhere_else(amber: Network) -> None:
    made = add(amber, password="open-sesame-of-20-ch")
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM csms_forward WHERE id = %s", [made.pk])
        assert "sesame" not in cursor.fetchone()[0]
    services.change(forward=made, password="another-sesame-of-20")
    with scopes_disabled():
        assert Forward.objects.get(pk=made.pk).password == "another-sesame-of-20"
    services.change(forward=made, name="The fleet")
    services.change(forward=made, name="The fleet")  # changes nothing
    services.pause(forward=made)
    services.pause(forward=made)
    services.resume(forward=made)
    services.remove(forward=made)
    assert [one.action.partition(".")[2] for one in told(amber)] == ["added", "changed", "changed", "paused", "resumed", "removed"]
    text = " ".join(f"{one.before}{one.after}{one.note}{one.object_label}" for one in told(amber))
    assert "sesame" not in text
    assert "hidden" not in text
    assert told(amber)[1].after == {"password": "***"}


def test_whatever_is_changed_is_noticed(amber: Network) -> None:
    made = add(amber)
    versions = [made.version, services.change(forward=made, name="B").version]
    services.pause(forward=made)
    with scopes_disabled():
        versions.append(Forward.objects.get(pk=made.pk).version)
    assert versions == [1, 2, 3]


def test_the_identity_is_the_last_part_of_the_path_and_escaped() -> None:
    assert address_of("wss://x/ocpp/", "A B/c") == "wss://x/ocpp/A%20B%2Fc"
    assert address_of("wss://x/ocpp?key=1", "A") == "wss://x/ocpp/A?key=1"


def test_a_test_knocks_as_one_of_the_stations(amber: Network) -> None:
    made = add(amber)
    with pytest.raises(ValidationError, match="No charger is forwarded to it yet"):
        services.try_out(forward=made)
    here = amber.station()
    with backend(password="open-sesame-of-20-ch") as them:
        services.change(forward=made, url=them.url)
        with pytest.raises(ValidationError, match="401"):
            services.try_out(forward=made)
        services.change(forward=made, password="open-sesame-of-20-ch", identity="X-{identity}")
        assert services.try_out(forward=made) == f"X-{here.identity}" == them.names[0]
        with scopes_disabled():
            keeping.match()
            ForwardLink.objects.filter(forward=made).update(state="connected")
            assert Forward.objects.get(pk=made.pk).tried_at
        # A second socket under its name would push out the first.
        assert services.try_out(forward=made) == ""
        assert len(them.names) == 1
    assert [one.action for one in told(amber)].count("forward.tested") == 3


def test_links_follow_what_is_chosen(amber: Network) -> None:
    here, there, other = amber.station(), amber.station(), Network().station()
    made = add(amber, which="chosen", stations=[here.identity])
    with scopes_disabled():
        wanted = {one.identity: one.link for one in keeping.match() if one.forward == made.pk}
        assert list(wanted) == [here.identity]
        services.change(forward=made, which="all")
        again = {one.identity: one.link for one in keeping.match() if one.forward == made.pk}
        assert again.keys() == {here.identity, there.identity}
        assert again[here.identity] == wanted[here.identity]
        services.change(forward=made, which="chosen", stations=[there.identity])
        assert [one.identity for one in keeping.match() if one.forward == made.pk] == [there.identity]
        assert other.identity not in again
        services.pause(forward=made)
        assert [one for one in keeping.match() if one.forward == made.pk] == []


def test_what_is_broken_for_long_needs_a_person(amber: Network, django_assert_num_queries: Any) -> None:
    made = add(amber)
    station = amber.station()
    now = timezone.now()

    def broken() -> bool:
        with scope(operator=amber.operator), django_assert_num_queries(1):
            return [one.pk for one in selectors.broken(now)] == [made.pk]

    assert not broken()
    with scopes_disabled():
        Forward.objects.filter(pk=made.pk).update(created_at=now - 2 * selectors.BROKEN)
        assert broken()  # nobody ever served it
        keeping.match()
        assert not broken()
        link = ForwardLink.objects.filter(forward=made, station=station)
        link.update(failing_since=now - selectors.BROKEN / 2)
        assert not broken()
        link.update(failing_since=now - 2 * selectors.BROKEN)
        assert broken()
        services.pause(forward=made)
        assert not broken()
