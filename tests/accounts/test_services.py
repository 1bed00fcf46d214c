"""Operators, people, keys and id tags."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django_scopes import scope

from accounts import people, services
from accounts.models import IdToken, IdTokenGroup, Operator, User
from accounts.permissions import MAY, key_may, may
from accounts.selectors import operator_named, user_with_email, valid_api_key
from accounts.tokens import parse_moment


@pytest.fixture
def amber(db: None) -> Operator:
    return services.add_operator(name="Amber Grid")


def test_two_operators_cannot_have_one_name(amber: Operator) -> None:
    with pytest.raises(ValidationError, match="already"):
        services.add_operator(name=" Amber Grid ")
    for name in ("", "  ", "x" * 121, "a\x00b"):
        with pytest.raises(ValidationError):
            services.add_operator(name=name)


def test_the_only_operator_need_not_be_named(db: None) -> None:
    with pytest.raises(ValidationError, match="operator add"):
        operator_named(None)
    amber = services.add_operator(name="Amber Grid")
    assert operator_named(None) == amber
    services.add_operator(name="Cobalt Charging")
    with pytest.raises(ValidationError, match=r"--operator NAME \(Amber Grid, Cobalt Charging\)"):
        operator_named(None)
    with pytest.raises(ValidationError, match='no operator "Teal"'):
        operator_named("Teal")
    assert operator_named("Amber Grid") == amber


def test_a_person_gets_the_password_given_or_one_made(amber: Operator) -> None:
    ada, password = services.add_user(email=" Ada@Example.org ", operator=amber, role="owner")
    assert ada.email == "ada@example.org"
    assert user_with_email("ADA@example.org").check_password(password)
    ben, _ = services.add_user(email="ben@example.org", operator=amber, role="viewer", password="plugs-and-sockets")
    assert ben.check_password("plugs-and-sockets")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "no-address"}, "email"),
        ({"email": "ADA@example.org"}, "email"),
        ({"role": "king"}, "role"),
        ({"password": "12345"}, "password"),
    ],
)
def test_a_person_who_cannot_be_added_is_refused_by_field(amber: Operator, fields: dict[str, str], field: str) -> None:
    User.objects.create(email="ada@example.org")
    with pytest.raises(ValidationError) as refused:
        services.add_user(**{"email": "ben@example.org", "operator": amber, "role": "viewer", **fields})  # type: ignore[arg-type]
    assert set(refused.value.message_dict) == {field}


def test_a_key_is_for_an_active_person_of_an_operator_and_known_scopes(amber: Operator) -> None:
    ada = User.objects.create(email="ada@example.org", operator=amber, role="owner")
    row, text = services.create_api_key(user=ada, scopes=["read"])
    assert valid_api_key(text) == row
    assert valid_api_key(text + "x") is None
    assert valid_api_key("") is None
    with pytest.raises(ValidationError, match=r"use .*commands\.send, .*read, .*stations\.change, tags\.change"):
        services.create_api_key(user=ada, scopes=["write"])
    with pytest.raises(ValidationError, match="no operator"):
        services.create_api_key(user=User.objects.create(email="nobody@example.org"))
    ada.is_active = False
    with pytest.raises(ValidationError, match="not active"):
        services.create_api_key(user=ada)


def test_a_person_has_a_bounded_number_of_keys(amber: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_KEYS", 2)
    ada = User.objects.create(email="ada@example.org", operator=amber)
    for _ in range(2):
        row, _text = services.create_api_key(user=ada)
    with pytest.raises(ValidationError, match="revoke one first"):
        services.create_api_key(user=ada)
    people.revoke_api_key(key=row)
    services.create_api_key(user=ada)


def test_roles_and_scopes_in_a_table() -> None:
    operator = Operator(pk=1)
    allowed = {
        role: {verb for verb in MAY if may(User(role=role, operator=operator), verb)} for role in ("owner", "technician", "viewer")
    }
    technician = {"view", "commands.send", "stations.change", "firmware.change", "quirks.change", "logs.fetch"}
    assert allowed == {"owner": set(MAY), "technician": technician, "viewer": {"view"}}
    assert not may(User(role="owner"), "view")
    assert may(User(role="viewer", is_superuser=True), "tags.change")
    assert not may(User(role="owner", operator=operator, is_active=False), "view")
    assert not may(AnonymousUser(), "view")
    assert not may(None, "view")
    assert [key_may(scopes, "view") for scopes in ([], ["read"], ["tags.change"])] == [True, True, False]
    assert [key_may(scopes, "tags.change") for scopes in ([], ["read"], ["tags.change"])] == [True, False, True]


def test_a_tags_group_is_made_when_it_is_first_named(amber: Operator) -> None:
    one = services.add_id_token(operator=amber, value=" abc ", group="fleet")
    two = services.add_id_token(operator=amber, value="abd", group="fleet")
    assert (one.value, one.key) == ("abc", "ABC")
    assert one.group == two.group
    assert services.change_id_token(token=two, group="").group is None
    with scope(operator=amber):
        assert IdTokenGroup.objects.count() == 1


def test_a_change_leaves_the_other_fields(amber: Operator) -> None:
    token = services.add_id_token(operator=amber, value="abc", group="fleet", note="Dee")
    changed = services.change_id_token(token=token, status="Blocked")
    assert (changed.status, changed.note, changed.group and changed.group.name) == ("Blocked", "Dee", "fleet")
    with pytest.raises(ValidationError):
        services.change_id_token(token=token, status="Maybe")
    with pytest.raises(TypeError):
        services.change_id_token(token=token, operator=amber)
    services.delete_id_token(token=token)
    with scope(operator=amber):
        assert not IdToken.objects.exists()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T04:00:00Z", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("2026-11-21 04:00", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("2026-11-21T04:00:00+02:00", datetime(2026, 11, 21, 2, tzinfo=UTC)),
        ("2026-11-21T04:00:00 02:00", datetime(2026, 11, 21, 2, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_utc(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-11-21T25:00:00Z", "0001-01-01T00:00:00+10:00", "2026"])
def test_what_is_no_moment_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date or time"):
        parse_moment(text)
