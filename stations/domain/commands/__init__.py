"""What we can ask of a station: one frozen dataclass each, in the words of OCPP 2.x, and what it can answer.

Parameters are plain values, so that a command is a row (`stations.models.Command`), a JSON body of the API and a page's form
alike. `kind` is its stable name in all three. A file a chapter of OCPP; each lists its commands as `ALL`.
"""

from stations.domain.command import SECRET, BadCommand, Command, Outcome, VariableName, VariableReport, Verdict
from stations.domain.commands import (
    authorization,
    availability,
    customerinformation,
    diagnostics,
    displaymessage,
    firmware,
    localauthlist,
    monitoring,
    network,
    provisioning,
    publishing,
    remotecontrol,
    reservation,
    security,
    smartcharging,
    tariffcost,
    transactions,
    vendor,
)
from stations.domain.commands.authorization import ClearCache
from stations.domain.commands.availability import ChangeAvailability
from stations.domain.commands.customerinformation import CustomerInformation
from stations.domain.commands.diagnostics import GetLog
from stations.domain.commands.firmware import UpdateFirmware
from stations.domain.commands.localauthlist import GetLocalListVersion, SendLocalList
from stations.domain.commands.monitoring import (
    ClearVariableMonitoring,
    GetMonitoringReport,
    GetReport,
    ReportOfSome,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
)
from stations.domain.commands.network import SetNetworkProfile
from stations.domain.commands.provisioning import (
    GetBaseReport,
    GetVariables,
    Reset,
    SetVariables,
    named_component,
    named_variable,
)
from stations.domain.commands.publishing import PublishFirmware, UnpublishFirmware
from stations.domain.commands.remotecontrol import RemoteStart, RemoteStop, TriggerMessage, UnlockConnector
from stations.domain.commands.reservation import CancelReservation, ReserveNow
from stations.domain.commands.security import (
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    SendSignedCertificate,
)
from stations.domain.commands.smartcharging import (
    ClearChargingProfile,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
)
from stations.domain.commands.transactions import GetTransactionStatus
from stations.domain.commands.vendor import SendVendorMessage

__all__ = [
    "COMMANDS",
    "SECRET",
    "BadCommand",
    "CancelReservation",
    "ChangeAvailability",
    "ClearCache",
    "ClearChargingProfile",
    "ClearVariableMonitoring",
    "Command",
    "CustomerInformation",
    "DeleteCertificate",
    "GetBaseReport",
    "GetChargingProfiles",
    "GetCompositeSchedule",
    "GetInstalledCertificates",
    "GetLocalListVersion",
    "GetLog",
    "GetMonitoringReport",
    "GetReport",
    "GetTransactionStatus",
    "GetVariables",
    "InstallCertificate",
    "Outcome",
    "PublishFirmware",
    "RemoteStart",
    "RemoteStop",
    "ReportOfSome",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SendSignedCertificate",
    "SendVendorMessage",
    "SetChargingProfile",
    "SetMonitoringBase",
    "SetMonitoringLevel",
    "SetNetworkProfile",
    "SetVariableMonitoring",
    "SetVariables",
    "TriggerMessage",
    "UnlockConnector",
    "UnpublishFirmware",
    "UpdateFirmware",
    "VariableName",
    "VariableReport",
    "Verdict",
    "named_component",
    "named_variable",
]


def _table(*chapters: tuple[type[Command], ...]) -> dict[str, type[Command]]:
    table: dict[str, type[Command]] = {}
    for command in (command for chapter in chapters for command in chapter):
        if command.kind in table:
            raise ValueError(f"Two commands of the kind {command.kind}")
        table[command.kind] = command
    return table


COMMANDS = _table(
    authorization.ALL,
    availability.ALL,
    customerinformation.ALL,
    diagnostics.ALL,
    displaymessage.ALL,
    firmware.ALL,
    localauthlist.ALL,
    monitoring.ALL,
    network.ALL,
    provisioning.ALL,
    publishing.ALL,
    remotecontrol.ALL,
    reservation.ALL,
    security.ALL,
    smartcharging.ALL,
    tariffcost.ALL,
    transactions.ALL,
    vendor.ALL,
)
