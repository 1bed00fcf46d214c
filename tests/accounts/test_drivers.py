"""Drivers: they sign up and go by themselves; the operator gives them cards and blocks them."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts import audit, drivers, services
from accounts.models import AuditEntry, IdToken, Kind, Operator, User
from stations.models import Station, Transaction

PASSWORD = "charge-it-all-night"


@pytest.fixture
def amber(db: None) -> Operator:
    return services.add_operator(name="Amber Grid")


@pytest.fixture
def dee(amber: Operator) -> User:
    return drivers.sign_up(email="Dee@Example.org", password=PASSWORD, operator=amber, name=" Dee ", language="de")


def tags(driver: User) -> list[IdToken]:
    with scopes_disabled():
        return list(IdToken.objects.filter(driver=driver).order_by("pk"))


def test_who_signs_up_is_a_driver_with_a_token_that_nobody_guesses(amber: Operator, dee: User) -> None:
    assert (dee.kind, dee.operator, dee.email, dee.name, dee.language) == (Kind.DRIVER, amber, "dee@example.org", "Dee", "de")
    assert dee.check_password(PASSWORD)
    (token,) = tags(dee)
    assert (token.type, token.status, len(token.value), token.driver_since) == ("Central", "Accepted", 16, None)
    assert drivers.token_of(dee) == token
    with scope(operator=amber):
        entry = AuditEntry.objects.get(action="driver.signed_up")
    assert (entry.actor, entry.object_id) == (dee, str(dee.pk))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "dee@example.org"}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password"),
        ({"language": "xx"}, "language"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_leaves_nobody(
    dee: User, amber: Operator, changes: dict[str, Any], field: str
) -> None:
    given = {"email": "ed@example.org", "password": PASSWORD, "operator": amber} | changes
    with pytest.raises(ValidationError) as refused:
        drivers.sign_up(**given)
    assert field in refused.value.message_dict
    assert User.objects.count() == 1


def test_the_network_is_named_by_its_code_or_is_the_only_one(amber: Operator) -> None:
    assert amber.code == "amber-grid"
    assert drivers.operator_to_join(None) == drivers.operator_to_join("amber-grid") == amber
    cobalt = services.add_operator(name="Cobalt Charging")
    assert drivers.operator_to_join("cobalt-charging") == cobalt
    for code in (None, "nobody"):
        with pytest.raises(ValidationError):
            drivers.operator_to_join(code)


def test_two_names_that_read_alike_have_different_codes(amber: Operator) -> None:
    other = services.add_operator(name="Amber-Grid")
    assert other.code
    assert other.code.startswith("amber-grid-")


def test_a_network_may_be_closed_to_drivers(amber: Operator) -> None:
    Operator.objects.update(open_to_drivers=False)
    with pytest.raises(ValidationError):
        drivers.operator_to_join("amber-grid")
    amber.refresh_from_db()
    with pytest.raises(ValidationError):
        drivers.sign_up(email="dee@example.org", password=PASSWORD, operator=amber)


def test_a_card_is_given_and_taken(amber: Operator, dee: User) -> None:
    services.add_id_token(operator=amber, value="04A1B2", note="blue van")
    card = drivers.add_id_tag(driver=dee, value="04a1b2")
    new = drivers.add_id_tag(driver=dee, value="NEW-1")
    assert drivers.add_id_tag(driver=dee, value="NEW-1") == new
    assert [tag.value for tag in tags(dee)][1:] == ["04A1B2", "NEW-1"]
    assert card.driver_since is not None
    drivers.remove_id_tag(driver=dee, token=card)
    assert [tag.value for tag in tags(dee)][1:] == ["NEW-1"]


def test_another_drivers_card_is_not_given_and_the_apps_token_not_taken(amber: Operator, dee: User) -> None:
    ed = drivers.sign_up(email="ed@example.org", password=PASSWORD, operator=amber)
    drivers.add_id_tag(driver=ed, value="04A1B2")
    with pytest.raises(ValidationError, match="another driver's"):
        drivers.add_id_tag(driver=dee, value="04A1B2")
    (own,) = tags(dee)
    for token in (own, tags(ed)[1]):
        with pytest.raises(ValidationError):
            drivers.remove_id_tag(driver=dee, token=token)


def test_a_card_of_the_apps_type_is_no_apps_token(amber: Operator) -> None:
    services.add_id_token(operator=amber, value="OLD-APP", type="Central")
    dee = drivers.sign_up(email="dee@example.org", password=PASSWORD, operator=amber)
    own = drivers.token_of(dee)
    given = drivers.add_id_tag(driver=dee, value="OLD-APP", type="Central")
    assert drivers.token_of(dee) == own != given
    drivers.remove_id_tag(driver=dee, token=given)


def test_the_apps_token_is_not_deleted_while_it_has_a_driver(amber: Operator, dee: User) -> None:
    (own,) = tags(dee)
    with pytest.raises(ValidationError, match="block the driver instead"):
        services.delete_id_token(token=own)
    card = drivers.add_id_tag(driver=dee, value="04A1B2")
    services.delete_id_token(token=card)
    drivers.delete_account(driver=dee)
    own.refresh_from_db()
    services.delete_id_token(token=own)


def test_a_block_reaches_every_tag_and_is_taken_back_with_it(amber: Operator, dee: User) -> None:
    lost = drivers.add_id_tag(driver=dee, value="LOST-1")
    services.change_id_token(token=lost, status="Blocked", blocked_because="Lost in the tram")
    drivers.block(driver=dee, because="Unpaid bill")
    assert [(tag.status, tag.blocked_because) for tag in tags(dee)] == [("Blocked", "Unpaid bill"), ("Blocked", "Lost in the tram")]
    drivers.block(driver=dee, because="Two unpaid bills")
    assert tags(dee)[0].blocked_because == "Two unpaid bills"
    drivers.add_id_tag(driver=dee, value="NEW-1")
    assert tags(dee)[2].status == "Blocked"
    drivers.unblock(driver=dee)
    dee.refresh_from_db()
    assert dee.blocked_because == ""
    assert [tag.status for tag in tags(dee)] == ["Accepted", "Blocked", "Accepted"]
    with pytest.raises(ValidationError):
        drivers.block(driver=dee, because=" ")


def test_a_card_given_while_the_driver_is_being_blocked_is_blocked_too(dee: User) -> None:
    read_before = User.objects.get(pk=dee.pk)
    drivers.block(driver=dee, because="Unpaid bill")
    drivers.add_id_tag(driver=read_before, value="NEW-1")
    assert [tag.blocked_because for tag in tags(dee)] == ["Unpaid bill"] * 2
    drivers.delete_account(driver=dee)
    with pytest.raises(ValidationError):
        drivers.block(driver=read_before, because="Gone")


def test_staff_cannot_be_blocked_or_deleted_as_drivers(amber: Operator) -> None:
    ada, _ = services.add_user(email="ada@example.org", operator=amber, role="owner", password=PASSWORD)
    for wrong in (lambda: drivers.block(driver=ada, because="x"), lambda: drivers.delete_account(driver=ada)):
        with pytest.raises(ValidationError):
            wrong()
    assert User.objects.filter(pk=ada.pk).exists()


def test_a_deleted_account_leaves_what_was_charged_and_no_name(amber: Operator, dee: User) -> None:
    card = services.add_id_token(operator=amber, value="04A1B2", note="Dee's, of the blue van")
    drivers.add_id_tag(driver=dee, value="04A1B2")
    services.change_id_token(token=card, status="Blocked", blocked_because="Dee has lost it")
    (own, _) = tags(dee)
    with scope(operator=amber):
        station = Station.objects.create(operator=amber, identity="AMBER-01")
        given = {"operator": amber, "station": station, "started_at": timezone.now(), "received_at": timezone.now()}
        session = Transaction.objects.create(ocpp_transaction_id="1", id_token=own, id_tag=own.value, **given)
    with pytest.raises(ValidationError, match="stop it first"):
        drivers.delete_account(driver=dee)
    with scope(operator=amber):
        Transaction.objects.update(status="ended")
    pk = dee.pk
    with audit.acting(dee, via="api"):
        drivers.delete_account(driver=dee)
        dee.pk = pk
        drivers.delete_account(driver=dee)  # the button, pressed twice
    assert not User.objects.filter(pk=pk).exists()
    with scope(operator=amber):
        assert Transaction.objects.get(pk=session.pk).id_token == own
        assert (
            list(IdToken.objects.filter(pk__in=[own.pk, card.pk]).values_list("status", "driver", "note"))
            == [("Blocked", None, "")] * 2
        )
        told = "".join(str(row) for row in AuditEntry.objects.values())
    assert "dee" not in told.lower().replace("deleted", "")
    assert f"driver {pk}" in told
    assert "04A1B2" in told
    assert told.count("driver.deleted") == 1


def test_a_driver_changes_their_name_and_language(dee: User) -> None:
    drivers.change(driver=dee, name="D.", language="nl")
    dee.refresh_from_db()
    assert (dee.name, dee.language) == ("D.", "nl")
    with pytest.raises(ValidationError):
        drivers.change(driver=dee, name="x" * 121)
