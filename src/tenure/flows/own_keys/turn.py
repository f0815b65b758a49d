"""How one of Tenure's own keys follows another: the first, the next, and the end of an old one. Each is an event.

1. Alone in the folder. A key that a rotation left half done is taken up, else a new one is written: pre-active, nobody uses it.
2. One event for the purpose: the digest of the key before and of the new one. Only who has the key that the registry knows as
   the last one may go on from it, so that of two machines with folders of their own one is told to copy. The public part
   is shipped with the event: who trusts the key before finds the next one named in a ledger that the one before signed.
3. The new key is active: who starts from now on makes new things with it.
4. The old one is deactivated: it checks what it made. A key of the ledger stays active instead and signs beside the new one,
   so that no verifier is left behind, until ``end``.

Dead after 1: nothing happened, the next rotation takes the key up. Dead after 2: as well, and the event is not written again.
Dead after 3: two are active, the newer one is the current one; the next rotation does step 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.flows.own_keys.folder import KeyFolder
from tenure.flows.own_keys.sealing import OwnKeyError
from tenure.model.access import Actor, ActorKind
from tenure.model.credentials import KeyState
from tenure.model.events import Cause
from tenure.model.own_keys import KIND, OwnKey, Purpose, current, of_purpose
from tenure.registry import event_lists
from tenure.registry.keys import hold_keys
from tenure.registry.registry import Registry
from tenure.registry.work import Work

FIRST = Actor(ActorKind.SYSTEM, "first-start")
MAKE, ROTATE, END = "make-key", "rotate-key", "end-key"
SECRET_BYTES = 32
_ID_BYTES = 8
_LOCK = b"own keys".ljust(32)


@dataclass(frozen=True, slots=True)
class Custody:
    """Where the keys lie, and the registry that knows of them."""

    registry: Registry
    folder: KeyFolder


def at_work(custody: Custody, purpose: Purpose, name: Callable[[], str] = str) -> tuple[OwnKey, ...]:
    """The keys of a purpose that still count, the current one first; the very first is made here. ``name`` is for that one.

    Raises OwnKeyError: the folder cannot be used, or holds no key while the registry knows one.
    """
    if current(custody.folder.listed(), purpose) is None:
        with custody.folder.alone():
            if current(custody.folder.listed(), purpose) is None:  # another process was quicker
                _turn(custody, FIRST, purpose, name, "first start", lost=False)
    keys = of_purpose(custody.folder.listed(), purpose)
    first = current(keys, purpose)
    assert first is not None
    return (first, *(key for key in keys if key.trusted and key is not first))


def rotate(custody: Custody, actor: Actor, purpose: Purpose, reason: str) -> OwnKey:
    """The new key. Raises OwnKeyError."""
    with custody.folder.alone():
        known = of_purpose(custody.folder.listed(), purpose)
        return _turn(custody, actor, purpose, lambda: known[0].name if known else "", reason, lost=False)


def begin_anew(custody: Custody, actor: Actor, purpose: Purpose, reason: str, known: Sequence[tuple[str, bytes]] = ()) -> OwnKey:
    """A new line, as the key before is gone from every copy. ``known``: names and public parts by which the ledger was known,
    from a place that is trusted; without one nobody could check what it signed. Raises OwnKeyError."""
    with custody.folder.alone():
        keys = of_purpose(custody.folder.listed(), purpose)
        if (old := current(keys, purpose)) is not None:
            raise OwnKeyError(f"the {purpose} key {old.id} is here", "rotate it without saying that it is lost")
        now, entropy = custody.registry.world.now, custody.registry.world.entropy
        told = [
            OwnKey(purpose, entropy(_ID_BYTES).hex(), now(), public, name, KeyState.DEACTIVATED, now()) for name, public in known
        ]
        past = [*told, *(key for key in keys if key.trusted)]
        if purpose is Purpose.LEDGER and not past:
            raise OwnKeyError("nobody could check what the lost key signed", "give its public part: --known LINE")
        for key in told:
            custody.folder.add(key, None)
        return _turn(custody, actor, purpose, lambda: past[0].name if past else "", reason, lost=True)


def _turn(custody: Custody, actor: Actor, purpose: Purpose, name: Callable[[], str], reason: str, *, lost: bool) -> OwnKey:
    folder = custody.folder
    keys = of_purpose(folder.listed(), purpose)
    old = current(keys, purpose)
    new = next((key for key in keys if key.state is KeyState.PRE_ACTIVE), None) or _written(custody, purpose, name())  # 1
    try:
        with custody.registry.change(actor) as work:
            _note(work, old, new, reason, lost=lost)  # 2
    except OwnKeyError:
        folder.remove(new)  # nobody knows it, and it must not be taken up once the right folder is here
        raise
    active = replace(new, state=KeyState.ACTIVE)
    folder.restate(active)  # 3
    for before in keys:
        if before.state is KeyState.ACTIVE and purpose is not Purpose.LEDGER:
            folder.restate(replace(before, state=KeyState.DEACTIVATED, ended_at=custody.registry.world.now()))  # 4
    return active


def _written(custody: Custody, purpose: Purpose, name: str) -> OwnKey:
    world = custody.registry.world
    secret, public = world.entropy(SECRET_BYTES), None
    if purpose.signs:
        public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    key = OwnKey(purpose, world.entropy(_ID_BYTES).hex(), world.now(), public, name)
    custody.folder.add(key, secret)
    return key


def _note(work: Work, old: OwnKey | None, new: OwnKey, reason: str, *, lost: bool) -> None:
    """Step 2. Raises OwnKeyError when the registry goes on from another key than the one that lies here."""
    hold_keys(work, [_LOCK])
    told = event_lists.page(work, new.purpose.value, limit=1).items
    last = told[0].event.after if told else None
    if last == new.digest:
        return  # we died after it
    if last is not None and not lost and (old is None or old.digest != last):
        raise OwnKeyError(
            f"the registry knows a {new.purpose} key that does not lie in this folder",
            f"copy the folder from the machine that has it; if no copy is left: tenure keys rotate {new.purpose} --lost",
        )
    cause = Cause(ROTATE if last else MAKE, reason)
    work.note(cause, KIND, new.purpose.value, last, new.digest, ((KIND, new.record),))


def end(
    custody: Custody,
    actor: Actor,
    id: str,
    reason: str,
    *,
    compromised: bool = False,
    needed: Callable[[OwnKey], str] = lambda _key: "",
) -> OwnKey:
    """An old key makes, signs and checks nothing any more; a key of the ledger only signs no more, unless it is compromised: what
    it signed before is checked by it for ever. ``needed`` says in words what still rests on it. Raises OwnKeyError."""
    with custody.folder.alone():
        keys = custody.folder.listed()
        key = next((key for key in keys if key.id == id), None)
        if key is None:
            raise OwnKeyError(f"no key {id} lies here", "tenure keys list shows them")
        if key == current(keys, key.purpose) or key.state is KeyState.PRE_ACTIVE:
            raise OwnKeyError(f"{id} is the {key.purpose} key in use", f"tenure keys rotate {key.purpose} first")
        after = replace(key, state=_ended(key, compromised), ended_at=key.ended_at or custody.registry.world.now())
        if after.state is key.state:
            return key
        heeded = key.purpose is Purpose.LEDGER or not compromised  # without a checkpoint that opens, nothing would work at all
        if heeded and (why := needed(key)):
            raise OwnKeyError(why, "docs/keys.md says what ends in which order")
        with custody.registry.change(actor) as work:
            verb = "compromise-key" if after.state is KeyState.COMPROMISED else END
            work.note(Cause(verb, reason), KIND, id, key.digest, key.digest if after.trusted else None)
        custody.folder.restate(after)
        return after


def _ended(key: OwnKey, compromised: bool) -> KeyState:
    if compromised or key.state is KeyState.COMPROMISED:
        return KeyState.COMPROMISED
    return KeyState.DEACTIVATED if key.purpose is Purpose.LEDGER else KeyState.DESTROYED
