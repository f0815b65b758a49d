"""The frame around every route, with routes made for the test.

Long because all parts of the frame are tested on one app made for them, a class each.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from tenure.api.access_table import Access, Open, Permission
from tenure.api.app import AccessTableError, framed
from tenure.api.guard import GuardedRoute
from tenure.api.limits import Rate, Sizes
from tenure.api.logging import REDACTED
from tenure.api.parts import Ask, Frame
from tenure.api.problem import BUSY, CONFLICT, MEDIA_TYPE, STORE_DOWN
from tenure.api.routes import server
from tenure.errors import LinkError, SourceError, TenureError
from tenure.model.access import Role
from tenure.model.devices import Verb
from tests.api.frames import NOON, CrashError, World, ask, asking, everywhere

OPERATE = Verb.RETIRE
LEAK = "postgresql://tenure:hunter2@db/tenure"


class Box(BaseModel):
    label: str = Field(min_length=1)
    size: int = Field(ge=1, le=100)


class ToldError(TenureError):
    """What the test's routes may tell."""


class BusyError(TenureError):
    """Nothing was done."""


class DownError(TenureError):
    """Nobody knows."""


def boxes(done: list[str]) -> tuple[APIRouter, Access]:
    """Routes that put down what they did."""
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/open")
    def open_() -> dict[str, str]:
        return {"hello": "anybody"}

    @router.get("/boxes")
    def listed(ask: Ask) -> dict[str, str]:
        return {"you": ask.actor.text}

    @router.post("/boxes", status_code=201)
    async def made(box: Box) -> Box:
        done.append(box.label)
        await asyncio.sleep(0.05)
        return box

    @router.post("/secrets")
    def secret(ask: Ask, request: Request) -> Response:
        done.append("secret")
        ask.kept = b'{"secret":null}'
        return JSONResponse({"secret": "tenure_shown_once_only"})

    @router.post("/refusing")
    def refusing(kind: str) -> None:
        done.append(kind)
        errors: dict[str, Exception] = {
            "told": ToldError("the box is full", "empty it"),
            "busy": BusyError(LEAK),
            "down": DownError(LEAK),
            "untold": LinkError(f"cannot reach {LEAK}"),
            "defect": ValueError(f"cannot reach {LEAK}"),
            "crash": CrashError(),
        }
        raise errors[kind]

    access: Access = {
        ("GET", "/open"): Open.PUBLIC,
        ("GET", "/boxes"): Permission.READ_DEVICES,
        ("POST", "/boxes"): OPERATE,
        ("POST", "/secrets"): OPERATE,
        ("POST", "/refusing"): OPERATE,
    }
    return router, access


class Bench:
    """The world, its app and a token of an operator."""

    def __init__(self, **changed: Any) -> None:
        self.world, self.done = World(), list[str]()
        self.router, self.access = boxes(self.done)
        self.frame: Frame = self.world.frame(
            **({"told": {ToldError: CONFLICT, BusyError: BUSY, DownError: STORE_DOWN}} | changed)
        )
        self.token = self.world.callers.token(everywhere(Role.OPERATOR))
        self.app: FastAPI = framed(self.frame, [self.router], self.access)

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return ask(self.app, method, path, self.token, **sent)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def the_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["fix"]
    assert body["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    return body


class TestWhoMay:
    def test_a_token_in_force_is_let_in(self, bench: Bench) -> None:
        answer = bench.ask("GET", "/boxes")
        assert answer.status_code == 200
        assert answer.json()["you"].startswith("token:")

    def test_open_routes_ask_nobody(self, bench: Bench) -> None:
        assert ask(bench.app, "GET", "/open").json() == {"hello": "anybody"}

    def test_without_a_credential_nobody_is_known(self, bench: Bench) -> None:
        answer = ask(bench.app, "GET", "/boxes")
        the_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_wrong_revoked_expired_and_unknown_read_the_same(self, bench: Bench) -> None:
        callers = bench.world.callers
        operator = everywhere(Role.OPERATOR)
        wrong = bench.token[:-2] + ("AA" if not bench.token.endswith("AA") else "BB")
        unknown = callers.token(operator)
        callers.tokens.pop(list(callers.tokens)[-1])
        tokens = [wrong, unknown, callers.token(operator, expires=NOON), callers.token(operator, revoked=True), "tenure_", "x"]
        told = [the_problem(ask(bench.app, "GET", "/boxes", token), 401, "unauthenticated") for token in tokens]
        assert len({(body["detail"], body["fix"]) for body in told}) == 1

    def test_a_role_without_the_permission_is_refused_before_anything_is_read(self, bench: Bench) -> None:
        viewer = bench.world.callers.token(everywhere(Role.VIEWER))
        the_problem(ask(bench.app, "POST", "/boxes", viewer, content=b"{"), 403, "forbidden")
        assert ask(bench.app, "GET", "/boxes", viewer).status_code == 200

    def test_a_route_without_an_entry_keeps_the_app_from_starting(self, bench: Bench) -> None:
        del bench.access["GET", "/boxes"]
        with pytest.raises(AccessTableError, match="GET /boxes has no entry"):
            framed(bench.frame, [bench.router], bench.access)

    def test_an_entry_without_a_route_keeps_it_too(self, bench: Bench) -> None:
        with pytest.raises(AccessTableError, match="no such route"):
            framed(bench.frame, [bench.router], bench.access | {("GET", "/gone"): OPERATE})

    def test_what_loses_its_entry_at_run_time_is_refused(self, bench: Bench) -> None:
        bench.access.pop(("GET", "/boxes"))
        the_problem(bench.ask("GET", "/boxes"), 403, "forbidden")


class TestProblems:
    def test_what_may_be_told_is_told_with_its_fix(self, bench: Bench) -> None:
        body = the_problem(bench.ask("POST", "/refusing?kind=told"), 409, "conflict")
        assert (body["detail"], body["fix"]) == ("the box is full", "empty it")

    @pytest.mark.parametrize("kind", ["untold", "defect"])
    def test_what_is_inside_stays_inside(self, bench: Bench, kind: str) -> None:
        answer = bench.ask("POST", f"/refusing?kind={kind}")
        the_problem(answer, 500, "defect")
        assert "postgresql" not in answer.text
        line = next(line for line in bench.world.lines() if line["event"] == "defect")
        assert line["request_id"] == answer.headers["x-request-id"]
        assert "Error" in line["exception"]
        assert "hunter2" not in bench.world.log.getvalue()

    def test_flaws_name_the_place_and_never_the_value(self, bench: Bench) -> None:
        answer = bench.ask("POST", "/boxes", json={"label": "", "size": "my-secret-value"})
        body = the_problem(answer, 422, "invalid")
        assert {flaw["where"] for flaw in body["errors"]} == {"/body/label", "/body/size"}
        assert "my-secret-value" not in answer.text

    def test_what_is_no_json_cannot_be_read(self, bench: Bench) -> None:
        headers = {"Content-Type": "application/json"}
        the_problem(bench.ask("POST", "/boxes", content=b'{"label', headers=headers), 400, "malformed")

    def test_no_such_path_and_no_such_method(self, bench: Bench) -> None:
        the_problem(bench.ask("GET", "/nowhere"), 404, "not-found")
        answer = bench.ask("DELETE", "/boxes")
        the_problem(answer, 405, "no-such-method")
        assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


class TestIdempotency:
    KEY: ClassVar = {"Idempotency-Key": "a-key-of-mine"}

    def test_the_same_again_gets_the_same_answer_and_does_nothing(self, bench: Bench) -> None:
        sent = {"json": {"label": "a", "size": 1}, "headers": self.KEY}
        first, second = bench.ask("POST", "/boxes", **sent), bench.ask("POST", "/boxes", **sent)
        assert (first.status_code, first.content) == (second.status_code, second.content) == (201, b'{"label":"a","size":1}')
        assert second.headers["content-type"] == first.headers["content-type"]
        assert second.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert bench.done == ["a"]

    def test_without_a_key_it_is_done_twice(self, bench: Bench) -> None:
        for _ in range(2):
            assert bench.ask("POST", "/boxes", json={"label": "a", "size": 1}).status_code == 201
        assert bench.done == ["a", "a"]

    def test_another_request_under_the_key_is_refused(self, bench: Bench) -> None:
        bench.ask("POST", "/boxes", json={"label": "a", "size": 1}, headers=self.KEY)
        the_problem(bench.ask("POST", "/boxes", json={"label": "b", "size": 1}, headers=self.KEY), 422, "idempotency-key-reused")
        assert bench.done == ["a"]

    def test_keys_of_another_caller_are_others(self, bench: Bench) -> None:
        other = bench.world.callers.token(everywhere(Role.OPERATOR))
        bench.ask("POST", "/boxes", json={"label": "a", "size": 1}, headers=self.KEY)
        assert ask(bench.app, "POST", "/boxes", other, json={"label": "b", "size": 1}, headers=self.KEY).status_code == 201
        assert bench.done == ["a", "b"]

    def test_of_many_at_once_one_works_and_the_others_are_told(self, bench: Bench) -> None:
        async def talk(calls: httpx.AsyncClient) -> list[httpx.Response]:
            sent: dict[str, Any] = {"json": {"label": "a", "size": 1}, "headers": self.KEY}
            return list(await asyncio.gather(*(calls.post("/boxes", **sent) for _ in range(20))))

        answers = asking(bench.app, bench.token, talk)
        assert bench.done == ["a"]
        assert sorted({a.status_code for a in answers}) == [201, 409]
        for answer in answers:
            if answer.status_code == 409:
                the_problem(answer, 409, "idempotency-in-flight")
                assert answer.headers["retry-after"] == "1"

    def test_a_refusal_frees_the_key(self, bench: Bench) -> None:
        the_problem(bench.ask("POST", "/refusing?kind=told", headers=self.KEY), 409, "conflict")
        the_problem(bench.ask("POST", "/boxes", json={"label": "", "size": 1}, headers=self.KEY), 422, "invalid")
        assert bench.ask("POST", "/boxes", json={"label": "a", "size": 1}, headers=self.KEY).status_code == 201

    @pytest.mark.parametrize(
        ("kind", "again"), [("busy", "busy"), ("down", "idempotency-in-flight"), ("untold", "idempotency-in-flight")]
    )
    def test_only_what_certainly_did_nothing_frees_the_key(self, bench: Bench, kind: str, again: str) -> None:
        first, second = (bench.ask("POST", f"/refusing?kind={kind}", headers=self.KEY) for _ in range(2))
        assert first.status_code in (500, 503)
        assert second.json()["type"] == f"/problems/{again}"
        assert "postgresql" not in first.text + second.text

    @pytest.mark.parametrize(("when", "call"), [("die_after", "begin"), ("die_before", "finish")])
    def test_after_a_crash_the_work_is_never_done_again(self, bench: Bench, when: str, call: str) -> None:
        setattr(bench.world.keys, when, call)
        sent: dict[str, Any] = {"json": {"label": "a", "size": 1}, "headers": self.KEY}
        the_problem(bench.ask("POST", "/boxes", **sent), 500, "defect")
        setattr(bench.world.keys, when, "")
        done = list(bench.done)
        the_problem(bench.ask("POST", "/boxes", **sent), 409, "idempotency-in-flight")
        bench.world.clock.pass_(minutes=3)
        the_problem(bench.ask("POST", "/boxes", **sent), 409, "idempotency-outcome-unknown")
        assert bench.done == done

    def test_a_crash_after_the_answer_was_kept_gives_it_again(self, bench: Bench) -> None:
        bench.world.keys.die_after = "finish"
        sent: dict[str, Any] = {"json": {"label": "a", "size": 1}, "headers": self.KEY}
        the_problem(bench.ask("POST", "/boxes", **sent), 500, "defect")
        assert bench.ask("POST", "/boxes", **sent).json() == {"label": "a", "size": 1}
        assert bench.done == ["a"]

    def test_secrets_are_not_kept(self, bench: Bench) -> None:
        assert "shown_once" in bench.ask("POST", "/secrets", headers=self.KEY).text
        assert bench.ask("POST", "/secrets", headers=self.KEY).json() == {"secret": None}
        assert "shown_once" not in repr(bench.world.keys.kept)

    @pytest.mark.parametrize("key", ["", "short", "with space in it", "x" * 129])
    def test_what_is_no_key_is_refused(self, bench: Bench, key: str) -> None:
        the_problem(
            bench.ask("POST", "/boxes", json={"label": "a", "size": 1}, headers={"Idempotency-Key": key}), 400, "malformed"
        )
        assert not bench.done


class TestLimits:
    def test_a_caller_that_asks_too_often_waits_as_long_as_it_is_told(self) -> None:
        bench = Bench(per_caller=Rate(1, 2))
        assert [bench.ask("GET", "/boxes").status_code for _ in range(3)] == [200, 200, 429]
        other = bench.world.callers.token(everywhere(Role.OPERATOR))
        assert ask(bench.app, "GET", "/boxes", other).status_code == 200
        bench.world.clock.pass_(seconds=int(bench.ask("GET", "/boxes").headers["retry-after"]))
        assert bench.ask("GET", "/boxes").status_code == 200

    def test_wrong_credentials_exhaust_their_address_and_no_other(self) -> None:
        bench = Bench(per_address=Rate(1, 50))
        answers = [ask(bench.app, "GET", "/boxes", "tenure_wrong").status_code for _ in range(6)]
        assert answers[0] == 401
        assert answers[-1] == 429
        elsewhere = asking(bench.app, bench.token, lambda calls: calls.get("/boxes"), client=("192.0.2.7", 1))
        assert elsewhere.status_code == 200

    def test_a_body_too_large_is_refused_declared_or_not(self) -> None:
        bench = Bench(sizes=Sizes(body=100))

        async def chunks() -> Any:
            for _ in range(20):
                yield b" " * 10

        the_problem(bench.ask("POST", "/boxes", content=b" " * 101), 413, "too-large")
        the_problem(bench.ask("POST", "/boxes", content=chunks()), 413, "too-large")
        assert bench.ask("POST", "/boxes", json={"label": "a", "size": 1}).status_code == 201

    def test_headers_and_addresses_have_an_end(self) -> None:
        bench = Bench(sizes=Sizes(headers=20, header_bytes=1000, target=100))
        the_problem(bench.ask("GET", "/boxes", headers={f"x-{n}": "" for n in range(20)}), 431, "headers-too-large")
        the_problem(bench.ask("GET", "/boxes", headers={"x": "y" * 1000}), 431, "headers-too-large")
        the_problem(bench.ask("GET", "/boxes?q=" + "y" * 100), 414, "uri-too-long")
        assert bench.ask("GET", "/boxes").status_code == 200


class TestTrail:
    def test_every_answer_says_that_nothing_may_be_done_with_it(self, bench: Bench) -> None:
        for answer in (bench.ask("GET", "/boxes"), bench.ask("GET", "/nowhere"), bench.ask("POST", "/refusing?kind=defect")):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "strict-transport-security" not in answer.headers

    def test_over_tls_browsers_are_told_to_stay_there(self, bench: Bench) -> None:
        assert "max-age" in bench.ask("GET", "https://tenure.test/open").headers["strict-transport-security"]

    def test_one_line_for_each_request_with_the_template_of_its_route(self, bench: Bench) -> None:
        answer = bench.ask("GET", "/boxes?token=abcdefgh")
        (line,) = bench.world.lines()
        assert line["event"] == "request"
        assert (line["method"], line["route"], line["status"]) == ("GET", "/boxes", 200)
        assert line["request_id"] == answer.headers["x-request-id"]
        assert line["caller"].startswith("token:")

    def test_no_secret_comes_into_the_log(self, bench: Bench) -> None:
        bench.ask("GET", f"/nowhere/{bench.token}?secret={bench.token}", headers={"X-Api-Key": bench.token})
        bench.ask("POST", "/boxes", json={"label": bench.token, "size": bench.token})
        bench.ask("POST", "/refusing?kind=defect", headers={"Idempotency-Key": bench.token})
        bench.frame.log.error("direct", password="hunter2", nested={"authorization": f"Bearer {bench.token}"}, text=LEAK)
        logged = bench.world.log.getvalue()
        assert bench.token not in logged
        assert bench.token[-43:] not in logged
        assert "hunter2" not in logged
        assert REDACTED in logged

    def test_figures_are_the_apps_own_and_grow_by_routes_not_by_paths(self) -> None:
        first, second = Bench(), Bench()
        for number in range(5):
            first.ask("GET", f"/nowhere/{number}")
            first.ask("BREW", "/boxes")
        shown = first.frame.metrics.exposition().decode()
        assert 'tenure_http_responses_total{method="GET",route="(none)",status="404"} 5.0' in shown
        assert 'method="other"' in shown
        assert "BREW" not in shown
        assert "404" not in second.frame.metrics.exposition().decode()


class TestServer:
    def framed(self, world: World, **changed: Any) -> FastAPI:
        access: Access = {
            ("GET", path): Open.PUBLIC for path in ("/healthz", "/readyz", "/problems/{slug}", "/api/v1/openapi.json")
        }
        return framed(world.frame(**changed), [server.router], {**access, ("GET", "/metrics"): Permission.READ_METRICS})

    def test_ready_gives_reasons_and_waits_for_no_check_that_hangs(self) -> None:
        from threading import Event

        from tenure.api.health import Readiness

        held = Event()
        checks = {
            "ledger": lambda: "12 s behind",
            "database": lambda: str(1 // 0),
            "disk": lambda: "",
            "queue": lambda: "late" if held.wait(5) else "",
        }
        app = self.framed(World(), readiness=Readiness(checks, patience=0.1))

        async def talk(calls: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
            first = await calls.get("/readyz")
            held.set()
            await asyncio.sleep(0.05)
            return first, await calls.get("/readyz")

        first, second = asking(app, "", talk)
        assert first.status_code == 503
        assert first.json()["reasons"] == {
            "ledger": "12 s behind",
            "database": "failed: ZeroDivisionError",
            "queue": "no answer within 0.1 s",
        }
        assert second.json()["reasons"]["queue"] == "late"
        assert ask(app, "GET", "/healthz").json() == {"status": "alive"}

    def test_ready_when_nothing_is_wrong(self) -> None:
        assert ask(self.framed(World()), "GET", "/readyz").json() == {"status": "ready", "reasons": {}}

    def test_types_of_problems_are_pages(self) -> None:
        app = self.framed(World())
        assert "If-Match" in ask(app, "GET", "/problems/precondition-required").text
        the_problem(ask(app, "GET", "/problems/none-such"), 404, "not-found")

    def test_figures_are_for_those_who_watch_everything(self) -> None:
        world = World()
        app = self.framed(world)
        the_problem(ask(app, "GET", "/metrics", world.callers.token(everywhere(Role.VIEWER))), 403, "forbidden")
        assert "tenure_http_requests_under_way" in ask(app, "GET", "/metrics", world.callers.token(everywhere(Role.AUDITOR))).text

    def test_the_description_is_openapi_3_1_and_names_the_problems(self) -> None:
        document = ask(self.framed(World()), "GET", "/api/v1/openapi.json").json()
        assert document["openapi"].startswith("3.1")
        assert document["paths"]["/metrics"]["get"]["security"] == [{"token": []}, {"certificate": []}]
        assert document["paths"]["/healthz"]["get"]["security"] == []
        assert "application/problem+json" in document["paths"]["/metrics"]["get"]["responses"]["403"]["content"]


def test_the_nearest_ancestor_in_the_table_names_the_kind() -> None:
    from tenure.api.faults import kind_of
    from tenure.api.problem import DEFECT, INVALID

    assert kind_of(SourceError("x"), {}) is DEFECT
    assert kind_of(SourceError("x"), {TenureError: CONFLICT, SourceError: INVALID}) is INVALID
    assert kind_of(SourceError("x"), {TenureError: CONFLICT}) is CONFLICT
