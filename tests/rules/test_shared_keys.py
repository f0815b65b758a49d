"""key-shared-across-devices: one key or secret on two or more devices, and what only looks like it."""

from __future__ import annotations

from tests.rules.world import World

RULE = "key-shared-across-devices"


def test_one_certificate_on_two_devices_is_found(world: World) -> None:
    one, two = world.device(), world.device()
    key = world.key()
    certificate = world.certificate(one, two, key_key=key, not_before=world.ago(80))
    rows = world.run(RULE)
    assert {row["finding"] for row in rows} == {row["subject_key"] for row in rows} == {key}
    assert {row["subject_device"] for row in rows} == {one, two}
    assert {row["subject_credential"] for row in rows} == {certificate}
    assert {row["sharing"] for row in rows} == {"same certificate"}
    assert {(row["devices"], row["credentials"], row["across_classes"], row["across_makers"]) for row in rows} == {
        (2, 1, False, False)
    }
    assert {row["since"] for row in rows} == {world.ago(80)}


def test_one_key_in_different_certificates_is_found_since_the_second_had_it(world: World) -> None:
    key = world.key()
    first = world.certificate(world.device(), key_key=key, not_before=world.ago(300))
    second = world.certificate(world.device(), key_key=key, not_before=world.ago(30))
    rows = world.run(RULE)
    assert {row["subject_credential"] for row in rows} == {first, second}
    assert {(row["sharing"], row["since"]) for row in rows} == {("same key in different certificates", world.ago(30))}


def test_both_ways_at_once_are_told_apart(world: World) -> None:
    key = world.key()
    world.certificate(world.device(), world.device(), key_key=key)
    world.certificate(world.device(), key_key=key)
    rows = world.run(RULE)
    assert {(row["sharing"], row["devices"]) for row in rows} == {("same certificate, and the same key in others", 3)}


def test_across_classes_and_makers_is_said(world: World) -> None:
    key = world.key()
    world.certificate(world.device(), key_key=key)
    world.certificate(world.device(device_class="camera", maker="Another Maker", class_key=None), key_key=key)
    assert {(row["across_classes"], row["across_makers"]) for row in world.run(RULE)} == {(True, True)}


def test_one_maker_written_in_two_ways_is_one_maker_where_the_class_names_it(world: World) -> None:
    key = world.key()
    world.certificate(world.device(maker="EXAMPLE DEVICES"), key_key=key)
    world.certificate(world.device(maker="Example Devices GmbH"), key_key=key)
    assert {row["across_makers"] for row in world.run(RULE)} == {False}


def test_certificates_of_any_status_count(world: World) -> None:
    key = world.key()
    world.certificate(world.gone_device(), key_key=key, revoked_at=world.ago(100))
    world.certificate(world.device(), key_key=key, not_after=world.ago(2))
    assert {row["usable"] for row in world.run(RULE)} == {False}
    assert len(world.run(RULE)) == 2


def test_a_secret_of_two_devices_is_found(world: World) -> None:
    digest = world.key(kind="secret", algorithm=None)
    world.secret(world.device(), key_key=digest)
    world.secret(world.device(), key_key=digest)
    rows = world.run(RULE)
    assert {(row["subject_key"], row["sharing"]) for row in rows} == {(digest, "same secret")}


def test_ssh_host_keys_are_bound_by_name_alone_and_count(world: World) -> None:
    key = world.key(algorithm="ed25519")
    one, two = world.device("plc-1"), world.device("plc-2")
    world.ssh_key(one, key_key=key)
    world.ssh_key(two, key_key=key)
    rows = world.run(RULE)
    assert {row["subject_device"] for row in rows} == {one, two}
    assert {row["sharing"] for row in rows} == {"same key"}


def test_a_host_key_that_is_also_in_a_certificate_of_another_device_is_found(world: World) -> None:
    key = world.key()
    world.ssh_key(world.device("plc-1"), key_key=key)
    world.certificate(world.device("plc-2"), key_key=key)
    assert {row["sharing"] for row in world.run(RULE)} == {"same key in certificates and elsewhere"}


def test_certificates_bound_by_two_names_count(world: World) -> None:
    key = world.key()
    for name in ("gw-1", "gw-2"):
        certificate = world.certificate(key_key=key)
        world.bind(world.device(name), certificate, how="subject-name", strong=False)
    assert len(world.run(RULE)) == 2


def test_renewals_with_the_same_key_on_one_device_are_no_sharing(world: World) -> None:
    device, key = world.device(), world.key()
    for age in (300, 200, 100):
        world.certificate(device, key_key=key, not_before=world.ago(age))
    world.ssh_key(device, key_key=key)
    assert world.run(RULE) == []


def test_several_records_and_several_bindings_of_one_device_are_no_sharing(world: World) -> None:
    device, key = world.device(), world.key()
    world.record(device, source=6, name="thing-of-the-device")
    certificate = world.certificate(device, key_key=key)
    world.bind(device, certificate, source_key=6, how="request")
    assert world.run(RULE) == []


def test_an_alias_that_no_strong_identifier_joins_is_no_second_device(world: World) -> None:
    thing, record, key = world.device("gw-7"), world.device("GW-7"), world.key()
    world.certificate(thing, key_key=key, not_before=world.ago(300))
    renewal = world.certificate(key_key=key)
    world.bind(record, renewal, how="subject-name", strong=False)
    assert world.run(RULE) == []


def test_a_weak_holder_of_another_name_beside_a_strong_one_counts(world: World) -> None:
    key = world.key()
    world.certificate(world.device("gw-7"), key_key=key)
    world.bind(world.device("gw-8"), world.certificate(key_key=key), how="subject-name", strong=False)
    assert len(world.run(RULE)) == 2


def test_a_name_says_nothing_where_something_stronger_does(world: World) -> None:
    holder, namesake, key = world.device("gw-7"), world.gone_device("gw-7-old"), world.key()
    certificate = world.certificate(holder, key_key=key, device_key=holder, devices=1)
    world.bind(namesake, certificate, how="subject-name", strong=False)
    assert world.run(RULE) == []


def test_the_device_of_a_swap_made_its_own_key(world: World) -> None:
    world.certificate(world.gone_device("swap"), name="swap")
    world.certificate(world.device("swap"), name="swap")
    assert world.run(RULE) == []


def test_a_key_in_certificates_that_nobody_holds_is_shared_by_nobody(world: World) -> None:
    key = world.key()
    world.certificate(world.device(), key_key=key)
    world.certificate(key_key=key)
    assert world.run(RULE) == []
