"""OCPP 1.6J: translators by block, named as the services they speak to."""

from csms.ocpp.v16 import authorization, availability, metervalues, provisioning, transactions, vendor

INCOMING = (
    authorization.Authorize,
    availability.Heartbeat,
    availability.StatusNotification,
    metervalues.MeterValues,
    provisioning.BootNotification,
    transactions.StartTransaction,
    transactions.StopTransaction,
    vendor.DataTransfer,
)

#: Actions a station may send that are answered NotSupported, with the reason.
UNSUPPORTED = {
    "DiagnosticsStatusNotification": "diagnostics are not requested yet",
    "FirmwareStatusNotification": "firmware is not updated yet",
    "LogStatusNotification": "logs are not requested yet",
    "SecurityEventNotification": "the security extension is not spoken yet",
    "SignCertificate": "certificates are not issued yet",
    "SignedFirmwareStatusNotification": "firmware is not updated yet",
}

#: Actions only a CSMS sends. From a station they are answered NotSupported.
OUTGOING = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SignedUpdateFirmware",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    }
)
