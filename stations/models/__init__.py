"""What the network is made of. Fields, constraints and trivial properties only; rules live in `stations.services`."""

from stations.models.charging import (
    ChargingLimit,
    ChargingProfile,
    CompositeSchedule,
    EvChargingNeeds,
    EvChargingSchedule,
    NeedsState,
)
from stations.models.command import Command, CommandStatus
from stations.models.commandrun import CommandRun, CommandRunStep, RunState, RunStepState
from stations.models.connection import Connection, ConnectionHistory, Refusal, Sent
from stations.models.displaymessage import DisplayMessage
from stations.models.finding import Finding, RepairMessage
from stations.models.firmware import Firmware, FirmwareUpdate, UpdateFailure, UpdateStatus
from stations.models.groupterms import GroupTerms, TokenTerms
from stations.models.localauthlist import (
    IdTokenChange,
    LeftOff,
    ListBook,
    ListMode,
    ListState,
    LocalList,
    LocalListEntry,
    LocalListRule,
)
from stations.models.messagelog import MessageLogEntry
from stations.models.metering import MeterDay, MeterProgress, MeterQuarter, MeterSample, QuarterDue
from stations.models.monitoring import Monitor, MonitorEvent, MonitorOrigin
from stations.models.network import MoveStatus, NetworkMove, NetworkProfile
from stations.models.outbox import OutboxEntry, Subscription
from stations.models.passwordchange import ChangeStatus, PasswordChange
from stations.models.publication import FirmwarePublication, PublicationStatus
from stations.models.quality import FindingDay
from stations.models.quirk import Quirk, QuirkSwitch
from stations.models.repair import Repair
from stations.models.report import CustomerPage, Report, ReportKind, ReportStatus
from stations.models.reservation import Reservation, ReservationStatus
from stations.models.rollout import Rollout, RolloutState, RolloutStep, StepState
from stations.models.security import CertificateRequest, InstalledCertificate, RequestStatus, SecurityEvent
from stations.models.signed import SignedReading
from stations.models.site import Site
from stations.models.station import Connector, Evse, Station, StatusHistory
from stations.models.transaction import Transaction
from stations.models.upload import LogKind, LogStatus, LogUpload
from stations.models.variable import DeviceModel, Variable

__all__ = [
    "CertificateRequest",
    "ChangeStatus",
    "ChargingLimit",
    "ChargingProfile",
    "Command",
    "CommandRun",
    "CommandRunStep",
    "CommandStatus",
    "CompositeSchedule",
    "Connection",
    "ConnectionHistory",
    "Connector",
    "CustomerPage",
    "DeviceModel",
    "DisplayMessage",
    "EvChargingNeeds",
    "EvChargingSchedule",
    "Evse",
    "Finding",
    "FindingDay",
    "Firmware",
    "FirmwarePublication",
    "FirmwareUpdate",
    "GroupTerms",
    "IdTokenChange",
    "InstalledCertificate",
    "LeftOff",
    "ListBook",
    "ListMode",
    "ListState",
    "LocalList",
    "LocalListEntry",
    "LocalListRule",
    "LogKind",
    "LogStatus",
    "LogUpload",
    "MessageLogEntry",
    "MeterDay",
    "MeterProgress",
    "MeterQuarter",
    "MeterSample",
    "Monitor",
    "MonitorEvent",
    "MonitorOrigin",
    "MoveStatus",
    "NeedsState",
    "NetworkMove",
    "NetworkProfile",
    "OutboxEntry",
    "PasswordChange",
    "PublicationStatus",
    "QuarterDue",
    "Quirk",
    "QuirkSwitch",
    "Refusal",
    "Repair",
    "RepairMessage",
    "Report",
    "ReportKind",
    "ReportStatus",
    "RequestStatus",
    "Reservation",
    "ReservationStatus",
    "Rollout",
    "RolloutState",
    "RolloutStep",
    "RunState",
    "RunStepState",
    "SecurityEvent",
    "Sent",
    "SignedReading",
    "Site",
    "Station",
    "StatusHistory",
    "StepState",
    "Subscription",
    "TokenTerms",
    "Transaction",
    "UpdateFailure",
    "UpdateStatus",
    "Variable",
]
