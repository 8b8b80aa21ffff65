"""Devices in a record: the card's id and throttle reasons, in version 2 and from version 1."""

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError
from synthetic_results import result_with_energy

from bench.results import record_v1, storage
from bench.results.machine_record import Device, DeviceState, card_id
from bench.results.throttling import ThrottleReason

GOLDEN = Path(__file__).parent / "golden"


def test_uuid_of_a_card_stays_in_memory():
    device = Device(domain="gpu:0", name="GPU").with_uuid("GPU-1234")
    assert device.uuid == "GPU-1234"
    assert device.model_copy(update={"used": False}).uuid == "GPU-1234"
    assert "1234" not in device.model_dump_json() + repr(device)
    assert Device.model_validate_json(device.model_dump_json()).uuid is None


def test_record_with_a_uuid_is_refused():
    with pytest.raises(ValidationError, match="uuid"):
        Device.model_validate({"domain": "gpu:0", "name": "GPU", "uuid": "GPU-1234"})


def test_card_id_depends_on_the_whole_uuid_and_on_nothing_else():
    assert card_id("GPU-1") == card_id("GPU-1") != card_id("GPU-2")
    assert card_id("GPU-1") == "d93a771dcaf9c1f4"


def test_card_id_depends_on_the_salt_and_is_missing_without_one():
    device = Device(domain="gpu:0", name="GPU")
    ids = [device.with_uuid("GPU-1", salt).card_id for salt in ("a", "b")]
    assert ids[0] != ids[1] and ids[0] == card_id("GPU-1", "a")
    assert device.with_uuid("GPU-1", None).card_id is None


def test_record_without_a_machine_id_has_the_bytes_it_had():
    result = result_with_energy(0.1)
    assert "machine_id" not in storage.canonical_json(result)
    machine = result.machine.model_copy(update={"machine_id": "0123456789abcdef"})
    text = storage.canonical_json(result.model_copy(update={"machine": machine}))
    assert '"machine_id":"0123456789abcdef"' in text
    assert storage.parse_result(text).machine == machine
    for one in (text, storage.canonical_json(result)):
        jsonschema.Draft202012Validator(storage.result_schema()).validate(json.loads(one))


def test_uuid_of_a_version_1_record_becomes_the_card_id():
    text = (GOLDEN / "result-v1.json").read_text()
    uuids = [device.get("uuid") for device in json.loads(text)["machine"]["devices"]]
    devices = storage.parse_result(text).machine.devices
    assert any(uuids)
    assert [d.card_id for d in devices] == [card_id(uuid) if uuid else None for uuid in uuids]


def test_throttle_reasons_are_written_as_their_values_and_read_from_version_1():
    state = DeviceState(domain="gpu:0", throttle_reasons=(ThrottleReason.sw_power_cap,))
    assert json.loads(state.model_dump_json())["throttle_reasons"] == ["sw_power_cap"]
    content = json.loads((GOLDEN / "result-v1.json").read_text())
    content["trials"][0]["conditions"] = [{"domain": "gpu:0", "throttle_reasons": ["hw_slowdown"]}]
    trial = storage.parse_result(json.dumps(content)).trials[0]
    assert trial.device_states[0].throttle_reasons == (ThrottleReason.hw_slowdown,)


def test_unknown_throttle_reason_is_refused():
    with pytest.raises(ValidationError, match="throttle_reasons"):
        DeviceState.model_validate({"domain": "gpu:0", "throttle_reasons": ["the cat"]})


def test_upgrade_leaves_the_version_1_content_unchanged():
    content = json.loads((GOLDEN / "result-v1.json").read_text())
    before = json.dumps(content)
    record_v1.upgrade(content)
    assert json.dumps(content) == before
