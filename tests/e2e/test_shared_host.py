# SPDX-License-Identifier: ISC
"""README, "Under Apache on a shared host": its lines, typed word by word by an ordinary user, with the
programs that need no library, into the folder of a site that has rules of its own."""

import json
import os
import pathlib
import re
import shutil
import tarfile

import pytest

from conftest import PASSWORD
from lab import dialects, http, installation, machine, servers
from lab.http import Request

STATIC = {"retoken": machine.BUILD / "retoken-static", "retoken.cgi": machine.BUILD / "retoken.cgi"}
pytestmark = pytest.mark.skipif(not all(path.exists() for path in STATIC.values()),
                                reason="configured without --enable-static")

# as WordPress writes it
RULES = r"""# BEGIN WordPress
<IfModule mod_rewrite.c>
RewriteEngine On
RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteBase /
RewriteRule ^index\.php$ - [L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . /index.php [L]
</IfModule>
# END WordPress
"""
PAGE = "the site's own page\n"


def lines_of_readme():
    text = (machine.ROOT / "README.md").read_text()
    section = text.split("\n## Under Apache on a shared host")[1].split("\n## ")[0]
    return re.findall("(?m)^    (.*)$", section)


class Host(servers.Apache):
    """Knows nothing of Retoken; its users may do in .htaccess what hosts usually allow. It stands for
    suexec: what it starts runs as the user, who has this home."""

    def __init__(self, home, modules, run):
        self.home, self.modules = home, ("rewrite", *modules)
        if "fcgid" not in modules:
            self.own_files = f"ScriptSock {run}/cgid.sock"
        super().__init__("shared", installation.Installation(home / "retoken" / "data", machine.BUILD), run)

    def _folder(self, name):
        return self.home / "public_html" if name == "root" else super()._folder(name)

    def config(self):
        text = super().config()
        text = text[:text.index("Define RETOKEN_HOME")]
        whole = f'<Directory "{self.root}">\n'
        assert text.count(whole) == 1
        text = text.replace(whole, f"{whole}    AllowOverride All\n").replace("index.html", "index.php")
        fcgid = f'FcgidInitialEnv HOME "{self.home}"' if "fcgid" in self.modules else ""
        return f'{text}SetEnv HOME "{self.home}"\n{fcgid}\n'


class SuexecHost(Host):
    """Apache begins as root, as hosts run it, and what it starts runs as the user, by Debian's own suexec. Who that
    user is, where suexec may look and where it logs is said in a mount namespace of the server's."""

    USER = 54321
    suexec = "On"

    def __init__(self, home, modules, run):
        self.entries = {"/etc/passwd": f"hoster:x:{self.USER}:{self.USER}::{home}:/bin/sh\n",
                        "/etc/group": f"hoster:x:{self.USER}:\n"}
        super().__init__(home, ("suexec", *modules), run)

    def config(self):
        text = re.sub("(?m)^(SetEnv|FcgidInitialEnv) HOME.*\n", "", super().config())
        return f"User www-data\nGroup www-data\n{text}SuexecUserGroup hoster hoster\n"

    def command(self, config):
        steps = ["mount -t tmpfs none /var/log", "mkdir /var/log/apache2"]
        for path, entry in self.entries.items():
            mine = self.run / pathlib.Path(path).name
            mine.write_text(pathlib.Path(path).read_text() + entry)
            steps.append(f"mount --bind {mine} {path}")
        (self.run / "suexec").write_text(f"{self.home}\n# none\n")
        steps += [f"mount --bind {self.run}/suexec /etc/apache2/suexec/www-data",
                  "exec " + " ".join(map(str, super().command(config)))]
        return ["unshare", "--mount", "--", "sh", "-e", "-c", "\n".join(steps)]


def own_by_hoster(home):
    for path in (home, *home.rglob("*")):
        os.chown(path, SuexecHost.USER, SuexecHost.USER, follow_symlinks=False)


@pytest.fixture
def home():
    """A home directory with a site, and the archive that its owner has copied there."""
    folder = machine.folder("retoken-home-")
    folder.chmod(0o711)
    site = folder / "public_html"
    site.mkdir(mode=0o755)
    (site / "index.php").write_text(PAGE)
    (site / ".htaccess").write_text(RULES)
    with tarfile.open(folder / "retoken-static-0-test.tar.xz", "w:xz", preset=0) as archive:
        for name, path in STATIC.items():
            archive.add(path, f"retoken/{name}")
        archive.add(STATIC["retoken.cgi"], "retoken/retoken.fcgi")
        archive.add(machine.ROOT / "apache-conf" / "shared-host", "retoken/apache-conf/shared-host")
    machine.own(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def under_suexec(home, modules, run, monkeypatch):
    if os.getuid() != 0 or not pathlib.Path("/etc/apache2/suexec/www-data").exists() \
            or machine.user().pw_name != "www-data":
        pytest.skip("takes root, as whom nothing else runs, and apache2-suexec-custom")
    with monkeypatch.context() as as_root:
        as_root.setattr(machine, "identity", dict)
        server = SuexecHost(home, modules, run)
    own_by_hoster(home)
    hoster = {"user": SuexecHost.USER, "group": SuexecHost.USER, "extra_groups": []}
    monkeypatch.setattr(machine, "identity", lambda: hoster)  # who types
    return server


@pytest.mark.parametrize("suexec", [False, True], ids=["", "suexec"])
@pytest.mark.parametrize(("modules", "place"), [(("fcgid",), ""), (("cgid",), ""), (("fcgid",), "/shop")],
                         ids=["fcgid", "cgi", "below"])
def test_readme(home, modules, place, suexec, monkeypatch):
    run = machine.folder("retoken-run-")
    server = under_suexec(home, modules, run, monkeypatch) if suexec else Host(home, modules, run)
    try:
        url = server.url + place
        if place:  # a site below a folder of the host's name
            (home / "public_html" / "shop").mkdir(mode=0o755)
            own_by_hoster(home) if suexec else machine.own(home / "public_html")
        script = "\n".join(lines_of_readme()).replace("curl https://your.site", f"curl -sS {url}") \
            .replace("~/public_html", f"~/public_html{place}")
        done = machine.run(["sh", "-e", "-c", script], stdin=f"{PASSWORD}\n".encode(), cwd=home,
                           env=machine.environment(HOME=str(home)))
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        assert done.stdout.endswith(b'{"status":"ok"}'), done.stdout.decode() + server.log_text()[-2000:]

        # a client logs in and refreshes
        login = server.send(Request("POST", f"{place}/login", [("Content-Type", "application/json")],
                                    json.dumps({"username": "ada", "password": PASSWORD}).encode()))
        assert login.status == 200, (login, server.log_text()[-2000:])
        token = json.loads(login.body)["refresh_token"]
        again = server.send(Request("POST", f"{place}/oauth/access_token", [dialects.FORM],
                                    f"grant_type=refresh_token&refresh_token={token}".encode()))
        assert again.status == 200 and json.loads(again.body)["access_token"]

        # the site is as it was, and nothing is wrong from outside
        assert http.send(server.port, Request("GET", "/any/page")).body.decode() == PAGE
        looked = machine.run([machine.BUILD / "retoken", "doctor", "--url", url, "--json"])
        rows = {row["check"]: row for row in json.loads(looked.stdout)}
        assert looked.returncode == 0, rows
        assert "gets the Authorization header" in rows["authorization"]["detail"]
    finally:
        server.stop()
        shutil.rmtree(run, ignore_errors=True)


def test_programs_need_nothing():
    """No interpreter: they run where there is not even a C library."""
    for path in STATIC.values():
        assert b"/ld-linux" not in path.read_bytes()[:4096], path
