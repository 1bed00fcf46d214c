"""The tables that a batch writes, and by which key."""

from stations import chargingtables
from stations.flush import Table
from stations.models import (
    CertificateRequest,
    Command,
    Connection,
    Connector,
    CustomerPage,
    DeviceModel,
    DisplayMessage,
    Evse,
    Finding,
    FirmwareUpdate,
    InstalledCertificate,
    LogUpload,
    MessageLogEntry,
    MeterSample,
    Monitor,
    MonitorEvent,
    OutboxEntry,
    RepairMessage,
    Report,
    SecurityEvent,
    SignedReading,
    Station,
    StatusHistory,
    Transaction,
    Variable,
)

#: The tables a batch writes, in the order of their foreign keys.
TABLES = (
    Table(Station),
    Table(Connection),
    Table(Evse, key=("station_id", "number")),
    Table(Connector, key=("evse_id", "number")),
    Table(Transaction, key=("station_id", "ocpp_transaction_id")),
    Table(MeterSample, key=("station_id", "at", "owner", "context"), merge="fill"),
    Table(SignedReading, key=("station_id", "owner", "digest")),
    Table(StatusHistory),
    Table(Command),
    Table(LogUpload),
    Table(FirmwareUpdate),
    Table(
        Variable,
        key=(
            "station_id",
            "component",
            "component_instance",
            "evse_number",
            "connector_number",
            "variable",
            "variable_instance",
            "attribute",
        ),
        merge="renew",
        renewed=("value", "known", "reported_at"),
        refined=("mutability", "data_type", "unit", "values", "persistent", "constant", "lowest", "highest", "monitorable"),
    ),
    Table(DeviceModel, key=("station_id",), merge="renew", renewed=("due_at",)),
    Table(Report),
    Table(CustomerPage, key=("report_id", "sequence")),
    Table(
        Monitor,
        key=("station_id", "monitor_id"),
        merge="renew",
        renewed=(
            *("component", "component_instance", "evse_number", "connector_number", "variable", "variable_instance"),
            *("type", "value", "severity", "transaction", "known", "reported_at"),
        ),
        refined=("origin",),
    ),
    Table(MonitorEvent, key=("station_id", "at", "event_id", "place")),
    Table(SecurityEvent, key=("station_id", "type", "at", "tech_info")),
    Table(
        InstalledCertificate,
        key=("station_id", "type", "hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_key"),
        merge="renew",
        renewed=("installed_at", "reported_at", "removed_at", "serial_number"),
    ),
    Table(
        CertificateRequest,
        key=("station_id", "digest"),
        merge="count",
        renewed=("status", "detail", "problems", "last_at", "decided_at"),
    ),
    Table(
        DisplayMessage,
        key=("station_id", "number"),
        merge="renew",
        renewed=(
            *("priority", "state", "format", "language", "content", "start_at", "end_at", "ocpp_transaction_id"),
            *("component", "component_instance", "evse_number", "connector_number", "report", "set_at", "removed_at"),
        ),
    ),
    *chargingtables.TABLES,
    Table(RepairMessage),
    Table(
        Finding, key=("station_id", "transaction_id", "code", "subject"), merge="count", renewed=("detail", "message_id", "last_at")
    ),
    Table(OutboxEntry, key=("topic", "subscriber", "object_id")),
    Table(MessageLogEntry),
)
BY_MODEL = {table.model: table for table in TABLES}
