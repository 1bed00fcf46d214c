"""How the statuses of answers read as verdicts, for every version."""

from typing import Any

from csms.ocpp.translator import Payload
from stations.domain.commands import Outcome, Verdict

#: Every status that is no refusal. Whatever is not here is one.
VERDICTS = {
    "Accepted": Verdict.ACCEPTED,
    "AcceptedCanceled": Verdict.ACCEPTED,
    "Unlocked": Verdict.ACCEPTED,
    "RebootRequired": Verdict.ACCEPTED,
    "Scheduled": Verdict.SCHEDULED,
}


def outcome(answer: Payload, **more: Any) -> Outcome:
    """The outcome of an answer with a `status`, and with 2.x's `statusInfo` as its reason."""
    status = str(answer.get("status", ""))
    info = answer.get("statusInfo") or {}
    reason = " ".join(part for part in (status, info.get("reasonCode"), info.get("additionalInfo")) if part)
    return Outcome(VERDICTS.get(status, Verdict.REJECTED), reason, **more)
