"""Findings in words, for people and for vendors: what it is called, what the rule says and where, and what to change.

What we did about it stands in `csms.templatetags.rules`, which sessions show too. A code without words fails
`tests/dashboard/test_findingwords.py`.
"""

from django.utils.translation import gettext_lazy as _

from csms.dashboard import chargingwords
from csms.dashboard.findingchapters import CHAPTERS
from csms.dashboard.findingword import Word, Words
from csms.templatetags.rules import rule

SCHEMA = "OCPP-J 1.6 4.2.1, 2.0.1 Part 4 4.2; JSON schemas of the version"
TIMES = "OCPP 1.6 3.15, 2.0.1 Part 2 1.4 (RFC 3339)"
FRAMES = "OCPP-J 1.6 4.2, 2.0.1 Part 4 4.2"
METERS = "OCPP 1.6 7.28-7.45, 2.0.1 Part 2 2.52, 3.56"
IDS = "OCPP 1.6 4.8, 4.10 and errata 3.18, 2.0.1 E01, E06"

CATALOGUE: dict[str, Words] = {
    # Mended
    "mended_type": Words(
        _("A value of the wrong type"),
        _("Every property has the JSON type that the schema names; one that has no value is left out, and is not null."),
        SCHEMA,
        _("Send numbers without quotes, texts in quotes, lists as lists, and leave out what has no value."),
    ),
    "mended_enum": Words(
        _("A word that is not on the list"),
        _("An enumerated property has one of the values of the schema, written exactly so."),
        SCHEMA,
        _("Use the values of the specification with their capitals and without spaces."),
    ),
    "mended_required": Words(
        _("A required property is missing"),
        _("What the schema requires is always sent."),
        SCHEMA,
        _("Send the property in every message of this kind."),
    ),
    "mended_maxLength": Words(
        _("A text that is too long"),
        _("A text has at most as many characters as the schema allows."),
        SCHEMA,
        _("Shorten the text before it is sent."),
    ),
    "mended_additionalProperties": Words(
        _("A property that does not exist"),
        _("A message has no properties but those of the schema; a vendor's own go into customData (2.x) or DataTransfer."),
        SCHEMA,
        _("Leave it out, or send it in DataTransfer or customData."),
    ),
    "mended_minItems": Words(
        _("An empty list"),
        _("A list that is sent has at least one element; otherwise it is left out."),
        SCHEMA,
        _("Leave the property out while there is nothing to say."),
    ),
    "mended_maxItems": Words(
        _("A list that is too long"),
        _("A list has at most as many elements as the schema allows."),
        SCHEMA,
        _("Send what is more in another message."),
    ),
    "mended_multipleOf": Words(
        _("A number that is too fine"),
        _("A number has as many decimals as the schema allows."),
        SCHEMA,
        _("Round the number before it is sent."),
    ),
    "mended_action": Words(
        _("An action that is spelt otherwise"),
        _("An action is written as the specification has it, with its capitals."),
        FRAMES,
        _("Write the action as the specification has it."),
    ),
    "quirk_applied": Words(
        _("A quirk that is known"),
        _("What a station says means what the specification says it means."),
        SCHEMA,
        _("Look at the quirk: it says what is meant otherwise, and where that was reported."),
    ),
    "mended_nul": Words(
        _("A NUL character in a text"),
        _("A text holds characters for people; the end of a string in memory is not part of it."),
        "RFC 8259 7",
        _("Cut texts at their end before they are sent."),
    ),
    "mended_removed": Words(
        _("A part of a message made no sense"),
        _("A part that is optional is as the schema wants it, or left out."),
        SCHEMA,
        _("Look at the frame: the part named is not as the schema wants it."),
    ),
    # Refused, or kept for repair
    "payload_invalid": Words(
        _("A message beyond understanding"),
        _("A message fits the schema of its action."),
        SCHEMA,
        _("Look at the frame: it breaks the schema in a way that cannot be mended, and its energy may be lost."),
    ),
    "refused_NotImplemented": Words(
        _("An action that does not exist"),
        _("A station sends the actions of the version that was negotiated."),
        "OCPP-J 1.6 4.2.3, 2.0.1 Part 4 4.3",
        _("Send the actions of the version that was negotiated, or use DataTransfer."),
    ),
    "refused_NotSupported": Words(
        _("An action that is not done here"),
        _("The action exists, but this system does not do it, or only the server sends it."),
        "OCPP-J 1.6 4.2.3, 2.0.1 Part 4 4.3",
        _("Nothing, if the station goes on without an answer to it."),
    ),
    # Frames
    "frame_binary": Words(
        _("A binary frame"),
        _("OCPP-J is spoken in text frames of UTF-8."),
        FRAMES,
        _("Send text frames (opcode 1)."),
    ),
    "frame_empty": Words(
        _("An empty frame"), _("A frame holds a JSON array."), FRAMES, _("Use WebSocket pings to keep a connection alive.")
    ),
    "frame_too_long": Words(
        _("A frame that is too long"),
        _("A frame has one mebibyte at most."),
        FRAMES,
        _("Send large reports and meter values in several messages."),
    ),
    "frame_type_unknown": Words(
        _("A frame of an unknown type"),
        _("A frame begins with 2 (CALL), 3 (CALLRESULT) or 4 (CALLERROR)."),
        FRAMES,
        _("Begin a CALL with 2."),
    ),
    "frame_unreadable": Words(
        _("A frame that is no JSON"),
        _("A frame is a JSON array: message type, message id, and what belongs to it."),
        FRAMES,
        _("Look at the frame: it is not JSON, often for a value that was left out after its name."),
    ),
    "frame_mended": Words(
        _("A frame that is not quite as it should be"),
        _("A frame is a JSON array of message type, message id, action and payload, in UTF-8."),
        FRAMES,
        _("Look at the frame: it is understood, but other servers refuse it."),
    ),
    "frame_salvaged": Words(
        _("A frame of broken JSON"),
        _("A frame is valid JSON."),
        FRAMES,
        _("Look at the frame: it is not JSON, often for a value that was left out after its name."),
    ),
    "signature_unchecked": Words(
        _("A signed message that could not be checked"),
        _("A station may sign its messages (Action-Signed). Who signed cannot be told without its key; all is read."),
        "OCPP 2.0.1 Part 4 7",
        _("Give the charger's public key or certificate on its page, or let it send its certificate with what it signs (x5c)."),
    ),
    "answer_unexpected": Words(
        _("An answer to nothing"),
        _("A CALLRESULT has the message id of a CALL that waits for it."),
        FRAMES,
        _("Answer each CALL once, within thirty seconds, with its own message id."),
    ),
    # Times
    "clock_absurd": Words(
        _("A clock that was never set"),
        _("A station sets its clock by the time in answers to BootNotification and Heartbeat."),
        "OCPP 1.6 4.2, 4.6, 2.0.1 B01, G02",
        _("Set the clock by the answer to BootNotification, and keep it through a power cut."),
    ),
    "clock_ahead": Words(
        _("A clock that is ahead"),
        _("A station sets its clock by the time in answers to BootNotification and Heartbeat, which is UTC."),
        "OCPP 1.6 4.2, 4.6, 2.0.1 B01, G02",
        _("Set the clock by every Heartbeat, and send local times with their offset."),
    ),
    "clock_behind": Words(
        _("A clock that is behind"),
        _("A station sets its clock by the time in answers to BootNotification and Heartbeat, which is UTC."),
        "OCPP 1.6 4.2, 4.6, 2.0.1 B01, G02",
        _("Set the clock by every Heartbeat, and send local times with their offset."),
    ),
    "time_format": Words(
        _("A time in another form"),
        _("Times are written as RFC 3339 has them."),
        TIMES,
        _("Write times like 2026-11-21T14:03:00Z."),
    ),
    "time_unreadable": Words(
        _("A time that is none"), _("Times are written as RFC 3339 has them."), TIMES, _("Write times like 2026-11-21T14:03:00Z.")
    ),
    "time_without_zone": Words(
        _("A time without a zone"),
        _("Times are UTC with a Z, or have an offset."),
        TIMES,
        _("Add the Z; send UTC."),
    ),
    # Meters
    "register_decreased": Words(
        _("A register that fell"),
        _("Energy registers only count up, through sessions and power cuts."),
        METERS,
        _("Never send a register that was not read; keep the last one if the meter does not answer."),
    ),
    "register_doubtful": Words(
        _("Registers that make no energy"),
        _("The register at the stop is at least that at the start, and both are sent."),
        METERS,
        _("Read the meter at the start and at the stop, and send both as they are."),
    ),
    "register_mended": Words(
        _("A stop without a register"),
        _("The register is read at the stop and sent with it."),
        METERS,
        _("Read the meter at the stop, and send what it says."),
    ),
    "register_reset": Words(
        _("A meter that began anew"),
        _("Energy registers only count up, through sessions and power cuts."),
        METERS,
        _("Keep the register through a restart."),
    ),
    "sample_differs": Words(
        _("Two values for one moment"),
        _("One moment, measurand, phase, place and context has one value."),
        METERS,
        _("Send the same value again when a message is sent again."),
    ),
    "value_absurd": Words(
        _("A value beyond anything a meter says"),
        _("Values are in the unit they name."),
        METERS,
        _("Check the unit and the overflow of counters."),
    ),
    "value_unreadable": Words(
        _("A value that is no number"),
        _("A raw value is a decimal number."),
        METERS,
        _("Leave a value out that was not read."),
    ),
    # Transactions
    "start_missing": Words(
        _("A stop without its start"),
        _("Messages of a session are kept until they are answered, and sent in order, across power cuts."),
        IDS,
        _("Keep StartTransaction, and TransactionEvent with Started, until it is answered."),
    ),
    "stop_missing": Words(
        _("A session whose stop never came"),
        _("Every session is ended, after a power cut too (reason PowerLoss), before the next one begins at its plug."),
        "OCPP 1.6 4.10, 2.0.1 E06, E07",
        _("Keep the open session through a power cut, and end it when the station comes back."),
    ),
    "available_while_charging": Words(
        _("A free plug within a session"),
        _("A session is ended before its plug is told to be available."),
        "OCPP 1.6 4.9, 4.10, 2.0.1 E06, G01",
        _("Send the stop, and again until it is answered, before the plug is told to be available."),
    ),
    "booted_while_charging": Words(
        _("A restart within a session"),
        _("A session that was open when the station restarted is ended, or goes on and is told of."),
        "OCPP 1.6 4.10, 2.0.1 E06",
        _("Keep the open session through a restart, and end it or go on with it at once."),
    ),
    "transaction_silent": Words(
        _("A session of which nothing is heard"),
        _("A running session tells its meter now and then, and its end."),
        IDS,
        _("Send meter values while a session runs, and its end until it is answered."),
    ),
    "events_missing": Words(
        _("Parts of a session that were lost"),
        _("Every event of a session has the next number, and is sent until it is answered."),
        "OCPP 2.0.1 E01, E04, E13",
        _("Keep the events of a session until they are answered, across power cuts."),
    ),
    "nothing_more": Words(
        _("A session of which nothing more comes"),
        _("Every event of a session has the next number, and is sent until it is answered."),
        "OCPP 2.0.1 E01, E04, E13, E14",
        _("Keep the events of a session until they are answered, across power cuts."),
    ),
    "gap_unanswered": Words(
        _("A gap that could not be asked after"),
        _("A station answers GetTransactionStatus."),
        "OCPP 2.0.1 E14",
        _("Answer GetTransactionStatus, and keep the events of a session until they are answered."),
    ),
    "stop_before_start": Words(
        _("A stop before its start"),
        _("Messages carry the time when it happened, by one clock."),
        "OCPP 1.6 3.15, 2.0.1 E12",
        _("Do not set the clock back within a session without correcting its times."),
    ),
    "stop_differs": Words(
        _("A second stop that says something else"),
        _("A message that is sent again is the same."),
        "OCPP 1.6 3.7, 2.0.1 E13",
        _("Send again what was stored."),
    ),
    "transaction_attached": Words(
        _("A message that names a session nobody knows"),
        _("A message names its session by the id that the server gave (1.6) or the station (2.x)."),
        IDS,
        _("Wait for the answer to StartTransaction, and put its id into the messages that follow."),
    ),
    "transaction_unknown": Words(
        _("A message that fits no session"),
        _("A message names its session by the id that the server gave (1.6) or the station (2.x)."),
        IDS,
        _("Wait for the answer to StartTransaction, and put its id into the messages that follow."),
    ),
    "protocol_changed": Words(
        _("Another version within a session"),
        _("A session is told in one version of OCPP."),
        "",
        _("End sessions before the version is changed."),
    ),
    # Plugs
    "evse_missing": Words(
        _("A session on connector 0"),
        _("Connector 0 is the station as a whole; sessions are on 1 and up."),
        "OCPP 1.6 4.8",
        _("Name the connector that charges."),
    ),
    "evse_impossible": Words(
        _("A plug that no station has"),
        _("Plugs are numbered from 1 without gaps."),
        "OCPP 1.6 3.13, 2.0.1 Part 1 7",
        _("Number plugs from 1."),
    ),
    "connector_impossible": Words(
        _("A connector that no plug has"),
        _("Connectors are numbered from 1 without gaps."),
        "OCPP 1.6 3.13, 2.0.1 Part 1 7",
        _("Number connectors from 1."),
    ),
    # No fault of the station's
    "token_unknown": Words(_("An id tag that nobody knows"), _("Cards are enrolled before they charge.")),
    "plug_type_unsaid": Words(
        _("A plug whose type nobody knows"), _("An id tag that is held to types of plugs charges where the type is known.")
    ),
    "firmware_changed": Words(_("Another firmware"), _("A boot tells the firmware.")),
    "handler_failed": Words(_("A fault of this system"), _("Every message is handled.")),
    "repaired": Words(_("Put right by a person"), _("What the rules could not decide, a person does.")),
}
CATALOGUE |= CHAPTERS | {code: Words(*told) for code, told in chargingwords.FINDINGS.items()}


def words(code: str) -> Words:
    """Of a code without words, such as one of a newer version, its name."""
    return CATALOGUE.get(code) or Words(code.replace("_", " ").capitalize(), "")


def did(code: str) -> Word:
    """What we did about it."""
    return rule(code)
