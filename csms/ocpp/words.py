"""What stations say for a value of an enumeration, where it is not the value itself."""

#: In lower case and without punctuation, to what is meant: the first of them that the enumeration has. Where a word is a value of
#: its own, that is found before.
SYNONYMS: dict[str, tuple[str, ...]] = {
    # Units
    "celcius": ("Celsius",),
    "degc": ("Celsius",),
    "°c": ("Celsius",),
    "percentage": ("Percent",),
    "%": ("Percent",),
    "hz": ("Hertz",),
    "amp": ("A",),
    "amps": ("A",),
    "ampere": ("A",),
    "volt": ("V",),
    "volts": ("V",),
    "watt": ("W",),
    "watts": ("W",),
    # Measurands and contexts
    "stateofcharge": ("SoC",),
    "trigger": ("Trigger",),
    "periodic": ("Sample.Periodic",),
    "clock": ("Sample.Clock",),
    "transactionstart": ("Transaction.Begin",),
    "transactionstop": ("Transaction.End",),
    # Errors
    "error": ("OtherError", "Faulted"),
    "none": ("NoError",),
    "noerrors": ("NoError",),
    "ok": ("NoError",),
    "nofault": ("NoError",),
    # States
    "charge": ("Charging",),
    "occupied": ("Preparing",),
    "free": ("Available",),
    "idle": ("Available",),
    "inoperative": ("Unavailable",),
    "outofservice": ("Unavailable",),
    "outoforder": ("Faulted",),
    "fault": ("Faulted",),
    "connected": ("Preparing", "EVConnected", "Occupied"),
    "finished": ("Finishing", "Occupied"),
    "completed": ("Finishing", "Occupied"),
    # 2.0, before it was 2.0.1
    "evdetected": ("EVConnected",),
    # 1.6's states where 2.x has but one
    "preparing": ("Occupied", "EVConnected"),
    "charging": ("Occupied",),
    "suspendedev": ("Occupied",),
    "suspendedevse": ("Occupied",),
    "finishing": ("Occupied",),
    # Why a session ended: another version's word
    "evdisconnect": ("EVDisconnected",),
    "hardreset": ("ImmediateReset",),
    "softreset": ("ImmediateReset",),
    "immediatereset": ("HardReset",),
    "remotestop": ("Remote",),
    # Tokens
    "rfid": ("ISO14443",),
    "nfc": ("ISO14443",),
    "iso14443a": ("ISO14443",),
    "mifare": ("ISO14443",),
}

#: What an unknown value of an enumeration becomes, by the property's name, where a word for "another one" exists or the value
#: does not matter; None: the property is left out.
UNKNOWN_VALUES: dict[str, tuple[str, ...] | None] = {
    "errorCode": ("OtherError",),
    "reason": ("Other", "Unknown"),
    "stoppedReason": ("Other",),
    "triggerReason": ("Trigger",),
    "chargingState": None,
    "mutability": None,
    "dataType": ("string",),
}
