# SPDX-License-Identifier: ISC
"""What `retoken completion` prints, in the shells themselves: lines are typed into bash and zsh on a
terminal, with tabs, and what the command is then given is what was completed."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("RETOKEN_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
RETOKEN = BUILD / "retoken"
PREPARE = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SETTINGS = {"bash": "PS1='> '", "zsh": "PS1='> '; autoload -U compinit; compinit -u -D; unsetopt beep"}
# stands in for the program and says what it was given
SPY = r"retoken() { printf 'ran:'; printf '<%s>' \"$@\"; printf ':end\n'; }".replace('\\"', '"')


def script(shell):
    return subprocess.run([RETOKEN, "completion", shell], capture_output=True, text=True, check=True).stdout


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, shell, folder):
        completion = folder / f"completion.{shell}"
        completion.write_text(script(shell))
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder), "LC_ALL": "C"}
            os.execvpe(shell, PREPARE[shell], environment)
        self.seen = ""
        os.write(self.fd, f"{SETTINGS[shell]}; {SPY}; source {completion}; printf 'rea''dy\\n'\n".encode())
        self.read_until(r"ready\r?\n")

    def read_until(self, pattern):
        """What the terminal showed, as far as the pattern."""
        end = time.monotonic() + 60
        while not (found := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {pattern} in {self.seen!r}"
            self.seen += os.read(self.fd, 65536).decode()
        shown, self.seen = self.seen[:found.end()], self.seen[found.end():]
        return shown, found

    def type(self, line):
        """The words that the command is given."""
        os.write(self.fd, f"{line}\n".encode())
        return re.findall("<(.*?)>", self.read_until("ran:(.*):end")[1][1])

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module", params=list(PREPARE))
def terminal(request, tmp_path_factory):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp("shell")
    (folder / "a file").write_text("")
    (folder / "folder").mkdir()
    shell = Terminal(request.param, folder)
    yield shell
    shell.close()


@pytest.mark.parametrize(("typed", "given"), [
    ("doc\t", ["doctor"]),
    ("acc\tsh\tada --js\t", ["account", "show", "ada", "--json"]),
    ("-c x acc\tsh\tada --js\t", ["-c", "x", "account", "show", "ada", "--json"]),
    ("account set ada --on-password-change ke\t", ["account", "set", "ada", "--on-password-change", "keep"]),
    ("client secret ret\tweb", ["client", "secret", "retire", "web"]),
    ("account import a\t", ["account", "import", "a file"]),
    ("account add ada --password-file a\t", ["account", "add", "ada", "--password-file", "a file"]),
    ("store backup fol\t", ["store", "backup", "folder"]),
    ("events sum\t--ki\treuse --js\t", ["events", "summary", "--kind", "reuse", "--json"]),
    ("completion z\t", ["completion", "zsh"]),
    ("help key act\t", ["help", "key", "activate"]),
    ("account remove x --js\t", ["account", "remove", "x", "--js"]),
])
def test_what_a_tab_completes(terminal, typed, given):
    assert " ".join(terminal.type(f"retoken {typed}")).replace("=", " ").removesuffix("/") == " ".join(given)


def test_both_know_every_verb_and_option():
    told = subprocess.run([RETOKEN, "help"], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^  ([a-z]+)(?: ([a-z]+)(?=\s))?", told, re.M)
    assert len(rows) > 40
    for shell in PREPARE:
        text = script(shell)
        for noun, verb in rows:
            assert f"\n    {noun})\n" in text and (not verb or f"\n        {verb})\n" in text), (noun, verb)
            options = subprocess.run([RETOKEN, "help", noun, *filter(None, [verb])], capture_output=True,
                                     text=True, check=True).stdout
            assert all(option in text for option in re.findall(r"--[a-z-]+", options))


@pytest.mark.parametrize("shell", PREPARE)
def test_the_shell_takes_it(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n"], input=script(shell), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_shell():
    done = subprocess.run([RETOKEN, "completion", "fish"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "take bash or zsh" in done.stderr
