# SPDX-License-Identifier: ISC
"""Clients of the five documents: how each spells a refresh, where its answer keeps the tokens, and
what a right answer looks like byte for byte. One class per dialect, one Mount per default path.
Knows the wire; does not know servers or how a session was begun."""

import base64
import dataclasses
import json
import re
import urllib.parse

from .http import Request

JWT = r"[\w-]+\.[\w-]+\.[\w-]+"
NATIVE = r"[\w-]{72}"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SECONDS = r"[1-9][0-9]{0,9}"


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


FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


def compact(members):
    return json.dumps(members, separators=(",", ":")).encode()


class Dialect:
    """name, title: for people. rotates: gives a new refresh token by default. client: sessions are
    begun on a registered client. scope: what sessions are begun with. algorithm: of the access
    token. content_type: of a success."""

    rotates = True
    client = False
    scope = None
    token = NATIVE
    content_type = "application/json"
    keys = {"access": "access_token", "refresh": "refresh_token"}

    def tokens(self, answer):
        """(refresh, access) of a success; refresh is None where none is given."""
        body = json.loads(answer.body)
        return body.get(self.keys["refresh"]), body[self.keys["access"]]

    def shape(self, login, behaviour):
        """The body of a success as a regular expression over all of its bytes."""
        raise NotImplementedError

    def complaints(self, login, answer, behaviour="documented"):
        """What is wrong with a success; nothing when all is right."""
        found = []
        if answer.status != 200:
            return [f"status {answer.status} {answer.reason}, body {answer.body[:200]!r}"]
        if answer.header("content-type") != self.content_type:
            found.append(f"Content-Type is {answer.header('content-type')!r}")
        stored = answer.header("cache-control")
        if (stored != "no-store" or answer.header("pragma") != "no-cache"):
            found.append(f"Cache-Control is {stored!r}, Pragma {answer.header('pragma')!r}")
        if not re.fullmatch(self.shape(login, behaviour), answer.body.decode("utf-8", "replace")):
            found.append(f"body is {answer.body!r}")
        return found


class OAuth(Dialect):
    name, title, algorithm = "oauth", "RFC 6749 with `expires`", "RS256"
    client = True
    scope = "read write"
    content_type = "application/json;charset=UTF-8"

    def request(self, path, login):
        form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token,
                "client_id": login.client, "client_secret": login.secret}
        return Request("POST", path, [FORM], urllib.parse.urlencode(form).encode())

    def request_with_basic(self, path, login):
        form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
        return Request("POST", path, [FORM, basic(login.client, login.secret)],
                       urllib.parse.urlencode(form).encode())

    def shape(self, login, behaviour):
        expires = "expires" if behaviour == "documented" else "expires_in"
        return (rf'\{{"access_token":"{JWT}","refresh_token":"{self.token}",'
                rf'"token_type":"bearer","{expires}":{SECONDS}\}}')


class Kopong(Dialect):
    name, title, algorithm = "kopong", "Grails spring-security-rest", "HS256"
    rotates = False
    token = JWT
    content_type = "application/json;charset=UTF-8"

    def request(self, path, login):
        form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
        return Request("POST", path, [FORM], urllib.parse.urlencode(form).encode())

    def request_of_document(self, path, login, bearer=None):
        """The document's own form: Bearer token, user name and password as JSON."""
        body = compact({"username": login.username, "password": login.password})
        return Request("POST", path, [("Authorization", f"Bearer {bearer or login.refresh_token}"),
                                      JSON], body)

    def shape(self, login, behaviour):
        return (rf'\{{"username":"{login.username}","roles":\[("[^"]*")?(,"[^"]*")*\],'
                rf'"token_type":"Bearer","access_token":"{JWT}","expires_in":{SECONDS},'
                rf'"refresh_token":"{re.escape(login.refresh_token)}"\}}')


class WireCash(Dialect):
    name, title, algorithm = "wirecash", "WireCash API", "RS256"

    def request(self, path, login):
        body = {"username": login.username, "access_token": login.access_token,
                "refresh_token": login.refresh_token}
        return Request("POST", path, [JSON, ("Accept", "application/json")],
                       compact(body))

    def shape(self, login, behaviour):
        return (rf'\{{"access_token":"{JWT}","expires_in":{SECONDS},'
                rf'"refresh_token":"{self.token}","token_type":"Bearer"\}}')


class Duktig(Dialect):
    name, title, algorithm = "duktig", "Duktig.Microservice", "HS256"
    rotates = False
    token = JWT

    def request(self, path, login):
        return Request("POST", path, [("Refresh-Token", login.refresh_token), JSON])

    def shape(self, login, behaviour):
        return (r'\{"status":"OK","message":"Access token regenerated successfully",'
                rf'"access_token":"{JWT}","expires_in":{SECONDS}\}}')

    def complaints(self, login, answer, behaviour="documented"):
        found = super().complaints(login, answer, behaviour)
        if not found:
            body = json.loads(answer.body)
            if body["expires_in"] != jwt_claims(body["access_token"])["exp"]:
                found.append("expires_in is not the token's exp")
        return found


class FusionAuth(Dialect):
    name, title, algorithm = "fusionauth", "FusionAuth", "RS256"
    keys = {"access": "token", "refresh": "refreshToken"}

    def request(self, path, login):
        cookie = f"refresh_token={login.refresh_token}; access_token={login.access_token}"
        return Request("POST", path, [("Cookie", cookie)])

    def request_with_body(self, path, login):
        body = {"refreshToken": login.refresh_token, "token": login.access_token}
        return Request("POST", path, [JSON], compact(body))

    def shape(self, login, behaviour):
        return rf'\{{"refreshToken":"{self.token}","token":"{JWT}"\}}'

    def complaints(self, login, answer, behaviour="documented"):
        found = super().complaints(login, answer, behaviour)
        if found:
            return found
        cookies = answer.cookies()
        if set(cookies) != {"access_token", "refresh_token"}:
            return [f"cookies set: {sorted(cookies)}"]
        refresh, access = self.tokens(answer)
        for name, token in (("access_token", access), ("refresh_token", refresh)):
            value, attributes = cookies[name]
            if value != token:
                found.append(f"the cookie {name} is not the token of the body")
            for wanted in ("Path=/", "HttpOnly", "SameSite=Lax"):
                if wanted not in attributes:
                    found.append(f"the cookie {name} lacks {wanted}")
        kept = [one.partition("=")[0] for one in cookies["refresh_token"][1]]
        if "Max-Age" not in kept or "Expires" not in kept:
            found.append(f"the cookie refresh_token does not say how long it lives: {kept}")
        return found


class Koppeltaal(Dialect):
    name, title, algorithm = "koppeltaal", "Koppeltaal 2.0", "RS512"
    client = True
    scope = "*/write"
    token = UUID

    def request(self, path, login):
        form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token,
                "scope": login.scope or ""}
        return Request("POST", path, [FORM], urllib.parse.urlencode(form).encode())

    def shape(self, login, behaviour):
        return (rf'\{{"access_token":"{JWT}","expires_in":{SECONDS},'
                rf'"refresh_token":"{self.token}","token_type":"Bearer"\}}\n')


@dataclasses.dataclass(frozen=True)
class Mount:
    path: str
    dialect: Dialect


# In the order in which people meet them: the standard one first.
MOUNTS = [
    Mount("/oauth/token", OAuth()),
    Mount("/oauth/access_token", Kopong()),
    Mount("/sandbox/token", WireCash()),
    Mount("/production/token", WireCash()),
    Mount("/auth/refresh_token", Duktig()),
    Mount("/api/auth/refresh", FusionAuth()),
    Mount("/api/jwt/refresh", FusionAuth()),
    Mount("/oauth2/token", Koppeltaal()),
]
JWKS_PATH = "/.well-known/jwks.json"
HEALTH_PATH = "/healthz"
# Every path of an installation without mount sections, and what stands there.
PATHS = {mount.path: mount.dialect.name for mount in MOUNTS} | {JWKS_PATH: "jwks",
                                                                HEALTH_PATH: "health"}


def mount_at(path):
    return next(mount for mount in MOUNTS if mount.path == path)
