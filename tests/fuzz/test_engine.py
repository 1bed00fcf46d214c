"""Three thousand frames through the session and the engine: nothing escapes, every CALL is answered with what its schema wants.

FUZZ_SEED=number plays others; a failure tells the seed and the frame.
"""

import json
import os
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.ocpp import exchange, mend
from csms.ocpp.exchange import Inbound
from csms.ocpp.quirks import REGISTRY
from csms.ocpp.session import Handle, Oddity, Send, Session
from stations.models import Connection, Finding, Quirk, RepairMessage, Station
from tests.engine import Engine
from tests.fuzz.frames import Fuzzer
from tests.network import Network

SEED = int(os.environ.get("FUZZ_SEED", "2026"))
FRAMES, ROUND = int(os.environ.get("FUZZ_FRAMES", "3000")), 60
#: Every adjustment there is, with something for each of its parameters.
GIVEN = {"text": "Voltage", "factor": "0.1", "whole": 1, "yes": True, "zone": "Europe/Copenhagen", "list": ["Voltage"]}


def everything() -> list[dict[str, Any]]:
    return [
        {"do": name} | {p.name: p.options[0] if p.options else GIVEN[p.kind] for p in known.parameters}
        for name, known in REGISTRY.items()
        if name != "clock_unreliable"
    ]


class Heard:
    """A station's socket without a socket: what came is handed to the engine, what is answered is counted."""

    def __init__(self, engine: Engine, known: Station, fuzzer: Fuzzer) -> None:
        self.engine, self.known, self.fuzzer = engine, known, fuzzer
        self.session = Session(fuzzer.protocol)
        with scopes_disabled():
            self.fence = Connection.objects.get(station=known).fence

    def inbound(self, text: str) -> list[Inbound]:
        found = []
        for action in self.session.receive(text, 0.0):
            call = action.call if isinstance(action, Handle) else None
            if isinstance(action, Send):
                assert json.loads(action.text)[0] == 4
                continue
            one = Inbound(self.known.pk, self.fence, self.fuzzer.protocol, call, text, datetime.now(UTC), time.monotonic())
            if isinstance(action, Oddity):
                one.notes = [action.note]
            found.append(one)
        return found

    def check(self, one: Inbound, answer: Any) -> None:
        if one.call is None:
            assert answer is None
            return
        assert answer[0] in (3, 4), answer
        assert answer[1] == one.call.message_id
        if answer[0] == 3:
            mend.validate(self.fuzzer.protocol, f"{one.call.action}Response", answer[2])
            if "transactionId" in answer[2] and len(self.fuzzer.transactions) < 40:
                self.fuzzer.transactions.append(answer[2]["transactionId"])
        elif one.translator is not None and one.translator.transactional:
            # Nothing of a session is ever refused.
            raise AssertionError(answer)


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize("odd", [False, True], ids=["", "with every quirk"])
def test_nothing_escapes_and_every_call_is_answered(
    network: Network, monkeypatch: pytest.MonkeyPatch, protocol: str, odd: bool
) -> None:
    engine = Engine(protocol)
    network.token("CARD")
    if odd:
        with scopes_disabled():
            Quirk.objects.create(operator=network.operator, name="All", vendor="*", adjustments=everything())
    fuzzer = Fuzzer(SEED + 2 * odd + (protocol != "ocpp1.6"), protocol)
    stations = [Heard(engine, network.station(accepted=True), fuzzer) for _ in range(3)]
    failed: list[str] = []
    fail = exchange.fail

    def failing(inbound: Any, batch: Any, error: BaseException) -> str:
        failed.append(f"{type(error).__name__}: {error}\n{inbound.text[:2000]}")
        return fail(inbound, batch, error)

    monkeypatch.setattr(exchange, "fail", failing)
    counted: Counter[str] = Counter()
    for start in range(0, FRAMES // 4, ROUND):
        texts = [fuzzer.frame() for _ in range(ROUND)]
        said = [
            (heard, one) for number, text in enumerate(texts) for heard in [stations[number % 3]] for one in heard.inbound(text)
        ]
        answers = engine.round(*(one for _, one in said))
        assert failed == [], f"FUZZ_SEED={SEED}, frames from {start} on: {failed[0]}"
        for (heard, one), answer in zip(said, answers, strict=True):
            heard.check(one, answer)
            counted[str(answer[0]) if answer else "odd"] += 1
    with scopes_disabled():
        assert not Finding.objects.filter(operator=network.operator, code="handler_failed").exists()
        assert RepairMessage.objects.filter(operator=network.operator).count() < FRAMES / 4 / 2
    print(f"FUZZ_SEED={SEED} {protocol}: {dict(counted)}")
    # Most of what is sent is understood: else the fuzzer would try nothing but the door.
    assert counted["3"] > FRAMES / 4 / 3


def test_a_seed_makes_the_same_frames_again() -> None:
    def made() -> list[str]:
        fuzzer = Fuzzer(7, "ocpp1.6")
        return [text for text in (fuzzer.frame() for _ in range(50)) if "T" not in text]

    assert made() == made()
    assert len(set(made())) > 10
