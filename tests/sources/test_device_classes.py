"""Device classes: what a row becomes, what is told, and the list of the sample fleet."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.sources.device_classes import SOURCE
from tests.sources.collected import codes, collect, place_of, rows


def test_a_row_becomes_a_class_with_its_further_columns_as_capabilities(tmp_path: Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text(
        "Model ID;device_class;manufacturer;rotation;TLS;key store\nEG-100;gateway;Nordwerk;Online;1.3;TPM 2.0; \nX;;;;;a;b\n"
    )
    snapshot = collect(SOURCE, path)
    first, second = rows(snapshot, "device_class")
    assert first == {
        "model": "EG-100", "device_class": "gateway", "maker": "Nordwerk", "rotation": "online",
        "capabilities": "key_store=TPM 2.0;tls=1.3", "origin": "classes.csv#2",
    }  # fmt: skip
    assert (second["model"], second["rotation"], second["capabilities"]) == ("X", "unknown", "key_store=a")
    assert codes(snapshot) == {"too-many-cells": 2}


def test_unknown_rotation_missing_model_and_repeated_models_are_told(tmp_path: Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text("model_id,device_class,manufacturer,rotation\nA,x,M,sometimes\n,y,M,none\na,z,m,manual\nA,z,N,manual\n")
    snapshot = collect(SOURCE, path)
    assert [(r["model"], r["rotation"]) for r in rows(snapshot, "device_class")] == [
        ("A", "unknown"),
        ("a", "manual"),
        ("A", "manual"),
    ]
    assert codes(snapshot) == {"unknown-word": 1, "no-model": 1, "duplicate-model": 1}


def test_the_list_of_the_sample_fleet(corpus: Path) -> None:
    path = corpus / "fleet-sample" / "device-classes.csv"
    assert SOURCE.recognise(place_of(path)) is not None
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.rows == {"device_class": 13}
    assert {r["model"]: r["rotation"] for r in rows(snapshot, "device_class")}["S7X-200"] == "manual"


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_every_line_becomes_a_class_or_a_problem(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classes.csv"
        path.write_bytes(b"model_id,device_class,manufacturer,rotation\n" + data)
        snapshot = collect(SOURCE, path)
    content = data.replace(b"\x00", b"").strip(b'\r\n\t ,\x1c\x1d\x1e\x1f\x0b\x0c\x85\xa0"')
    assert not content or rows(snapshot, "device_class") or rows(snapshot, "problem")
