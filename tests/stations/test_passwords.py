"""Another password over the air: what is kept of it, which ones let a station in at each step, and how changes end."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.ocpp.doors import Arrival
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import PasswordChange, Station
from stations.services import commandends, passwords, registry
from stations.services.connections import Knock, Refused
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, connected, issue, now_of, sent

NEW = "another-password-20c"


@pytest.fixture(params=PROTOCOLS)
def engine(request: pytest.FixtureRequest, committed: None) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def give(station: Station, password: str | None = NEW) -> PasswordChange:
    with scope(operator=station.operator):
        return passwords.start(station=station, password=password)


def now(change: PasswordChange) -> PasswordChange:
    with scopes_disabled():
        return PasswordChange.objects.select_related("command", "station").get(pk=change.pk)


def comes(engine: Engine, station: Station, password: str) -> bool:
    """Whether a station is let in with this password."""
    knock = Knock(
        station.identity, (station.identity.encode(), password.encode()), engine.protocol, (engine.protocol,), "", secure=True
    )
    with scopes_disabled():
        [(_token, verdict)] = engine.thread._attempt_doors([Arrival(knock, None)]).verdicts
    return not isinstance(verdict, Refused)


def accepted(engine: Engine, status: str = "Accepted") -> Any:
    if engine.protocol == "ocpp1.6":
        return {"status": status}
    name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return {"setVariableResult": [name | {"attributeStatus": status}]}


def test_it_lies_sealed_in_the_row_and_is_said_in_the_call(engine: Engine, station: Station) -> None:
    change = give(station)
    assert change.command is not None
    assert NEW not in str(change.command.params)
    assert NEW not in str(vars(change))
    errand = sent(engine, station)
    said = NEW.encode().hex() if engine.protocol == "ocpp1.6" else NEW
    assert said in str(errand.calls)
    engine.reply(station, errand, accepted(engine))
    assert now_of(change.command).params["variables"][0]["value"] == "***"
    assert [entry.call.count(said) for entry in network_log(station)] == [0]


def network_log(station: Station) -> Any:
    from stations.models import MessageLogEntry

    with scopes_disabled():
        return list(MessageLogEntry.objects.filter(station=station, direction="out"))


def test_one_that_is_made_is_said_by_every_version_and_known_to_nobody(engine: Engine, station: Station) -> None:
    give(station, None)
    [call] = sent(engine, station).calls
    said = call["value"] if engine.protocol == "ocpp1.6" else call["setVariableData"][0]["attributeValue"]
    assert len(bytes.fromhex(said)) == 20
    assert comes(engine, station, said)


def test_while_it_waits_both_let_in_and_no_other_can_be_given(engine: Engine, station: Station) -> None:
    change = give(station)
    with pytest.raises(BadCommand, match="being given another password already"):
        give(station, None)
    assert comes(engine, station, PASSWORD)
    assert now(change).status == "waiting"
    assert comes(engine, station, NEW)
    assert now(change).status == "done"
    assert not comes(engine, station, PASSWORD)


@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_what_was_never_sent_leaves_the_old_one_alone(engine: Engine, station: Station, end: str) -> None:
    change = give(station)
    assert change.command is not None
    with scopes_disabled():
        if end == "cancelled":
            assert commandends.cancel(command=change.command)
        else:
            commandends.sweep(now=change.command.expires_at + timedelta(seconds=1))
    assert (now(change).status, now_of(change.command).status) == ("unsent", end)
    assert not comes(engine, station, NEW)
    assert comes(engine, station, PASSWORD)


@pytest.mark.parametrize("reply", [["InternalError", "no"], None], ids=["an error", "no answer"])
def test_without_an_answer_both_stay_until_one_is_shown(engine: Engine, station: Station, reply: Any) -> None:
    change = give(station)
    engine.reply(station, sent(engine, station), reply)
    assert (now(change).status, now(change).finished_at) == ("unknown", None)
    assert comes(engine, station, PASSWORD)
    assert now(change).status == "not_taken"
    assert not comes(engine, station, NEW)


def test_a_lost_answer_is_no_answer(engine: Engine, station: Station) -> None:
    change = give(station)
    sent(engine, station)
    commandends.sweep(now=timezone.now() + commandends.LOST_ANSWER)
    assert now(change).status == "unknown"
    assert comes(engine, station, NEW)
    assert now(change).status == "done"
    assert change.command is not None
    assert now_of(change.command).status == "confirmed"


def test_of_several_settings_of_which_one_was_refused_the_password_may_be_taken(engine: Engine, station: Station) -> None:
    other = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "60"}
    row = issue(station, commands.SetVariables([passwords.variable(NEW), other]))
    change = PasswordChange.objects.with_scopes_disabled().get(command=row)
    errand = sent(engine, station)
    if engine.protocol == "ocpp1.6":
        engine.reply(station, errand, ACCEPTED, {"status": "Rejected"})
    else:
        name = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        both = accepted(engine)["setVariableResult"] + [name | {"attributeStatus": "Rejected"}]
        engine.reply(station, errand, {"setVariableResult": both})
    assert (now_of(row).status, now(change).status) == ("rejected", "unknown")


def test_a_raw_call_that_sets_the_password_is_followed_too(engine: Engine, station: Station) -> None:
    if engine.protocol == "ocpp1.6":
        raw = {"action": "ChangeConfiguration", "payload": {"key": "AuthorizationKey", "value": NEW}}
        command = commands.SetVariables([{"component": "", "variable": "AuthorizationKey", "value": NEW}])
    else:
        name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        raw = {"action": "SetVariables", "payload": {"setVariableData": [name | {"attributeValue": NEW}]}}
        command = commands.SetVariables([passwords.variable(NEW)])
    row = issue(station, command, raw=raw)
    assert NEW not in str((row.params, row.facts))
    errand = sent(engine, station)
    assert errand.calls == (raw["payload"],)
    engine.reply(station, errand, accepted(engine))
    assert comes(engine, station, NEW)
    assert not comes(engine, station, PASSWORD)


def test_one_that_was_accepted_may_be_followed_by_another(engine: Engine, station: Station) -> None:
    first = give(station)
    engine.reply(station, sent(engine, station), accepted(engine))
    assert now(first).status == "accepted"
    second = give(station, "and-another-of-them!")
    assert now(first).status == "replaced"
    engine.reply(station, sent(engine, station), accepted(engine))
    assert comes(engine, station, "and-another-of-them!")
    assert now(second).status == "done"


def test_a_password_given_by_hand_is_the_last_word(engine: Engine, station: Station) -> None:
    change = give(station)
    registry.set_password(station=station, password="typed-at-the-charger")
    assert change.command is not None
    assert (now(change).status, now_of(change.command).status) == ("unsent", "cancelled")
    assert engine.claim(station) == []
    assert not comes(engine, station, NEW)
    assert comes(engine, station, "typed-at-the-charger")


def test_without_the_key_of_its_seal_it_is_not_sent(engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = settings.STATION_SECRET_KEYS
    monkeypatch.setattr(settings, "STATION_SECRET_KEYS", [("gone", "another key"), *keys])
    change = give(station)
    monkeypatch.setattr(settings, "STATION_SECRET_KEYS", keys)
    assert engine.claim(station) == []
    assert change.command is not None
    assert (now(change).status, now_of(change.command).status) == ("unsent", "failed")
    assert "keys of the stations' passwords have changed" in now_of(change.command).detail


def test_what_is_no_password_is_not_asked_for(engine: Engine, station: Station) -> None:
    with pytest.raises(ValidationError, match="16 to 40 characters"):
        give(station, "short")
    assert engine.claim(station) == []


def test_what_a_version_cannot_say_is_not_sent(engine: Engine, station: Station) -> None:
    change = give(station, "a password of more than twenty")
    if engine.protocol == "ocpp1.6":
        assert engine.claim(station) == []
        assert now(change).status == "unsent"
    else:
        assert sent(engine, station).calls


def test_a_setting_that_is_no_password_is_no_change_of_one(engine: Engine, station: Station) -> None:
    secret = {"component": "VendorCtrlr", "variable": "WifiPassphrase", "value": "over-the-rainbow"}
    row = issue(station, commands.SetVariables([secret]))
    assert "over-the-rainbow" not in str(row.params)
    assert "over-the-rainbow" in str(sent(engine, station).calls)
    assert not PasswordChange.objects.with_scopes_disabled().filter(station=station).exists()
