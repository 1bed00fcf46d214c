"""OCPP 1.6J: translators by block, named as the services they speak to."""

from csms.ocpp.translator import Outgoing
from csms.ocpp.v16 import (
    authorization,
    availability,
    costmessages,
    diagnostics,
    firmware,
    metervalues,
    provisioning,
    remotecontrol,
    transactions,
    vendor,
)

INCOMING = (
    authorization.Authorize,
    availability.Heartbeat,
    availability.StatusNotification,
    diagnostics.DiagnosticsStatusNotification,
    diagnostics.LogStatusNotification,
    firmware.FirmwareStatusNotification,
    firmware.SignedFirmwareStatusNotification,
    metervalues.MeterValues,
    provisioning.BootNotification,
    transactions.StartTransaction,
    transactions.StopTransaction,
    vendor.DataTransfer,
)

OUTGOING: tuple[type[Outgoing], ...] = (
    authorization.ClearCache,
    availability.ChangeAvailability,
    diagnostics.GetLog,
    diagnostics.GetDiagnostics,
    firmware.SignedUpdateFirmware,
    firmware.UpdateFirmware,
    provisioning.ChangeConfiguration,
    provisioning.GetConfiguration,
    provisioning.Reset,
    remotecontrol.RemoteStartTransaction,
    remotecontrol.RemoteStopTransaction,
    remotecontrol.TriggerMessage,
    remotecontrol.UnlockConnector,
    vendor.SendDataTransfer,
    *costmessages.OUTGOING,
)
