# SPDX-License-Identifier: ISC
"""Source guards: rules of HACKING that no compiler sees. A guard that cannot find its input fails."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

FLOOR = {
    "base": 0, "model": 1, "http": 1, "token": 2, "store": 2, "operation": 3,
    "dialect": 4, "server": 5, "process": 5, "responder": 6, "admin": 6,
}

# A foreign library has one room: the one file (pair) that may include its header.
ROOMS = {
    "fcgiapp.h": "server/fastcgi",
    "lmdb.h": "store/lmdb/env",
    "jwt.h": "token/client_jwt_libjwt",
    "crypt.h": "operation/password",
    "zlib.h": "dialect/kopong_principal",
    "jansson.h": "base/json",
    "curl/curl.h": "http/client",
    "libpq-fe.h": "store/postgresql/connection",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def has_test(test):
    """FILE.py::name or FOLDER/test_FILE::name; without a name the whole file."""
    program, _, name = test.partition("::")
    source = ROOT / program if program.endswith(".py") else ROOT / f"{program}.c"
    return source.exists() and re.search(rf"\b{re.escape(name.partition('[')[0])}\b",
                                         source.read_text()) is not None


def sources():
    found = sorted([*SRC.rglob("*.c"), *SRC.rglob("*.h")])
    assert len(found) > 60, "the sources were not found"
    return found


def name(path):
    return str(path.relative_to(SRC))


def floor(path):
    return path.relative_to(SRC).parts[0]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def test_floors_are_respected():
    wrong = []
    for path in sources():
        folder = floor(path)
        for kind, header in INCLUDE.findall(path.read_text()):
            if kind != '"' or header == "config.h":
                continue
            other = header.split("/")[0]
            assert other in FLOOR, f"{name(path)} includes {header}: not from src/"
            if other != folder and FLOOR[other] >= FLOOR[folder]:
                wrong.append(f"{name(path)} includes {header}")
    assert not wrong, "a file includes its own folder and lower floors only: " + "; ".join(wrong)


def test_lower_floors_do_not_log():
    """Below floor 5 a fault is returned. base/log.h is at the bottom only so that all above can reach it."""
    users = [p for p in sources() if ('"', "base/log.h") in INCLUDE.findall(p.read_text())]
    assert len(users) > 3, users
    wrong = [name(p) for p in users if FLOOR[floor(p)] < 5 and p.stem not in ("log", "log_socket")]
    assert not wrong, wrong


def test_store_is_seen_through_its_header_only():
    """No file outside the store knows a kind of store: neither its files nor its name."""
    for path in sources():
        if floor(path) == "store":
            continue
        seen = [h for _, h in INCLUDE.findall(path.read_text()) if h.startswith("store/")]
        assert set(seen) <= {"store/store.h"}, f"{name(path)} includes {seen}"
        text = without_comments(path.read_text())
        for scheme in ("lmdb:", "postgresql:"):
            assert scheme not in text, f"{name(path)} spells {scheme}"


@pytest.mark.parametrize("header,room", ROOMS.items())
def test_foreign_library_has_one_room(header, room):
    users = [name(p) for p in sources() if ("<", header) in INCLUDE.findall(p.read_text())]
    assert users, f"nobody includes {header}: is the guard out of date?"
    assert all(u.rsplit(".", 1)[0].startswith(room) for u in users), users


def test_files_introduce_themselves():
    for path in sources():
        text = path.read_text().removeprefix("/* SPDX-License-Identifier: ISC */\n")
        first = text.split("\n", 1)[0]
        assert first.startswith("/* " + path.name), (
            f"{name(path)} opens with {first!r}: say what it is for, what it knows and what not")


def test_store_is_never_opened_unsafely():
    text = "".join(without_comments(p.read_text()) for p in (SRC / "store").rglob("*.c"))
    assert "mdb_env_open" in text
    for flag in ("MDB_NOSYNC", "MDB_NOMETASYNC", "MDB_WRITEMAP", "MDB_MAPASYNC", "MDB_NOLOCK"):
        assert flag not in text, f"{flag} gives up durability or safety"


BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|strtok|atoi)\s*\(": "unbounded or ambiguous",
    r"\b(system|popen)\s*\(": "no shell",
    r"\bsetjmp\s*\(": "no setjmp",
}


def test_banned_calls():
    for path in sources():
        code = without_comments(path.read_text())
        for pattern, why in BANNED.items():
            hit = re.search(pattern, code)
            assert not hit, f"{name(path)}: {hit.group(0)} {why}"


def test_files_are_made_whole():
    """A file is written by base/whole_file.c, so that a kill leaves no half of one. Exceptions grow or
    hold nothing: the log, the journal of ends, the file of locks."""
    makers = {p.name for p in sources() if re.search(r'\bO_CREAT\b|\bfopen\s*\((?![^)]*"re"\))|\bcreat\s*\(',
                                                      without_comments(p.read_text()))}
    assert makers == {"whole_file.c", "log.c", "ended_log.c", "process_lock.c"}, makers


def test_secrets_are_compared_in_constant_time():
    """token/ and refresh/ handle MACs, hashes and passwords: there, memcmp and strcmp are not for them."""
    for folder in ("token", "operation"):
        for path in (SRC / folder).glob("*.c"):
            code = without_comments(path.read_text())
            assert not re.search(r"\b(memcmp|strcmp|strncmp)\s*\(", code), (
                f"{name(path)}: use secret_equal, text_equal or text_is")


def test_every_setting_is_documented():
    keys = set(re.findall(r'\{\s*"([a-z][a-z-]+)",', (SRC / "process" / "config_settings.c").read_text()))
    assert {"data", "algorithm", "concurrency-window"} <= keys, keys
    for source in [*(SRC / "process").glob("config_*.c"), *(SRC / "dialect").glob("*.c")]:
        keys |= set(re.findall(r'(?:\(section, |line->name, |\{)"([a-z]+)"(?:\)|, take_)', source.read_text()))
    assert {"base", "endpoint", "realm", "principal"} <= keys, keys
    manual = (ROOT / "man" / "retoken.conf.5").read_text().replace("\\-", "-")
    for key in keys:
        assert key in manual, f"retoken.conf(5) does not name {key}"


def tracked():
    """Every file of the project; in an unpacked release, every file outside of build folders."""
    if (ROOT / ".git").exists():
        out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout.split("\n")
        files = [ROOT / f for f in out if f]
    else:
        built = [p.parent for p in ROOT.rglob("config.status")]
        files = [p for p in ROOT.rglob("*") if p.is_file() and not set(built) & set(p.parents)]
    assert len(files) > 100
    return files


def test_nothing_reaches_outside_the_project():
    this = Path(__file__).resolve()
    words = ["/work" + "/", ".." + "/shared"]
    for path in tracked():
        if path == this or path.suffix in (".png", ".svg") or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        for word in words:
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"


def test_formatting():
    """.clang-format is never discussed. It is read by one version, Debian 12's: no two agree on macros."""
    version = shutil.which("clang-format") and subprocess.run(
        ["clang-format", "--version"], capture_output=True, text=True, check=True).stdout
    if not version or not re.search(r"\bversion 14\.", version):
        pytest.skip(f"needs clang-format 14, here is: {version}")
    files = [str(p) for p in sources()] + [str(p) for p in ROOT.glob("tests/*/*.[ch]")]
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


def test_no_dialect_is_known_outside_its_folder():
    rows = re.findall(r"^\s*(?:DIALECT|DESCRIBED)\((\w+)\)", (SRC / "dialect" / "dialect.h").read_text(), re.M)
    names = set(rows) - {"oauth", "dbsc", "wellknown"}  # words of the field
    assert len(names) >= 5, "the table of dialects was not found"
    pattern = re.compile("|".join(names), re.I)
    wrong = [f"{name(path)}: {match.group()}" for path in sources() if path.parent.name != "dialect"
             for match in [pattern.search(path.read_text())] if match]
    assert not wrong, "a dialect's name belongs in src/dialect and dialects/ only: " + "; ".join(wrong)
