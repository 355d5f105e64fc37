# SPDX-License-Identifier: ISC
"""retoken.fcgi as a process: how it was started, its options, its end by a signal, plain CGI without a
web server, and what makes it fit to hold secrets."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from lab import fcgi, installation, machine, preload

HEALTH = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/healthz"}
FORM = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/oauth/token",
        "CONTENT_TYPE": "application/x-www-form-urlencoded"}
HEALTHY = b'{"status":"ok"}'


@pytest.fixture(scope="module")
def installed():
    folder = machine.folder("retoken-start-")
    found = installation.Installation(folder, installation.programs_for_user())
    found.init()
    yield found
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture(scope="module", params=["retoken.fcgi", "retoken.cgi"])
def script(request, installed):
    """What a web server runs for a CGI request."""
    program = machine.BUILD / request.param
    if not program.exists():
        pytest.skip(f"{program} is not built")
    return machine.copy_for_user(program, installed.folder / request.param)


@pytest.fixture
def run():
    folder = machine.folder("retoken-start-run-")
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def environment(installed, **more):
    return machine.environment(RETOKEN_HOME=str(installed.folder), **more)


def refused(installed, *arguments):
    """(exit status, standard error) of a start that fails."""
    done = machine.run([installed.responder, *arguments], env=environment(installed))
    return done.returncode, done.stderr.decode()


@contextlib.contextmanager
def listening(installed, run, *options, before=()):
    """The responder with a socket of its own."""
    path = run / "s"
    process = machine.start([*before, installed.responder, "--listen", path, *options],
                            log=run / "log", env=environment(installed))
    try:
        machine.wait_until(lambda: machine.listens_at(path), what="the responder")
        yield process, path
    finally:
        machine.stop(process)


def ask(path, variables, body=b""):
    data = fcgi.begin() + fcgi.params(variables) + fcgi.stdin(body)
    return fcgi.parse(fcgi.raw(path, data)[0])


# ---- options and guesses ----

@pytest.mark.parametrize("arguments, status, words", [
    ([], 2, "started neither over FastCGI"),
    (["--fcgi"], 2, "--fcgi: no listening socket was passed"),
    (["--cgi"], 2, "--cgi: GATEWAY_INTERFACE is not set"),
    (["--bogus"], 2, "see retoken.fcgi --help"),
    (["-c"], 2, "see retoken.fcgi --help"),
    (["extra"], 2, "extra: not an option"),
    (["--threads", "0"], 2, "--threads 0: write 1 to 256"),
    (["--threads", "257"], 2, "--threads 257: write 1 to 256"),
    (["--threads", "2x"], 2, "--threads 2x: write 1 to 256"),
    (["--listen", "s", "--mode", "0888"], 2, "--mode 0888: not permissions in octal"),
    (["--listen", "s", "--mode", "01777"], 2, "--mode 01777: not permissions in octal"),
    (["--listen", "s", "--mode", "-1"], 2, "--mode -1: not permissions in octal"),
    (["--listen", "0.0.0.0:9000"], 3, "--listen 0.0.0.0:9000: not a loopback address"),
    (["--listen", "/nonexistent/s"], 3, "cannot create the socket /nonexistent/s: No such file"),
])
def test_refused(installed, arguments, status, words):
    code, said = refused(installed, *arguments)
    assert code == status
    assert words in said


def test_help_and_version(installed):
    for option, words in (("--help", b"--listen WHERE"), ("--version", b"client assertions verified by ")):
        done = machine.run([installed.responder, option], env=environment(installed))
        assert done.returncode == 0 and words in done.stdout and done.stderr == b""


def inherit(installed, run, listener):
    return machine.start([installed.responder], log=run / "log", env=environment(installed),
                         stdin=listener)


def test_listening_socket_on_descriptor_0(installed, run):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run / "s"))
        machine.own(run / "s")
        listener.listen()
        process = inherit(installed, run, listener)
        try:
            assert ask(run / "s", HEALTH).body == HEALTHY
        finally:
            machine.stop(process)
    assert process.returncode == 0
    assert (run / "s").exists()  # whoever made it removes it


def test_inherited_socket_that_is_open_to_others_is_refused(installed, run):
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        process = inherit(installed, run, listener)
        assert process.wait(10) == 3
    assert "open to other machines" in (run / "log").read_text()


def test_socket_that_systemd_passes(installed, run):
    """By systemd-socket-activate, which starts it at the first connection."""
    if shutil.which("systemd-socket-activate") is None:
        pytest.skip("systemd-socket-activate is not installed")
    process = machine.start(["systemd-socket-activate", "-l", run / "s",
                             "-E", f"RETOKEN_HOME={installed.folder}", installed.responder],
                            log=run / "log", env=environment(installed))
    try:
        machine.wait_until(lambda: machine.listens_at(run / "s"), what="systemd-socket-activate")
        for _ in range(3):
            assert ask(run / "s", HEALTH).body == HEALTHY
    finally:
        machine.stop(process)
    assert process.returncode == 0
    assert (run / "s").exists()  # whoever made it removes it


def test_tcp_on_loopback(installed, run):
    port = machine.free_port()
    process = machine.start([installed.responder, "--listen", f"127.0.0.1:{port}"],
                            log=run / "log", env=environment(installed))
    try:
        machine.wait_until(lambda: machine.listens(port), what="the responder")
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(fcgi.begin() + fcgi.params(HEALTH) + fcgi.stdin(b""))
            assert fcgi.parse(fcgi.read_answer(connection)[0]).body == HEALTHY
    finally:
        machine.stop(process)
    assert process.returncode == 0


def test_mode_of_the_socket(installed, run):
    with listening(installed, run) as (_, path):
        assert path.stat().st_mode & 0o777 == 0o660
    with listening(installed, run, "--mode", "0606") as (_, path):
        assert path.stat().st_mode & 0o777 == 0o606


def test_socket_of_a_killed_responder_is_replaced(installed, run):
    with listening(installed, run) as (process, path):
        code, said = refused(installed, "--listen", path)
        assert (code, said) == (3, f"retoken.fcgi: {path}: another process is listening there\n")
        process.kill()
        process.wait()
        assert path.exists()
    with listening(installed, run) as (_, path):
        assert ask(path, HEALTH).body == HEALTHY


# ---- signals ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_finishes_what_is_in_flight(installed, run, number):
    body = b"grant_type=refresh_token&refresh_token=x&client_id=y"
    variables = dict(FORM, CONTENT_LENGTH=str(len(body)))
    with listening(installed, run) as (process, path):
        with fcgi.connect(path) as connection:
            connection.sendall(fcgi.begin() + fcgi.params(variables)
                               + fcgi.record(fcgi.STDIN, body[:9]))
            ask(path, HEALTH)  # so the other one has been taken up
            process.send_signal(number)
            machine.wait_until(lambda: not accepts(path), what="the end of accepting")
            assert process.poll() is None
            connection.sendall(fcgi.record(fcgi.STDIN, body[9:]) + fcgi.record(fcgi.STDIN))
            answer = fcgi.parse(fcgi.read_answer(connection)[0])
        assert answer.status in (400, 401) and b"invalid_" in answer.body
        assert process.wait(10) == 0
        assert not path.exists()


def accepts(path):
    """Is a request still answered?"""
    try:
        out, _, _ = fcgi.raw(path, fcgi.begin() + fcgi.params(HEALTH) + fcgi.stdin(b""), 0.2)
    except OSError:
        return False
    return out != b""


def test_idle_responder_ends_at_once(installed, run):
    with listening(installed, run) as (process, _):
        process.terminate()
        assert process.wait(1) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_signal_opens_the_log_again(installed, run, number):
    """`mv` and a signal, as logrotate does it."""
    log, older = installed.folder / "rotated.log", installed.folder / "rotated.log.1"
    settings = installed.settings()
    installed.set_retoken(log=str(log))
    try:
        with listening(installed, run) as (process, path):
            ask(path, dict(HEALTH, SCRIPT_NAME="/first"))
            log.rename(older)
            process.send_signal(number)
            machine.wait_until(log.exists, what="the new log")
            ask(path, dict(HEALTH, SCRIPT_NAME="/second", REMOTE_ADDR="192.0.2.7"))
            process.terminate()
            assert process.wait(10) == 0
        assert "/first" in older.read_text() and "/second" not in older.read_text()
        assert "/second" in log.read_text() and "addr=192.0.2.7" in log.read_text()
    finally:
        installed.replace_settings(settings)
        for each in (log, older):
            each.unlink(missing_ok=True)


@pytest.mark.parametrize("scheme, header", [("syslog", "<29>retoken[{pid}]: "), ("journal", "PRIORITY=5\n")])
def test_log_daemon_of_a_configuration_that_was_mended(installed, run, scheme, header):
    """By then the process is confined and makes no socket any more."""
    settings = installed.settings()
    installed.set_retoken(log=f"{scheme}:{run}/daemon", nonsense="on")
    nowhere = dict(HEALTH, SCRIPT_NAME="/nowhere\n", REMOTE_ADDR="192.0.2.7")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            daemon.bind(f"{run}/daemon")
            machine.own(run / "daemon")
            daemon.settimeout(30)
            with listening(installed, run) as (process, path):
                assert ask(path, nowhere).status == 503
                installed.replace_settings(installed.settings().replace("nonsense = on\n", ""))
                machine.wait_until(lambda: ask(path, nowhere).status == 404, what="a configuration")
                lines = ""
                while "no-mount" not in lines:
                    lines += daemon.recv(8192).decode()
                assert header.format(pid=process.pid) in lines
                assert "notice no-mount addr=192.0.2.7 method=GET script=/nowhere\\x0a " in lines
        assert "confined: the process tried" not in (run / "log").read_text()
    finally:
        installed.replace_settings(settings)


def test_a_full_log_holds_nothing_up(installed, run):
    """A file at the limit of its size (RLIMIT_FSIZE) sends SIGXFSZ."""
    log = installed.folder / "full.log"
    most = 1 << 30
    log.touch()
    os.truncate(log, most)
    machine.own(log)
    settings = installed.settings()
    installed.set_retoken(log=str(log))
    try:
        with listening(installed, run, before=["prlimit", f"--fsize={most}"]) as (process, path):
            for _ in range(3):
                assert ask(path, dict(HEALTH, SCRIPT_NAME="/nowhere")).status == 404
            assert process.poll() is None
        assert log.stat().st_size == most
    finally:
        installed.replace_settings(settings)
        log.unlink()


# ---- clients that leave ----

def test_request_of_a_client_that_has_gone_is_not_performed(installed, run):
    request = fcgi.begin() + fcgi.params(dict(FORM, CONTENT_LENGTH="0")) + fcgi.stdin(b"")
    with listening(installed, run, "--threads", "1") as (process, path):
        machine.freeze(process.pid)  # so that it comes to the request after its client left
        with fcgi.connect(path) as gone:
            gone.sendall(request)
        with fcgi.connect(path) as there:
            there.sendall(request)
            process.send_signal(signal.SIGCONT)
            assert fcgi.parse(fcgi.read_answer(there)[0]).status == 400
    log = (run / "log").read_text()
    assert "gone: the client left" in log
    assert log.count("refresh addr=") == 1


# ---- confined ----

def status_of(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_confined_as_far_as_the_kernel_can(installed, run):
    offered = machine.run([installed.responder, "--version"], env=environment(installed)).stdout.decode()
    settings = installed.settings()
    installed.set_retoken(log_level="info")
    try:
        with listening(installed, run) as (process, path):
            assert ask(path, HEALTH).body == HEALTHY
            words = offered.strip().rpartition("confines itself: ")[2]
            assert f"confined: {words}\n" in (run / "log").read_text()
            assert status_of(process)["NoNewPrivs"] == "1"
            assert status_of(process)["Seccomp"] == ("2" if "system calls" in words else "0")
        assert not path.exists()
        assert "confined: the process tried" not in (run / "log").read_text()
    finally:
        installed.replace_settings(settings)


# ---- plain CGI ----

def cgi(installed, script, variables, body=b"", arguments=(), descriptor=None):
    done = subprocess.run([script, *arguments], input=None if descriptor else body,
                          stdin=descriptor, capture_output=True, timeout=30, check=False,
                          env=environment(installed, **variables), **machine.identity())
    return done, fcgi.parse(done.stdout)


def test_cgi(installed, script):
    done, answer = cgi(installed, script, HEALTH)
    assert done.returncode == 0 and answer.status == 200 and answer.body == HEALTHY
    done, answer = cgi(installed, script, dict(HEALTH, REQUEST_METHOD="HEAD"))
    assert answer.body == b"" and ("Content-Length", str(len(HEALTHY))) in answer.headers


@pytest.mark.parametrize("length, body, status, words", [
    ("9", b"a=b&c=d&e", 400, b"grant_type is missing"),
    ("9", b"a=b&c=d&e and more", 400, b"grant_type is missing"),
    ("9", b"a=b", 400, b"not as long as announced"),
    ("-9", b"a=b&c=d&e", 400, b"not as long as announced"),
    (None, b"a=b&c=d&e", 411, b"Content-Length is required"),
    ("", b"a=b&c=d&e", 411, b"Content-Length is required"),
    ("100000", b"a" * 100000, 413, b"too large"),
])
def test_cgi_bodies(installed, script, length, body, status, words):
    variables = FORM if length is None else dict(FORM, CONTENT_LENGTH=length)
    _, answer = cgi(installed, script, variables, body)
    assert answer.status == status and words in answer.body


def test_cgi_does_not_wait_for_the_end_of_its_input(installed, script):
    """RFC 3875 section 4.2: CONTENT_LENGTH bytes can be read, and perhaps no end after them."""
    reader, writer = os.pipe()
    try:
        os.write(writer, b"a=b&c=d&e")
        _, answer = cgi(installed, script, dict(FORM, CONTENT_LENGTH="9"), descriptor=reader)
        assert answer.status == 400 and b"grant_type is missing" in answer.body
    finally:
        os.close(reader)
        os.close(writer)


def test_cgi_arguments_come_from_clients(installed, script, run):
    """`/oauth/token?--listen+/tmp/x` is passed as arguments (RFC 3875 section 4.4)."""
    for arguments in (["--listen", run / "s"], ["-c", "/nonexistent"], ["--help"], ["--fcgi"]):
        done, answer = cgi(installed, script, HEALTH, arguments=arguments)
        assert done.returncode == 0 and answer.body == HEALTHY
    assert not (run / "s").exists()


def test_cgi_leaves_without_closing_the_store(installed):
    """LMDB's close races with another process that opens it (docs/hazards.md)."""
    done = machine.run([installed.responder],
                       env=environment(installed, **HEALTH, **preload.variables("responder/leaving.c")))
    assert done.returncode == 0 and done.stdout.endswith(HEALTHY)


@pytest.mark.parametrize("lines, word", [
    ("\n[hook claims]\nurl = unix:/nonexistent/claims\n\n[realm a]\ndialect = oauth\nhook = claims\n", "asks no hooks"),
    ("store = postgresql://nobody@127.0.0.1:1/none\n", "reaches no store behind a server"),
])
def test_static_cgi_hands_over_what_takes_libraries(installed, run, lines, word):
    """To the retoken.fcgi beside it, which here says what it was given. Where there is none, or it is the same
    static file, the dialect's words for a fault, and why in the log."""
    if not (machine.BUILD / "retoken.cgi").exists():
        pytest.skip("configured without --enable-static")
    static, beside = machine.copy_for_user(machine.BUILD / "retoken.cgi", run / "retoken.cgi"), run / "retoken.fcgi"
    settings = installed.settings()
    body = b"grant_type=refresh_token&refresh_token=x"
    variables = dict(FORM, CONTENT_LENGTH=str(len(body)))
    try:
        installed.replace_settings(settings + lines)
        for make in (lambda: None, lambda: beside.symlink_to(static.name),
                     lambda: machine.copy_for_user(static, beside)):
            beside.unlink(missing_ok=True)
            make()
            done, answer = cgi(installed, static, variables, body, arguments=["a=b"])
            assert answer.status == 503 and f"this program is static and {word}; use retoken.fcgi" in done.stderr.decode()
        beside.write_text('#!/bin/sh\nprintf "Status: 200\\r\\n\\r\\n%s %s " "$#" "$SCRIPT_NAME"; cat\n')
        beside.chmod(0o755)
        done, answer = cgi(installed, static, variables, body, arguments=["a=b"])
        assert (answer.body, done.stderr) == (b"0 /oauth/token " + body, b"")
    finally:
        installed.replace_settings(settings)


# ---- a process that holds secrets ----

def test_standard_descriptors_are_held(installed, run):
    """Without them, the file of the store must not become descriptor 2, where messages go."""
    script = 'exec "$1" --listen "$2" <&- >&- 2>&-'
    process = machine.start(["/bin/sh", "-c", script, "sh", installed.responder, run / "s"],
                            log=run / "log", env=environment(installed))
    try:
        machine.wait_until(lambda: machine.listens_at(run / "s"), what="the responder")
        assert ask(run / "s", HEALTH).body == HEALTHY
        if os.getuid() == 0:  # nobody else may look into a process that cannot be dumped
            for number in range(3):
                assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
    finally:
        machine.stop(process)
    assert machine.run([installed.programs / "retoken", "store", "check"],
                       env=environment(installed)).returncode == 0


def test_no_core_dumps(installed, run):
    with listening(installed, run) as (process, path):
        ask(path, HEALTH)
        proc = pathlib.Path(f"/proc/{process.pid}")
        limits = [line.split() for line in (proc / "limits").read_text().splitlines()]
        assert ["Max", "core", "file", "size", "0", "0", "bytes"] in limits
        assert (proc / "environ").stat().st_uid == 0  # not dumpable, so not its user's
