# SPDX-License-Identifier: ISC
"""One installation of Retoken: a folder with retoken.conf, the store and the secret, administered
through the real `retoken` program. Knows the command line (README, "Administration"); does not
know web servers or dialects."""

import json
import pathlib

from . import dialects, machine


class Refused(machine.LabError):
    """`retoken` did not do what it was asked; status and stderr say why."""

    def __init__(self, arguments, result):
        self.status = result.returncode
        self.errors = result.stderr.decode("utf-8", "replace").strip()
        super().__init__(f"retoken {' '.join(map(str, arguments))}: exit status {self.status}: {self.errors}")


class Installation:
    """folder: the data. programs: where retoken, retoken.fcgi and, where it is built, retoken.cgi are."""

    def __init__(self, folder, programs):
        self.folder = pathlib.Path(folder)
        self.programs = pathlib.Path(programs)
        self.password = self.client_secret = ""
        self.variables = {}  # of the environment, for all that is started on it
        self.words = []  # that a responder is started behind, where it is started alone

    @property
    def config(self):
        return self.folder / "retoken.conf"

    @property
    def responder(self):
        return self.programs / "retoken.fcgi"

    @property
    def script(self):
        """What the samples run for a CGI request."""
        static = self.programs / "retoken.cgi"
        return static if static.exists() else self.responder

    def run(self, *arguments, stdin=b"", timeout=120):
        """The CompletedProcess, whatever the status."""
        return machine.run([self.programs / "retoken", "-c", self.config, *arguments], stdin=stdin,
                           cwd=self.folder, timeout=timeout, env=machine.environment(**self.variables))

    def retoken(self, *arguments, stdin=b""):
        """What it printed; Refused unless it exits with 0."""
        result = self.run(*arguments, stdin=stdin)
        if result.returncode != 0:
            raise Refused(arguments, result)
        return result.stdout.decode()

    def json(self, *arguments, stdin=b""):
        return json.loads(self.retoken(*arguments, "--json", stdin=stdin))

    def init(self, *options):
        self.retoken("init", *options)

    def settings(self):
        return self.config.read_text()

    def set_retoken(self, **settings):
        """Keys of the section [retoken]: log_level="debug" sets log-level."""
        self._set("retoken", settings)

    def set_mount(self, mount, **settings):
        """Keys of one mount and of the others for its sessions; what is not named keeps the
        dialect's default. The first call writes a section for every default mount, because once
        there is one, only those exist."""
        if "\n[mount " not in self.settings():
            for path, dialect in dialects.PATHS.items():
                self._set(f"mount {path}", {"dialect": dialect})
        for path in mount.paths:
            self._set(f"mount {path}", settings)

    def _set(self, section, settings):
        lines = self.settings().splitlines()
        header = f"[{section}]"
        if header not in lines:
            lines += ["", header]
        at = lines.index(header) + 1
        end = next((n for n in range(at, len(lines)) if lines[n].startswith("[")), len(lines))
        names = {name.replace("_", "-"): value for name, value in settings.items()}
        kept = [line for line in lines[at:end] if line.partition("=")[0].strip() not in names]
        lines[at:end] = [f"{name} = {value}" for name, value in names.items()] + kept
        self.replace_settings("\n".join(lines) + "\n")

    def replace_settings(self, text):
        self.config.write_text(text)
        machine.own(self.config)

    def add_account(self, name, password, *options):
        self.retoken("account", "add", name, *options, stdin=password.encode() + b"\n")

    def add_client(self, client, *options):
        """The generated secret of a confidential client."""
        return self.json("client", "add", client, *options).get("client_secret", "")

    def login(self, mount, name, password="", client="", secret="", scope=None):
        """Begins a session, as a sign-in would have done."""
        options = ["--mount", mount, "--account", name]
        if client:
            options += ["--client", client]
        if scope is not None:
            options += ["--scope", scope]
        made = self.json("session", "create", *options)
        return dialects.Login(made["session"], made["refresh_token"], made["access_token"], name, password,
                     client, secret, scope)

    def session(self, session):
        return self.json("session", "show", session)


def programs_for_user():
    """A folder with the programs that the user can run: the build itself, or a copy where the build is
    closed to the user."""
    wanted = [machine.BUILD / name for name in ("retoken", "retoken.fcgi")]
    for program in wanted:
        if not program.exists():
            raise machine.LabError(f"{program} is not there; build it with scripts/prepare build build")
    wanted += [program for program in [machine.BUILD / "retoken.cgi"] if program.exists()]
    if all(machine.run(["test", "-x", program]).returncode == 0 for program in wanted):
        return machine.BUILD
    copy = machine.folder("retoken-programs-")
    for program in wanted:
        machine.copy_for_user(program, copy / program.name)
    return copy
