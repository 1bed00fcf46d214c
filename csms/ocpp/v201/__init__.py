"""OCPP 2.0.1: translators by block, named as the services they speak to."""

from csms.ocpp.v201 import (
    authorization,
    availability,
    diagnostics,
    firmware,
    localauthlist,
    metervalues,
    network,
    provisioning,
    remotecontrol,
    reservation,
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
    reservation.ReservationStatusUpdate,
    transactions.TransactionEvent,
    vendor.DataTransfer,
)

OUTGOING = (
    authorization.ClearCache,
    availability.ChangeAvailability,
    diagnostics.GetLog,
    firmware.UpdateFirmware,
    localauthlist.GetLocalListVersion,
    localauthlist.SendLocalList,
    network.SetNetworkProfile,
    provisioning.GetBaseReport,
    provisioning.GetVariables,
    provisioning.Reset,
    provisioning.SetVariables,
    remotecontrol.RequestStartTransaction,
    remotecontrol.RequestStopTransaction,
    remotecontrol.TriggerMessage,
    remotecontrol.UnlockConnector,
    reservation.CancelReservation,
    reservation.ReserveNow,
    transactions.GetTransactionStatus,
    vendor.SendDataTransfer,
)
