"""OCPP 2.0.1: translators by block, named as the services they speak to."""

from csms.ocpp.v201 import (
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
    availability.NotifyEvent,
    availability.StatusNotification,
    diagnostics.LogStatusNotification,
    firmware.FirmwareStatusNotification,
    metervalues.MeterValues,
    provisioning.BootNotification,
    provisioning.NotifyReport,
    smartcharging.ClearedChargingLimit,
    smartcharging.NotifyChargingLimit,
    smartcharging.NotifyEVChargingNeeds,
    smartcharging.NotifyEVChargingSchedule,
    smartcharging.ReportChargingProfiles,
    transactions.TransactionEvent,
    vendor.DataTransfer,
)

OUTGOING = (
    authorization.ClearCache,
    availability.ChangeAvailability,
    diagnostics.GetLog,
    firmware.UpdateFirmware,
    provisioning.GetBaseReport,
    provisioning.GetVariables,
    provisioning.Reset,
    provisioning.SetVariables,
    remotecontrol.RequestStartTransaction,
    remotecontrol.RequestStopTransaction,
    remotecontrol.TriggerMessage,
    remotecontrol.UnlockConnector,
    smartcharging.ClearChargingProfile,
    smartcharging.GetChargingProfiles,
    smartcharging.GetCompositeSchedule,
    smartcharging.SetChargingProfile,
    transactions.GetTransactionStatus,
    vendor.SendDataTransfer,
)
