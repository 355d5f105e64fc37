# SPDX-License-Identifier: ISC
"""What an issuer says of itself, against what its endpoints do: every URL, grant, proof and algorithm that is
named works, and what is not named does not."""

import base64
import json
import time
import uuid

import pytest
import requests
from authlib.jose import JsonWebKey, JsonWebSignature, JsonWebToken, OctKey

from conftest import PASSWORD
from lab import machine, servers
from test_clients_node import PATHS
from test_code import CHALLENGE

ISSUER = "https://login.example/auth"
METADATA = "/.well-known/oauth-authorization-server/auth"
OPENID = "/auth/.well-known/openid-configuration"
SMART = "/auth/.well-known/smart-configuration"
SMART_PATH = r"/auth/\.well-known/smart-configuration"
REALM = f"[realm /oauth/token]\ndialect = oauth\nissuer = {ISSUER}\n"
OTHERS = f"[realm /oauth2/token]\ndialect = koppeltaal\nissuer = {ISSUER}/\n"
REALMS = {
    "usual": REALM,
    "grants": REALM + "grants = refresh password client\nalgorithm = ES256\n",
    "login": REALM + "remote-user = known\npath.token = /token\n",
    "few": REALM + "base = /v1\npath.revoke = off\nremote-user = known\npath.authorize = off\n",
    "secret": REALM + "algorithm = HS256\ngrants = refresh\n",
}
GRANTS = {"refresh_token": {"refresh_token": "none"}, "authorization_code": {"code": "none", "code_verifier": "x" * 43},
          "password": {"username": "ada", "password": PASSWORD}, "client_credentials": {},
          "urn:ietf:params:oauth:grant-type:device_code": {"device_code": "none"}}
ENDPOINTS = {"authorization_endpoint": "/oauth/authorize", "token_endpoint": "/oauth/token",
             "revocation_endpoint": "/oauth/revoke", "introspection_endpoint": "/oauth/introspect",
             "device_authorization_endpoint": "/oauth/device_authorization", "jwks_uri": "/.well-known/jwks.json"}
KEYS = {"RS256": ["RSA"], "RS384": ["RSA"], "RS512": ["RSA"], "PS256": ["RSA"],
        "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ES384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "ES512": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "EdDSA": ["ED25519"]}
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TIMEOUT = 30


class Site:
    """A server, and what its issuer says. Its URLs are on the issuer's host; here is where they lead."""

    def __init__(self, world, server, path=METADATA):
        self.world, self.server = world, server
        answer = requests.get(server.url + path, timeout=TIMEOUT)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        self.said = answer.json()

    def here(self, name):
        url = self.said[name]
        assert url.startswith("https://login.example/")
        return self.server.url + url.removeprefix("https://login.example")

    def post(self, name, fields, **more):
        return requests.post(self.here(name), data=fields, timeout=TIMEOUT, allow_redirects=False, **more)


@pytest.fixture(params=REALMS)
def site(request, small_world):
    world = small_world(REALMS[request.param])
    world.installed.retoken("client", "set", "web", "--redirect-uri", "http://127.0.0.1/done")
    paths = [*PATHS, "/v1/oauth/[a-z_]+", "/token"]
    server = world.serve("lighttpd", paths=paths, passwords=world.passwords("ada"))
    return Site(world, server)


def test_endpoints_that_are_named_are_there_and_no_others(site):
    assert site.said["issuer"] == ISSUER
    base = "/v1" if "/v1/" in site.said["token_endpoint"] else ""
    for name, path in ENDPOINTS.items():
        if name not in site.said:
            answer = requests.post(site.server.url + base + path, auth=("ada", PASSWORD), timeout=TIMEOUT)
            assert answer.status_code == 404 or name == "jwks_uri", name
            continue
        answer = requests.get(site.here(name), timeout=TIMEOUT, allow_redirects=False)
        if name == "authorization_endpoint":  # it asks who the user is first
            assert answer.status_code == 401 and "Basic" in answer.headers["WWW-Authenticate"]
        else:
            assert answer.status_code == (200 if name == "jwks_uri" else 405), name
    assert ("jwks_uri" in site.said) == ("HS256" not in site.world.installed.settings())
    assert site.said["response_types_supported"] == (["code"] if "authorization_endpoint" in site.said else [])


def test_grants_that_are_named_are_taken_and_no_others(site):
    """A grant that the realm has not is unauthorized; of one that it has, something else is wrong."""
    named = site.said["grant_types_supported"]
    site.world.installed.retoken("client", "set", "web", *(word for grant in (
        "refresh", "password", "client", "code", "device") for word in ("--grant", grant)))
    for grant, fields in GRANTS.items():
        answer = site.post("token_endpoint", {"grant_type": grant, **fields}, auth=("web", site.world.secrets["web"]))
        assert answer.status_code in (200, 400)
        if grant in named:
            assert answer.json().get("error", "invalid_grant") == "invalid_grant", grant
        elif grant in ("authorization_code", "urn:ietf:params:oauth:grant-type:device_code"):
            assert answer.json()["error"] in ("invalid_grant", "unauthorized_client"), grant
        else:
            assert answer.json()["error"] == "unauthorized_client", grant
    answer = site.post("token_endpoint", {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x"})
    assert answer.json()["error"] == "unsupported_grant_type"


def pem_of(words):
    return machine.run(["openssl", "genpkey", "-algorithm", *words]).stdout


def assertion(client, algorithm, pem):
    now = int(time.time())
    signed = JsonWebToken([algorithm]).encode({"alg": algorithm}, {
        "iss": client, "sub": client, "aud": ISSUER, "jti": str(uuid.uuid4()), "iat": now, "exp": now + 60}, pem)
    return {"client_assertion": signed.decode(), "client_assertion_type": BEARER}


@pytest.mark.parametrize("site", ["login"], indirect=True)
def test_proofs_that_are_named_are_taken_and_no_others(site):
    """At each endpoint every method, and for assertions every algorithm; what is wrong then is the token."""
    secret = site.world.secrets["web"]
    pems = {words[-1]: pem_of(words) for words in KEYS.values()}
    for algorithm, words in KEYS.items():
        public = machine.run(["openssl", "pkey", "-pubout"], stdin=pems[words[-1]]).stdout
        site.world.installed.retoken("client", "add", algorithm, "--key", "-", "--algorithm", algorithm, stdin=public)
    proofs = {"client_secret_basic": {"auth": ("web", secret)},
              "client_secret_post": {"fields": {"client_id": "web", "client_secret": secret}},
              "none": {"fields": {"client_id": "phone"}},
              "client_secret_jwt": {"fields": assertion("web", "HS256", secret)}}
    right = {"token": (400, "invalid_grant"), "revocation": (200, None), "introspection": (200, None)}
    for endpoint, granted in right.items():
        methods = site.said[f"{endpoint}_endpoint_auth_methods_supported"]
        algorithms = site.said[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert set(methods) <= {*proofs, "private_key_jwt"} and set(algorithms) == set(KEYS)

        def outcome(proof):
            fields = {"grant_type": "refresh_token", "refresh_token": "none", "token": "none", **proof.get("fields", {})}
            answer = site.post(f"{endpoint}_endpoint", fields, auth=proof.get("auth"))
            found = json.loads(answer.content or b"{}")
            return answer.status_code, found.get("error")

        for method, proof in proofs.items():
            expected = granted if method in methods else (401, "invalid_client")
            assert outcome(proof) == expected, (endpoint, method)
        for algorithm in KEYS:
            proof = {"fields": assertion(algorithm, algorithm, pems[KEYS[algorithm][-1]])}
            assert outcome(proof) == granted, (endpoint, algorithm)


@pytest.mark.parametrize("site", ["login"], indirect=True)
def test_tokens_are_of_the_issuer_and_its_keys(site):
    login = site.world.installed.login("/token", "ada", PASSWORD, "web", site.world.secrets["web"])
    answer = site.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": login.refresh_token},
                       auth=("web", site.world.secrets["web"]))
    assert answer.status_code == 200
    keys = requests.get(site.here("jwks_uri"), timeout=TIMEOUT).json()
    claims = JsonWebToken(["RS256"]).decode(answer.json()["access_token"], keys)
    assert claims["iss"] == ISSUER
    asked = {"response_type": "code", "client_id": "web", "redirect_uri": "http://127.0.0.1/done",
             "code_challenge": CHALLENGE}

    def authorize(method):
        answer = requests.get(site.here("authorization_endpoint"), params={**asked, "code_challenge_method": method},
                              auth=("ada", PASSWORD), timeout=TIMEOUT, allow_redirects=False)
        assert answer.status_code == 303
        return answer.headers["Location"]

    assert site.said["code_challenge_methods_supported"] == ["S256"]
    assert "code=" in authorize("S256") and "error=invalid_request" in authorize("plain")
    assert site.said["authorization_response_iss_parameter_supported"] and "iss=" in authorize("S256")


SIZES = {"P-256": 32, "P-384": 48, "P-521": 66}


def padded(number, size):
    data = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4)).rjust(size, b"\0")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("site", ["usual"], indirect=True)
def test_keys_that_are_named_are_taken_and_no_others(site):
    """DPoP proofs of each algorithm (RFC 9449); what is wrong then is the token."""
    def error(algorithm, key):
        public = key.as_dict(is_private=False) if algorithm != "HS256" else {}
        if public.get("crv") in SIZES:  # authlib leaves leading zeros out, which RFC 7518 section 6.2.1.2 forbids
            public.update({name: padded(public[name], SIZES[public["crv"]]) for name in "xy"})
        proof = JsonWebSignature([algorithm]).serialize_compact(
            {"typ": "dpop+jwt", "alg": algorithm, "jwk": public}, json.dumps(
                {"jti": str(uuid.uuid4()), "htm": "POST", "htu": site.said["token_endpoint"],
                 "iat": int(time.time())}), key)
        return site.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": "none"},
                         headers={"DPoP": proof.decode()}).json()["error"]

    assert set(site.said["dpop_signing_alg_values_supported"]) == set(KEYS)
    for algorithm, words in KEYS.items():
        assert error(algorithm, JsonWebKey.import_key(pem_of(words).decode())) == "invalid_grant", algorithm
    assert error("HS256", OctKey.import_key(b"k" * 32)) == "invalid_dpop_proof"


@pytest.mark.parametrize("site", ["usual", "grants"], indirect=True)
def test_introspection_is_signed_for_who_asks(site):
    """RFC 9701, in the algorithm that is named: what is said without a signature, and of an inactive token no more."""
    [algorithm] = site.said["introspection_signing_alg_values_supported"]
    secret = site.world.secrets["web"]
    login = site.world.installed.login("/oauth/token", "ada", PASSWORD, "web", secret)
    keys = requests.get(site.here("jwks_uri"), timeout=TIMEOUT).json()
    signed = {"Accept": "application/json;q=0.5, application/token-introspection+jwt"}
    for token, active in ((login.access_token, True), (login.refresh_token, True), ("none", False)):
        plain = site.post("introspection_endpoint", {"token": token}, auth=("web", secret))
        answer = site.post("introspection_endpoint", {"token": token}, auth=("web", secret), headers=signed)
        assert answer.status_code == 200 and plain.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Content-Type"] == "application/token-introspection+jwt"
        claims = JsonWebToken([algorithm]).decode(answer.text, keys)
        assert claims.header["typ"] == "token-introspection+jwt"
        assert (claims["iss"], claims["aud"]) == (ISSUER, "web") and abs(claims["iat"] - time.time()) < 60
        assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
        assert claims["token_introspection"] == plain.json() and plain.json()["active"] is active
    refused = site.post("introspection_endpoint", {"token": login.access_token}, headers=signed)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("kind", servers.KINDS)
def test_documents_behind_each_server(small_world, kind):
    """A path of the issuer is behind the name (RFC 8414) or before it (OpenID Connect)."""
    world = small_world(REALM + OTHERS)
    server = world.serve(kind, **({} if kind == "socket" else {"paths": [*PATHS, SMART_PATH]}))

    def document(path):
        answer = server.send(servers.http.Request("GET", path))
        assert (answer.status, answer.header("Content-Type")) == (200, "application/json"), path
        assert answer.header("Cache-Control") == "public, max-age=300"
        assert answer.header("Access-Control-Allow-Origin") == "*"
        return json.loads(answer.body)

    metadata, openid, smart = document(METADATA), document(OPENID), document(SMART)
    assert document(METADATA + "/") == metadata
    assert {**openid, **metadata} == openid and set(openid) - set(metadata) == {
        "subject_types_supported", "id_token_signing_alg_values_supported"}
    assert metadata["issuer"] == ISSUER and smart["issuer"] == ISSUER + "/"
    assert smart["token_endpoint"] == "https://login.example/oauth2/token"
    assert server.send(servers.http.Request("GET", "/.well-known/oauth-authorization-server")).status == 404


def test_a_realm_speaks_of_itself(small_world):
    """Each of two realms with an issuer of its own names its own endpoints."""
    world = small_world(REALM + "[realm two]\ndialect = oauth\nbase = /two\nissuer = https://login.example/two\n")
    server = world.serve("socket")
    for issuer, token in (("auth", "/oauth/token"), ("two", "/two/oauth/token")):
        answer = server.send(servers.http.Request("GET", f"/.well-known/oauth-authorization-server/{issuer}"))
        said = json.loads(answer.body)
        assert (said["issuer"], said["token_endpoint"]) == (
            f"https://login.example/{issuer}", f"https://login.example{token}")


def check_smart_introspection(site, algorithm, pem, tokens):
    """By an assertion, which is good once, also where the answer is signed."""
    assert site.said["introspection_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert algorithm in site.said["introspection_endpoint_auth_signing_alg_values_supported"]
    [signing] = site.said["introspection_signing_alg_values_supported"]
    keys = requests.get(site.here("jwks_uri"), timeout=TIMEOUT).json()
    signed = {"Accept": "application/token-introspection+jwt"}

    def ask(token, headers=None, proof=None):
        return site.post("introspection_endpoint", {"token": token, **(proof or assertion(algorithm, algorithm, pem))},
                         headers=headers)

    for token, says in ((tokens["access_token"], {"active": True, "azp": algorithm, "type": "access", "scope": "*/read"}),
                        (tokens["refresh_token"], {"active": True, "azp": algorithm, "type": "refresh"}),
                        ("none", {"active": False})):
        plain = ask(token)
        assert plain.status_code == 200 and plain.text.endswith("\n"), plain.text
        assert {**plain.json(), **says} == plain.json()
        answer = ask(token, signed)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == signed["Accept"]
        claims = JsonWebToken([signing]).decode(answer.text, keys)
        assert claims.header["typ"] == "token-introspection+jwt"
        assert (claims["iss"], claims["aud"]) == (f"{ISSUER}/", algorithm)
        assert claims["token_introspection"] == plain.json()
    used = assertion(algorithm, algorithm, pem)
    assert ask("none", proof=used).status_code == 200
    other = pem_of(KEYS[algorithm])
    for proof in (used, assertion(algorithm, algorithm, other), {"client_id": algorithm}):
        refused = ask(tokens["access_token"], signed, proof)
        assert (refused.status_code, refused.text) == (401, "Access Denied")


def test_smart_clients_get_what_is_named(small_world):
    """The one proof that is named, in each algorithm, begins a session, and its token is renewed."""
    world = small_world(REALM + OTHERS)
    site = Site(world, world.serve("lighttpd", paths=[*PATHS, SMART_PATH]), SMART)
    assert site.said["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    for algorithm in site.said["token_endpoint_auth_signing_alg_values_supported"]:
        pem = pem_of(KEYS[algorithm])
        public = machine.run(["openssl", "pkey", "-pubout"], stdin=pem).stdout
        world.installed.retoken("client", "add", algorithm, "--key", "-", "--algorithm", algorithm, stdin=public)
        proof = {**assertion(algorithm, algorithm, pem), "scope": "*/read"}
        begun = site.post("token_endpoint", {"grant_type": site.said["grant_types_supported"][0], **proof})
        assert begun.status_code == 200, begun.text
        renewed = site.post("token_endpoint", {"grant_type": site.said["grant_types_supported"][1], "scope": "*/read",
                                               "refresh_token": begun.json()["refresh_token"]})
        assert renewed.status_code == 200, renewed.text
    check_smart_introspection(site, algorithm, pem, renewed.json())
    keys = requests.get(site.here("jwks_uri"), timeout=TIMEOUT).json()["keys"]
    header = json.loads(base64.urlsafe_b64decode(renewed.json()["access_token"].split(".")[0] + "=="))
    assert header["kid"] in [key["kid"] for key in keys]
