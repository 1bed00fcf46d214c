"""Findings in words, for people and for vendors: what it is called, what the rule says and where, and what to change.

What we did about it stands in `csms.templatetags.rules`, which sessions show too. A code without words fails
`tests/dashboard/test_findingwords.py`.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard import chargingwords
from csms.templatetags.rules import rule

Word = str | Promise


@dataclass(frozen=True, slots=True)
class Words:
    """`says`: what the rule is; `source`: where OCPP has it; `change`: what the vendor should do, empty if it is not at fault."""

    title: Word
    says: Word
    source: str = ""
    change: Word = ""


SCHEMA = "OCPP-J 1.6 4.2.1, 2.0.1 Part 4 4.2; JSON schemas of the version"
TIMES = "OCPP 1.6 3.15, 2.0.1 Part 2 1.4 (RFC 3339)"
FRAMES = "OCPP-J 1.6 4.2, 2.0.1 Part 4 4.2"
METERS = "OCPP 1.6 7.28-7.45, 2.0.1 Part 2 2.52, 3.56"
REPORTS = "OCPP 2.0.1 B07-B08, N02"
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
    "signature_unvouched": Words(
        _("A signature for which nobody vouches"),
        _("What is signed is right by the certificate that came with it. Anybody can make one: only a known key says who signed."),
        "OCPP 2.0.1 Part 4 7",
        _("Give the charger's public key or certificate on its page."),
    ),
    "signature_wrong": Words(
        _("A signature that is wrong"),
        _("A station signs with its key. This was signed with another, or changed on the way; it is read all the same."),
        "OCPP 2.0.1 Part 4 7",
        _("Look whether the charger was given another key. If it was not, find out what stands between it and this system."),
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
        "OCPP 1.6 4.2, 4.6, 2.0.1 B01.FR.06, G02",
        _("Set the clock by the answer to BootNotification, and keep it through a power cut."),
    ),
    "clock_ahead": Words(
        _("A clock that is ahead"),
        _("A station sets its clock by the time in answers to BootNotification and Heartbeat, which is UTC."),
        "OCPP 1.6 4.2, 4.6, 2.0.1 B01.FR.06, G02",
        _("Set the clock by every Heartbeat, and send local times with their offset."),
    ),
    "clock_behind": Words(
        _("A clock that is behind"),
        _("A station sets its clock by the time in answers to BootNotification and Heartbeat, which is UTC."),
        "OCPP 1.6 4.2, 4.6, 2.0.1 B01.FR.06, G02",
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
    "currency_differs": Words(
        _("A display in another currency"),
        _("A charger shows amounts in the currency of its setting TariffCostCtrlr.Currency; ours are in that of the tariff."),
        "OCPP 2.0.1 I02, I03",
        _("Set the charger's currency to that of the tariff. Until then its drivers are told no price."),
    ),
    "vendor_data_unreadable": Words(
        _("A vendor message that cannot be read"),
        _("What a message carries by agreement of several vendors is a JSON object, as text, with the fields agreed."),
        "OCPP 1.6 4.3, 2.0.1 P02",
        _("Send the data as the agreement has it."),
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
    # Reservations
    "reserved_for_another": Words(
        _("A session at a plug that is kept for somebody else"),
        _("A reserved plug charges the id tag it is reserved for, or one of its group."),
        "OCPP 1.6 5.13, 2.0.1 H01",
        _("Refuse other id tags until the reservation is used, cancelled or over."),
    ),
    "reservation_unknown": Words(
        _("A session that names no reservation of ours"),
        _("A session names the reservation it uses by the number the charger was given."),
        "OCPP 1.6 4.8, 2.0.1 H03",
        _("Name the reservation that was made, or none."),
    ),
    # Certificates
    "certificate_request_invalid": Words(
        _("A request for a certificate that nobody should sign"),
        _("A request (PKCS #10, in PEM) is signed with the key it is for, which is strong enough, and names the charger."),
        "OCPP 2.0.1 A02, 1.6 security whitepaper A02",
        _("Make the request anew: RSA of 2048 bits or EC of 224 at least, with the serial number as common name."),
    ),
    # No fault of the station's
    "contract_certificate_failed": Words(
        _("A vehicle got no contract certificate"), _("This system asks no contract certificate pool yet, and says so.")
    ),
    "certificate_status_failed": Words(
        _("Nobody told whether a certificate was revoked"), _("This system asks no responder (OCSP) yet, and says so.")
    ),
    "token_unknown": Words(_("An id tag that nobody knows"), _("Cards are enrolled before they charge.")),
    "report_incomplete": Words(
        _("Pages of a report are missing"),
        _("A report is told in pages that are numbered from 0, the last of which says that none follows."),
        REPORTS,
        _("Send every page, also after the connection was lost, and tbc false with the last one."),
    ),
    "report_page_impossible": Words(
        _("A page with a number that none can have"),
        _("The pages of a report are numbered from 0, one by one."),
        REPORTS,
        _("Number the pages of each report from 0, one by one."),
    ),
    "customer_information_unasked": Words(
        _("Customer information that nobody asked for"),
        _("What is kept of a customer is told under the number of the request that asked for it."),
        "OCPP 2.0.1 N09",
        _("Send customer information only when it was asked for, with the number of the request."),
    ),
    "firmware_changed": Words(_("Another firmware"), _("A boot tells the firmware.")),
    "local_list_conflict": Words(
        _("A contradicted local list"),
        _("A charger tells when its own list of id tags says something else than the central system."),
        "OCPP 1.6 7.6",
        _("Keep to the list that was sent last, in all its parts, and store it safely."),
    ),
    "handler_failed": Words(_("A fault of this system"), _("Every message is handled.")),
    "repaired": Words(_("Put right by a person"), _("What the rules could not decide, a person does.")),
}
CATALOGUE |= {code: Words(*told) for code, told in chargingwords.FINDINGS.items()}


def words(code: str) -> Words:
    """Of a code without words, such as one of a newer version, its name."""
    return CATALOGUE.get(code) or Words(code.replace("_", " ").capitalize(), "")


def did(code: str) -> Word:
    """What we did about it."""
    return rule(code)
