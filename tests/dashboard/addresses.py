"""Every address of the operators' pages: what it names, the states it is looked at in, its files and its buttons."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, reverse
from django.utils import timezone

from csms.dashboard.asking import ASKS
from csms.dashboard.urls import urlpatterns
from tests.dashboard.world import World

#: What a route's address names. A route that names something and has no entry here cannot be opened.
NAMED: dict[str, Callable[[World], list[Any]]] = {
    "transaction": lambda world: [world.running.pk],
    "transaction_stop": lambda world: [world.running.pk],
    "session_points": lambda world: [world.running.pk],
    "id_tag": lambda world: [world.card.pk],
    "id_tag_status": lambda world: [world.card.pk],
    "run": lambda world: [world.run.pk],
    "firmware_image": lambda world: [world.image.pk],
    "firmware_file": lambda world: [world.image.pk],
    "firmware_withdraw": lambda world: [world.image.pk],
    "update_firmware": lambda world: [world.station.identity],
    "cancel_firmware": lambda world: [world.station.identity, world.update.pk],
    "view_delete": lambda world: [world.view.pk],
    "quirk": lambda world: [world.quirk.pk],
    "quirk_change": lambda world: [world.quirk.pk],
    "quirk_do": lambda world: [world.quirk.pk],
    "station_strict": lambda world: [world.station.identity],
    "webhook": lambda world: [world.webhook.pk],
    "webhook_change": lambda world: [world.webhook.pk],
    "webhook_do": lambda world: [world.webhook.pk],
    "webhook_replay": lambda world: [world.webhook.pk],
    "delivery_replay": lambda world: [world.delivery.pk],
    "station": lambda world: [world.station.identity],
    "station_points": lambda world: [world.station.identity],
    "station_labels": lambda world: [world.station.identity],
    "accept_boot": lambda world: [world.pending.identity],
    "log_download": lambda world: [world.log.pk],
    "log_give_up": lambda world: [world.awaited.pk],
    "log_delete": lambda world: [world.log.pk],
    "log_request": lambda world: [world.station.identity],
    "station_message": lambda world: [world.station.identity, world.message.pk],
    "station_message_test": lambda world: [world.station.identity, world.message.pk],
    "send_command": lambda world: [world.station.identity],
    "cancel_command": lambda world: [world.station.identity, world.queued.pk],
    "retry_command": lambda world: [world.station.identity, world.refused.pk],
    "change_settings": lambda world: [world.station.identity],
    "our_driver": lambda world: [world.driver.pk],
    "driver_block": lambda world: [world.driver.pk],
    "driver_unblock": lambda world: [world.driver.pk],
    "driver_tag_add": lambda world: [world.driver.pk],
    "driver_tag_remove": lambda world: [world.driver.pk, world.driver_card.pk],
    "person": lambda world: [world.person.pk],
    "person_change": lambda world: [world.person.pk],
    "invitation_renew": lambda world: [world.invitation.pk],
    "invitation_remove": lambda world: [world.invitation.pk],
    "account_key_revoke": lambda world: [world.key.pk],
    "rollout": lambda world: [world.rolled.rollout.pk],
    "rollout_lead": lambda world: [world.rolled.rollout.pk],
    "rollout_step": lambda world: [world.rolled.rollout.pk, world.rolled.failed.pk],
}


def address(name: str, world: World, query: str = "") -> str:
    """Where it is. What a query names of the world stands in it in braces."""
    arguments = NAMED[name](world) if name in NAMED else []
    lately = timezone.now() - timedelta(minutes=30)
    asked = query.format(world=world, lately=quote(lately.isoformat()))
    return reverse(name, args=arguments) + (f"?{asked}" if asked else "")


def routes() -> set[str]:
    """The name of every address of the operators' pages."""
    assert all(isinstance(pattern, URLPattern) for pattern in urlpatterns)
    return {str(pattern.name) for pattern in urlpatterns}


#: Every page's states, by its route: the query it is opened with. Where it names something, that is the world's.
STATES: dict[str, list[str]] = {
    "wall": ["", "kiosk=1"],
    "sessions": ["", "status=active", "id_tag=NOBODY", "since=2026-02-02&until=2026-01-01"],
    "transaction": [""],
    "id_tags": ["", "q=NOTHING"],
    "id_tag_add": [""],
    "id_tags_import": [""],
    "id_tags_enrol": ["since={lately}"],
    "id_tag": [""],
    "drivers": ["", "blocked=1"],
    "our_driver": [""],
    "onboarding": ["", "waiting=UNKNOWN"],
    "stations": ["", "status=Faulted", "site=none&sort=-status&cols=status&cols=serial&cols=power", "q=NOTHING"],
    "runs": ["station={world.station.pk}&station={world.unheard.pk}", "all=on&do=restart", ""],
    "run": ["", "only=failed"],
    "firmware": ["", "q=NOTHING", "withdrawn=1"],
    "firmware_add": ["vendor=Alfen"],
    "firmware_image": [""],
    "logs": ["", "status=failed", "station=NOTHING", "since=2026-02-02&before=9"],
    "messages": ["", "errors=1", "q=NOTHING", "before=2026-01-01T00:00:00%2B00:00~1"],
    "station": [
        *("", "tab=configuration", "tab=configuration&drift=1", "tab=configuration&q=NOTHING", "tab=firmware"),
        *("tab=messages", "tab=messages&errors=1", "tab=messages&q=NOTHING", "tab=commands", "tab=logs", "tab=history"),
        *(f"tab=commands&do={name}" for name in ASKS),
    ],
    "station_message": [""],
    "audit": ["", "q=NOTHING", "since=2026-02-02&until=2026-01-01"],
    "station_labels": [""],
    "labels": ["", "q=NOTHING", "station={world.station.pk}"],
    "people": ["", "q=NOTHING"],
    "person": [""],
    "account": [""],
    "rollouts": ["", "before=1"],
    "rollout": ["", "only=failed", "only=done&after=999999999"],
    "rollout_new": ["", "step=waves&firmware={world.rolled.image.pk}", "step=preview&firmware={world.rolled.image.pk}&offline=on"],
    "quirks": ["", "q=NOTHING"],
    "quirk": [""],
    "quirk_add": [""],
    "quirk_change": [""],
    "quirk_try": ["", "station=NOBODY&frame=%5B2%2C%221%22%2C%22Heartbeat%22%5D", "frame=nonsense"],
    "webhooks": [""],
    "webhook_add": [""],
    "webhook": ["", "status=given_up", "before=1"],
    "webhook_change": [""],
    "login": [""],
}
#: Files to download: what they are asked with.
FILES: dict[str, list[str]] = {
    "sessions_export": [""],
    "id_tags_export": [""],
    "onboarding_export": [""],
    "drivers_export": [""],
    "people_export": ["role=viewer"],
    "stations": ["format=csv"],
    "run": ["format=csv"],
    "firmware": ["format=csv"],
    "logs": ["format=csv"],
    "log_download": [""],
    "rollouts": ["format=csv"],
    "rollout": ["format=csv"],
    "quirks": ["format=csv"],
    "webhooks": ["format=csv"],
    "webhook": ["format=csv"],
    "messages": ["format=csv", "format=ndjson"],
    "audit_export": [""],
    "station": [
        *("tab=messages&format=csv", "tab=messages&format=ndjson", "tab=commands&format=csv", "tab=configuration&format=csv"),
        *("tab=logs&format=csv", "tab=firmware&format=csv"),
    ],
}
#: What scripts of the pages ask for, and what is one thing in a file.
DATA: dict[str, list[str]] = {
    "station_points": [""],
    "session_points": [""],
    "station_message_test": [""],
    "firmware_file": [""],
    "messages": ["format=newer&after=2026-01-01T00:00:00%2B00:00~1"],
    "station": ["tab=messages&format=newer&after=2026-01-01T00:00:00%2B00:00~1"],
}
#: Buttons: what they post.
BUTTONS: dict[str, dict[str, str]] = {
    "transaction_stop": {},
    "id_tag_status": {"status": "Blocked"},
    "id_tags_import_run": {"ticket": "x"},
    "onboarding_accept": {"identity": ""},
    "onboarding_password": {},
    "accept_boot": {},
    "run_start": {"do": "clear", "token": "t2"},
    "send_command": {"do": "clear"},
    "cancel_command": {},
    "retry_command": {},
    "change_settings": {"do": "read"},
    "log_request": {},
    "log_give_up": {},
    "log_delete": {},
    "firmware_withdraw": {},
    "update_firmware": {"firmware": "1"},
    "cancel_firmware": {},
    "rollout_create": {"then": "keep", "token": "t3"},
    "rollout_lead": {"do": "cancel"},
    "rollout_step": {"do": "retry"},
    "quirk_do": {"do": "off"},
    "station_strict": {"strict": "yes"},
    "webhook_do": {"do": "pause"},
    "webhook_replay": {"since": "2026-01-01T00:00"},
    "delivery_replay": {},
    "view_save": {"page": "stations", "name": "Mine", "query": "status=Faulted"},
    "view_delete": {},
    "driver_block": {"because": "Unpaid bill"},
    "driver_unblock": {},
    "driver_tag_add": {"value": "X1", "type": "ISO14443"},
    "driver_tag_remove": {},
    "people_invite": {"email": "dora@example.org", "role": "viewer"},
    "invitation_renew": {},
    "invitation_remove": {},
    "person_change": {"do": "off"},
    "account_profile": {"name": "Me"},
    "account_password": {},
    "account_sessions": {},
    "account_key_add": {},
    "account_key_revoke": {},
    "language": {"language": ""},
    "logout": {},
}
