"""What logs hold, and what they must not."""

from __future__ import annotations

import io
import json
import logging
from uuid import UUID

import pytest

from tenure.api.logging import REDACTED, library_handler, make_logger, redacted
from tenure.flows.tokens import text_of
from tests.api.frames import SECRET

TOKEN = text_of(UUID(int=7), SECRET)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"sent {TOKEN}, refused",
        f"Authorization: Bearer {TOKEN}",
        "authorization: basic aHVudGVyMjpodW50ZXIy",
        "postgresql://tenure:hunter2@db/tenure",
        "GET /claim?code=hunter2&x=1",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nhunter2 cut off",
    ],
)
def test_secrets_are_cut_out_of_texts_wherever_they_stand(text: str) -> None:
    for value in (text, [text], {"event": {"deep": (text,)}}):
        shown = json.dumps(redacted(value))
        assert REDACTED in shown
        for secret in ("hunter2", TOKEN[-43:], "aHVudGVyMjpodW50ZXIy"):
            assert secret not in shown


@pytest.mark.parametrize(
    "name", ["password", "Authorization", "token", "api_key", "client_secret", "Set-Cookie", "claim_code", "dsn", "private_key"]
)
def test_what_stands_under_a_telling_name_is_gone_whole(name: str) -> None:
    assert redacted({name: {"any": "thing"}}) == {name: REDACTED}


def test_what_is_no_secret_stays() -> None:
    whole = {"token_id": "019363f0", "caller": "token:019363f0", "status": 200, "path": ["a", None], "key_state": "active"}
    assert redacted(whole) == whole


def test_bytes_are_never_shown() -> None:
    assert redacted(SECRET) == "32 bytes"


def test_a_line_is_one_json_object_whatever_is_in_it() -> None:
    out = io.StringIO()
    log = make_logger(out)
    log.info("one\ntwo", odd=object(), name='"quoted"')
    try:
        raise ValueError(TOKEN)
    except ValueError:
        log.exception("failed")
    first, second = map(json.loads, out.getvalue().splitlines())
    assert first["event"] == "one\ntwo"
    assert first["timestamp"].endswith("Z")
    assert "ValueError" in second["exception"]
    assert TOKEN not in out.getvalue()


def test_levels_below_the_wanted_are_silent() -> None:
    out = io.StringIO()
    make_logger(out, "warning").info("quiet")
    assert not out.getvalue()


def test_libraries_log_in_the_same_form_and_as_carefully() -> None:
    out = io.StringIO()
    library = logging.Logger("uvicorn.error")
    library.addHandler(library_handler(out))
    library.warning("refused %s", TOKEN)
    line = json.loads(out.getvalue())
    assert (line["level"], line["event"]) == ("warning", f"refused {REDACTED}")
