"""Signatures: those of Standard Webhooks, and what the documentation tells receivers to do with them."""

import base64
import re
import time
from typing import Any

from django.conf import settings

from csms.webhooks import signing


def documented() -> Any:
    """The function that docs/webhooks.md gives to receivers."""
    text = (settings.BASE_DIR / "docs/webhooks.md").read_text()
    (snippet,) = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    space: dict[str, Any] = {}
    exec(snippet, space)  # noqa: S102  (our own document)
    return space["verified"]


def test_the_example_of_the_standard_is_signed_as_it_says() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signature = signing.sign(name="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, body=body, secret=secret)
    assert signature == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_documented_check_takes_what_is_sent_and_nothing_else() -> None:
    verified, secret, other = documented(), signing.make_secret(), signing.make_secret()
    now, body = int(time.time()), b'{"id": "evt_1"}'
    headers = signing.headers(name="evt_1", at=now, body=body, secrets=[secret])
    assert verified(secret, headers, body)
    assert not verified(other, headers, body)
    assert not verified(secret, headers, body + b" ")
    assert not verified(secret, headers | {"Webhook-Id": "evt_2"}, body)
    assert not verified(secret, headers | {"Webhook-Timestamp": str(now + 1)}, body)
    old = signing.headers(name="evt_1", at=now - 3600, body=body, secrets=[secret])
    assert not verified(secret, old, body)


def test_while_a_secret_is_replaced_both_verify() -> None:
    verified, new, old = documented(), signing.make_secret(), signing.make_secret()
    headers = signing.headers(name="evt_1", at=int(time.time()), body=b"{}", secrets=[new, old])
    assert verified(new, headers, b"{}")
    assert verified(old, headers, b"{}")


def test_secrets_have_256_bits_and_differ() -> None:
    made = {signing.make_secret() for _ in range(10)}
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in made} == {32}
    assert len(made) == 10
