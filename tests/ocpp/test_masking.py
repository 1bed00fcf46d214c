"""Secrets never reach the message log."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.ocpp.masking import masked, without_tags
from tests.trying import often

SECRET = "hunter2-Zq9"


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": SECRET},
        {"value": SECRET, "key": "authorizationkey"},
        {"configurationKey": [{"key": "HeartbeatInterval", "value": "5"}, {"key": "AuthorizationKey", "value": SECRET}]},
        {"key": "wifi_Password", "value": {"psk": SECRET}},
        {"setVariableData": [{"variable": {"name": "BasicAuthPassword"}, "component": {}, "attributeValue": SECRET}]},
        {"reportData": [{"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"value": "x"}], "value": SECRET}]},
        {"idToken": {"idToken": SECRET, "type": "KeyCode"}},
        {"connectionData": {"apn": {"apnPassword": SECRET}, "basicAuthPassword": SECRET}},
        {"PASSWORD": SECRET},
        {"passphrase": [SECRET]},
        {"vendorId": "v", "data": json.dumps({"password": SECRET})},
        {"vendorId": "v", "data": json.dumps(json.dumps({"password": SECRET}))},
        {"vendorId": "v", "data": f"password={SECRET} and more"},
        {"vendorId": "v", "data": f"{SECRET} is the password"},
        {"vendorId": "v", "data": '{"password":"' + SECRET},
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_a_secret_is_masked_wherever_it_stands(payload: Any, escaped: bool) -> None:
    text = json.dumps([2, "a", "ChangeConfiguration", payload])
    if escaped:
        text = text.replace("assword", "\\u0061ssword").replace("uthorization", "\\u0075thorization")
    hidden = masked(text)
    assert SECRET not in hidden
    assert "***" in hidden
    assert orjson.loads(hidden)[:3] == [2, "a", "ChangeConfiguration"]


@pytest.mark.parametrize(
    "text",
    [
        f'[2,"a","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{SECRET} with blanks"',
        f'[2,"a","ChangeConfiguration",{{"value":"{SECRET}","key":"AuthorizationKey"',
        f'[2,"a","X",{{"password":,"{SECRET}"}}]',
        f"password {SECRET}",
        f'[3,"a",{{"idToken":"{SECRET}","type":"KeyCode"',
        '[2,"a","X",' + '{"password":[' * 700 + f'"{SECRET}"' + "]}" * 700 + "]",
    ],
)
def test_of_a_frame_that_cannot_be_read_only_its_head_is_kept_if_it_names_a_secret(text: str) -> None:
    hidden = masked(text)
    assert SECRET not in hidden
    assert hidden.endswith("***")
    assert text.startswith(hidden.removesuffix("***"))


@pytest.mark.parametrize(
    "text",
    [
        '[2, "a", "Heartbeat", {}]',
        '[2,"a","Authorize",{"idTag":"04A2B3C4"}]',
        '[2,"a","GetConfiguration",{"key":["AuthorizationKey"]}]',
        '[3,"a",{"configurationKey":[{"key":"AuthorizationKey","readonly":false}]}]',
        '[2,"a","Authorize",{"idToken":{"idToken":"04A2","type":"ISO14443"}}]',
        '[2,"a","DataTransfer",{"vendorId":"caf\\u00e9"}]',
        "no frame at all",
        "",
        "[2,",
    ],
)
def test_what_holds_no_secret_stays_as_it_came(text: str) -> None:
    assert masked(text) == text


NAMES = st.sampled_from(
    ["password", "Password", "basicAuthPassword", "AuthorizationKey", "authorization_key", "passphrase", "PASSWORD"]
)
#: None of its letters stands in JSON's own words or in the names, so that what is left of it can be found.
SECRETS = st.text("ЖЩФЮ§", min_size=3, max_size=12)
OTHER = st.text('abc{}[]"\\:=, 1', max_size=8)


@st.composite
def holding(draw: st.DrawFn, secret: str) -> Any:
    """A structure with the secret somewhere, under a name that says so."""
    name = draw(NAMES)
    inner: Any = draw(
        st.sampled_from(
            [
                {name: secret},
                {"key": name, "value": secret},
                {"variable": {"name": name}, "attributeValue": secret},
                {"idToken": secret, "type": "KeyCode"},
                {name: [secret, {"x": secret}]},
                f"{name}={secret}",
                f"{name}: {secret} ...",
            ]
        )
    )
    for _ in range(draw(st.integers(0, 4))):
        inner = draw(
            st.sampled_from(
                [{draw(OTHER): inner, draw(OTHER): draw(OTHER)}, [draw(OTHER), inner], json.dumps(inner, ensure_ascii=False)]
            )
        )
    return inner


@settings(max_examples=often(300), deadline=None, derandomize=True, database=None)
@given(data=st.data(), secret=SECRETS, ascii_only=st.booleans(), cut=st.booleans())
def test_masking_never_leaves_a_secret_in(data: st.DataObject, secret: str, ascii_only: bool, cut: bool) -> None:
    payload = {"data": data.draw(holding(secret))}
    text = json.dumps([2, "a", "DataTransfer", payload], ensure_ascii=ascii_only)
    if cut:
        text = text[: data.draw(st.integers(0, len(text)))]
    hidden = masked(text)
    for form in (secret, json.dumps(secret)[1:-1]):
        assert form not in hidden or not _named_before(text, form)


def _named_before(text: str, secret: str) -> bool:
    """Where a text was cut before any name came, nothing told that a secret is in it."""
    lowered = text.lower()
    return any(name in lowered for name in ("password", "authorization", "passphrase", "keycode"))


@pytest.mark.parametrize(
    ("frame", "shown"),
    [
        ('{"idTag":"04A1B2C3D4"}', '{"idTag":"***C3D4"}'),
        ('{"idTag" : "SHORT"}', '{"idTag" : "***"}'),
        ('{"idTag":"a\\"b"}', '{"idTag":"***"}'),
        ('{"idTag":12345678}', '{"idTag":0}'),
        ('{"idToken":{"idToken":"04A1B2C3D4","type":"ISO14443"}}', '{"idToken":{"idToken":"***C3D4","type":"ISO14443"}}'),
        ('{"idTagInfo":{"parentIdTag":"FLEET"}}', '{"idTagInfo":{"parentIdTag":"***"}}'),
        ('{"data":"{\\"idTag\\":\\"04A1B2C3D4\\"}"}', '{"data":"{\\"idTag\\":\\"***"}'),
        ('{"status":"Accepted"}', '{"status":"Accepted"}'),
    ],
)
def test_of_an_id_tag_only_the_end_is_left(frame: str, shown: str) -> None:
    assert without_tags(frame) == shown
