# SPDX-License-Identifier: ISC
"""What clients, attackers and broken networks send. Each gets the refusal of the dialect it knocked
at, in the dialect's own words; the responder goes on, and nothing is spent."""

import base64
import dataclasses
import json
import re
import socket
import urllib.parse

import pytest

from conftest import PASSWORD, new_world
from forged import forgeries
from lab import dialects, fcgi, goldens, http, installation, jwks, machine, servers
from lab.http import Request
from refusals import NO_TOKEN, token_refusal

MOUNTS = [pytest.param(mount, id=mount.path) for mount in dialects.MOUNTS]
FORM, JSON = dialects.FORM, dialects.JSON

def is_refusal_of(dialect, answer):
    return 400 <= answer.status < 500 and goldens.is_refusal(dialect.name, answer.body)


class Door:
    """The responder's own socket, and the process behind it."""

    def __init__(self, world, server):
        self.world, self.server = world, server

    def send(self, request, **variables):
        return self.server.send(request, **variables)

    def refuses(self, mount, name, request, **variables):
        answer = self.send(request, **variables)
        assert is_refusal_of(mount.dialect, answer), f"{name}: {answer}"
        assert not any("\n" in value or "\r" in value for _, value in answer.headers)

    def grants(self, mount, login):
        """The login after it."""
        answer = self.send(mount.dialect.request(mount.path, login))
        assert mount.dialect.complaints(login, answer) == []
        return login.after(*mount.dialect.tokens(answer))

    def pids(self):
        return self.server.responders()


@pytest.fixture(scope="module")
def door(shared_world):
    return Door(shared_world, shared_world.serve("socket"))


@pytest.fixture(autouse=True)
def same_responder(request):
    """Whatever was sent, the processes that answer are the ones that did before."""
    if "door" not in request.fixturenames:
        yield
        return
    door = request.getfixturevalue("door")
    before = door.pids()
    yield
    assert door.pids() == before and before


def bodies(login):
    """What no dialect can read as a refresh."""
    return unreadable({"grant_type": "refresh_token", "refresh_token": login.refresh_token},
                      {"refresh_token": login.refresh_token, "refreshToken": login.refresh_token,
                       "access_token": login.access_token, "username": "ada"})


def unreadable(fields, members):
    """name -> (headers, body): what says this and cannot be read."""
    form = urllib.parse.urlencode(fields).encode()
    as_json = json.dumps(members).encode()
    found = {
        "no body": ([], b""),
        "empty form": ([FORM], b""),
        "text/plain": ([("Content-Type", "text/plain")], form),
        "multipart": ([("Content-Type", "multipart/form-data; boundary=x")], b"--x--"),
        "JSON in UTF-16": ([JSON], as_json.decode().encode("utf-16")),
        "bad media type": ([("Content-Type", "//;;=")], form),
        "bad percent": ([FORM], form + b"%zz"),
        "cut percent": ([FORM], form + b"%4"),
        "NUL": ([FORM], form + b"%00"),
        "raw NUL": ([FORM], form + b"\0"),
        "control bytes": ([FORM], form + b"%0d%0aSet-Cookie:%20x=y"),
        "raw CR LF": ([FORM], form + b"\r\nSet-Cookie: x=y\r\n\r\n"),
        "invalid UTF-8": ([FORM], form + b"%ff%fe"),
        "raw bytes": ([FORM], bytes(range(256))),
        "thousands of parameters": ([FORM], b"&".join(b"a%d=b" % n for n in range(5000))),
        "only separators": ([FORM], b"&=&=&" * 5000),
        "repeated": ([FORM], form + b"&" + form),
        "JSON cut short": ([JSON], as_json[:-1]),
        "JSON nested 10,000 deep": ([JSON], b"[" * 10000 + b"]" * 10000),
        "JSON objects nested": ([JSON], b'{"refresh_token":' * 3000 + b"1" + b"}" * 3000),
        "JSON with a huge number": ([JSON], b'{"refresh_token":1' + b"0" * 5000 + b"}"),
        "JSON with 1e999": ([JSON], b'{"refresh_token":1e999}'),
        "JSON with a repeated key": ([JSON], as_json[:-1] + b"," + as_json[1:]),
        "JSON with NUL": ([JSON], b'{"refresh_token":"a\\u0000b","refreshToken":"a\\u0000b"}'),
        "JSON with a lone surrogate": ([JSON], b'{"refresh_token":"\\ud800","refreshToken":"\\ud800"}'),
        "JSON of invalid UTF-8": ([JSON], b'{"refresh_token":"\xff","refreshToken":"\xff"}'),
        "JSON with two byte order marks": ([JSON], b"\xef\xbb\xbf" * 2 + as_json),
        "JSON array": ([JSON], b"[" + as_json + b"]"),
        "JSON string": ([JSON], b'"x"'),
        "JSON null": ([JSON], b"null"),
        "JSON twice": ([JSON], as_json + as_json),
        "JSON with other types": ([JSON], json.dumps({name: [{}, [], 1][at % 3]
                                                      for at, name in enumerate(members)}).encode()),
        "nothing but spaces": ([JSON], b" " * 4000),
        "16 KiB and one": ([FORM], b"a" * 16385),
        "JSON of many values": ([JSON], as_json[:-1] + b',"a":[' + b"0," * 2000 + b"0]}"),
        "a megabyte": ([JSON], b'"' + b"a" * 1048576 + b'"'),
    }
    return found


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", MOUNTS)
def test_bodies(door, mount):
    login = door.world.login(mount)
    for name, (headers, body) in bodies(login).items():
        door.refuses(mount, name, Request("POST", mount.path, list(headers), body))
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", MOUNTS)
def test_methods(door, mount):
    login = door.world.login(mount)
    request = mount.dialect.request(mount.path, login)
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "POST ",
                   "POSTPOST", "", "\r\n", "\xff", "G" * 5000):
        door.refuses(mount, method, request, REQUEST_METHOD=method)
    answer = door.send(request, REQUEST_METHOD="HEAD")
    assert answer.status in (404, 405) and answer.body == b""
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", [m for m in dialects.MOUNTS if m.dialect.form_with_body],
                         ids=lambda mount: mount.path)
def test_content_length_that_lies(door, mount):
    login = door.world.login(mount)
    request = mount.dialect.request(mount.path, login, mount.dialect.form_with_body)
    for length in ("0", "1", "-1", "99999999999999999999", "2147483647", "1e3", "0x10", " 5", "5 5"):
        door.refuses(mount, length, request, CONTENT_LENGTH=length)
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", MOUNTS)
def test_headers(door, mount):
    login = door.world.login(mount)
    request = mount.dialect.request(mount.path, login)
    for name, headers in {
            "a header of 64 KiB": [("X-Long", "a" * 65536)],
            "a thousand headers": [(f"X-{n}", "a") for n in range(1000)],
            "Authorization of 40 KB": [("Authorization", "Bearer " + "a" * 40000)],
    }.items():
        answer = door.send(dataclasses.replace(request, headers=request.headers + headers))
        assert is_refusal_of(mount.dialect, answer), name
    for name, headers in {  # odd, but none of the server's business
            "hundreds of cookies": [("Cookie", "; ".join(f"c{n}=v" for n in range(500)))],
            "control bytes in a header": [("X-Odd", "a\r\nb\0c\x7f")],
            "Proxy": [("Proxy", "http://evil.example/")],
            "not UTF-8": [("X-Odd", "\udcff\udcfe")],
    }.items():
        if name == "hundreds of cookies" and mount.dialect.name == "fusionauth":
            headers = [("Cookie", request.headers[0][1] + "; " + headers[0][1])]
            sent = dataclasses.replace(request, headers=headers)
        else:
            sent = dataclasses.replace(request, headers=request.headers + headers)
        answer = door.send(sent)
        assert mount.dialect.complaints(login, answer) == [], name


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", MOUNTS)
def test_variable_given_twice(door, mount):
    login = door.world.login(mount)
    request = mount.dialect.request(mount.path, login)
    for name in ("REQUEST_METHOD", "CONTENT_TYPE", "HTTP_AUTHORIZATION"):
        rows = fcgi.variables(request) + [(name, "x"), (name, "y")]
        data = fcgi.begin() + fcgi.params(rows) + fcgi.stdin(request.body)
        out, _, ended = fcgi.raw(door.server.socket, data)
        assert ended and is_refusal_of(mount.dialect, fcgi.parse(out)), name
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("path", ["", "/", "/oauth", "/oauth/token/..", "/oauth//token", "/OAUTH/TOKEN",
                                  "/oauth/token\r\n", "/oauth/token\x7f", "/oauth/token;x=1",
                                  "/oauth/token%00", "/" + "a" * 70000, "\xff", "../../etc/passwd"])
def test_paths_that_are_no_mount(door, path):
    request = Request("POST", "/oauth/token", [FORM], b"grant_type=refresh_token&refresh_token=x")
    answer = door.send(request, SCRIPT_NAME=path)
    assert answer.status == 404 and len(answer.body) < 1000
    answer = door.send(request, SCRIPT_NAME="", PATH_INFO=path)
    assert answer.status == 404


# ---- beside a refresh ----

BESIDE = [pytest.param(mount, word, id=f"{mount.path}-{word}") for mount in dialects.MOUNTS
          for word in dialects.BESIDE if mount.dialect.beside(word, mount.path)]


def kept(world):
    """How much of everything there is in the store, but for what is counted and told of strangers."""
    known = world.installed.json("store", "stat")
    events = world.installed.json("events", "list", "--last", "10000")
    return {**{name: known[name] for name in ("sessions", "aliases", "accounts", "clients", "keys")},
            "events": sum(event["class"] != "strangers" for event in events)}


def gives_nothing(mount, name, answer):
    """A refusal, whichever of a login's fields it names: some dialects say what is wrong with each."""
    assert 400 <= answer.status < 500 and len(answer.body) < 1000, f"{name}: {answer}"
    assert not re.search(f"{dialects.JWT}|{mount.dialect.token}".encode(), answer.body), f"{name}: {answer}"
    assert not any("\n" in value or "\r" in value for _, value in answer.headers)


def members_of(request):
    """What its body, JSON or a form, says."""
    if request.body.startswith(b"{"):
        return json.loads(request.body)
    return dict(urllib.parse.parse_qsl(request.body.decode()))


@pytest.mark.sanitized
@pytest.mark.parametrize("mount,word", BESIDE)
def test_bodies_beside_a_refresh(door, mount, word):
    """Nothing is granted, begun or ended, and no event tells of it."""
    login = door.world.login(mount)
    request = mount.dialect.request_beside(word, mount.path, login)
    members = members_of(request) or {"refreshToken": login.refresh_token}
    before = kept(door.world)
    for name, (headers, body) in unreadable(members, members).items():
        answer = door.send(Request("POST", request.path, list(headers), body))
        if word == "logout" and answer.status == 200:
            continue  # to end nothing is no mistake
        gives_nothing(mount, name, answer)
    assert kept(door.world) == before
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount,word", BESIDE)
def test_methods_beside_a_refresh(door, mount, word):
    login = door.world.login(mount)
    request = mount.dialect.request_beside(word, mount.path, login)
    before = kept(door.world)
    for method in ("PUT", "PATCH", "TRACE", "CONNECT", "POST ", "POSTPOST", "", "\r\n", "\xff", "G" * 5000):
        door.refuses(mount, method, request, REQUEST_METHOD=method)
    assert kept(door.world) == before
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", [m for m in dialects.MOUNTS if m.login_path], ids=lambda mount: mount.path)
def test_logins_that_are_wrong(door, mount):
    """Each its own name and network, so that none is slowed."""
    login = door.world.login(mount)
    before = kept(door.world)
    names = ["", " ", "a da", "ADA", "nobody", "a" * 300, "a" * 12000, "' OR 1=1 --", "ada\0", "\u202eada",
             "../ada", "%61da", "*", "🙂" * 100]
    wrong = [(name, login.password) for name in names] + [
        ("grace", password) for password in ("", " ", login.password + " ", login.password[:-1], "a" * 12000,
                                             login.password.upper(), "\0", "%s%n", "🙂" * 1500)]
    for at, (name, password) in enumerate(wrong):
        request = mount.dialect.login_request(mount.path, dataclasses.replace(
            login, username=name, password=password))
        network = f"10.{dialects.MOUNTS.index(mount)}.0.{at}"
        gives_nothing(mount, (name[:20], password[:20]), door.send(request, REMOTE_ADDR=network))
    assert kept(door.world) == before
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", [m for m in dialects.MOUNTS if m.login_path], ids=lambda mount: mount.path)
def test_a_guesser_is_slowed_and_locks_no_one_out(door, mount):
    """The sixth from one network is refused unseen, in the dialect's words; from elsewhere the user logs
    in."""
    wrong, right = (dataclasses.replace(door.world.login(mount), password=password)
                    for password in ("wrong", PASSWORD))
    network = f"2001:db8:{dialects.MOUNTS.index(mount):x}::"
    for guess in range(6):
        door.refuses(mount, guess, mount.dialect.login_request(mount.path, wrong),
                     REMOTE_ADDR=f"{network}{guess + 1}")
    door.refuses(mount, "right", mount.dialect.login_request(mount.path, right), REMOTE_ADDR=f"{network}9")
    answer = door.send(mount.dialect.login_request(mount.path, right), REMOTE_ADDR="203.0.113.9")
    assert mount.dialect.login_complaints(mount.path, right, answer) == []
    slowed = [event for event in door.world.installed.json("events") if event["event"] == "guessed"]
    assert slowed and slowed[0]["note"] == "5 wrong passwords in a row"
    door.world.installed.retoken("account", "unlock", "ada")
    answer = door.send(mount.dialect.login_request(mount.path, right), REMOTE_ADDR=f"{network}9")
    assert mount.dialect.login_complaints(mount.path, right, answer) == []


# ---- tokens ----

@pytest.mark.sanitized
@pytest.mark.parametrize("mount", MOUNTS)
def test_forged_refresh_tokens(door, mount):
    login = door.world.login(mount)
    keys = jwks.keys_of(door.send(Request("GET", dialects.JWKS_PATH)).body)
    wrong = dict(forgeries(login.access_token, keys))
    if login.refresh_token.count(".") == 2:
        wrong |= {f"refresh: {name}": token
                  for name, token in forgeries(login.refresh_token, keys).items()}
    token = login.refresh_token
    wrong |= {"empty": "", "a space": " ", "one letter": "a", "dots": ".", "many dots": "." * 60000,
              "64 KB": "a" * 60000, "twice": token + token,
              "one more": token + "A", "quoted": f'"{token}"', "percent": "%s%n%x" * 9}
    if mount.dialect.token != dialects.UUID:  # hexadecimal digits are the same in either case
        wrong["the other case"] = token.swapcase()
    wrong |= {f"without byte {at}": token[:at] + token[at + 1:] for at in range(0, len(token), 7)}
    for name, forged in wrong.items():
        if any(ord(char) < 32 for char in forged) and mount.dialect.name in ("duktig", "fusionauth"):
            continue  # no web server passes such a header on
        if name == "quoted" and mount.dialect.name == "fusionauth":
            continue  # a cookie's value may be (RFC 6265 section 4.1.1)
        request = mount.dialect.request(mount.path, dataclasses.replace(login, refresh_token=forged))
        if forged.strip() != token:
            door.refuses(mount, name, request)
        elif door.send(request).status != 200:  # a dialect may drop the white space round a token
            door.refuses(mount, name, request)
    door.grants(mount, login)


@pytest.mark.sanitized
@pytest.mark.parametrize("mount", [m for m in dialects.MOUNTS if m.dialect.token == dialects.NATIVE],
                         ids=lambda mount: mount.path)
def test_every_flipped_bit_is_refused(door, mount):
    """All 576 bits, and none of them ends or spends a session."""
    login = door.world.login(mount)
    raw = base64.urlsafe_b64decode(login.refresh_token)
    refusal = token_refusal(mount.dialect, "documented", *NO_TOKEN)
    for bit in range(0, len(raw) * 8, 1 if mount.path == "/oauth/token" else 13):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        token = base64.urlsafe_b64encode(flipped).decode()
        answer = door.send(mount.dialect.request(mount.path, dataclasses.replace(
            login, refresh_token=token)))
        assert refusal.complaints(answer) == []
    door.grants(mount, login)


@pytest.mark.parametrize("mount", MOUNTS)
def test_refresh_token_is_no_access_token(door, mount):
    """The reverse of the access token in test_forged_refresh_tokens: where a mount reads an access
    token, it takes no refresh token for one."""
    login = door.world.login(mount)
    if mount.dialect.name == "wirecash":
        request = mount.dialect.request(mount.path, dataclasses.replace(
            login, access_token=login.refresh_token))
        door.refuses(mount, "refresh token as access token", request)
    if login.refresh_token.count(".") == 2:
        keys = jwks.keys_of(door.send(Request("GET", dialects.JWKS_PATH)).body)
        assert not jwks.verifies(login.refresh_token, keys)
    door.grants(mount, login)


@pytest.mark.parametrize("path", ["/sandbox/token"])
def test_access_tokens_of_others(door, path):
    """WireCash: the access token must be of this session, and signed here."""
    mount = dialects.mount_at(path)
    login, other = door.world.login(mount), door.world.login(mount, name="grace")
    keys = jwks.keys_of(door.send(Request("GET", dialects.JWKS_PATH)).body)
    wrong = forgeries(login.access_token, keys) | {"another session's": other.access_token}
    for name, token in wrong.items():
        if token.strip() == login.access_token:
            continue  # white space round a token is no part of it
        door.refuses(mount, name, mount.dialect.request(mount.path, dataclasses.replace(
            login, access_token=token)))
    door.grants(mount, login)


@pytest.fixture(scope="module")
def logins(door):
    """One at every mount, which go on."""
    return {mount.path: door.world.login(mount) for mount in dialects.MOUNTS}


@pytest.mark.parametrize("mount", MOUNTS)
def test_token_of_another_mount(door, mount, logins):
    """Refused, and not spent where it belongs. The two FusionAuth paths are one realm."""
    one_realm = {"/api/auth/refresh", "/api/jwt/refresh"}
    for other in dialects.MOUNTS:
        if other == mount or {other.path, mount.path} == one_realm:
            continue
        foreign, mine = logins[other.path], logins[mount.path]
        door.refuses(mount, other.path, mount.dialect.request(
            mount.path, mine.after(foreign.refresh_token, mine.access_token)))
        logins[other.path] = door.grants(other, foreign)
        logins[mount.path] = door.grants(mount, mine)


@pytest.mark.parametrize("client,secret", [("other", None), ("web", "wrong"), ("nobody", "x"),
                                           ("phone", ""), ("", "")])
def test_other_clients_token_is_refused_and_stays_good(door, client, secret):
    mount = dialects.mount_at("/oauth/token")
    login = door.world.login(mount)
    secret = door.world.secrets.get(client, "") if secret is None else secret
    request = mount.dialect.request(mount.path, dataclasses.replace(
        login, client=client, secret=secret))
    door.refuses(mount, client, request)
    door.grants(mount, login)


def test_foreign_installation(door, programs):
    """Tokens of another master secret and other signing keys are strings like any other."""
    folder = machine.folder("retoken-foreign-")
    try:
        foreign = installation.Installation(folder, programs)
        foreign.init()
        foreign.add_account("ada", "another password")
        foreign.add_client("web")
        for mount in dialects.MOUNTS:
            theirs = foreign.login(mount.path, "ada", scope=mount.dialect.scope,
                                   client="web" if mount.dialect.client else "")
            mine = door.world.login(mount)
            for stolen in (mine.after(theirs.refresh_token, mine.access_token),
                           mine.after(theirs.refresh_token, theirs.access_token)):
                door.refuses(mount, mount.path, mount.dialect.request(mount.path, stolen))
            door.grants(mount, mine)
    finally:
        machine.run(["rm", "-rf", folder])


@pytest.mark.parametrize("mount", [m for m in dialects.MOUNTS if m.dialect.token == dialects.NATIVE],
                         ids=lambda mount: mount.path)
def test_token_of_the_future(template, mount):
    """A restored backup is older than the tokens people hold. The newest moves its session forward;
    an older one is refused, and ends nothing."""
    with new_world(template) as world, new_world(world) as backup:
        login = world.login(mount)
        machine.run(["rm", "-rf", backup.installed.folder])
        backup.installed = world.copy(backup.installed.folder).installed
        answer = world.serve("socket").send(mount.dialect.request(mount.path, login))
        future = login.after(*mount.dialect.tokens(answer))
        restored = backup.serve("socket")
        answer = restored.send(mount.dialect.request(mount.path, future))
        assert mount.dialect.complaints(future, answer) == []
        newest = future.after(*mount.dialect.tokens(answer))
        refusal = token_refusal(mount.dialect, "documented", "spent")
        assert refusal.complaints(restored.send(mount.dialect.request(mount.path, login))) == []
        answer = restored.send(mount.dialect.request(mount.path, newest))
        assert mount.dialect.complaints(newest, answer) == []


# ---- the protocol under HTTP ----

def good(door):
    mount = dialects.mount_at("/oauth/token")
    door.grants(mount, door.world.login(mount))


def whole_request(door):
    mount = dialects.mount_at("/oauth/token")
    login = door.world.login(mount)
    request = mount.dialect.request(mount.path, login)
    return mount, login, request, (fcgi.begin() + fcgi.params(fcgi.variables(request))
                                   + fcgi.stdin(request.body))


@pytest.mark.sanitized
@pytest.mark.parametrize("data", [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\x01", id="one byte"),
    pytest.param(b"\x01\x01\x00\x01\x00\x08\x00", id="seven bytes of a header"),
    pytest.param(fcgi.begin()[:12], id="half a record"),
    pytest.param(fcgi.begin(), id="a begin and the end"),
    pytest.param(fcgi.record(fcgi.BEGIN, b"\0\1\0\0\0\0\0\0", version=9), id="another version"),
    pytest.param(fcgi.begin(role=3), id="another role"),
    pytest.param(fcgi.record(99, b"x" * 100), id="an unknown record"),
    pytest.param(fcgi.begin() + fcgi.record(fcgi.PARAMS, b"\x05"), id="half a pair"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="HTTP"),
    pytest.param(bytes(range(256)) * 40, id="noise"),
    pytest.param(fcgi.begin() + fcgi.params({}) + fcgi.stdin(b""), id="no variables"),
])
def test_records(door, data):
    fcgi.raw(door.server.socket, data, half_close=True)
    good(door)


@pytest.mark.sanitized
def test_request_cut_at_every_stage_spends_nothing(door):
    mount, login, _, data = whole_request(door)
    body_at = len(data) - len(fcgi.stdin(mount.dialect.request(mount.path, login).body))
    for cut in sorted({1, 8, 15, 16, 20, body_at - 8, body_at, body_at + 8, body_at + 40,
                       len(data) - 9}):
        out, _, _ = fcgi.raw(door.server.socket, data[:cut], half_close=True)
        assert b"200 OK" not in out
    assert door.world.installed.session(login.session)["generation"] == 0
    door.grants(mount, login)


@pytest.mark.sanitized
def test_abort_in_the_middle_spends_nothing(door):
    mount, login, request, _ = whole_request(door)
    for body in (b"", request.body[:20]):
        data = (fcgi.begin() + fcgi.params(fcgi.variables(request))
                + (fcgi.record(fcgi.STDIN, body) if body else b"") + fcgi.record(fcgi.ABORT))
        out, _, _ = fcgi.raw(door.server.socket, data, half_close=True)
        assert b"200 OK" not in out
    assert door.world.installed.session(login.session)["generation"] == 0
    door.grants(mount, login)


BOMBS = {
    "two names of 2 GiB": [(0x7ffffffe, 0x7ffffffe)],
    "1 GiB and 1 GiB": [(0x40000000, 0x40000000)],
    "one of 2 GiB": [(0x7fffffff, 0)],
    "half a GiB": [(5, 0x20000000)],
}


@pytest.mark.sanitized
@pytest.mark.parametrize("lengths", BOMBS.values(), ids=BOMBS.keys())
def test_parameter_bombs(door, lengths):
    """libfcgi trusts the lengths that a PARAMS record announces and may abort (hazards), so it never
    gets to see them: same_responder."""
    bomb = fcgi.record(fcgi.PARAMS, b"".join(fcgi.bare_pair(*pair) for pair in lengths))
    for _ in range(3):
        out, _, ended = fcgi.raw(door.server.socket, fcgi.begin() + bomb)
        assert (out, ended) == (b"", False)
    good(door)


def test_no_allocation_follows_a_length_from_outside(world):
    """The most memory a responder ever had, after everything above, is a few megabytes more than
    after one good request."""
    if "asan" in str(machine.BUILD) or "tsan" in str(machine.BUILD):
        pytest.skip("a sanitizer's own memory would be measured")
    server = world.serve("socket")
    door = Door(world, server)
    good(door)

    def peak():
        return max(int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())[1])
                   for pid in server.responders())

    before = peak()
    for mount in dialects.MOUNTS:
        login = world.login(mount)
        for name, (headers, body) in bodies(login).items():
            server.send(Request("POST", mount.path, list(headers), body))
        for length in ("2147483647", "99999999999999999999"):
            server.send(Request("POST", mount.path, [FORM], b"a=b"), CONTENT_LENGTH=length)
    assert peak() - before < 16 * 1024


# ---- through the web servers ----

def raw_http(body=b"", *lines, method="POST", path="/oauth/token", length=True):
    head = [f"{method} {path} HTTP/1.1".encode("latin-1"), b"Host: localhost", b"Connection: close"]
    if length:
        head.append(b"Content-Length: %d" % len(body))
    head += [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


BODY = b"grant_type=refresh_token&refresh_token=x"
TYPE = "Content-Type: application/x-www-form-urlencoded"
RAW = {
    "body cut short": (raw_http(BODY, TYPE, "Content-Length: 500", length=False), True),
    "no length": (raw_http(b"", TYPE, length=False), False),
    "two lengths": (raw_http(BODY, TYPE, "Content-Length: 7", "Content-Length: 50", length=False),
                    False),
    "length and chunked": (raw_http(b"5\r\nhello\r\n0\r\n\r\n", TYPE, "Content-Length: 7",
                                    "Transfer-Encoding: chunked", length=False), False),
    "chunked": (raw_http(b"28\r\n" + BODY + b"\r\n0\r\n\r\n", TYPE, "Transfer-Encoding: chunked",
                         length=False), False),
    "chunked, cut": (raw_http(b"28\r\n" + BODY[:20], TYPE, "Transfer-Encoding: chunked",
                              length=False), True),
    "a chunk too long": (raw_http(b"ffffffffffff\r\n" + BODY, TYPE, "Transfer-Encoding: chunked",
                                  length=False), True),
    "200 kB": (raw_http(b"a" * 200000, TYPE), False),
    "3 MB": (raw_http(b"a" * 3000000, TYPE), False),
    "a header of 20 kB": (raw_http(BODY, TYPE, "X-Long: " + "a" * 20000), False),
    "hundreds of cookies": (raw_http(BODY, TYPE, "Cookie: " + "; ".join(f"c{n}=v" for n in range(300))),
                            False),
    "two hundred headers": (raw_http(BODY, TYPE, *[f"X-{n}: a" for n in range(200)]), False),
    "Proxy": (raw_http(BODY, TYPE, "Proxy: http://evil.example/"), False),
    "Authorization twice": (raw_http(BODY, TYPE, "Authorization: Basic YTpi",
                                     "Authorization: Basic YzpkZQ=="), False),
    "%00 in the path": (raw_http(BODY, TYPE, path="/oauth/token%00"), False),
    "CR LF in the path": (raw_http(BODY, TYPE, path="/oauth/token%0d%0aSet-Cookie:x=y"), False),
    "dots in the path": (raw_http(BODY, TYPE, path="/oauth/../../../etc/passwd"), False),
    "not UTF-8 in the path": (raw_http(BODY, TYPE, path="/oauth/token%ff"), False),
    "CR LF in the query": (raw_http(BODY, TYPE, path="/oauth/token?x=%0d%0aSet-Cookie:%20x=y"), False),
    "unknown method": (raw_http(BODY, TYPE, method="BREW"), False),
}


class Front(Door):
    """A web server before it, and one login, which goes on through all that is sent."""

    def __init__(self, world, server):
        super().__init__(world, server)
        self.mount = dialects.mount_at("/oauth/token")
        self.login = world.login(self.mount)

    def goes_on(self):
        self.login = self.grants(self.mount, self.login)


@pytest.fixture(scope="module", params=servers.WEB_KINDS)
def front(request, shared_world):
    return Front(shared_world, shared_world.serve(request.param))


@pytest.mark.parametrize("name", RAW)
def test_through_the_web_server(front, name):
    data, half_close = RAW[name]
    got = http.exchange_bytes(front.server.port, data, half_close=half_close)
    if got:
        answer = http.parse(got)
        assert answer.status >= 400 and answer.header("set-cookie") is None
        if answer.status >= 500:  # the server's own; mod_fcgid says so of every body it cannot buffer
            assert front.server.kind == "apache" or answer.status == 501, answer
    front.goes_on()


def test_client_that_goes_away_spends_nothing(front):
    """The body never came whole, so nobody asked for anything."""
    mount = dialects.mount_at("/oauth/token")
    login = front.world.login(mount)
    data = mount.dialect.request(mount.path, login).spelled("localhost")
    for cut in (len(data) - 1, len(data) - 50, data.index(b"\r\n\r\n") + 4):
        with socket.create_connection(("127.0.0.1", front.server.port), 10) as connection:
            connection.sendall(data[:cut])
    front.grants(mount, login)
    assert front.world.installed.session(login.session)["generation"] == 1
