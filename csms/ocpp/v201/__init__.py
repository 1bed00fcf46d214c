"""OCPP 2.0.1: translators by block, named as the services they speak to."""

from csms.ocpp.v201 import (
    authorization,
    availability,
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
    availability.NotifyEvent,
    availability.StatusNotification,
    diagnostics.LogStatusNotification,
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
    firmware.UpdateFirmware,
    provisioning.GetBaseReport,
    provisioning.GetVariables,
    provisioning.Reset,
    provisioning.SetVariables,
    remotecontrol.RequestStartTransaction,
    remotecontrol.RequestStopTransaction,
    remotecontrol.TriggerMessage,
    remotecontrol.UnlockConnector,
    transactions.GetTransactionStatus,
    vendor.SendDataTransfer,
)

#: Actions a station may send that are answered NotSupported, with the reason.
UNSUPPORTED = {
    "ClearedChargingLimit": "charging limits are not followed yet",
    "Get15118EVCertificate": "contract certificates are not fetched yet",
    "GetCertificateStatus": "certificates are not checked yet",
    "NotifyChargingLimit": "charging limits are not followed yet",
    "NotifyCustomerInformation": "customer information is not asked for yet",
    "NotifyDisplayMessages": "display messages are not asked for yet",
    "NotifyEVChargingNeeds": "smart charging is not done yet",
    "NotifyEVChargingSchedule": "smart charging is not done yet",
    "NotifyMonitoringReport": "monitors are not asked for yet",
    "PublishFirmwareStatusNotification": "firmware is not published yet",
    "ReportChargingProfiles": "smart charging is not done yet",
    "ReservationStatusUpdate": "reservations are not made yet",
    "SecurityEventNotification": "security events are not followed yet",
    "SignCertificate": "certificates are not issued yet",
}

#: Actions only a CSMS sends that are not sent yet.
NOT_SENT_YET = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ClearChargingProfile",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DeleteCertificate",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetMonitoringReport",
        "GetReport",
        "InstallCertificate",
        "PublishFirmware",
        "ReserveNow",
        "SendLocalList",
        "SetChargingProfile",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "UnpublishFirmware",
    }
)
