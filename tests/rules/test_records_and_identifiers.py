"""duplicate-device-record and non-identifying-identifier: what stands in the inventories."""

from __future__ import annotations

from tests.rules.world import World

DOUBLE = "duplicate-device-record"
NAMELESS = "non-identifying-identifier"


def two_records(world: World, device: int, source: int = 1) -> tuple[int, int]:
    """The device's own record and another one in this source."""
    mine = [r["record_key"] for r in world.tables["device_record"] if r["device_key"] == device]
    return int(mine[0]), world.record(device, source, name="again", serial="00SN1", mac="02-00-5E-00-00-01")


def test_two_records_of_one_device_in_one_source_are_found(world: World) -> None:
    device = world.device()
    first, second = two_records(world, device)
    world.identifier("serial", "SN1", first, second)
    world.identifier("mac", "02005e000001", first, second)
    rows = world.run(DOUBLE)
    assert {row["finding"] for row in rows} == {row["subject_device"] for row in rows} == {device}
    assert {row["record_id"] for row in rows} == {world.row("device_record", r)["record_id"] for r in (first, second)}
    assert {(row["source"], row["records"]) for row in rows} == {("cmdb", 2)}


def test_a_record_without_a_mac_is_joined_by_its_serial(world: World) -> None:
    first, second = two_records(world, world.device())
    world.identifier("serial", "SN1", first, second)
    world.identifier("mac", "02005e000001", first)
    assert len(world.run(DOUBLE)) == 2


def test_records_that_a_third_source_joins_are_doubles(world: World) -> None:
    first, second = two_records(world, device := world.device())
    bridge = world.record(device, source=6)
    world.identifier("serial", "SN1", first, bridge)
    world.identifier("mac", "02005e000001", second, bridge)
    assert {row["source"] for row in world.run(DOUBLE)} == {"cmdb"}


def test_one_record_told_twice_is_one_record(world: World) -> None:
    device = world.device()
    first, second = two_records(world, device)
    world.change("device_record", second, record_id=world.row("device_record", first)["record_id"])
    assert world.run(DOUBLE) == []


def test_one_record_in_each_of_two_sources_is_what_linking_is_for(world: World) -> None:
    first, second = two_records(world, world.device(), source=6)
    world.identifier("serial", "SN1", first, second)
    assert world.run(DOUBLE) == []


def test_records_that_differ_in_serial_or_mac_are_not_the_same_hardware(world: World) -> None:
    first, second = two_records(world, world.device())
    world.identifier("serial", "SN1", first, second)
    world.identifier("mac", "02005e000001", first)
    world.identifier("mac", "02005e000002", second)
    assert world.run(DOUBLE) == []


def test_records_of_one_mac_that_differ_in_serial_are_not_the_same_hardware(world: World) -> None:
    first, second = two_records(world, world.device())
    world.identifier("mac", "02005e000001", first, second)
    world.identifier("serial", "SN1", first)
    world.identifier("serial", "SN2", second)
    assert world.run(DOUBLE) == []


def test_what_does_not_identify_does_not_set_records_apart(world: World) -> None:
    first, second = two_records(world, world.device())
    world.identifier("mac", "02005e000001", first, second)
    world.identifier("serial", "NONE", first, strong=False, non_identifying=True)
    world.identifier("serial", "SN1", second)
    assert len(world.run(DOUBLE)) == 2


def test_both_devices_of_a_swap_have_their_record(world: World) -> None:
    world.gone_device("swap")
    world.device("swap")
    assert world.run(DOUBLE) == []


def test_a_placeholder_serial_on_unrelated_devices_is_found(world: World) -> None:
    devices = {world.device() for _ in range(3)}
    records = [r["record_key"] for r in world.tables["device_record"] if r["device_key"] in devices]
    identifier = world.identifier(
        "serial", "TOBEFILLEDBYOEM", *records, strong=False, non_identifying=True, scope="example devices", reason="a filler"
    )
    rows = world.run(NAMELESS)
    assert {row["finding"] for row in rows} == {identifier}
    assert {row["subject_device"] for row in rows} == devices
    assert {(row["value"], row["devices"], row["reason"]) for row in rows} == {("TOBEFILLEDBYOEM", 3, "a filler")}


def test_a_subject_that_certificates_of_unrelated_keys_carry_is_found(world: World) -> None:
    certificates = {world.certificate(world.device(), name="CA"), world.certificate(name="CA")}
    world.certificate(world.device(), name="CA-2")
    world.identifier("subject-name", "CA", strong=False, non_identifying=True, credentials=2, reason="unrelated")
    rows = world.run(NAMELESS)
    assert {row["subject_credential"] for row in rows} == certificates
    assert {row["subject_device"] for row in rows} == {None}


def test_the_certificates_of_a_swap_under_one_name_are_not_unrelated(world: World) -> None:
    world.certificate(world.gone_device("gw-5"), name="gw-5")
    world.certificate(world.device("gw-5"), name="gw-5")
    world.identifier("subject-name", "gw-5", strong=False, non_identifying=True, credentials=2)
    assert world.run(NAMELESS) == []
    world.certificate(world.device("gw-6"), name="gw-5")
    assert len(world.run(NAMELESS)) == 3


def test_a_name_that_a_device_of_another_name_took_over_is_no_swap(world: World) -> None:
    world.certificate(world.gone_device("gw-5"), name="gw-5")
    world.certificate(world.device("gw-6"), name="gw-5")
    world.identifier("subject-name", "gw-5", strong=False, non_identifying=True, credentials=2)
    assert len(world.run(NAMELESS)) == 2


def test_a_name_on_two_devices_in_service_is_no_swap(world: World) -> None:
    world.certificate(world.device("gw-5"), name="gw-5")
    world.certificate(world.device("gw-5"), name="gw-5")
    world.identifier("subject-name", "gw-5", strong=False, non_identifying=True, credentials=2)
    assert len(world.run(NAMELESS)) == 2


def test_a_token_of_that_name_is_no_certificate(world: World) -> None:
    world.certificate(world.device(), name="CA")
    secret = world.secret(world.device(), name="CA")
    world.identifier("subject-name", "CA", strong=False, non_identifying=True, credentials=2)
    assert secret not in {row["subject_credential"] for row in world.run(NAMELESS)}


def test_an_identifier_that_several_records_of_one_device_carry_still_identifies(world: World) -> None:
    first, second = two_records(world, world.device())
    world.identifier("serial", "SN1", first, second)
    world.identifier("name", "host-1", first, strong=False)
    assert world.run(NAMELESS) == []
