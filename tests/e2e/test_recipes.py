# SPDX-License-Identifier: ISC
"""docs/recipes.md, typed word by word: the page's own lines are what is run, in its order, against real
servers. What stands for the machine (paths, ports, the words in capitals) is in the tables below."""

import re
import shutil
import subprocess

import pytest

from conftest import PASSWORD
from lab import machine, servers

PAGE = machine.ROOT / "docs" / "recipes.md"

# What the words in capitals are: the last match in all that was printed so far.
CAPITALS = {
    "REFRESH": r'"refresh_token":"([^"]+)"',
    "TOKEN": r"(?m)^refresh token +(\S+)",
    "SECRET": r"shown only once:\n(\S+)",
    "SESSION": r"session=([0-9a-f-]{36})",
    "OLDSECRET": r"(?m)^([0-9a-f]{2}) +current",
    "OLDKID": r"(?m)^(\S+) +RS256 +active",
}

# Programs of the machine that a test must not or cannot use.
STANDS_IN = {
    "sudo": 'exec "$@"',
    "retoken": 'exec "$PROGRAMS/retoken" -c "$DATA/retoken.conf" "$@"',
    "install": 'while [ "$1" != "${1#-}" ]; do case $1 in -d) d=1; shift ;; *) shift 2 ;; esac; done\n'
               'if [ -n "${d-}" ]; then mkdir -p -m 700 "$1"; else cp "$1" "$2"; fi',
    "a2enmod": 'for name; do test -e "/usr/lib/apache2/modules/mod_$name.so" || exit 1; done',
    "a2enconf": 'test "$1" = retoken',
    "lighty-enable-mod": 'test "$1" = retoken',
    "nginx": 'exec /usr/sbin/nginx -p "$RUN" -e "$RUN/nginx-error.log" -c "$RUN/nginx.conf" "$@"',
    "journalctl": 'cat "$RUN/journal"',
    "systemctl": """
case "$1 $2" in
"start retoken.socket")
    "$PROGRAMS/retoken.fcgi" -c "$DATA/retoken.conf" --listen "$RUN/retoken.sock" </dev/null >>"$RUN/journal" 2>&1 &
    echo $! >"$RUN/pid"
    until [ -S "$RUN/retoken.sock" ]; do kill -0 $! || exit 1; done ;;
"stop retoken.socket")
    kill "$(cat "$RUN/pid")"
    while [ -S "$RUN/retoken.sock" ]; do :; done ;;
"reload "*) kill -HUP "$(cat "$RUN/server")" ;;
*) exit 1 ;;
esac""",
}


def sections():
    """{heading: [(language, text), …]}; "" is shell."""
    found = {}
    for part in PAGE.read_text().split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```|((?:^    [^\n]*\n)+)", text)
        found[heading] = [(language, fenced or re.sub("(?m)^    ", "", shell)) for language, fenced, shell in blocks]
    return found


SECTIONS = sections()


class Machine:
    """Where the page's commands are typed."""

    def __init__(self, world, web=None):
        self.world, self.shown = world, ""
        self.run = machine.folder("retoken-recipe-")
        world.cleanup.callback(shutil.rmtree, self.run, ignore_errors=True)
        world.cleanup.callback(self.stop)
        self.bin = self.run / "bin"
        self.bin.mkdir()
        for name, text in STANDS_IN.items():
            (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.bin / name).chmod(0o755)
        (self.run / "journal").write_text("")
        machine.own(self.run)
        self.port = machine.free_port()
        self.environment = machine.environment(
            PATH=f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", DATA=str(world.installed.folder), RUN=str(self.run),
            PROGRAMS=str(world.installed.programs))
        if web:
            self.web = web(self)

    def here(self, text):
        for there, here in {"/etc/retoken": self.world.installed.folder, "/var/lib/retoken": self.world.installed.folder,
                            "/var/backups/retoken": self.run / "backups", "/root": self.run,
                            "http://localhost": f"http://127.0.0.1:{self.port}", "PASSWORD": PASSWORD}.items():
            text = text.replace(there, str(here))
        return text

    def type(self, line):
        line = self.here(line)
        for word, pattern in CAPITALS.items():
            if re.search(rf"\b{word}\b", line):
                line = re.sub(rf"\b{word}\b", re.findall(pattern, self.shown)[-1], line)
        done = machine.run(["sh", "-c", line], stdin=f"{PASSWORD}\n".encode(), cwd=self.run, env=self.environment)
        assert done.returncode == 0, f"{line}\n{(done.stdout + done.stderr).decode()}"
        said = done.stdout.decode()
        self.shown += said
        return said

    def type_all(self, *sections_typed):
        """What each line printed."""
        said = {}
        for section in sections_typed:
            lines = [line for language, text in SECTIONS[section] if not language for line in text.splitlines()]
            said.update((line, self.type(line)) for line in lines)
        return said

    def stop(self):
        pid = self.run / "pid"
        if pid.exists():
            subprocess.run(["kill", pid.read_text().strip()], check=False)


def served_as_the_page_says(machine_there, heading, kind, edit):
    """A web server whose configuration is the page's where it is about Retoken."""
    made = servers._MAKERS[kind]
    blocks = [text for language, text in SECTIONS[heading] if language]

    class Page(made):
        stands_alone = False  # the page starts the responder

        def config(self):
            self.socket = machine_there.run / "retoken.sock"
            text = edit(made.config(self), self, blocks)
            return re.sub(r"/usr/share/retoken/\w+-conf", str(self.samples), text)

    server = Page(kind, machine_there.world.installed, machine_there.run, port=machine_there.port)
    machine_there.world.cleanup.callback(server.stop)
    (machine_there.run / "server").write_text(str(server.process.pid))
    return server


def once(text, old, new):
    assert text.count(old) == 1, old
    return text.replace(old, new)


def apache(text, server, blocks):
    return once(text, f'Include "{server.samples}/{server.sample}"', blocks[0])


def nginx(text, server, blocks):
    upstream, site = blocks
    return once(once(text, f"include {server.samples}/upstream.conf;", upstream),
                f"include {server.samples}/{server.sample};", site)


def lighttpd(text, server, blocks):
    """The values of settings.conf are those that the server before it has."""
    mine = re.sub(r"(?m)^.*settings.conf.*\n", "", blocks[0])
    assert mine != blocks[0]
    return once(once(text, f'include "{server.samples}/mounts.conf"', ""),
                f'include "{server.samples}/{server.sample}"', mine)


SERVERS = {"Behind Apache": ("apache-proxy", apache), "Behind nginx": ("nginx", nginx),
           "Behind lighttpd": ("lighttpd-socket", lighttpd)}


def with_server(world, heading):
    kind, edit = SERVERS[heading]
    return Machine(world, lambda there: served_as_the_page_says(there, heading, kind, edit))


@pytest.mark.parametrize("heading", SERVERS)
def test_behind(world, heading):
    there = with_server(world, heading)
    said = there.type_all(heading, "First client")
    assert said["curl http://localhost/healthz"] == '{"status":"ok"}'
    assert "FAIL" not in said["sudo retoken doctor --url http://localhost"]
    refreshed = [text for line, text in said.items() if "grant_type=refresh_token" in line]
    assert len(refreshed) == 2 and all('"access_token":"' in text for text in refreshed)
    explained = said["sudo retoken explain TOKEN"]
    assert "maria" in explained


def test_issuer(world):
    world.installed.set_retoken(issuer="https://login.example.org")
    said = with_server(world, "Behind nginx").type_all("Behind nginx", "A client that knows only the issuer")
    assert '"token_endpoint":"https://login.example.org/oauth/token"' in list(said.values())[-1]


def test_backup_and_restore(world):
    there = Machine(world)
    there.type("systemctl start retoken.socket")
    backup, restore = [text.splitlines() for _, text in SECTIONS["Back up and restore"]]
    for line in backup:
        there.type(line)
    world.installed.add_account("later", PASSWORD)
    said = "".join(there.type(line) for line in restore)
    assert "nothing wrong" in said
    names = [row["name"] for row in world.installed.json("account", "list")]
    assert "ada" in names and "later" not in names
    assert (there.run / "retoken-secret").read_bytes() == (world.installed.folder / "secret").read_bytes()


def test_key_roll(world):
    there = Machine(world)
    old = {row["kid"] for row in world.installed.json("key", "list") if row["algorithm"] == "RS256"}
    said = there.type_all("Roll the signing key")
    keys = {row["kid"]: row["state"] for row in world.installed.json("key", "list") if row["algorithm"] == "RS256"}
    assert len(old) == 1, said
    assert [state for kid, state in keys.items() if kid not in old] == ["published", "active"], said
    assert all(keys.get(kid, "retired") == "retired" for kid in old)


def test_secret_roll(world):
    there = Machine(world)
    said = list(there.type_all("Roll the master secret").values())
    rows = world.installed.json("secret", "list")
    assert [row["state"] for row in rows] == ["retired", "accepted", "current"], said
    assert all(row["sessions"] == 0 for row in rows)


def test_move(world):
    there = Machine(world)
    there.type("systemctl start retoken.socket")
    leave, arrive = [text.splitlines() for _, text in SECTIONS["Move to another machine"]]
    for line in leave:
        there.type(line)
    before = world.installed.json("account", "list")
    data = world.installed.folder
    for path in data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = "".join(there.type(line) for line in arrive)
    assert "nothing wrong" in said
    assert world.installed.json("account", "list") == before


def test_log(world):
    there = with_server(world, "Behind nginx")
    there.type_all("Behind nginx", "First client")
    wrong = "curl -s -u shop:wrong -d grant_type=refresh_token -d refresh_token=TOKEN http://localhost/oauth/token"
    assert "invalid_client" in there.type(wrong)
    said = list(there.type_all("Read the log").values())
    assert "outcome=rotated" in said[1] and "addr=127.0.0.1" in said[2]
    assert "maria" in said[-1]


def test_every_section_is_typed():
    assert set(SECTIONS) == {*SERVERS, "First client", "A client that knows only the issuer", "Back up and restore", "Roll the signing key",
                             "Roll the master secret", "Move to another machine", "Read the log"}
    for blocks in SECTIONS.values():
        assert blocks
