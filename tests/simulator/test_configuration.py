import pytest

from csms.simulator.configuration import Configuration


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "30", "Accepted"),
        ("metervaluesampleinterval", "30", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("MeterValueSampleInterval", "soon", "Rejected"),
        ("NumberOfConnectors", "9", "Rejected"),
        ("WebSocketPingInterval", "30", "RebootRequired"),
        ("AuthorizeRemoteTxRequests", "perhaps", "Rejected"),
        ("MeterValuesSampledData", "Voltage,Nonsense", "Rejected"),
        ("AuthorizationKey", "short", "Rejected"),
        ("NoSuchKey", "1", "NotSupported"),
    ],
)
def test_a_change_is_answered_by_what_the_key_allows(key, value, status):
    assert Configuration(connectors=2).change(key, value) == status


def test_keys_are_read_all_or_by_name_and_unknown_ones_are_named():
    configuration = Configuration(connectors=3)
    everything, unknown = configuration.get(None)
    assert {"key": "NumberOfConnectors", "readonly": True, "value": "3"} in everything
    assert unknown == []
    assert configuration.get(["numberofconnectors", "Foo"]) == (
        [{"key": "NumberOfConnectors", "readonly": True, "value": "3"}],
        ["Foo"],
    )


def test_the_password_is_never_read_out():
    configuration = Configuration(connectors=1)
    assert configuration.change("AuthorizationKey", "0123456789abcdef") == "Accepted"
    assert "0123456789abcdef" not in str(configuration.get(None)) + str(configuration.get(["AuthorizationKey"]))
