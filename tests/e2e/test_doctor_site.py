# SPDX-License-Identifier: ISC
"""`retoken doctor --url`: real web servers, right and wrong in one thing each, and what it says of
them. What it advises is then done, and it finds nothing any more."""

import json
import re
import shutil

import pytest

from conftest import new_world
from lab import dialects, machine, servers
from lab.receiver import Authority

OK, WARN, FAIL = "ok", "warn", "FAIL"


def examine(world, url, *options):
    """{check: [(state, detail), …]}"""
    done = world.installed.run("doctor", "--url", url, *options, "--json")
    assert done.stderr == b"", done.stderr
    rows = {}
    for row in json.loads(done.stdout):
        rows.setdefault(row["check"], []).append((row["state"], row["detail"]))
    failed = any(state == FAIL for found in rows.values() for state, _ in found)
    assert done.returncode == (3 if failed else 0)
    return rows


def states(rows):
    return {check: max((state for state, _ in found), key=[OK, WARN, FAIL].index) for check, found in rows.items()}


def spoilt(kind, change):
    """The server of a kind, with its configuration changed; change(text, server) may change samples too."""
    made = servers._MAKERS[kind]

    def config(self):
        return change(made.config(self), self)

    return type(f"Spoilt{made.__name__}", (made,), {"config": config})


@pytest.fixture
def serve(world):
    def start(kind, change=lambda text, server: text):
        run = machine.folder("retoken-run-")
        world.cleanup.callback(shutil.rmtree, run, ignore_errors=True)
        server = spoilt(kind, change)(kind, world.installed, run)
        world.cleanup.callback(server.stop)
        return server
    return start


def in_sample(name, old, new):
    """A change of one file of the sample."""
    def change(text, server):
        sample = server.samples / name
        assert old in sample.read_text()
        sample.write_text(sample.read_text().replace(old, new))
        return text
    return change


GOOD = {"configuration", "site", "health", "keys", "mounts", "authorization", "cookies", "served files"}


@pytest.mark.parametrize("kind", servers.WEB_KINDS)
def test_samples_are_right(world, serve, kind):
    rows = examine(world, serve(kind).url)
    assert states(rows) == dict.fromkeys(GOOD, OK), rows
    assert "keys of this installation" in rows["keys"][0][1]
    assert "gets the Authorization header" in rows["authorization"][0][1]


def test_documents_of_the_issuer(small_world):
    """At the site's root, whatever the prefix is; where the server does not pass them on, it says so."""
    world = small_world("[retoken]\nissuer = https://login.example/auth\nprefix = /sso\n")
    paths = ["/sso/.*", r"/\.well-known/oauth-authorization-server/auth"]
    state, detail = examine(world, world.serve("nginx", paths=paths).url)["discovery"][0]
    assert state == FAIL and detail.startswith(
        "/auth/.well-known/openid-configuration, /auth/.well-known/smart-configuration: ")
    paths.append(r"/auth/\.well-known/(?:openid|smart)-configuration")
    rows = examine(world, world.serve("nginx", paths=paths).url)
    assert rows["discovery"] == [(OK, "all 3 are reached")] and set(states(rows).values()) == {OK}


def test_nothing_is_counted_against_anyone(world, serve):
    """The examination is no guess at a client or account: many of them slow no one."""
    server = serve("nginx")
    for _ in range(8):
        assert FAIL not in states(examine(world, server.url)).values()
    mount = dialects.mount_at("/oauth/token")
    assert server.send(mount.dialect.request(mount.path, world.login(mount))).status == 200


# ---- one thing wrong each ----

def apache_docroot_page(text, server):
    """The site's own front controller takes all paths, as WordPress's rules do."""
    return text.replace(f'Include "{server.samples}/{server.sample}"', "") + \
        f"""
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
RewriteEngine On
RewriteRule ^ "{server.root}/index.html" [L]
"""


def several(*changes):
    def change(text, server):
        for one in changes:
            text = one(text, server)
        return text
    return change


def more(lines):
    return lambda text, server: text + lines


APACHE_LOGIN = """
<{0}>
    AuthType Basic
    AuthName "staff"
    AuthUserFile /dev/null
    Require valid-user
</{1}>
"""
PASS = "fastcgi_pass retoken; # upstream.conf"
CHECKED = {
    "Apache, in four things": ("apache", several(
        in_sample("mod_fcgid.conf", "CGIPassAuth On", "CGIPassAuth Off"),
        in_sample("mounts.conf", "|/api/login", ""),
        more('Header always set Access-Control-Allow-Origin "*"\nHeader always edit Set-Cookie "; HttpOnly" ""\n')),
        {"authorization": "CGIPassAuth On", "mounts": "/api/login:", "other sites": "take that header out",
         "cookies": "HttpOnly, SameSite and Path=/"}),
    "nginx, in three things": ("nginx", several(
        in_sample("retoken.conf", "|/api/login|", "|"),
        in_sample("retoken.conf", PASS, f"{PASS}\n    fastcgi_param HTTP_AUTHORIZATION ''; "
                                        "add_header Access-Control-Allow-Origin * always;")),
        {"authorization": "fastcgi_param HTTP_AUTHORIZATION", "mounts": "/api/login:",
         "keys": "two Access-Control-Allow-Origin"}),
    "Apache's own login, and a cache": ("apache", several(
        more(APACHE_LOGIN.format('LocationMatch "^/oauth/token"', "LocationMatch")),
        more('Header always set Cache-Control "max-age=60"\nHeader set Cache-Control "max-age=60"\n')),
        {"authorization": "login of its own", "mounts": "changes Cache-Control"}),
    "a login before all": ("apache", more(APACHE_LOGIN.format('Location "/"', "Location")),
                           {"health": "except Retoken's paths"}),
    "the site's page answers": ("apache", apache_docroot_page, {"health": "another page of the site answers"}),
    "nginx has no location": ("nginx", in_sample("retoken.conf", r"|/healthz)/?$", ")/?$"),
                              {"health": "include nginx-conf/retoken.conf"}),
    "the program is missing": ("apache-cgi", lambda text, server: text.replace(
        str(server.installed.script), "/nonexistent/retoken.fcgi"), {"health": "status"}),
    "no one listens": ("nginx", lambda text, server: server.alone.stop() or text,
                       {"health": "at the socket in upstream.conf"}),
    "Apache, no one listens": ("apache-proxy", lambda text, server: server.alone.stop() or text,
                               {"health": "at RETOKEN_SOCKET"}),
    "all is forbidden": ("nginx", in_sample("retoken.conf", PASS, f"deny all; {PASS}"), {"health": "forbids"}),
    "a redirect to elsewhere": ("nginx", in_sample("retoken.conf", PASS, "return 301 https://www.example.org/;"),
                                {"health": "redirects to https://www.example.org/"}),
    "the program is sent": ("apache", lambda text, server: text.replace(
        f'Include "{server.samples}/{server.sample}"', f'Alias "/healthz" "{script(server)}"'),
        {"health": "sends the program instead of running it"}),
}


def script(server):
    path = server.root / "retoken.fcgi"
    path.write_text("#!/bin/sh\nexec retoken.fcgi\n")
    return path


@pytest.mark.parametrize("what", CHECKED)
def test_what_is_wrong(world, serve, what):
    kind, change, checks = CHECKED[what]
    rows = examine(world, serve(kind, change).url)
    for check, advice in checks.items():
        assert states(rows)[check] == FAIL, rows
        assert advice in " ".join(detail for state, detail in rows[check] if state == FAIL)


@pytest.mark.parametrize("kind", ["apache", "nginx", "lighttpd"])
def test_data_that_are_served(world, serve, kind):
    """By a server that knows nothing of what the samples forbid."""
    def data_below_the_root(text, server):
        sample = server.samples / server.sample
        # the refusals of the sample, out
        kept = re.sub(r"(?ms)^(location ~ /\(\?:retoken-data.*?^}|\$HTTP\[\"url\"\] =~ \"/\(\?:retoken-data.*?^}"
                      r"|<Directory \"\$\{RETOKEN_HOME\}\">.*?^</Directory>)", "", sample.read_text())
        assert kept != sample.read_text()
        sample.write_text(kept)
        data = server.installed.folder
        (server.root / data.name).symlink_to(data)
        return text
    server = serve(kind, data_below_the_root)
    rows = examine(world, server.url)
    assert states(rows)["served files"] == FAIL, rows
    told = [detail for state, detail in rows["served files"] if state == FAIL]
    assert {detail.split(" is served")[0].rpartition("/")[2] for detail in told} >= {"secret", "data.mdb"}, told
    assert all("move the data" in detail for detail in told)


def test_another_installation_answers(world, serve, template):
    server = serve("lighttpd")
    world.installed.retoken("key", "add", "--algorithm", "RS256", "--activate", "--kid", "new")
    assert states(examine(world, server.url))["keys"] == OK  # it is published already
    with new_world(template) as other:
        other.installed.retoken("key", "add", "--algorithm", "RS256", "--activate", "--kid", "of-another")
        rows = examine(other, server.url)
    assert "another installation answers" in rows["keys"][0][1]


# ---- https ----

def with_tls(certificate, *, told=True):
    def change(text, server):
        sample = server.samples / server.sample
        if not told:
            sample.write_text(sample.read_text().replace("fastcgi_param HTTPS             $https if_not_empty;", ""))
        return text.replace(f"listen 127.0.0.1:{server.port};",
                            f"listen 127.0.0.1:{server.port} ssl;\n        ssl_certificate {certificate};\n"
                            f"        ssl_certificate_key {certificate};")
    return change


@pytest.fixture(scope="module")
def authority():
    folder = machine.folder("retoken-authority-")
    made = Authority(folder)
    made.certificate = made.issue("site.pem")
    machine.own(folder)
    yield made
    shutil.rmtree(folder, ignore_errors=True)


def test_https(world, serve, authority):
    server = serve("nginx", with_tls(authority.certificate))
    url = f"https://127.0.0.1:{server.port}"
    rows = examine(world, url, "--ca-file", authority.file)
    assert states(rows) == dict.fromkeys(GOOD | {"certificate"}, OK), rows
    assert "for https only" in rows["cookies"][0][1]
    rows = examine(world, url)
    assert states(rows)["certificate"] == FAIL and "health" not in rows
    assert "certificate" in rows["certificate"][0][1]


def test_https_that_retoken_is_not_told_of(world, serve, authority):
    server = serve("nginx", with_tls(authority.certificate, told=False))
    rows = examine(world, f"https://127.0.0.1:{server.port}", "--ca-file", authority.file)
    assert states(rows)["cookies"] == FAIL and "fastcgi_param HTTPS" in rows["cookies"][0][1]
    world.installed.set_retoken(issuer="https://login.example.org")  # the other advice
    server = serve("nginx", with_tls(authority.certificate, told=False))
    rows = examine(world, f"https://127.0.0.1:{server.port}", "--ca-file", authority.file)
    assert states(rows)["cookies"] == OK, rows


@pytest.mark.parametrize(("url", "said"), [
    ("ftp://x/", "not the URL of a site"),
    ("login.example.org", "not the URL of a site"),
    ("https://user:secret@x/", "not the URL of a site"),
    ("https://169.254.169.254", "never asked"),
    ("https://nowhere.invalid", "nowhere.invalid"),
])
def test_urls(world, url, said):
    rows = examine(world, url)
    assert FAIL in states(rows).values()
    assert said in json.dumps(rows) and "secret" not in json.dumps(rows)


def test_what_mod_fcgid_runs(world, serve):
    """The kernel's list of processes tells, so this is `doctor` on the machine itself."""
    def said():
        done = world.installed.run("doctor", "--json")
        return {row["check"]: row for row in json.loads(done.stdout)}.get("web server")

    serve("apache").send(dialects.mount_at("/oauth/token").dialect.request("/oauth/token", world.login(
        dialects.mount_at("/oauth/token"))))
    machine.wait_until(said, 60, "a process that lasts")
    assert said()["state"] == OK and "apache-conf/mod_proxy_fcgi.conf" in said()["detail"]
