# SPDX-License-Identifier: ISC
"""Clients of every dialect: how each spells a refresh, where its answer keeps the tokens, and what a
right answer is, byte for byte. All of it is data: www/dialects.json describes the requests (the page
reads it, too), `retoken dialects --json` the policies, and tests/dialect/golden the answers. Knows how
these are read; does not know any dialect, servers or how a session was begun."""

import base64
import dataclasses
import functools
import json
import re
import urllib.parse

from . import goldens, machine
from .http import Request

JWT = r"[\w-]+\.[\w-]+\.[\w-]+"
NATIVE = r"[\w-]{72}"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SHAPES = {"native": NATIVE, "uuid": UUID, "jwt": JWT}
SECONDS = r"[1-9][0-9]{0,9}"
# What the golden answers were made of, and what a real one has there.
MADE_OF = {'"active":true,': r'"active":true,(?:"email":"[^"]*",)?',
           '"ROLE_USER"': r'(?:"[^"]*")?(?:,"[^"]*")*',
           '"lastLogin":null': r'"lastLogin":(?:null|"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")',
           "3600": SECONDS, "2592000": SECONDS,
           "Sun, 13-Aug-2017 02:40:00 GMT": r"\w{3}, \d\d-\w{3}-\d{4} \d\d:\d\d:\d\d GMT"}


@dataclasses.dataclass
class Login:
    """What a client holds after signing in: its tokens and what it proves itself with."""

    session: str
    refresh_token: str
    access_token: str
    username: str = "ada"
    password: str = ""
    client: str = ""
    secret: str = ""
    scope: str | None = None
    auth_key: str = ""

    def after(self, refresh, access):
        return dataclasses.replace(self, refresh_token=refresh or self.refresh_token,
                                   access_token=access)


def jwt_parts(token):
    """Header and claims of a JWT as the bytes they are."""
    header, claims, _ = token.split(".")
    return tuple(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (header, claims))


def jwt_claims(token):
    return json.loads(jwt_parts(token)[1])


def basic(user, password):
    quoted = f"{urllib.parse.quote_plus(user)}:{urllib.parse.quote_plus(password)}"
    return ("Authorization", "Basic " + base64.b64encode(quoted.encode()).decode())


# Requests about the same sessions as a refresh, which some dialects have.
BESIDE = ("login", "logout", "verify")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


def compact(members):
    return json.dumps(members, separators=(",", ":")).encode()


@functools.cache
def table():
    """dialect -> what the program says about it."""
    program = machine.BUILD / "retoken"
    if not program.exists():
        raise machine.LabError(f"{program} is not there; build it with scripts/prepare build build")
    done = machine.run([program, "dialects", "--json"])
    return {row["dialect"]: row for row in json.loads(done.stdout)}


@dataclasses.dataclass(frozen=True, eq=False)
class Dialect:
    name: str
    data: dict = dataclasses.field(repr=False)  # of www/dialects.json

    @property
    def title(self):
        return self.data["title"]

    @property
    def policy(self):
        return table()[self.name]["policy"]

    @property
    def rotates(self):
        """Gives a new refresh token unless the configuration turns that off."""
        return self.policy["rotation"] == "on"

    @property
    def algorithm(self):
        """Of its access tokens."""
        return self.policy["algorithm"]

    @property
    def token(self):
        """A refresh token as a regular expression."""
        return SHAPES[self.policy["format"]]

    @property
    def client(self):
        """Sessions are begun on a registered client."""
        return self.data.get("session", {}).get("client", False)

    @property
    def scope(self):
        """What sessions are begun with."""
        return self.data.get("session", {}).get("scope")

    @property
    def usual(self):
        return self.form(self.data.get("usual", self.data["forms"][0]["id"]))

    @property
    def form_with_body(self):
        """A form of request that has a body: the usual one if it can be; None when there is none."""
        return next((form for form in (self.usual, *self.data["forms"])
                     if "form" in form or "json" in form), None)

    def form(self, name):
        return next(form for form in self.data["forms"] if form["id"] == name)

    def request(self, path, login, form=None):
        """A refresh as a client of this dialect sends it; `form`: the id of another than the usual."""
        return spelled(self.form(form) if isinstance(form, str) else form or self.usual, path, login)

    def tokens(self, answer, form=None):
        """(refresh, access) of a success; refresh is None where none is given, or only a new one is."""
        body = json.loads(answer.body)
        keys = (self.form(form) if form else self.usual).get("answer") or self.data["answer"]
        access = at_end_of(keys["access"], body)
        if access is None:
            raise ValueError(f"no member {keys['access']}")
        return at_end_of(keys["refresh"], body) if "refresh" in keys else None, access

    def beside(self, word, path):
        """Where another request (BESIDE) about sessions of the mount `path` goes; None: there is none."""
        return self.data[word]["paths"].get(path) if word in self.data else None

    def request_beside(self, word, path, login):
        """Such a request, as a client of this dialect sends it."""
        return spelled(self.data[word], self.beside(word, path), login)

    def login_request(self, path, login):
        """A login, for a session at the mount `path`."""
        return self.request_beside("login", path, login)

    def begun(self, login, answer):
        """What the client holds after a login that succeeded."""
        body, keys = json.loads(answer.body), self.data["login"].get("answer", self.data["answer"])
        return login.after(body[keys["refresh"]], body[keys["access"]])

    def login_complaints(self, path, login, answer, behaviour="documented"):
        """What is wrong with the answer to a login that must succeed."""
        operation = next(one["operation"] for one in table()[self.name]["endpoints"]
                         if one["path"] == self.beside("login", path))
        first = table()[self.name]["endpoints"][0]["operation"]
        golden = goldens.outcomes(self.name, behaviour, operation if operation != first else "")
        if answer.status != 200:
            return [f"status {answer.status} {answer.reason}, body {answer.body[:200]!r}"]
        try:
            begun = self.begun(login, answer)
        except (ValueError, KeyError) as error:
            return [f"no tokens in {answer.body!r}: {error}"]
        return self._differences(golden["rotated"], begun, begun.refresh_token, begun.access_token, answer)

    def complaints(self, login, answer, behaviour="documented"):
        """What is wrong with a success; nothing when all is right."""
        golden = goldens.outcomes(self.name, behaviour)["rotated" if self.rotates else "renewed"]
        if answer.status != 200:
            return [f"status {answer.status} {answer.reason}, body {answer.body[:200]!r}"]
        try:
            refresh, access = self.tokens(answer)
        except (ValueError, KeyError) as error:
            return [f"no tokens in {answer.body!r}: {error}"]
        found = []
        if refresh is not None and not self.rotates and refresh != login.refresh_token:
            found.append("the refresh token is not the one that was sent")
        return found + self._differences(golden, login, refresh, access, answer)

    def _differences(self, golden, login, refresh, access, answer):
        """From the golden answer, with these tokens and this user in it."""
        found = []
        if not re.fullmatch(JWT, access):
            return [f"no access token: {access!r}"]
        if refresh is not None and not re.fullmatch(self.token, refresh):
            found.append(f"no refresh token of this dialect: {refresh!r}")
        made_of = {"new.access.token": re.escape(access), "next-refresh-token": re.escape(refresh or ""),
                   "1500003600": str(jwt_claims(access).get("exp")),
                   '"ada"': f'"{re.escape(login.username)}"', **MADE_OF}
        pattern = re.compile("|".join(map(re.escape, made_of)))

        def same(expected, actual):
            parts, at = [], 0
            for hit in pattern.finditer(expected):
                parts += [re.escape(expected[at:hit.start()]), made_of[hit.group()]]
                at = hit.end()
            return re.fullmatch("".join(parts) + re.escape(expected[at:]), actual) is not None

        return found + golden.complaints(answer, same)


def spelled(form, path, login):
    """The request of a form. A client without a secret sends none."""
    values = {"refresh_token": login.refresh_token, "access_token": login.access_token,
              "username": login.username, "password": login.password, "client_id": login.client,
              "client_secret": login.secret, "scope": login.scope or "", "auth_key": login.auth_key}
    rows = [(name, template.format_map(values)) for name, template, *optional
            in form.get("form") or form.get("json") or []
            if template.format_map(values) or not optional]
    headers = [(name, template.format_map(values)) for name, template, *optional
               in form.get("headers", []) if template.format_map(values) or not optional]
    if "basic" in form:
        headers.append(basic(*(template.format_map(values) for template in form["basic"])))
    if "cookies" in form:
        headers.append(("Cookie", "; ".join(f"{name}={template.format_map(values)}"
                                            for name, template in form["cookies"])))
    method = form.get("method", "POST")
    if "query" in form:
        path += "?" + urllib.parse.urlencode([(name, template.format_map(values)) for name, template, *_ in form["query"]])
    if "form" in form:
        return Request(method, path, [*headers, FORM], urllib.parse.urlencode(rows).encode())
    if "json" in form:
        return Request(method, path, [*headers, JSON], compact(members_of(rows)))
    return Request(method, path, headers)


def members_of(rows):
    """A JSON object; the name of a row is a member, or the members on the way to it."""
    found = {}
    for name, value in rows:
        *way, last = [name] if isinstance(name, str) else name
        inside = found
        for step in way:
            inside = inside.setdefault(step, {})
        inside[last] = value
    return found


def at_end_of(way, members):
    """The value of a member, or at the end of a way of members and places in arrays; None: there is none."""
    try:
        for step in [way] if isinstance(way, str) else way:
            members = members[step]
        return members
    except (KeyError, IndexError, TypeError):
        return None


@dataclasses.dataclass(frozen=True)
class Mount:
    path: str
    dialect: Dialect

    @property
    def login_path(self):
        """Where its sessions begin with a request; None: an administrator begins them."""
        return self.dialect.beside("login", self.path)

    @property
    def paths(self):
        """Of all requests about its sessions."""
        beside = (self.dialect.beside(word, self.path) for word in BESIDE)
        return [self.path, *(path for path in beside if path)]


def described():
    """Every dialect that www/dialects.json describes, in its order."""
    text = (machine.ROOT / "www" / "dialects.json").read_text()
    return [Dialect(name, data) for name, data in json.loads(text).items()]


DIALECTS = described()
MOUNTS = [Mount(path, dialect) for dialect in DIALECTS for path in dialect.data["paths"]]
JWKS_PATH = "/.well-known/jwks.json"
HEALTH_PATH = "/healthz"
# Every path of an installation without mount sections, and what is there.
PATHS = ({path: mount.dialect.name for mount in MOUNTS for path in mount.paths}
         | {JWKS_PATH: "jwks", HEALTH_PATH: "health"})


def mount_at(path):
    return next(mount for mount in MOUNTS if mount.path == path)
