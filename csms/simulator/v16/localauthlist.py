"""SendLocalList and GetLocalListVersion of OCPP 1.6, answered."""

from typing import Any, cast

from ocpp.v16 import call_result
from ocpp.v16.enums import Action

from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.locallist import Entry


class LocalList16(AnsweringLink):
    @answers(Action.get_local_list_version)
    def on_get_local_list_version(self, **_: Any) -> Any:
        return call_result.GetLocalListVersion(self.station.local_list.version)

    @answers(Action.send_local_list)
    def on_send_local_list(
        self, list_version: int, update_type: str, local_authorization_list: list[dict[str, Any]] | None = None, **_: Any
    ) -> Any:
        entries = [_entry(one) for one in local_authorization_list or []]
        return call_result.SendLocalList(cast(Any, self.station.local_list.take(list_version, update_type, entries)))


def _entry(one: dict[str, Any]) -> Entry:
    info = one.get("id_tag_info") or {}
    return Entry(one["id_tag"], info.get("status"), info.get("expiry_date"))
