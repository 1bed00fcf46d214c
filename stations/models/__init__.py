"""What the network is made of. Fields, constraints and trivial properties only; rules live in `stations.services`."""

from stations.models.charging import (
    ChargingLimit,
    ChargingProfile,
    CompositeSchedule,
    EvChargingNeeds,
    EvChargingSchedule,
    NeedsState,
)
from stations.models.command import Command, CommandRun, CommandStatus
from stations.models.connection import Connection, ConnectionHistory, Refusal, Sent
from stations.models.finding import Finding, RepairMessage
from stations.models.firmware import Firmware, FirmwareUpdate, UpdateFailure, UpdateStatus
from stations.models.messagelog import MessageLogEntry
from stations.models.metering import MeterDay, MeterProgress, MeterQuarter, MeterSample, QuarterDue
from stations.models.outbox import OutboxEntry, Subscription
from stations.models.passwordchange import ChangeStatus, PasswordChange
from stations.models.quality import FindingDay
from stations.models.quirk import Quirk, QuirkSwitch
from stations.models.repair import Repair
from stations.models.rollout import Rollout, RolloutState, RolloutStep, StepState
from stations.models.site import Site
from stations.models.station import Connector, Evse, Station, StatusHistory
from stations.models.transaction import Transaction
from stations.models.upload import LogKind, LogStatus, LogUpload
from stations.models.variable import Variable

__all__ = [
    "ChangeStatus",
    "ChargingLimit",
    "ChargingProfile",
    "Command",
    "CommandRun",
    "CommandStatus",
    "CompositeSchedule",
    "Connection",
    "ConnectionHistory",
    "Connector",
    "EvChargingNeeds",
    "EvChargingSchedule",
    "Evse",
    "Finding",
    "FindingDay",
    "Firmware",
    "FirmwareUpdate",
    "LogKind",
    "LogStatus",
    "LogUpload",
    "MessageLogEntry",
    "MeterDay",
    "MeterProgress",
    "MeterQuarter",
    "MeterSample",
    "NeedsState",
    "OutboxEntry",
    "PasswordChange",
    "QuarterDue",
    "Quirk",
    "QuirkSwitch",
    "Refusal",
    "Repair",
    "RepairMessage",
    "Rollout",
    "RolloutState",
    "RolloutStep",
    "Sent",
    "Site",
    "Station",
    "StatusHistory",
    "StepState",
    "Subscription",
    "Transaction",
    "UpdateFailure",
    "UpdateStatus",
    "Variable",
]
