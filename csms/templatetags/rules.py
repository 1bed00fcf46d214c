"""The rule behind a finding, in words: what was done about it, and whether the bill can be trusted."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard import chargingwords

register = template.Library()

RULES: dict[str, str | Promise] = {
    "available_while_charging": _("The plug is free: if no stop comes within a quarter of an hour, the session is ended by rule."),
    "booted_while_charging": _(
        "Nothing was said of the session since a restart: unless something comes within the hour, it is ended."
    ),
    "clock_absurd": _("A clock that cannot be right is not believed: time is counted from when its first message came."),
    "clock_ahead": _("A clock over five minutes ahead is corrected by what it is known to be off; what it said is kept beside."),
    "clock_behind": _("A clock over five minutes behind is corrected by what it is known to be off; what it said is kept beside."),
    "events_missing": _("The charger has nothing more to send. Start and end say the energy, and by them it is billed."),
    "gap_unanswered": _("What is missing could not be found out. The session waits for somebody to look at it."),
    "nothing_more": _("The charger has nothing more to send of this session. It waits for somebody to look at it."),
    "register_decreased": _("A meter only counts up. The lower reading is kept, but not counted as energy."),
    "register_mended": _("A stop without a meter reading is given the last one that came before it."),
    "register_reset": _("A meter that began anew: what it rose by in all is suggested, and not billed until somebody agrees."),
    "register_doubtful": _("Start and stop make no energy that can be right, so the session is not billed."),
    "sample_differs": _("Of two values for the same moment the first is kept."),
    "signed_wrong": _("What was signed is kept as it came. It does not count as verified."),
    "signed_key_changed": _("The key is kept on the charger's page, and believed once somebody vouches for it."),
    "signed_unreadable": _("It is kept as it came, and handed to the driver so."),
    "signed_differs": _("Both are kept. If the meter provably signed another energy, the session waits for somebody."),
    "signed_too_long": _("It is left out; the message log keeps it."),
    "start_missing": _("A stop whose start never came is kept with its meter reading, and not billed."),
    "stop_missing": _("Its end was never reported: the session is ended at the last sign of it, and not billed."),
    "stop_before_start": _("The stop's time is before the start's. The energy is taken from the meter all the same."),
    "stop_differs": _("A second stop said something else. The first one is kept."),
    "time_unreadable": _("No time could be read, so the time of receipt is used."),
    "time_without_zone": _("A time without a zone is taken as UTC."),
    "transaction_attached": _("The message named a transaction that is not known, and was attached to the one it fits."),
    "transaction_silent": _("Nothing was heard of a session for a day. After three days it is ended, unless the plug is in use."),
    "transaction_unknown": _("The message named a transaction that is not known, and fits none."),
    "value_absurd": _("A reading beyond anything a meter can say is left out."),
    "value_unreadable": _("A reading that is no number is left out."),
    "protocol_changed": _("The charger speaks another OCPP version now, so its old session is over; it is not billed."),
    "evse_missing": _("No plug has the number 0, so the session stands at the charger without a plug."),
    "evse_impossible": _("No charger has a plug of this number. What was said about it is left out."),
    "connector_impossible": _("No plug has a connector of this number. What was said about it is left out."),
    "answer_unexpected": _("An answer to nothing that was asked, or one that came too late, changes nothing."),
    "contract_unverifiable": _("The vehicle's contract was refused. An id tag or the app still starts a session."),
    "report_incomplete": _("The report is asked for once more; what came of it is kept."),
    "report_page_impossible": _("The page is not counted among those of its report."),
    "event_message_missing": _("The events that came are kept; what was in the missing messages is not known."),
    "event_id_twice": _("Both events are kept."),
    "customer_information_unasked": _("It was not kept."),
    "firmware_changed": _("The charger started with other firmware than before."),
    "local_list_conflict": _("The whole list is sent to it again."),
    "payload_invalid": _("A message that cannot be understood is kept whole for repair, so that its energy is not lost."),
    "reserved_for_another": _("The session counts all the same, and the reservation stays until it is used or its time is over."),
    "reservation_unknown": _("The session counts all the same; no reservation ends by it."),
    "repaired": _("A person put it right; what was before is kept."),
    "frame_binary": _("The frame is noted and left out; the connection stays."),
    "frame_empty": _("The frame is noted and left out; the connection stays."),
    "frame_mended": _("The frame is read as it was meant."),
    "frame_salvaged": _("The frame is read as far as it leaves no doubt."),
    "quirk_applied": _("It is known of this make of charger, and was read as it is meant."),
    "signature_unchecked": _("The message is read; its signature is not checked."),
    "signature_unvouched": _("The message is read; who signed it is not known."),
    "signature_wrong": _("The message is read all the same: who speaks is known from the connection."),
    "time_format": _("The time is read as it was meant."),
    "frame_too_long": _("The connection is closed, and the station dials anew."),
    "frame_type_unknown": _("The frame is noted and left out; the connection stays."),
    "frame_unreadable": _("The frame is noted, and answered with an error if its message id can be read; the connection stays."),
    "cost_refused": _("Its drivers are told no more of that session's cost until it restarts."),
    "currency_differs": _("Its drivers are told no price: an amount in the wrong currency would be worse than none."),
    "vendor_data_unreadable": _("The message is refused and left out; the message log keeps it."),
    "token_unknown": _("It is not let charge; the card can be enrolled with one click."),
    "plug_type_unsaid": _("It is not let charge; say on the charger's page of which types its plugs are."),
    "certificate_request_invalid": _("The request is kept and refused; the charger has to make another one."),
    "certificate_status_failed": _("The charger is told that it failed, and decides by itself."),
    "contract_certificate_failed": _("The charger is told that it failed; the vehicle pays otherwise."),
    "handler_failed": _("A fault of this system: the message is kept, and somebody has to look at it."),
}
RULES |= chargingwords.DONE
MENDED = _("The message broke the protocol's rules in a way that leaves no doubt what was meant, and was mended.")


REFUSED = _("The station was answered with the error that fits, and the connection stays.")


@register.filter
def rule(code: str) -> str | Promise:
    family = MENDED if code.startswith("mended_") else REFUSED if code.startswith("refused_") else ""
    return RULES.get(code, family)
