"""`python -m csms.server`: the command behind `make serve` and `make run`."""

import os

from csms.server.command import Loaded, main
from csms.server.common import Limits


def load() -> Loaded:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
    import django

    django.setup()
    from django.conf import settings

    from csms.checks import refuse_unsafe_start

    refuse_unsafe_start()
    from csms.asgi import application
    from csms.metrics import pulse
    from csms.ocpp.gateway import gateway

    limits = Limits(ping_s=settings.PING_INTERVAL_S, message_bytes=settings.MAX_FRAME_BYTES)
    return Loaded(application, gateway.drain, limits, pulse.start)


if __name__ == "__main__":
    main(load, "csms.server")
