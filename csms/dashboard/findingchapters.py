"""Findings of the chapters beyond the core, in words: reservations, lists, certificates, reports, costs, signatures."""

from django.utils.translation import gettext_lazy as _

from csms.dashboard.findingword import Words

REPORTS = "OCPP 2.0.1 B07-B08, N02"
OCMF = "OCMF 1.0; OCPP 2.0.1 J01, E02, SignedMeterValueType; 1.6 7.36"

CHAPTERS: dict[str, Words] = {
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
    "certificate_request_invalid": Words(
        _("A request for a certificate that nobody should sign"),
        _("A request (PKCS #10, in PEM) is signed with the key it is for, which is strong enough, and names the charger."),
        "OCPP 2.0.1 A02, 1.6 security whitepaper A02",
        _("Make the request anew: RSA of 2048 bits or EC of 224 at least, with the serial number as common name."),
    ),
    "contract_certificate_failed": Words(
        _("A vehicle got no contract certificate"), _("This system asks no contract certificate pool yet, and says so.")
    ),
    "certificate_status_failed": Words(
        _("Nobody told whether a certificate was revoked"), _("This system asks no responder (OCSP) yet, and says so.")
    ),
    "contract_unverifiable": Words(
        _("A vehicle's contract that nobody vouches for"),
        _("This system knows no authority for contracts and asks no responder (OCSP) yet, and says so: nobody charges by it."),
    ),
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
    "event_message_missing": Words(
        _("Messages with events are missing"),
        _("Events that need several messages come in messages numbered from 0, the last of which says that none follows."),
        "OCPP 2.0.1 N07-N08",
        _("Number the messages of each series from 0, one by one, and send those again that got no answer."),
    ),
    "event_id_twice": Words(
        _("Two events with one number"),
        _("Every event has a number of its own, by which another event can name it as its cause."),
        "OCPP 2.0.1 N07-N08",
        _("Number the events one by one, and keep a number only for an event that is told again."),
    ),
    "customer_information_unasked": Words(
        _("Customer information that nobody asked for"),
        _("What is kept of a customer is told under the number of the request that asked for it."),
        "OCPP 2.0.1 N09",
        _("Send customer information only when it was asked for, with the number of the request."),
    ),
    "local_list_conflict": Words(
        _("A contradicted local list"),
        _("A charger tells when its own list of id tags says something else than the central system."),
        "OCPP 1.6 7.6",
        _("Keep to the list that was sent last, in all its parts, and store it safely."),
    ),
    "vendor_data_unreadable": Words(
        _("A vendor message that cannot be read"),
        _("What a message carries by agreement of several vendors is a JSON object, as text, with the fields agreed."),
        "OCPP 1.6 4.3, 2.0.1 P02",
        _("Send the data as the agreement has it."),
    ),
    "currency_differs": Words(
        _("A display in another currency"),
        _("A charger shows amounts in the currency of its setting TariffCostCtrlr.Currency; ours are in that of the tariff."),
        "OCPP 2.0.1 I02, I03",
        _("Set the charger's currency to that of the tariff. Until then its drivers are told no price."),
    ),
    "signed_wrong": Words(
        _("A meter's signature that is wrong"),
        _("A meter signs its readings with its own key, and nobody changes a character of them on the way."),
        OCMF,
        _("Send what the meter signed as it is, not written anew; say if the meter, or its key, was exchanged."),
    ),
    "signed_key_changed": Words(
        _("A meter that signs with another key"),
        _("A meter keeps its key. Another one means another meter, or somebody who signs in its place."),
        OCMF,
        _("Say when a meter is exchanged, with the key that is printed on the new one."),
    ),
    "signed_unreadable": Words(
        _("Signed data that cannot be read"),
        _("What a meter signs is a record of the Open Charge Metering Format, plain or in Base64 or hex."),
        OCMF,
        _("Send records of OCMF, whole."),
    ),
    "signed_differs": Words(
        _("Signed and told are two things"),
        _("What a meter signed of a session says the same as the other messages: energy, time, id tag, begin and end."),
        OCMF,
        _("Send the registers that are signed, and sign for the session that is told."),
    ),
    "signed_too_long": Words(
        _("Signed data that is too long"),
        _("Signed data has 2500 characters at most in OCPP 2.0.1, and 32768 in 2.1."),
        "OCPP 2.0.1 SignedMeterValueType",
        _("Send a record for each reading, not all of a session in one."),
    ),
    "cost_refused": Words(
        _("A cost that the charger does not take"),
        _("A charger that says that it shows costs takes what a session costs so far, and shows it to the driver."),
        "OCPP 2.0.1 I02",
        _("Take running costs, or say in the settings that costs are not shown."),
    ),
    "signature_wrong": Words(
        _("A signature that is wrong"),
        _("A station signs with its key. This was signed with another, or changed on the way; it is read all the same."),
        "OCPP 2.0.1 Part 4 7",
        _("Look whether the charger was given another key. If it was not, find out what stands between it and this system."),
    ),
    "signature_unvouched": Words(
        _("A signature for which nobody vouches"),
        _("What is signed is right by the certificate that came with it. Anybody can make one: only a known key says who signed."),
        "OCPP 2.0.1 Part 4 7",
        _("Give the charger's public key or certificate on its page."),
    ),
}
