"""OCPP 1.6J: translators by block, named as the services they speak to."""

from csms.ocpp.v16 import (
    authorization,
    availability,
    diagnostics,
    firmware,
    metervalues,
    provisioning,
    remotecontrol,
    smartcharging,
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

OUTGOING = (
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
    smartcharging.ClearChargingProfile,
    smartcharging.GetCompositeSchedule,
    smartcharging.SetChargingProfile,
    vendor.SendDataTransfer,
)
