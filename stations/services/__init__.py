"""The rules of the network, by OCPP's own chapter names, once for every version. `handle` is the one dispatch table."""

from collections.abc import Iterable

from stations.batch import Batch
from stations.domain import events
from stations.domain.events import Event, Reply
from stations.domain.values import Registration
from stations.lookups import Need
from stations.services import (
    authorization,
    availability,
    certificaterequests,
    certificates,
    commands,
    companions,
    customerinformation,
    diagnostics,
    displaymessage,
    effects,
    firmware,
    firmwareprogress,
    inventories,
    localauthlist,
    metervalues,
    monitoring,
    network,
    passwords,
    provisioning,
    publishing,
    remotecontrol,
    reports,
    reservation,
    runningcosts,
    security,
    smartcharging,
    stale,
    tariffcost,
    transactionevents,
    transactions,
    vendor,
)
from stations.services.rules import Rule, add
from stations.state import StationState

RULES: dict[type[Event], Rule] = {
    events.StationBooted: Rule(provisioning.booted, smartcharging.booted_needs),
    events.HeartbeatReceived: Rule(availability.heartbeat),
    events.ConnectorStatusReported: Rule(availability.status_reported),
    events.TokenPresented: Rule(authorization.presented, authorization.presented_needs),
    events.TransactionStarted: Rule(transactions.started, transactions.started_needs),
    events.TransactionEnded: Rule(transactions.ended, transactions.ended_needs),
    events.MetersSampled: Rule(metervalues.sampled, metervalues.sampled_needs),
    events.TransactionProgressed: Rule(transactionevents.progressed, transactionevents.progressed_needs),
    events.FirmwareStatusReported: Rule(firmwareprogress.status_reported),
    events.LogStatusReported: Rule(diagnostics.status_reported),
    events.VendorMessageReceived: Rule(vendor.received),
}

# A chapter that is not of the core lists its rules, effects and companions itself: add(RULES, <chapter>.RULES),
# add(effects.OF, <chapter>.EFFECTS), add(companions.OF, <chapter>.COMPANIONS).
add(RULES, smartcharging.RULES)
add(effects.OF, smartcharging.EFFECTS)
add(companions.OF, smartcharging.COMPANIONS)
add(companions.OF, runningcosts.COMPANIONS)
add(
    companions.OF,
    {
        "get_transaction_status": companions.Companion(lambda row, station, command: None, stale.answered),
        "update_firmware": companions.Companion(firmware.made, firmwareprogress.answered),
        "set_variables": companions.Companion(passwords.made, passwords.answered, passwords.ended),
    },
)
add(effects.OF, firmware.EFFECTS)
add(companions.OF, localauthlist.COMPANIONS)
add(RULES, reservation.RULES)
add(effects.OF, reservation.EFFECTS)
add(companions.OF, reservation.COMPANIONS)
add(companions.OF, network.COMPANIONS)
add(RULES, reports.RULES)
add(effects.OF, reports.EFFECTS)
add(companions.OF, reports.COMPANIONS)
add(companions.OF, inventories.COMPANIONS)
add(RULES, monitoring.RULES)
add(companions.OF, monitoring.COMPANIONS)
add(RULES, customerinformation.RULES)
add(companions.OF, customerinformation.COMPANIONS)
add(RULES, certificaterequests.RULES)
add(RULES, certificates.RULES)
add(RULES, publishing.RULES)
add(RULES, security.RULES)
add(effects.OF, publishing.EFFECTS)
add(companions.OF, certificaterequests.COMPANIONS)
add(companions.OF, certificates.COMPANIONS)
add(companions.OF, publishing.COMPANIONS)
add(companions.OF, remotecontrol.COMPANIONS)
add(RULES, displaymessage.RULES)
add(effects.OF, displaymessage.EFFECTS)
add(companions.OF, displaymessage.COMPANIONS)
add(RULES, tariffcost.RULES)
add(companions.OF, diagnostics.COMPANIONS)


def needs(event: Event, station: StationState) -> Iterable[Need]:
    if station.showing is not None and station.showing.priced:
        return (*RULES[type(event)].needs(event, station), *tariffcost.needs(event, station))
    return RULES[type(event)].needs(event, station)


def asked_for(event: Event | None, batch: Batch) -> bool:
    """Whether a station that is Pending tells what it was asked to: a page of a report, or a message that was triggered. It is
    heard so far, and no further (OCPP 2.0.1 B02)."""
    station = batch.station
    if event is None or station.registration is not Registration.PENDING:
        return False
    if isinstance(event, reports.Page):
        report = reports.found(event, batch)
        return report is not None and not report.finished
    triggered = [awaited for awaited in station.awaiting if awaited.kind == "trigger_message"]
    return any(effects.OF[awaited.kind].shows(awaited, event, batch) for awaited in triggered)


def handle(event: Event, batch: Batch) -> Reply:
    """Act on an event of the station `batch.station`, and see whether it is what a command waits for."""
    reply = RULES[type(event)].handle(event, batch)
    if batch.station.showing is not None:
        reply = tariffcost.told(event, reply, batch)
    if batch.station.awaiting:
        commands.observe(event, batch)
    return reply
