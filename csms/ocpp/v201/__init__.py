"""OCPP 2.0.1: translators by block, named as the services they speak to."""

from csms.ocpp.v201 import (
    authorization,
    availability,
    diagnostics,
    displaymessage,
    firmware,
    metervalues,
    provisioning,
    remotecontrol,
    tariffcost,
    transactions,
    vendor,
)

INCOMING = (
    authorization.Authorize,
    availability.Heartbeat,
    availability.NotifyEvent,
    availability.StatusNotification,
    diagnostics.LogStatusNotification,
    displaymessage.NotifyDisplayMessages,
    firmware.FirmwareStatusNotification,
    metervalues.MeterValues,
    provisioning.BootNotification,
    provisioning.NotifyReport,
    transactions.TransactionEvent,
    vendor.DataTransfer,
)

OUTGOING = (
    authorization.ClearCache,
    availability.ChangeAvailability,
    diagnostics.GetLog,
    displaymessage.ClearDisplayMessage,
    displaymessage.GetDisplayMessages,
    displaymessage.SetDisplayMessage,
    firmware.UpdateFirmware,
    provisioning.GetBaseReport,
    provisioning.GetVariables,
    provisioning.Reset,
    provisioning.SetVariables,
    remotecontrol.RequestStartTransaction,
    remotecontrol.RequestStopTransaction,
    remotecontrol.TriggerMessage,
    remotecontrol.UnlockConnector,
    tariffcost.CostUpdated,
    transactions.GetTransactionStatus,
    vendor.SendDataTransfer,
)
