"""Putting sessions right by hand: what each fix makes, that it is billed once, undone, and never races with the station."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from billing import services as billing
from stations import outbox, review
from stations.batch import of_one
from stations.models import MeterSample, Repair, Station, Transaction
from stations.services import repairplans, repairs
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.batches import wait_until_blocked
from tests.stations.charging import due, findings, only, started


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


def fixed(t: Transaction, fix: str, *, orphan: Transaction | None = None, reason: str = "Seen on site", **params: Any) -> Repair:
    with scope(operator=t.operator):
        return repairs.repair(transaction=t, fix=fix, params=params, orphan=orphan, reason=reason)


def undone(t: Transaction) -> Repair:
    with scope(operator=t.operator):
        return repairs.undo(transaction=t)


def refused(t: Transaction, fix: str, **more: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        fixed(t, fix, **more)
    return caught.value.messages


def lost_stop(network: Network, engine: Engine, station: Station) -> Transaction:
    """A session of which the start and a reading came, and then the next start: 4,000 Wh in, and no stop."""
    number = started(engine, station, seconds=7200, meter=1000)
    engine.say(station, "MeterValues", v16.meters(5000, seconds=3600, transaction=number))
    started(engine, station, seconds=600, meter=5000)
    return network.transactions(station)[0]


def dead(network: Network, engine: Engine, station: Station) -> Transaction:
    """A session that runs, of which nothing was heard for an hour."""
    number = started(engine, station, seconds=7200, meter=1000)
    engine.say(station, "MeterValues", v16.meters(4000, seconds=3600, transaction=number))
    return only(network, station)


def orphan_of(network: Network, engine: Engine, station: Station, named: int = 999, **stop: Any) -> Transaction:
    """A stop of which no start is known."""
    engine.say(station, "StopTransaction", v16.stop(named, **stop))
    with scopes_disabled():
        return Transaction.objects.get(station=station, doubt="start_missing")


def now_of(t: Transaction) -> Transaction:
    with scopes_disabled():
        return Transaction.objects.get(pk=t.pk)


# By hand


def test_a_session_whose_end_never_came_is_closed_by_hand_and_billed(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    assert (t.doubt, due(network)) == ("stop_missing", [])
    ended = t.started_at + timedelta(hours=1)
    row = fixed(t, "close", stopped_at=ended, meter_stop_wh=Decimal(5500))
    after = now_of(t)
    assert (after.status, after.doubt, after.energy_wh, after.stopped_at) == ("ended", "", 4500, ended)
    assert (row.fix, row.before["doubt"], row.after["doubt"]) == ("close", "stop_missing", "")
    assert due(network) == [t.pk]
    assert findings(network, after) == ["repaired", "stop_missing"]
    with scopes_disabled():
        entry = AuditEntry.objects.get(action="transaction.repaired", operator=network.operator)
    assert (entry.note, entry.before["doubt"], entry.after["fix"]) == ("Seen on site", "stop_missing", "close")


def test_a_dead_session_is_closed_and_its_plug_and_tag_are_free(network: Network, engine: Engine, station: Station) -> None:
    t = dead(network, engine, station)
    fixed(t, "close", stopped_at=timezone.now(), meter_stop_wh=Decimal(4200))
    assert (now_of(t).status, now_of(t).energy_wh, due(network)) == ("ended", 3200, [t.pk])
    # The process with the socket knows: what follows finds it ended, and a late stop changes nothing.
    assert engine.say(station, "StopTransaction", v16.stop(int(t.ocpp_transaction_id), meter=9000)) == {}
    assert (now_of(t).energy_wh, due(network)) == (3200, [t.pk])
    assert "stop_differs" in findings(network, t)


def test_a_living_session_is_not_closed_by_hand(network: Network, engine: Engine, station: Station) -> None:
    started(engine, station, seconds=60)
    t = only(network, station)
    assert "Ask the charger to stop it" in refused(t, "close", stopped_at=timezone.now(), meter_stop_wh=Decimal(2000))[0]
    assert refused(t, "write_off")
    assert now_of(t).status == "active"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"meter_stop_wh": Decimal(5000)}, "stopped_at"),
        ({"stopped_at": "before"}, "stopped_at"),
        ({"stopped_at": "tomorrow"}, "stopped_at"),
        ({"stopped_at": "now"}, "meter_stop_wh"),
        ({"stopped_at": "now", "meter_stop_wh": Decimal(10)}, "meter_stop_wh"),
        ({"stopped_at": "now", "meter_stop_wh": Decimal(10**13)}, "meter_stop_wh"),
        ({"stopped_at": "now", "meter_stop_wh": Decimal("NaN")}, "meter_stop_wh"),
        ({"stopped_at": "now", "meter_stop_wh": Decimal(5000), "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    network: Network, engine: Engine, station: Station, given: dict[str, Any], field: str
) -> None:
    t = lost_stop(network, engine, station)
    times = {"before": t.started_at - timedelta(1), "now": timezone.now(), "tomorrow": timezone.now() + timedelta(1)}
    given = given | ({"stopped_at": times[given["stopped_at"]]} if "stopped_at" in given else {})
    with pytest.raises(ValidationError) as caught:
        fixed(t, "close", **given)
    assert field in caught.value.message_dict
    assert now_of(t).doubt == "stop_missing"


def test_whoever_sets_it_by_hand_says_why(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    assert "Say why" in refused(t, "close", reason=" ", stopped_at=timezone.now(), meter_stop_wh=Decimal(5500))[0]


# Attach


def test_a_stop_that_stands_alone_goes_to_its_session_with_its_readings(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    data = v16.meters(5800, seconds=1800)["meterValue"]
    at = v16.ago(1700)
    stop = orphan_of(network, engine, station, timestamp=at, meter=6000, idTag="CARD", reason="PowerLoss", transactionData=data)
    with scope(operator=network.operator):
        (found,) = [one for one in review.candidates(stop) if one.session.pk == t.pk]
        assert review.candidates(t)[0].stop.pk == stop.pk
    assert set(found.reasons) >= {"tag", "register", "last"}
    fixed(t, "attach", orphan=stop)
    after = now_of(t)
    assert (after.doubt, after.energy_wh, after.stop_reason, after.stopped_by) == ("", 5000, "PowerLoss", "CARD")
    assert after.stopped_at == stop.stopped_at
    assert (now_of(stop).doubt, due(network)) == ("set_aside", [t.pk])
    assert {one.transaction_id for one in network.samples(station) if one.energy_wh == 5800} == {t.pk}
    # Sent again it is still the same stop.
    engine.say(station, "StopTransaction", v16.stop(999, timestamp=at, meter=6000, idTag="CARD"))
    assert len(network.transactions(station)) == 3


def test_a_stop_of_an_open_session_ends_it(network: Network, engine: Engine, station: Station) -> None:
    network.token("OTHER")
    started(engine, station, seconds=7200, meter=1000)
    started(engine, station, seconds=7200, meter=1000, connector=2, tag="OTHER")
    stop = orphan_of(network, engine, station, meter=3000)
    t = network.transactions(station)[1]
    fixed(t, "attach", orphan=stop)
    assert (now_of(t).status, now_of(t).energy_wh) == ("ended", 2000)
    assert engine.say(station, "Authorize", {"idTag": "OTHER"})["idTagInfo"]["status"] == "Accepted"
    assert [one.status for one in network.transactions(station)] == ["active", "ended", "ended"]


def test_a_stop_whose_register_makes_no_energy_leaves_the_session_in_doubt(
    network: Network, engine: Engine, station: Station
) -> None:
    t = lost_stop(network, engine, station)
    stop = orphan_of(network, engine, station, seconds=1700, meter=10)
    with scope(operator=network.operator):
        assert review.candidates(t) == []
    fixed(t, "attach", orphan=stop)
    assert (now_of(t).doubt, due(network)) == ("register", [])


def test_what_does_not_belong_together_is_not_put_together(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    other = network.station(accepted=True)
    assert refused(t, "attach", orphan=orphan_of(network, engine, other))
    early = orphan_of(network, engine, station, seconds=90_000, meter=10)
    assert "before the session began" in refused(t, "attach", orphan=early)[0]
    assert refused(t, "attach", orphan=t)
    assert refused(t, "attach")


# Count anew, accept, write off


def test_a_register_that_began_anew_is_counted_by_its_rises(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, seconds=7200, meter=1000)
    for seconds, register in ((6000, 3000), (5000, 0), (4000, 700)):
        engine.say(station, "MeterValues", v16.meters(register, seconds=seconds, transaction=number))
    engine.say(station, "StopTransaction", v16.stop(number, seconds=3000, meter=900))
    t = only(network, station)
    assert t.doubt == "register"
    assert "last register is below the first" in refused(t, "recalculate", method="span")[0]
    fixed(t, "recalculate", method="rises")
    assert (now_of(t).energy_wh, now_of(t).doubt, due(network)) == (2900, "", [t.pk])


def test_a_session_without_its_stop_is_counted_up_to_its_last_reading(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    fixed(t, "recalculate", method="span")
    assert (now_of(t).energy_wh, now_of(t).meter_stop_wh) == (4000, 5000)


def test_a_gap_that_is_accepted_stays_accepted_when_a_message_comes_late(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    first, second, third, last = v201.session()
    for one in (first, second, last):
        engine.say(station, "TransactionEvent", one)
    t = only(network, station)
    assert t.doubt == "events_missing"
    fixed(t, "accept")
    assert (now_of(t).doubt, now_of(t).energy_wh, due(network)) == ("", 3000, [t.pk])
    engine.say(station, "TransactionEvent", third)
    assert (now_of(t).doubt, now_of(t).energy_wh, due(network)) == ("", 3000, [t.pk])


def test_what_is_written_off_is_never_billed_though_all_of_it_comes(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    first, second, third, last = v201.session()
    for one in (first, second, last):
        engine.say(station, "TransactionEvent", one)
    t = only(network, station)
    assert "Say why" in refused(t, "write_off", reason="")[0]
    fixed(t, "write_off")
    engine.say(station, "TransactionEvent", third)
    assert (now_of(t).doubt, due(network)) == ("set_aside", [])
    with scope(operator=network.operator):
        assert list(review.waiting()) == []


def test_nothing_is_accepted_whose_energy_is_not_known(network: Network, engine: Engine, station: Station) -> None:
    stop = orphan_of(network, engine, station)
    assert "energy is not known" in refused(stop, "accept")[0]
    begun = stop.stopped_at - timedelta(hours=1)
    fixed(stop, "close", started_at=begun, meter_start_wh=Decimal(2000), stopped_at=stop.stopped_at, meter_stop_wh=Decimal(5000))
    assert (now_of(stop).energy_wh, now_of(stop).started_at, due(network)) == (3000, begun, [stop.pk])


def test_there_is_no_other_fix(network: Network, engine: Engine, station: Station) -> None:
    assert "There is no such fix" in refused(lost_stop(network, engine, station), "guess")[0]


# Once, and undone


def test_the_same_fix_twice_is_one(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    given = {"stopped_at": timezone.now(), "meter_stop_wh": Decimal(5500)}
    first, second = fixed(t, "close", **given), fixed(t, "close", **given)
    assert (first.pk, second.repeated) == (second.pk, True)
    assert "waits for nobody" in refused(t, "close", **given | {"meter_stop_wh": Decimal(6000)})[0]
    assert len(due(network)) == 1


@pytest.mark.parametrize("fix", ["close", "attach", "write_off", "recalculate"])
def test_a_fix_is_undone_until_it_is_billed(network: Network, engine: Engine, station: Station, fix: str) -> None:
    t = lost_stop(network, engine, station)
    data = v16.meters(5800, seconds=1800)["meterValue"]
    stop = orphan_of(network, engine, station, seconds=1700, meter=6000, transactionData=data)
    before, stop_before = now_of(t), now_of(stop)
    params: dict[str, dict[str, Any]] = {
        "close": {"stopped_at": timezone.now(), "meter_stop_wh": Decimal(5500)},
        "attach": {"orphan": stop},
        "recalculate": {"method": "span"},
    }
    fixed(t, fix, **params.get(fix, {}))
    assert undone(t).undone_at
    for row, was in ((now_of(t), before), (now_of(stop), stop_before)):
        assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == {
            f.attname: getattr(was, f.attname) for f in was._meta.concrete_fields
        }
    assert due(network) == []
    assert {one.transaction_id for one in network.samples(station) if one.energy_wh == 5800} == {stop.pk}
    with pytest.raises(ValidationError, match="Nothing was put right"):
        undone(t)
    fixed(t, fix, **params.get(fix, {}))


def test_a_dead_session_that_was_closed_runs_again_when_that_is_undone(network: Network, engine: Engine, station: Station) -> None:
    t = dead(network, engine, station)
    fixed(t, "write_off")
    undone(t)
    assert engine.say(station, "StopTransaction", v16.stop(int(t.ocpp_transaction_id), meter=5000)) == {}
    assert (now_of(t).energy_wh, now_of(t).doubt, due(network)) == (4000, "", [t.pk])


def test_what_was_billed_stays(network: Network, engine: Engine, station: Station) -> None:
    network.tariff()
    t = lost_stop(network, engine, station)
    fixed(t, "recalculate", method="span")
    with scopes_disabled(), outbox.claim(billing.SUBSCRIBER, limit=5000) as entries:
        for entry in [one for one in entries if one.object_id == t.pk]:
            with outbox.handling(entry):
                assert billing.make_charge_record(transaction_id=t.pk)
    (record,) = network.charge_records()
    assert record.energy_wh == 4000
    with pytest.raises(ValidationError, match="has been billed"):
        undone(t)


# Beside the station


def test_a_session_that_changed_since_it_was_looked_at_is_left_alone(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    seen = repairplans.state_of(t)
    engine.say(station, "StopTransaction", v16.stop(int(t.ocpp_transaction_id), seconds=1000, meter=5600))
    with scope(operator=network.operator), pytest.raises(ValidationError, match="has changed"):
        repairs.repair(transaction=t, fix="write_off", params={}, seen=seen, reason="Lost")
    assert (now_of(t).energy_wh, now_of(t).doubt, due(network)) == (4600, "", [t.pk])


def test_a_stop_that_is_being_handled_comes_first(network: Network, engine: Engine, station: Station) -> None:
    """Whoever comes second sees what the first did, whichever it is: they wait for the same row."""
    t = dead(network, engine, station)
    done: list[Any] = []

    def write_off() -> None:
        try:
            done.append(fixed(t, "write_off"))
        except ValidationError as error:
            done.append(error)
        finally:
            connection.close()

    with of_one(station.pk, now=timezone.now()):
        stopping = threading.Thread(target=write_off)
        stopping.start()
        wait_until_blocked(connection.connection)
        with scopes_disabled():
            Transaction.objects.filter(pk=t.pk).update(status="ended", doubt="", stopped_at=timezone.now(), meter_stop_wh=4100)
    stopping.join(10)
    assert isinstance(done[0], ValidationError)
    assert now_of(t).doubt == ""


def test_messages_after_a_fix_find_what_it_did(network: Network, engine: Engine, station: Station) -> None:
    t = dead(network, engine, station)
    fixed(t, "write_off")
    engine.say(station, "MeterValues", v16.meters(9000, seconds=0, transaction=int(t.ocpp_transaction_id)))
    assert (now_of(t).energy_wh, now_of(t).doubt) == (3000, "set_aside")
    assert [one.energy_wh for one in network.samples(station)][-1] == 9000


def test_live_pages_and_subscribers_hear_of_it(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stations import ports

    heard: list[tuple[str, Any]] = []
    tell: Callable[..., None] = lambda operator_id, *, stations, transactions: heard.append(("changed", set(transactions)))  # noqa: E731
    monkeypatch.setattr(ports.bell, "changed", tell, raising=False)
    t = lost_stop(network, engine, station)
    with scope(operator=network.operator):
        outbox.want("webhooks", ["transaction.ended"], operator=network.operator)
    heard.clear()
    fixed(t, "recalculate", method="span")
    assert ("changed", {t.pk}) in heard
    assert {entry.topic for entry in network.outbox() if entry.object_id == t.pk} == {"transaction_ended", "transaction.ended"}


def test_samples_of_the_same_moment_stay_where_they_were(network: Network, engine: Engine, station: Station) -> None:
    t = lost_stop(network, engine, station)
    same = v16.meters(5100, seconds=3600)["meterValue"]
    with scopes_disabled():
        (known,) = MeterSample.objects.filter(transaction=t.pk)
    same[0]["timestamp"] = known.at.isoformat()
    stop = orphan_of(network, engine, station, seconds=1700, meter=6000, transactionData=same)
    fixed(t, "attach", orphan=stop)
    assert sorted((one.transaction_id, one.energy_wh) for one in network.samples(station)) == [(t.pk, 5000), (stop.pk, 5100)]
