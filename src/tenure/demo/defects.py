"""The defects that were put into the example fleet: how each was made, and all findings that follow from it.

What the audit reports is exactly what stands here. Times are days before the as-of time.
"""

from __future__ import annotations

from tenure.demo.authority import SELF
from tenure.demo.cases import Case, Find, role
from tenure.demo.fleet import ALWAYS, NEVER, Certificate, Token, Visit

COPIED = "198.51.100.77"
"""An address from which something connects that should be elsewhere."""

DEFECTS: tuple[Case, ...] = (
    Case(
        "scrapped-gateway",
        "retired in the CMDB, its certificate never revoked",
        (role("gateway", state="Retired", left=48, certificates=(Certificate(210, used=((180, 50),)),)),),
        (Find("retired-device-still-trusted", "device"),),
    ),
    Case(
        "stolen-thermostat",
        "stolen; its certificate is still ACTIVE in the cloud",
        (role("thermostat", state="Stolen", left=35, certificates=(Certificate(160, 365, used=((160, 37),)),)),),
        (Find("retired-device-still-trusted", "device"), Find("conflicting-state", "device")),
    ),
    Case(
        "scrapped-controller",
        "retired; its API token was not deleted",
        (role("controller", state="Retired", left=70, tokens=(Token(300, -120, 74),), logs_in=((180, 72),)),),
        (Find("retired-device-still-trusted", "device"),),
    ),
    Case(
        "returned-controller",
        "retired and its token revoked, but its name and password still open the broker",
        (role("controller", state="Retired", left=30, tokens=(Token(300, -120, 33, revoked=30),), logs_in=ALWAYS),),
        (Find("retired-device-still-connecting", "device"),),
    ),
    Case(
        "revoked-gateway",
        "its certificate is on the CRL since three weeks, and the broker still lets it in",
        (role("gateway", certificates=(Certificate(150, used=ALWAYS, revoked=21, reason="keyCompromise"),)),),
        (Find("revoked-credential-still-accepted", "certificate", "current"),),
    ),
    Case(
        "expired-gateway",
        "its certificate ended 16 days ago, and the broker still lets it in",
        (role("gateway", certificates=(Certificate(413),)),),
        (Find("expired-credential-still-accepted", "certificate", "current"), Find("certificate-expired", "device")),
    ),
    Case(
        "lapsed-gateway",
        "its certificate ended 40 days ago; it has not connected since",
        (role("gateway", certificates=(Certificate(437, used=((180, 41),)),)),),
        (Find("certificate-expired", "device"),),
    ),
    Case(
        "late-token",
        "a token that ended 25 days ago was used three days ago",
        (role("controller", tokens=(Token(390, 25, 3, "old"), Token(60, -305))),),
        (Find("expired-credential-still-accepted", "token", "old"),),
    ),
    Case(
        "ending-gateway",
        "its only certificate ends in 12 days",
        (role("gateway", certificates=(Certificate(385),)),),
        (Find("certificate-expires-soon", "device"),),
    ),
    Case(
        "ending-thermostat",
        "10 of the 60 days of its certificate are left",
        (role("thermostat", certificates=(Certificate(50, 60),)),),
        (Find("certificate-expires-soon", "device"),),
    ),
    Case(
        "long-lived-gateway",
        "it can renew online and has a certificate for three years",
        (role("gateway", certificates=(Certificate(300, 1095),)),),
        (Find("certificate-lifetime-too-long", "certificate", "current"),),
    ),
    Case(
        "spare-certificate",
        "issued for a gateway that stands in no inventory and never connected",
        (role("gateway", registered=False, certificates=(Certificate(130, used=NEVER),)),),
        (Find("orphaned-credential", "certificate", "current"),),
    ),
    Case(
        "bare-controller",
        "in operation, without any credential in any source",
        (role("controller", tokens=(), logs_in=NEVER, ssh_key=""),),
        (Find("device-without-credential", "device"),),
    ),
    Case(
        "silent-gateway",
        "its certificate is good and was last used 117 days ago",
        (role("gateway", certificates=(Certificate(250, used=((180, 117),)),)),),
        (Find("stale-identity", "certificate", "current"),),
    ),
    Case(
        "renewed-gateway",
        "it renewed 72 days ago; the older certificate was never revoked",
        (role("gateway", certificates=(Certificate(300, used=((180, 72),), label="old"), Certificate(72, key="new"))),),
        (Find("superseded-credential-still-valid", "certificate", "old"),),
    ),
    Case(
        "sold-gateway",
        "it changed owner 61 days ago and kept its certificate",
        (role("gateway", owner_changed=61, owner="Harbour Services", certificates=(Certificate(240),), birth=True),),
        (Find("ownership-changed-without-rekey", "device"),),
    ),
    Case(
        "sold-thermostat",
        "it changed owner 90 days ago and renewed since, with the old key",
        (
            role(
                "thermostat", owner_changed=90, owner="Harbour Services",
                certificates=(
                    Certificate(300, 365, used=((180, 40),), label="old", revoked=38, status="INACTIVE"), Certificate(40, 365),
                ),
            ),
        ),
        (Find("ownership-changed-without-rekey", "device"),),
    ),
    Case(
        "cloned-image",
        "two thermostats were set up from one image: one key, a certificate each",
        (
            role("thermostat", certificates=(Certificate(110, 365, key="shared image"),)),
            role("thermostat", certificates=(Certificate(104, 365, key="shared image"),)),
        ),
        (Find("key-shared-across-devices", "holders"),),
    ),
    Case(
        "cloned-host-key",
        "two controllers show the same SSH host key",
        (role("controller", ssh_key="shared disk"), role("controller", ssh_key="shared disk")),
        (Find("key-shared-across-devices", "holders"),),
    ),
    Case(
        "shared-token",
        "one API token was given to two controllers",
        (
            role("controller", tokens=(Token(120, -245, shared="plant"),)),
            role("controller", tokens=(Token(119, -246, shared="plant"),)),
        ),
        (Find("key-shared-across-devices", "holders"),),
    ),
    Case(
        "copied-thermostat",
        "its certificate was used from two addresses at once for five hours",
        (
            role(
                "thermostat",
                certificates=(Certificate(140, 365, used=((140, 24), (17, 0))),),
                visits=(
                    Visit(20, 900, "current"),
                    Visit(19.9, 300, "current", address=COPIED, client="copy"),
                ),
            ),
        ),
        (Find("credential-shared-in-use", "certificate", "current"),),
    ),
    Case(
        "one-configuration",
        "two controllers call themselves the same and throw each other out",
        (
            role("controller", visits=tuple(Visit(9 - 4 * turn / 1440, 600) for turn in range(4))),
            role("controller", same=("client",), logs_in=NEVER,
                  visits=tuple(Visit(9 - (4 * turn + 2) / 1440, 600) for turn in range(4))),
        ),
        (Find("client-id-conflict", "client"),),
    ),
    Case(
        "twice-recorded",
        "two records of one camera, in different notations",
        (role("camera", records=2),),
        (Find("duplicate-device-record", "device"),),
    ),
    Case(
        "filler-serial",
        "the maker left a filler in place of the serial of three sensors",
        tuple(role("sensor", serial="To Be Filled By O.E.M.") for _ in range(3)),
        (Find("non-identifying-identifier", "identifier", "TOBEFILLEDBYO.E.M."),),
    ),
    Case(
        "weak-key",
        "a certificate with an RSA key of 1024 bits",
        (role("gateway", certificates=(Certificate(280, rsa1024=True),)),),
        (Find("weak-key", "certificate", "current"),),
    ),
    Case(
        "weak-signature",
        "a certificate signed with SHA-1",
        (role("camera", certificates=(Certificate(380, 1095, sha1=True),)),),
        (Find("weak-signature", "certificate", "current"),),
    ),
    Case(
        "test-issuer",
        "a certificate of the test CA, registered in the cloud and in use",
        (role("thermostat", certificates=(Certificate(90, 365, authority="bench"),)),),
        (Find("debug-or-test-issuer", "certificate", "current"),),
    ),
    Case(
        "early-certificate",
        "beside the one in use it has a certificate that begins in six days",
        (role("gateway", certificates=(Certificate(200), Certificate(-6, used=NEVER, label="next", key="next"))),),
        (Find("not-yet-valid", "certificate", "next"),),
    ),
    Case(
        "endless-certificate",
        "an operational certificate that ends in 9999",
        (role("camera", certificates=(Certificate(330, endless=True),)),),
        (Find("no-expiry-date", "certificate", "current"),),
    ),
    Case(
        "endless-token",
        "an API token without an end, and one that ends in 2099",
        (role("controller", tokens=(Token(280, None),)), role("controller", tokens=(Token(270, None, never=True),))),
        (Find("secret-without-expiry", "token", "current"), Find("secret-without-expiry", "token", "current", 1)),
    ),
    Case(
        "weak-member",
        "a controller with a token without end, in the trust domain of gateways whose keys a TPM keeps",
        (role("controller", domain="grid", tokens=(Token(240, None),)),),
        (Find("mixed-assurance-domain", "domain", "grid"), Find("secret-without-expiry", "token", "current")),
    ),
    Case(
        "unregistered-gateway",
        "it connects with a certificate of our CA and stands in no inventory",
        (role("gateway", registered=False, certificates=(Certificate(120),)),),
        (Find("hidden-device", "client"),),
    ),
    Case(
        "unregistered-client",
        "something connects with a client id that nobody knows, and no user name",
        (role("controller", registered=False, tokens=(), ssh_key="", logs_in=((44, 0),), anonymous=True, client="esp-4f21aa"),),
        (Find("hidden-device", "client"),),
    ),
    Case(
        "never-installed",
        "on record as active for 60 days at a watched place, and never seen",
        (role("gateway", installed=60, discovered=False, certificates=(Certificate(55, used=NEVER),)),),
        (Find("unseen-device", "device"),),
    ),
    Case(
        "unrecorded-certificate",
        "signed with the key of the Operations CA, not in its index; carved out of a backup of the gateway's flash",
        (role("gateway", certificates=(Certificate(95, listed=False),)),),
        (Find("unissued-certificate", "certificate", "current"),),
    ),
    Case(
        "self-signed-camera",
        "it shows the broker a certificate that it signed itself",
        (role("camera", certificates=(Certificate(170, 3650, authority=SELF, listed=False),)),),
        (Find("unknown-issuer", "certificate", "current"),),
    ),
    Case(
        "ownerless-sensor",
        "in operation, without an accountable owner",
        (role("sensor", owner=""),),
        (Find("unowned-device", "device"),),
    ),
    Case(
        "half-revoked",
        "revoked at the Cloud CA 33 days ago after its renewal, still ACTIVE in the cloud",
        (
            role(
                "thermostat",
                certificates=(
                    Certificate(250, 365, used=((180, 36),), label="old", revoked=33), Certificate(36, 365, key="new"),
                ),
            ),
        ),
        (Find("conflicting-state", "device"),),
    ),
    Case(
        "ca-on-device",
        "a thermostat holds the certificate and key of the Harbour Site CA",
        (role("thermostat", holds=("site",)),),
        (Find("anchor-key-on-device", "holders"),),
    ),
    Case(
        "wide-policy",
        "a policy that lets its holder publish and subscribe to every topic",
        (role("thermostat", certificates=(Certificate(130, 365, policies=("FleetTopicsPolicy",)),)),),
        (Find("wildcard-privilege", "policy", "FleetTopicsPolicy"),),
    ),
    Case(
        "outlived-anchor",
        "a camera's certificate is good for longer than the Video CA",
        (role("camera", certificates=(Certificate(100, 1700),)),),
        (Find("anchor-expires-before-leaf", "authority", "video"),),
    ),
    Case(
        "ending-anchor",
        "the root of the meters ends in 150 days; what it issues names no CRL",
        finds=(
            Find("anchor-expires-soon", "authority", "metering"), Find("no-revocation-path", "authority", "metering"),
        ),
    ),
    Case(
        "old-anchor",
        "the first generation of our root is still in a firmware's bundle",
        finds=(Find("retired-anchor-still-trusted", "authority", "root-g1"),),
    ),
    Case(
        "idle-anchor",
        "the broker trusts a partner's root under which nothing was seen",
        finds=(Find("unused-anchor", "authority", "partner"),),
    ),
    Case(
        "old-export",
        "the list of pre-shared keys is 75 days old",
        finds=(Find("stale-source", "file", "secrets/psk-identities.csv"),),
    ),
)  # fmt: skip
