# SPDX-License-Identifier: ISC
"""./demo: starts a web server with Retoken behind it, logs in and refreshes once at every mount and
shows it, ends a session by reuse and shows why, then serves. Knows what to show; servers, dialects
and the installation are its neighbours'."""

import argparse
import base64
import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import shlex
import shutil
import signal
import sys
import textwrap
import urllib.parse

# instead of this folder, whose http.py would hide Python's own
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from lab import demo_failover, dialects, http, installation, jwks, machine, receiver, servers

HELP = """./demo [--server lighttpd|apache|nginx] [--store lmdb|postgresql] [--port N] [--data DIR] [--once]

Starts a web server on 127.0.0.1 with Retoken behind it, one demo account and one demo client; logs
in and refreshes once at every mount (where a dialect has no login, `retoken session create` begins
the session) and shows requests and answers; replays a spent token, which ends its session, and shows
what a webhook and `retoken explain` tell of it; then serves until Ctrl-C and prints what to try.

  --server NAME   lighttpd (unless told otherwise), apache or nginx
  --store KIND    lmdb (unless told otherwise); postgresql: three PostgreSQL servers and two web
                  servers instead, with a failover while sessions refresh
  --port N        8080 unless told otherwise; 0 takes any free port
  --data DIR      keep retoken.conf, the store and the secret in DIR, and use them again next time
                  (without it they live in a temporary folder until the end)
  --once          end after the refreshes: exit status 0 only if every mount answered as it should
"""

ACCOUNT, CLIENT, HASTY_CLIENT = "ada", "web", "kiosk"
WEBHOOK, WEBHOOK_SECRET = "demo", "webhook.secret"
CREDENTIALS = "demo-credentials.json"


class Stop(Exception):
    """A signal asked us to end."""


# ---- what it looks like ----

class Screen:
    """Colours on a terminal, plain text in a pipe; NO_COLOR is respected."""

    def __init__(self, out=sys.stdout):
        self.out = out
        self.coloured = (out.isatty() and "NO_COLOR" not in os.environ
                         and os.environ.get("TERM") != "dumb")
        self.width = min(shutil.get_terminal_size((100, 24)).columns, 110)

    def paint(self, text, *codes):
        return f"\033[{';'.join(codes)}m{text}\033[0m" if self.coloured else text

    def bold(self, text):
        return self.paint(text, "1")

    def dim(self, text):
        return self.paint(text, "2")

    def good(self, text):
        return self.paint(text, "32")

    def bad(self, text):
        return self.paint(text, "1", "31")

    def line(self, text=""):
        print(text, file=self.out, flush=True)

    def wrapped(self, text, first, rest):
        """A long line broken at the screen's edge: tokens are one word."""
        return textwrap.fill(text, self.width, initial_indent=first, subsequent_indent=rest,
                             break_on_hyphens=False, drop_whitespace=False)


def shortened(token):
    """A token's two ends and what was left out, so that two of them can be told apart."""
    return token if len(token) <= 40 else f"{token[:10]}…{token[-6:]}[{len(token)} chars]"


def readable(text, known):
    """A request or answer text with every known token shortened."""
    for token in sorted(set(known), key=len, reverse=True):
        if len(token) > 40:
            text = text.replace(token, shortened(token))
    return text


def body_lines(body, known):
    """A form or compact JSON with one member a line, in the order and spelling of the wire."""
    text = readable(body.decode("utf-8", "replace").rstrip("\n"), known)
    return text.replace(',"', ',\n "').replace("&", "\n&").splitlines()


NOT_SHOWN_OF_REQUEST = ("accept",)
SHOWN_OF_ANSWER = ("content-type", "set-cookie", "www-authenticate")


def show_request(screen, request, known):
    screen.line(f"    {screen.dim('→')} {screen.bold(f'{request.method} {request.path}')}")
    for name, value in request.headers:
        if name.lower() not in NOT_SHOWN_OF_REQUEST:
            screen.line(screen.wrapped(readable(f"{name}: {value}", known), "      ", "        "))
    for line in body_lines(request.body, known):
        screen.line(f"      {line}")


def show_answer(screen, answer, known):
    status = f"{answer.status} {answer.reason}"
    painted = screen.good(status) if answer.status == 200 else screen.bad(status)
    screen.line(f"    {screen.dim('←')} {painted} {screen.dim(f'{answer.seconds * 1000:.1f} ms')}")
    for name, value in answer.headers:
        if name.lower() in SHOWN_OF_ANSWER:
            screen.line(screen.wrapped(readable(f"{name}: {value}", known), "      ", "        "))
    for line in body_lines(answer.body, known):
        screen.line(f"      {line}")


# ---- what is tried at a mount ----

class Wrong(Exception):
    """A mount did not answer as it should."""


@dataclasses.dataclass
class Visit:
    """One mount, one session, and the questions that show it works."""

    screen: Screen
    port: int
    mount: dialects.Mount
    keys: list
    installed: installation.Installation
    known: list = dataclasses.field(default_factory=list)  # tokens, shown shortened

    def shown(self, request, complaints_of, tokens_of):
        """Sends and shows; gives the answer, which must be as it should."""
        show_request(self.screen, request, self.known)
        answer = http.send(self.port, request)
        complaints = complaints_of(answer)
        if not complaints:
            self.known += [token for token in tokens_of(answer) if token]
        show_answer(self.screen, answer, self.known)
        if complaints:
            raise Wrong("; ".join(complaints))
        return answer

    def begin(self):
        """The login that the visit is about: over HTTP where the dialect has one."""
        if not self.mount.login_path:
            return begin(self.installed, self.mount)
        dialect, path, who = self.mount.dialect, self.mount.path, credentials(self.installed, self.mount)
        answer = self.shown(dialect.login_request(path, who),
                            lambda answer: dialect.login_complaints(path, who, answer),
                            lambda answer: dataclasses.astuple(dialect.begun(who, answer))[1:3])
        login = dialect.begun(who, answer)
        explained = self.installed.json("explain", stdin=login.refresh_token.encode())
        self.screen.line(f"    {self.screen.good('✓')} logged in with a password: a session begins")
        return dataclasses.replace(login, session=explained["session"])

    def send(self, login):
        return http.send(self.port, self.mount.dialect.request(self.mount.path, login))

    def granted(self, login):
        """Sends; gives (answer, login from now on), or says what is wrong."""
        answer = self.send(login)
        complaints = self.mount.dialect.complaints(login, answer)
        if complaints:
            raise Wrong("; ".join(complaints))
        return answer, login.after(*self.mount.dialect.tokens(answer))

    def describe_access(self, access):
        """Who it is for, and that its signature is right."""
        header, claims = map(json.loads, dialects.jwt_parts(access))
        if header["alg"] != self.mount.dialect.algorithm:
            raise Wrong(f"the access token is signed with {header['alg']}")
        if not header["alg"].startswith("HS"):
            if not jwks.verifies(access, self.keys):
                raise Wrong("the access token's signature is wrong")
            return f"{header['alg']}, signature right by {dialects.JWKS_PATH}"
        self.installed.retoken("explain", stdin=access.encode())
        return f"{header['alg']}, expires {claims['exp'] - claims['iat']} s after issue"

    def follow_up(self, first, second):
        """What a client may do next; gives lines to show."""
        access = second.access_token
        yield f"access token: {self.describe_access(access)}"
        again, replay = self.granted(first)
        if not self.mount.dialect.rotates:
            yield f"sent again: granted again, this dialect keeps its refresh token ({milliseconds(again)})"
            yield from self.end(second)
            return
        if replay.refresh_token != second.refresh_token:
            raise Wrong("the same request again gave another successor")
        if dialects.jwt_claims(replay.access_token) != dialects.jwt_claims(access):
            raise Wrong("the same request again gave another access token")
        yield f"sent again, as after a lost answer: the same answer ({milliseconds(again)})"
        answer, third = self.granted(second)
        if third.refresh_token == second.refresh_token:
            raise Wrong("the successor was not rotated")
        yield f"the successor: renewed in its turn ({milliseconds(answer)})"
        late, current = self.granted(first)
        if current.refresh_token != third.refresh_token:
            raise Wrong("the first token once more gave a token that is not the current one")
        yield f"the first token once more, from a slow tab: the current answer ({milliseconds(late)})"
        yield from self.end(dataclasses.replace(third, session=first.session))

    def end(self, login):
        """The tokens verified and the session ended over HTTP where the dialect can do that."""
        logout = self.mount.dialect.beside("logout", self.mount.path)
        if self.mount.dialect.beside("verify", self.mount.path):
            yield f"verified at {self.ask('verify', login)}"
        if logout:
            self.ask("logout", login)
        elif self.mount.dialect.rotates:
            self.installed.retoken("session", "revoke", login.session)
        else:
            return
        dead = self.send(login)
        if dead.status not in (400, 401):
            raise Wrong("the token of a session that was ended was honoured")
        yield (f"{f'logged out at {logout}' if logout else 'revoked'}: {dead.status} {dead.reason}, "
               "from that commit on")

    def ask(self, word, login):
        """Sends another request of the dialect's, which must be granted; gives its path."""
        request = self.mount.dialect.request_beside(word, self.mount.path, login)
        answer = http.send(self.port, request)
        if answer.status != 200:
            raise Wrong(f"{request.path}: {answer.status} {answer.reason}")
        return request.path


def milliseconds(answer):
    return f"{answer.seconds * 1000:.1f} ms"


def visit(screen, one):
    """Shows one mount; True when it is as it should be."""
    title = f"{one.mount.dialect.name} · {one.mount.dialect.title}"
    screen.line(f"  {screen.bold(one.mount.path)}  {screen.dim(title)}")
    dialect = one.mount.dialect
    try:
        login = one.begin()
        one.known += [login.refresh_token, login.access_token, login.secret]
        answer = one.shown(dialect.request(one.mount.path, login),
                           lambda answer: dialect.complaints(login, answer), dialect.tokens)
        for line in one.follow_up(login, login.after(*dialect.tokens(answer))):
            screen.line(f"    {screen.good('✓')} {line}")
    except (Wrong, http.Broken, machine.LabError, ValueError) as error:
        screen.line(f"    {screen.bad('✗')} {readable(str(error), one.known)}\n")
        return False
    screen.line()
    return True


def look(screen, port, path, right, what):
    """A GET that needs no token; True when right(answer)."""
    answer = http.send(port, http.Request("GET", path))
    good = answer.status == 200 and right(answer)
    mark = screen.good("✓") if good else screen.bad("✗")
    screen.line(f"  {mark} {screen.bold('GET ' + path)}  {what(answer) if good else answer.status} "
                f"{screen.dim(milliseconds(answer))}")
    return good


def look_at_keys(screen, port):
    return look(screen, port, dialects.JWKS_PATH, lambda answer: json.loads(answer.body)["keys"],
                lambda answer: ", ".join(f"{key['kty']} {key.get('alg', '')}".strip()
                                         for key in json.loads(answer.body)["keys"]))


def look_at_health(screen, port):
    return look(screen, port, dialects.HEALTH_PATH, lambda answer: True,
                lambda answer: answer.body.decode("utf-8", "replace").strip())


# ---- the installation ----

def prepare_data(data, programs, url, store=None):
    """Begins an installation in the folder, or takes up the one that is there. store: the URL of another
    store than that of the folder."""
    installed = installation.Installation(data, programs)
    kept = pathlib.Path(data) / CREDENTIALS
    if not installed.config.exists():
        installed.init("--issuer", url, *(["--store", store] if store is not None else []))
        installed.password, installed.client_secret = secrets.token_urlsafe(9), ""
        installed.add_account(ACCOUNT, installed.password, "--role", "ROLE_CUSTOMER",
                              "--claim", "email=ada@example.org", "--claim", "firstName=Ada",
                              "--claim", "lastName=Lovelace", "--claim", "roleId=1")
        installed.client_secret = installed.add_client(CLIENT)
        with open(kept, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            json.dump({"password": installed.password, "secret": installed.client_secret}, out)
        machine.own(kept)
    elif kept.exists():
        known = json.loads(kept.read_text())
        installed.password, installed.client_secret = known["password"], known["secret"]
    else:
        raise machine.LabError(f"{data} holds an installation that is not the demo's "
                               f"({CREDENTIALS} is not in it); choose another folder")
    return installed


def data_folder(wanted, run):
    if wanted is None:
        (run / "data").mkdir(mode=0o700)
        return machine.own(run / "data")
    data = pathlib.Path(wanted).resolve()
    made = not data.exists()
    if made:
        data.mkdir(mode=0o700, parents=True)
        machine.own(data)
    if not machine.can_use(data):
        if made:
            data.rmdir()
        raise machine.LabError(f"{machine.user().pw_name}, as whom the servers run, cannot use {data};"
                               " choose a folder it owns, and that it can reach")
    return data


def credentials(installed, mount):
    """What a client of the mount has before it has tokens."""
    client = CLIENT if mount.dialect.client else ""
    return dialects.Login("", "", "", ACCOUNT, installed.password, client,
                          installed.client_secret if client else "", mount.dialect.scope)


def begin(installed, mount):
    who = credentials(installed, mount)
    return installed.login(mount.path, who.username, who.password, who.client, who.secret, who.scope)


def write_page(public, installed):
    """The page and, beside it, fresh sessions for it to begin with. Only a demo may publish such
    a file; this folder is served and nothing else is."""
    shutil.copytree(machine.ROOT / "www", public, dirs_exist_ok=True)
    (public / "described.json").write_text(installed.retoken("dialects", "--page"))
    rows = []
    for mount in dialects.MOUNTS:
        login = begin(installed, mount)
        rows.append({"path": mount.path, "dialect": mount.dialect.name,
                     "refresh_token": login.refresh_token, "access_token": login.access_token,
                     "username": ACCOUNT, "scope": login.scope or ""})
    (public / "demo.json").write_text(json.dumps({
        "account": ACCOUNT, "password": installed.password,
        "client": {"id": CLIENT, "secret": installed.client_secret}, "mounts": rows}))
    machine.own(public)


# ---- somebody was logged out: why? ----

def subscribe(installed):
    """A webhook for what ends sessions; the receiver, which gets another port each time, and the
    secret."""
    kept = installed.folder / WEBHOOK_SECRET
    if not kept.exists():
        with open(kept, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(receiver.new_secret() + "\n")
        machine.own(kept)
    receiving = receiver.Receiver()
    settings = installed.settings().split(f"\n[webhook {WEBHOOK}]\n")[0]
    installed.replace_settings(f"{settings}\n[webhook {WEBHOOK}]\nurl = {receiving.url}\nevents = security\n"
                               f"secret-file = {WEBHOOK_SECRET}\n")
    return receiving, kept.read_text().strip()


def said(answer):
    return f"{answer.status} {json.loads(answer.body).get('error', '')}".strip()


def tell_why(screen, server, installed, receiving, secret):
    """A spent token comes back; True when webhook and explanation tell so."""
    screen.line(f"  {screen.bold('Somebody was logged out. Why?')}")
    if installed.run("client", "show", HASTY_CLIENT).returncode != 0:
        installed.add_client(HASTY_CLIENT, "--public", "--policy", "concurrency-window=0")
    mount = dialects.mount_at("/oauth/token")
    first = installed.login(mount.path, ACCOUNT, client=HASTY_CLIENT)
    newest, answers = first, []
    for _ in range(3):
        answer = http.send(server.port, mount.dialect.request(mount.path, newest))
        answers.append(said(answer))
        newest = newest.after(*mount.dialect.tokens(answer))
    spent = said(http.send(server.port, mount.dialect.request(mount.path, first)))
    after = said(http.send(server.port, mount.dialect.request(mount.path, newest)))
    screen.line(f"    a client without a window (`--policy concurrency-window=0`) refreshes: {', '.join(answers)}")
    screen.line(f"    its first token comes again: {spent}")
    screen.line(f"    and the newest one, which its user holds: {after}")

    screen.line(f"    {screen.dim('$')} retoken notify --once")
    installed.retoken("notify", "--once")
    arrived = [one for one in receiving.deliveries if one.json()["data"].get("session") == first.session]
    for one in arrived:
        screen.line(f"    {screen.dim('→')} {screen.bold('POST ' + receiving.url)}")
        screen.line(f"      webhook-id: {one.id}")
        for line in body_lines(one.body, []):
            screen.line(f"      {line}")
    signed = [one for one in arrived if one.is_signed_by(secret)]
    screen.line(f"    {screen.dim('$')} retoken explain {screen.dim('# the newest token is pasted')}")
    explained = installed.retoken("explain", stdin=newest.refresh_token.encode())
    verdict, _, rest = explained.partition("\n")
    for line in [verdict, *rest.partition("its story:\n")[2].partition("\n\n")[0].splitlines()]:
        screen.line(screen.wrapped(line.strip(), "      ", "        "))
    good = (answers == ["200"] * 3 and spent == after == "400 invalid_grant" and len(signed) == len(arrived) == 1
            and "Generation 0 came back" in explained)
    screen.line((screen.good("    ✓ that is why; the webhook's signature is right") if good else
                 screen.bad("    ✗ that is not why, or the webhook is missing or wrong")) + "\n")
    return good


# ---- what to try next ----

LONG = 400  # a value beyond this is read from a file


def curl_words(request, keep):
    """The options that make curl send this request; `keep` puts a text into a file for it to read."""
    body = request.body.decode()
    for name, value in request.headers:
        if name == "Cookie":
            yield f"-i -b {shlex.quote(value)}"
        elif value.startswith("Basic "):
            yield f"-u {shlex.quote(base64.b64decode(value.removeprefix('Basic ')).decode())}"
        elif len(value) > LONG:
            yield f"-H @{keep('header', f'{name}: {value}')}"
        elif (name, value) != dialects.FORM and name != "Accept":  # curl's own
            yield f"-H {shlex.quote(f'{name}: {value}')}"
    if dialects.FORM not in request.headers:
        yield f"-d @{keep('body', body)}" if body else "-d ''"
        return
    for name, value in urllib.parse.parse_qsl(body, keep_blank_values=True):
        if len(value) > LONG:
            yield f"--data-urlencode {name}@{keep(name, value)}"
        else:
            pair = f"{name}={urllib.parse.quote(value, safe='/*')}"
            yield f"-d {shlex.quote(pair)}"


def curl_lines(port, installed, folder):
    """One line per dialect, each with a session of its own. What is too long for a line, or would
    be shell-quoted beyond reading, is in a file that curl reads."""
    folder.mkdir(mode=0o700)
    for dialect in dialects.DIALECTS:
        def keep(kind, text, name=dialect.name):
            (folder / f"{name}.{kind}").write_text(text)
            return folder / f"{name}.{kind}"

        mount = next(mount for mount in dialects.MOUNTS if mount.dialect is dialect)
        request = dialect.request(mount.path, begin(installed, mount))
        words = " ".join(curl_words(request, keep))
        yield dialect.name, f"curl http://127.0.0.1:{port}{mount.path} {words}"
    machine.own(folder)


def show_next(screen, server, installed, run):
    screen.line(screen.bold("What to try next"))
    screen.line(f"  {screen.dim('the page')}")
    screen.line(f"    {server.url}{server.page}")
    for name, line in curl_lines(server.port, installed, run / "try"):
        screen.line(f"  {screen.dim(name)}")
        screen.line(f"    {line}")
    command = f"{installed.programs / 'retoken'} -c {installed.config}"
    if os.getuid() == 0:
        command = f"runuser -u {machine.user().pw_name} -- {command}"
    screen.line(f"  {screen.dim('what happened, as the operator sees it')}")
    screen.line(f"    {command} session list")
    screen.line(f"    {command} explain      {screen.dim('# then paste a token')}")
    screen.line(f"\nServing on {screen.bold(server.url)} until Ctrl-C.")


# ---- the whole of it ----

def options_of(arguments):
    parser = argparse.ArgumentParser(prog="./demo", usage=HELP.splitlines()[0], add_help=False)
    parser.add_argument("--server", choices=("lighttpd", "apache", "nginx"), default="lighttpd")
    parser.add_argument("--store", choices=("lmdb", "postgresql"), default="lmdb")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data")
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args(arguments)
    if options.data and options.store == "postgresql":
        parser.error("--data keeps an LMDB store; the servers of --store postgresql are temporary")
    return options


def choose_port(wanted):
    if wanted == 0:
        return machine.free_port()
    if not 0 < wanted < 65536:
        raise machine.LabError(f"there is no port {wanted}; ports are 1 to 65535")
    if machine.port_is_taken(wanted):
        raise machine.LabError(f"port {wanted} is in use or not ours to take; "
                               f"choose another: ./demo --port {wanted % 65535 + 1}")
    return wanted


def exercise(screen, server, installed):
    """Every mount once; how many were not as they should be."""
    wrong = not look_at_health(screen, server.port)
    wrong += not look_at_keys(screen, server.port)
    screen.line()
    keys = jwks.keys_of(http.send(server.port, http.Request("GET", dialects.JWKS_PATH)).body)
    for mount in dialects.MOUNTS:
        wrong += not visit(screen, Visit(screen, server.port, mount, keys, installed))
    total = len(dialects.PATHS)
    if wrong:
        screen.line(screen.bad(f"✗ {wrong} of {total} mounts did not answer as they should; "
                               f"the server's log follows"))
        screen.line(server.log_text()[-4000:])
    else:
        screen.line(screen.good(f"✓ all {total} mounts answered as they should") + "\n")
    return wrong


def demo(screen, options, cleanup):
    port = choose_port(options.port)
    run = machine.folder("retoken-demo-")
    cleanup.callback(shutil.rmtree, run, ignore_errors=True)
    run.chmod(0o711)
    programs = installation.programs_for_user()
    if programs != machine.BUILD:
        cleanup.callback(shutil.rmtree, programs, ignore_errors=True)
    data, url = data_folder(options.data, run), f"http://127.0.0.1:{port}"
    if options.store == "postgresql":
        cluster = demo_failover.start(run, cleanup)
        installed = prepare_data(data, programs, url, demo_failover.store_of(cluster))
        wrong, server = fail_over(screen, options, cleanup, cluster, installed, port, run)
    else:
        installed = prepare_data(data, programs, url)
        wrong, server = visit_mounts(screen, options, cleanup, installed, port, run)
    if options.once or wrong:
        return 1 if wrong else 0
    show_next(screen, server, installed, run)
    server.process.wait()
    screen.line(screen.bad("the web server ended by itself:") + f"\n{server.log_text()[-2000:]}")
    return 1


def start_server(options, cleanup, installed, port, run):
    server = servers.start(options.server, installed, run, port=port, page=run / "public")
    cleanup.callback(server.stop)
    return server


def visit_mounts(screen, options, cleanup, installed, port, run):
    """How much was wrong, and the web server."""
    write_page(run / "public", installed)
    receiving, secret = subscribe(installed)
    cleanup.callback(receiving.stop)
    server = start_server(options, cleanup, installed, port, run)
    kept = "" if options.data else screen.dim(" (temporary; --data DIR keeps one)")
    screen.line(f"{screen.bold('Retoken')} behind {server.version()} on {screen.bold(server.url)}")
    screen.line(f"data in {installed.folder}{kept}\n")
    wrong = exercise(screen, server, installed) + (not tell_why(screen, server, installed, receiving, secret))
    return wrong, server


def fail_over(screen, options, cleanup, cluster, installed, port, run):
    """How much was wrong, and one of two web servers."""
    write_page(run / "public", installed)
    other = run / "other"
    shutil.copytree(run / "public", other / "public")
    machine.own(other)
    first, second = (start_server(options, cleanup, installed, *place)
                     for place in ((port, run), (choose_port(options.port and port + 1), other)))
    screen.line(f"{screen.bold('Retoken')} behind two {first.version()}, on {screen.bold(first.url)} and "
                f"{screen.bold(second.url)}, over three PostgreSQL servers")
    shown = demo_failover.store_of(cluster).replace(str(cluster.servers[0].folder.parent).replace("/", "%2F"), "…")
    screen.line(f"store = {shown}\n")
    wrong = not demo_failover.show(screen, cluster, (first.port, second.port), installed, begin)
    return wrong, first


def stop(number, frame):
    # Only the first signal is heard: ending is under way and takes a moment.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stop(number)


def main():
    screen = Screen()
    options = options_of(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with contextlib.ExitStack() as cleanup:
            return demo(screen, options, cleanup)
    except Stop as signalled:
        screen.line("\nended")
        return 0 if not options.once else 128 + signalled.args[0]
    except machine.LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
