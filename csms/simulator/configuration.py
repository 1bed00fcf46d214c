"""The settings of a simulated station, under the names of OCPP 1.6's configuration keys (1.6, 9.1) whatever it speaks."""

from collections.abc import Callable
from dataclasses import dataclass

MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC")
MAX_KEYS = 50


def _number(value: str) -> bool:
    return value.isascii() and value.isdigit() and int(value) <= 2**31 - 1


def _boolean(value: str) -> bool:
    return value.lower() in {"true", "false"}


def _measurands(value: str) -> bool:
    return all(item.strip() in MEASURANDS for item in value.split(",") if item.strip())


def _password(value: str) -> bool:
    return 16 <= len(value) <= 40 and value.isascii()


@dataclass(slots=True)
class Key:
    value: str
    #: What makes a value valid; None for a key that cannot be written.
    valid: Callable[[str], bool] | None = None
    needs_reboot: bool = False
    readable: bool = True


class Configuration:
    """`change` and `get` answer as ChangeConfiguration and GetConfiguration do; names are compared without case."""

    def __init__(self, *, connectors: int, given: dict[str, str] | None = None) -> None:
        every = ",".join(MEASURANDS)
        self._keys = {
            "AllowOfflineTxForUnknownId": Key("true", _boolean),
            "AuthorizationKey": Key("", _password, readable=False),
            "AuthorizeRemoteTxRequests": Key("true", _boolean),
            "ChargeProfileMaxStackLevel": Key("8"),
            "ChargingScheduleAllowedChargingRateUnit": Key("Current,Power"),
            "ChargingScheduleMaxPeriods": Key("100"),
            "ClockAlignedDataInterval": Key("0"),
            "ConnectionTimeOut": Key("60", _number),
            "CustomDisplayCostAndPrice": Key("false"),
            "ConnectorPhaseRotation": Key("NotApplicable"),
            "GetConfigurationMaxKeys": Key(str(MAX_KEYS)),
            "HeartbeatInterval": Key("300", _number),
            "LocalAuthListEnabled": Key("true", _boolean),
            "LocalAuthListMaxLength": Key("1000"),
            "LocalAuthorizeOffline": Key("true"),
            "LocalPreAuthorize": Key("false"),
            "MaxChargingProfilesInstalled": Key("20"),
            "MeterValuesAlignedData": Key(""),
            "MeterValuesSampledData": Key(every, _measurands),
            "MeterValueSampleInterval": Key("60", _number),
            "NumberOfConnectors": Key(str(connectors)),
            "ReserveConnectorZeroSupported": Key("true"),
            "ResetRetries": Key("1", _number),
            "SendLocalListMaxLength": Key("100"),
            "StopTransactionOnEVSideDisconnect": Key("true"),
            "StopTransactionOnInvalidId": Key("true", _boolean),
            "StopTxnAlignedData": Key(""),
            "StopTxnSampledData": Key("Energy.Active.Import.Register", _measurands),
            "SupportedFeatureProfiles": Key("Core,LocalAuthListManagement,RemoteTrigger,Reservation,SmartCharging"),
            "TransactionMessageAttempts": Key("3", _number),
            "TransactionMessageRetryInterval": Key("20", _number),
            "UnlockConnectorOnEVSideDisconnect": Key("true"),
            "WebSocketPingInterval": Key("50", _number, needs_reboot=True),
        }
        for name, value in (given or {}).items():
            self._keys.setdefault(name, Key("")).value = value

    def add(self, name: str, key: Key) -> None:
        """One more, of a station that has what it is about."""
        self._keys[name] = key

    def __getitem__(self, name: str) -> str:
        return self._keys[name].value

    def number(self, name: str) -> int:
        return int(self._keys[name].value)

    def flag(self, name: str) -> bool:
        return self._keys[name].value.lower() == "true"

    def measurands(self, name: str) -> set[str]:
        return {item.strip() for item in self._keys[name].value.split(",") if item.strip()}

    def put(self, name: str, value: str) -> None:
        """Set a value from inside the station (an interval it was given at boot)."""
        self._keys[name].value = value

    def change(self, name: str, value: str) -> str:
        """Accepted, RebootRequired, Rejected or NotSupported."""
        key = self._keys.get(self._named(name) or "")
        if key is None:
            return "NotSupported"
        if key.valid is None or not key.valid(value):
            return "Rejected"
        key.value = value
        return "RebootRequired" if key.needs_reboot else "Accepted"

    def get(self, names: list[str] | None) -> tuple[list[dict[str, object]], list[str]]:
        """The known keys as `configurationKey` has them in the OCPP package (snake case), and the unknown ones."""
        wanted = list(self._keys) if not names else [self._named(name) or name for name in names[:MAX_KEYS]]
        known: list[dict[str, object]] = [
            {"key": name, "readonly": key.valid is None} | ({"value": key.value} if key.readable else {})
            for name in wanted
            if (key := self._keys.get(name)) and (key.readable or names)
        ]
        return known, [name for name in wanted if name not in self._keys]

    def _named(self, name: str) -> str | None:
        return next((known for known in self._keys if known.lower() == name.lower()), None)
