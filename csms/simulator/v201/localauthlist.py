"""SendLocalList and GetLocalListVersion of OCPP 2.0.1, answered."""

from typing import Any, cast

from ocpp.v201 import call_result
from ocpp.v201.enums import Action

from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.locallist import Entry


class LocalList201(AnsweringLink):
    @answers(Action.get_local_list_version)
    def on_get_local_list_version(self, **_: Any) -> Any:
        return call_result.GetLocalListVersion(self.station.local_list.version)

    @answers(Action.send_local_list)
    def on_send_local_list(
        self, version_number: int, update_type: str, local_authorization_list: list[dict[str, Any]] | None = None, **_: Any
    ) -> Any:
        entries = [_entry(one) for one in local_authorization_list or []]
        return call_result.SendLocalList(cast(Any, self.station.local_list.take(version_number, update_type, entries)))


def _entry(one: dict[str, Any]) -> Entry:
    info = one.get("id_token_info") or {}
    return Entry(one["id_token"]["id_token"], info.get("status"), info.get("cache_expiry_date_time"))
