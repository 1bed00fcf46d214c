"""Reference: OCPP the usual way, a Channels consumer that does each message's work through the ORM.

It validates with the `ocpp` package, keeps one database connection (CONN_MAX_AGE), commits each message with its row in the
log, and writes the four values of a MeterValues with one `bulk_create`; it has no findings, fences, mending or live pages.
A project of its own with its own settings and tables, run by stock uvicorn and stock Daphne. `python -m
tests.bench.reference_orm TAG...` makes the tables and the tags.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import django
import environ
from django.conf import settings

settings.configure(
    DATABASES={"default": environ.Env.db_url_config(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": 600}},
    INSTALLED_APPS=["channels"],
    USE_TZ=True,
)
django.setup()

from channels.db import database_sync_to_async  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.urls import re_path  # noqa: E402
from ocpp import messages  # noqa: E402
from ocpp.messages import Call, CallResult, validate_payload  # noqa: E402

# Faster here than the package's default, a hop to a thread for each payload.
messages.ASYNC_VALIDATION = False


class Station(models.Model):
    identity = models.CharField(max_length=48, unique=True)
    last_seen = models.DateTimeField(null=True)

    class Meta:
        app_label = "reference"


class IdTag(models.Model):
    value = models.CharField(max_length=20, unique=True)
    blocked = models.BooleanField(default=False)

    class Meta:
        app_label = "reference"


class Connector(models.Model):
    station = models.ForeignKey(Station, models.CASCADE)
    number = models.IntegerField()
    status = models.CharField(max_length=20)
    error_code = models.CharField(max_length=50)
    changed_at = models.DateTimeField()

    class Meta:
        app_label = "reference"
        unique_together = [("station", "number")]


class Session(models.Model):
    station = models.ForeignKey(Station, models.CASCADE)
    uid = models.CharField(max_length=36, blank=True, db_index=True)
    connector = models.IntegerField()
    id_tag = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    meter_start = models.IntegerField()
    stopped_at = models.DateTimeField(null=True)
    meter_stop = models.IntegerField(null=True)
    reason = models.CharField(max_length=30)

    class Meta:
        app_label = "reference"


class SampledValue(models.Model):
    station = models.ForeignKey(Station, models.CASCADE)
    session = models.ForeignKey(Session, models.CASCADE, null=True)
    connector = models.IntegerField()
    at = models.DateTimeField()
    value = models.CharField(max_length=50)
    context = models.CharField(max_length=30)
    measurand = models.CharField(max_length=50)
    unit = models.CharField(max_length=20)

    class Meta:
        app_label = "reference"
        indexes = [models.Index(fields=["station", "at"], name="reference_value_at")]


class Message(models.Model):
    station = models.ForeignKey(Station, models.CASCADE)
    action = models.CharField(max_length=50)
    call = models.TextField()
    answer = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "reference"
        indexes = [models.Index(fields=["station", "received_at"], name="reference_message_at")]


MODELS = (Station, IdTag, Connector, Session, SampledValue, Message)


class Consumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        identity = self.scope["url_route"]["kwargs"]["identity"]
        self.station, _ = await Station.objects.aget_or_create(identity=identity)
        self.protocol = self.scope["subprotocols"][0]
        self.version = self.protocol.removeprefix("ocpp")
        await self.accept(self.protocol)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        _, message_id, action, payload = json.loads(text_data or "")
        await validate_payload(Call(message_id, action, payload), self.version)
        answer = await database_sync_to_async(self.handle)(action, payload, text_data)
        await validate_payload(CallResult(message_id, answer, action), self.version)
        await self.send(json.dumps([3, message_id, answer]))

    @transaction.atomic
    def handle(self, action: str, payload: dict[str, Any], text: str) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, action)(payload)
        Message.objects.create(station=self.station, action=action, call=text, answer=json.dumps(answer))
        return answer

    def Heartbeat(self, payload: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC)
        Station.objects.filter(pk=self.station.pk).update(last_seen=now)
        return {"currentTime": now.isoformat()}

    def StatusNotification(self, payload: dict[str, Any]) -> dict[str, Any]:
        Connector.objects.update_or_create(
            station=self.station,
            number=payload["connectorId"],
            defaults={
                "status": payload.get("status") or payload["connectorStatus"],
                "error_code": payload.get("errorCode", ""),
                "changed_at": datetime.fromisoformat(payload["timestamp"]),
            },
        )
        return {}

    def MeterValues(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.sample(payload, Session.objects.filter(station=self.station, pk=payload.get("transactionId")).first())
        return {}

    def sample(self, payload: dict[str, Any], session: Session | None) -> None:
        for meter_value in payload.get("meterValue", []):
            at = datetime.fromisoformat(meter_value["timestamp"])
            SampledValue.objects.bulk_create(
                SampledValue(
                    station=self.station,
                    session=session,
                    connector=session.connector if session else payload["connectorId"],
                    at=at,
                    value=sampled["value"],
                    context=sampled.get("context", ""),
                    measurand=sampled.get("measurand", ""),
                    unit=sampled.get("unit") or sampled.get("unitOfMeasure", {}).get("unit", ""),
                )
                for sampled in meter_value["sampledValue"]
            )

    def TransactionEvent(self, payload: dict[str, Any]) -> dict[str, Any]:
        at, uid = datetime.fromisoformat(payload["timestamp"]), payload["transactionInfo"]["transactionId"]
        register = payload["meterValue"][0]["sampledValue"][0]["value"]
        if payload["eventType"] == "Started":
            session = Session.objects.create(
                station=self.station,
                uid=uid,
                connector=payload["evse"]["id"],
                id_tag=payload["idToken"]["idToken"],
                started_at=at,
                meter_start=register,
            )
        else:
            session = Session.objects.get(station=self.station, uid=uid)
        if payload["eventType"] == "Ended":
            session.stopped_at, session.meter_stop = at, register
            session.reason = payload["transactionInfo"].get("stoppedReason", "Local")
            session.save()
        self.sample(payload, session)
        return {"idTokenInfo": self.authorize(payload["idToken"]["idToken"])} if "idToken" in payload else {}

    def StartTransaction(self, payload: dict[str, Any]) -> dict[str, Any]:
        session = Session.objects.create(
            station=self.station,
            connector=payload["connectorId"],
            id_tag=payload["idTag"],
            started_at=datetime.fromisoformat(payload["timestamp"]),
            meter_start=payload["meterStart"],
        )
        return {"transactionId": session.pk, "idTagInfo": self.authorize(payload["idTag"])}

    def StopTransaction(self, payload: dict[str, Any]) -> dict[str, Any]:
        session = Session.objects.get(station=self.station, pk=payload["transactionId"])
        session.stopped_at = datetime.fromisoformat(payload["timestamp"])
        session.meter_stop = payload["meterStop"]
        session.reason = payload.get("reason", "Local")
        session.save()
        return {"idTagInfo": self.authorize(payload["idTag"])}

    def authorize(self, value: str) -> dict[str, Any]:
        tag = IdTag.objects.filter(value=value).first()
        return {"status": "Invalid" if tag is None else "Blocked" if tag.blocked else "Accepted"}


application = ProtocolTypeRouter({"websocket": URLRouter([re_path(r"^ocpp/(?P<identity>[^/]+)$", Consumer.as_asgi())])})


def make_tables(tags: list[str]) -> None:
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    IdTag.objects.bulk_create(IdTag(value=value) for value in tags)


if __name__ == "__main__":
    make_tables(sys.argv[1:])
