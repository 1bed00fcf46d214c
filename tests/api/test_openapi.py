"""The OpenAPI document is true: whatever it allows or forbids, the application answers as it says (schemathesis).

Each example is undone, so that all of an operation see the same network.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from django_scopes import scope
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from accounts import drivers
from accounts.models import IdToken, IdTokenGroup, Invitation
from accounts.services import add_id_token
from billing import pricepoints, rebilling
from billing.models import ChargeRecord, MeterKey, Rebilling, Tariff, TariffAssignment, TariffVersion
from billing.seriesmodels import PriceSeries
from csms.forwarding import services as forwarding
from csms.forwarding.models import Forward, ForwardLink
from csms.ocpp import registry
from csms.webhooks.models import Webhook, WebhookDelivery
from stations.domain.commands import ClearCache
from stations.models import (
    CertificateRequest,
    Command,
    Connector,
    FirmwarePublication,
    InstalledCertificate,
    LocalList,
    LocalListRule,
    LogUpload,
    MonitorEvent,
    NetworkMove,
    NetworkProfile,
    Quirk,
    RepairMessage,
    Reservation,
    SecurityEvent,
    SignedReading,
    Site,
)
from stations.services import commandruns, localauthlist, quirks, rollouts
from tests.api.conftest import Network, Person
from tests.dashboard.monitoredrows import monitored
from tests.dashboard.reservationrows import made_move, made_profile, made_reservation
from tests.dashboard.rows import issued
from tests.dashboard.securityrows import secured
from tests.dashboard.signedrows import signed
from tests.dashboard.worldrows import archived
from tests.firmware import made_image, made_update

whole = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
whole.app = get_wsgi_application()
#: Tried by a driver: `tests/api/drivers/test_openapi.py`. Logging in is allauth's.
OF_DRIVERS = "^/api/v1/(me|charge|locations)/"
drivers_document = whole.include(path_regex=OF_DRIVERS).exclude(path_regex="/live/$")
document = whole.exclude(path_regex=f"{OF_DRIVERS}|^/api/v1/auth/")
OPERATIONS = [found.ok() for found in document.get_all_operations()]

#: A path parameter of the schema's form is one that exists this often, in ten.
EXISTING = 7
EVERY = examples(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """As Django's own test client does: the end of a request does not end the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def unbounded(settings: Any) -> None:
    """As many requests in a minute as it takes."""
    settings.API_RATE = 0


@pytest.fixture
def existing(ada: Person, amber: Network) -> dict[str, Any]:
    """One of each thing, by the first part of its path."""
    add_id_token(operator=ada.operator, value="DEE-CARD", group="FLEET", note="Van 7")
    dee = drivers.sign_up(email="dee@example.org", password="charge-it-all-night", operator=ada.operator)
    update = made_update(amber.station, made_image(ada.operator))
    with scope(operator=ada.operator):
        rollout = rollouts.create(firmware=update.firmware)
        chosen = {"stations": [amber.station.identity]}
        run = commandruns.start(operator=ada.operator, token="t", selection=chosen, command=ClearCache())
        forward = forwarding.add(operator=ada.operator, name="Fleet", url="ws://127.0.0.1:9/")
        made_reservation(amber.station)
        made_profile(amber.station)
        made_move(amber.station)
        now = timezone.now()
        ForwardLink.objects.create(operator=ada.operator, forward=forward, station=amber.station, read_from=now, connected_at=now)
        localauthlist.set_rule(operator=ada.operator, mode="valid")
        told = monitored(amber.station)
        secured(amber.station, update.firmware)
        pricepoints.add_series(operator=ada.operator, name="Day-ahead")
        signed(amber.transaction)
        asked = {"since": now - timedelta(days=1), "until": now, "reason": "A wrong price", "token": "t"}
        rebilling.plan(operator=ada.operator, tariff=Tariff.objects.latest("pk"), **asked)
        quirks.add(operator=ada.operator, name="Odd", vendor="Acme", adjustments=[{"do": "id_tag_plain"}])
        of = {
            "invitations": Invitation,
            "commands": Command,
            "connectors": Connector,
            "charge-records": ChargeRecord,
            "id-tags": IdToken,
            "id-tag-groups": IdTokenGroup,
            "local-lists": LocalList,
            "local-list-rules": LocalListRule,
            "logs": LogUpload,
            "repair-messages": RepairMessage,
            "reservations": Reservation,
            "network-profiles": NetworkProfile,
            "network-moves": NetworkMove,
            "sites": Site,
            "signed-readings": SignedReading,
            "meter-keys": MeterKey,
            "tariffs": Tariff,
            "security-events": SecurityEvent,
            "certificates": InstalledCertificate,
            "certificate-requests": CertificateRequest,
            "firmware-publications": FirmwarePublication,
            "tariff-versions": TariffVersion,
            "tariff-assignments": TariffAssignment,
            "price-series": PriceSeries,
            "forwards": Forward,
            "forward-links": ForwardLink,
            "quirks": Quirk,
            "webhooks": Webhook,
            "webhook-deliveries": WebhookDelivery,
            "monitor-events": MonitorEvent,
            "rebillings": Rebilling,
        }
        return {name: str(model._default_manager.latest("pk").pk) for name, model in of.items()} | {
            "transactions": str(amber.transaction.pk),
            "stations": amber.station.identity,
            "firmware": str(update.firmware_id),
            "firmware-updates": str(update.pk),
            "rollouts": str(rollout.pk),
            "command-runs": str(run.pk),
            "people": str(ada.user.pk),
            "receipts": str(issued(ChargeRecord.objects.latest("pk")).pk),
            "drivers": str(dee.pk),
            "reports": str(told.report.pk),
            "customer-reports": str(told.customer.pk),
            "receipt-archives": str(archived(ada.operator).archive_id),
        }


def _said(case: schemathesis.Case) -> bool:
    """Whether the document says all about what is taken.

    It cannot say which cursors were given out, that the history of all stations goes back a day, that an EVSE's number needs
    its station, that a text of the audit needs a time and a thing its kind, and which parameters of a command or CALL make sense at
    a station.
    """
    needy = {"events": {"since"}, "meter-samples": {"evse"}, "audit": {"thing", "q"}}
    unsaid = {"cursor"} | needy.get(case.operation.path.split("/")[3], set())
    return case.method == "GET" and not unsaid & case.query.keys()


def ask(case: schemathesis.Case, who: Person, existing: dict[str, Any]) -> None:
    if case.path_parameters and not (case.meta and case.meta.is_negative_at(ParameterLocation.PATH)):
        dice = crc32(repr(sorted(case.path_parameters.items())).encode())
        if dice % 10 < EXISTING:
            actions = sorted(registry.BY_ACTION["ocpp1.6"])
            named = {"action": actions[dice % len(actions)], "part": "1"}
            own = existing[case.operation.path.split("/")[3]]
            case.path_parameters = {name: named.get(name, own) for name in case.path_parameters}
    if case.operation.path.endswith("/ocpp/{action}/") and str(case.query.get("wait", "0")).isdigit():
        case.query["wait"] = "0"  # no station answers here
    excluded = [] if _said(case) else [positive_data_acceptance]
    if case.media_type == "multipart/form-data":
        excluded.append(negative_data_rejection)  # a form has nothing but texts: a number is one
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": who.client.defaults["HTTP_AUTHORIZATION"]}, excluded_checks=excluded)
        transaction.set_rollback(True)


@pytest.mark.long
def test_what_is_there_is_shown_as_the_document_says(ada: Person, existing: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        if operation.method == "get":
            names = [parameter.name for parameter in operation.path_parameters]
            path_parameters = {name: existing[operation.path.split("/")[3]] for name in names}
            ask(operation.Case(path_parameters=path_parameters), ada, existing)


@pytest.mark.long
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_whatever_is_asked_is_answered_as_the_document_says(
    operation: Any, mode: GenerationMode, ada: Person, existing: dict[str, Any]
) -> None:
    @examples(EVERY, max_examples=100)
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case) -> None:
        ask(case, ada, existing)

    if mode is GenerationMode.POSITIVE or operation.iter_parameters() or operation.body:
        check()
