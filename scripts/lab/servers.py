# SPDX-License-Identifier: ISC
"""The responder behind real web servers, as the sample configurations have it: those very files
are what is started here, with nothing changed but the values that they name as yours to set. Knows
how each server takes such values; does not know dialects.

KINDS: "socket" is the responder alone, spoken to over FastCGI without any web server; the others
are web servers, named after how they reach it."""

import pathlib
import re
import socket as sockets
import threading

from . import fcgi, http, machine

RESPONDERS = ("retoken.fcgi", "retoken.cgi")  # names of processes


class Server:
    """A running server. port: None for the responder alone. page: URL path of the page."""

    port = None
    page = "/retoken/"

    def __init__(self, kind, installed, run):
        self.kind, self.installed, self.run = kind, installed, pathlib.Path(run)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.run / f"{self.kind}.log"

    def log_text(self):
        return "".join(path.read_text(errors="replace") for path in sorted(self.run.glob("*.log")))

    def send(self, request, **more):
        return http.send(self.port, request, **more)

    def send_until(self, good, request, patience=20.0):
        """Asks again until good(answer)."""
        answers = []

        def asked():
            try:
                answers.append(self.send(request))
            except http.Broken:
                return False
            return good(answers[-1])

        try:
            machine.wait_until(asked, patience, "a good answer")
        except machine.LabError:
            raise machine.LabError(f"no good answer; the last one: {answers[-1:]}") from None
        return answers[-1]

    def responders(self):
        """Process ids of what answers, sorted."""
        pids = [self.process.pid, *machine.children(self.process.pid)]
        return sorted(pid for pid in pids if machine.program_of(pid) in RESPONDERS)

    def stop(self):
        if self.process is not None:
            machine.stop(self.process)


def environment(installed):
    return machine.environment(RETOKEN_CONFIG=str(installed.config), **installed.variables)


class Bare(Server):
    """The responder alone. One process listens by itself; several, or one that is started again
    whenever it ends, share a listening socket on descriptor 0, as under spawn-fcgi or systemd."""

    def __init__(self, kind, installed, run, processes=None, respawn=False):
        super().__init__(kind, installed, run)
        self.socket = self.run / "retoken.sock"
        self.count, self.respawn = processes or 1, respawn
        self.processes, self.listener, self.ending = [], None, threading.Event()
        self.lock = threading.Lock()
        if processes or respawn:
            self.listener = self._listen()
            self.processes = [self._begin() for _ in range(self.count)]
            threading.Thread(target=self._keep_up, daemon=True).start()
        else:
            self.processes = [machine.start([*installed.words, installed.responder, "--listen", self.socket],
                                            log=self.log, cwd=self.run, env=environment(installed))]
        self.process = self.processes[0]
        machine.wait_until(self._up, what=f"the responder: {self.log}")

    def _listen(self):
        listener = sockets.socket(sockets.AF_UNIX)
        listener.bind(str(self.socket))
        machine.own(self.socket)
        listener.listen(1024)
        return listener

    def _begin(self):
        return machine.start([self.installed.responder], log=self.log, cwd=self.run,
                             env=environment(self.installed), stdin=self.listener)

    def _up(self):
        if self.listener is None and self.process.poll() is not None:
            raise machine.LabError(f"the responder ended: {self.log_text()[-2000:]}")
        return machine.listens_at(self.socket)

    def _keep_up(self):
        while self.respawn and not self.ending.is_set():
            with self.lock:
                for number, process in enumerate(self.processes):
                    if process.poll() is not None and not self.ending.is_set():
                        self.processes[number] = self._begin()
            self.ending.wait(0.002)

    def send(self, request, timeout=30.0, **variables):
        return fcgi.send(self.socket, request, timeout, **variables)

    def send_patiently(self, request):
        return self.send_until(lambda answer: True, request)

    def responders(self):
        with self.lock:
            return sorted(process.pid for process in self.processes if process.poll() is None)

    def kill(self, pid):
        """kill -9, and waits until the process is gone."""
        with self.lock:
            process = next((one for one in self.processes if one.pid == pid), None)
        if process is not None:
            process.kill()
            process.wait()

    def stop(self):
        self.ending.set()
        with self.lock:
            for process in self.processes:
                machine.stop(process)
        if self.listener is not None:
            self.listener.close()



class Web(Server):
    """A web server of a sample configuration: settles where its files lie, writes the few lines
    round the sample that every installation has of its own, and starts it."""

    program = name = sample = ""
    stands_alone = False  # the responder is started by us and reached through its socket

    def __init__(self, kind, installed, run, port=None, page=None, passwords=None, checked=False, extra="",
                 paths=(), tls=None):
        """passwords: a file of htpasswd's; the paths of login.conf ask for one. checked: what is below
        /members/ needs an access token (check.conf). extra: lines of the server's configuration. paths: what
        is added to the sample's, each as a regular expression. tls: serves TLS as well, at tls_port; a
        folder with server.pem; and ca.crt, whose clients are known. Any other certificate is passed, too, by
        lighttpd only those in clients.pem beside it."""
        super().__init__(kind, installed, run)
        self.tls_folder, self.tls_port = tls, machine.free_port() if tls else None
        self.passwords, self.checked, self.extra = passwords, checked, extra
        self.port = port or machine.free_port()
        self.socket = self.run / "retoken.sock"
        self.page_folder = pathlib.Path(page or self._folder("no-page"))
        self.root = self._folder("root")
        (self.root / "index.html").write_text(
            '<!doctype html><meta http-equiv="refresh" content="0; url=/retoken/">\n')
        members = self.root / "members"
        members.mkdir()
        (members / "index.html").write_text("<!doctype html><title>Members</title>\n")
        self.samples = machine.copy_for_user(machine.ROOT / f"{self.name}-conf", self.run / "sample")
        for path in paths:
            self._add_path(path)
        if tls:
            self._pass_certificates()
        self.alone = Bare(kind, installed, run) if self.stands_alone else None
        try:
            config = self.run / f"{self.name}.conf"
            config.write_text(self.config())
            machine.own(self.run)
            self.process = machine.start(self.command(config), log=self.run / "server-output.log",
                                         cwd=self.run)
            machine.wait_until(self._up, what=f"{self.program} on port {self.port}")
        except BaseException:
            self.stop()
            raise

    def _add_path(self, path):
        """Into the one list of the samples."""
        listed = r"|/\.well-known/jwks\.json|"
        lists = [sample for sample in self.samples.glob("*.conf") if listed in sample.read_text()]
        if len(lists) != 1:
            raise machine.LabError(f"{self.samples} has {len(lists)} lists of paths")
        lists[0].write_text(lists[0].read_text().replace(listed, f"|{path}{listed}"))

    def _pass_certificates(self):
        """Takes the # away before those lines of the samples that are for certificates."""
        shown = 0
        for sample in self.samples.glob("*.conf"):
            text = sample.read_text()
            for block in re.findall(r"certificate.*\n?.*take the # away:\n((?: *#(?! \S).*\n)+)", text):
                text = text.replace(block, re.sub(r"(?m)^( *)#", r"\1", block))
                shown += 1
            sample.write_text(text)
        if not shown and self.name != "lighttpd":
            raise machine.LabError(f"{self.samples} does not show how certificates are passed")

    def _folder(self, name):
        folder = self.run / name
        folder.mkdir(exist_ok=True)
        return machine.own(folder)

    def _up(self):
        if self.process.poll() is not None:
            raise machine.LabError(f"{self.program} ended at once:\n{self.log_text()[-2000:]}")
        return machine.listens(self.port)

    def command(self, config):
        raise NotImplementedError

    def config(self):
        raise NotImplementedError

    def send_tls(self, request, context, **more):
        return http.send(self.tls_port, request, tls=context, **more)

    def tls(self):
        """Lines of the configuration that serve TLS."""
        raise NotImplementedError

    def version(self):
        """"nginx/1.22.1", as the program says it."""
        shown = machine.run([f"/usr/sbin/{self.program}", "-v"])
        return re.search(r"\w+/[\d.]+", (shown.stdout + shown.stderr).decode()).group()

    def responders(self):
        return sorted(super().responders() + (self.alone.responders() if self.alone else []))

    def stop(self):
        super().stop()
        if self.alone is not None:
            self.alone.stop()


class Lighttpd(Web):
    program = name = "lighttpd"
    sample = "bin-path.conf"

    def command(self, config):
        return ["/usr/sbin/lighttpd", "-D", "-f", config]

    def login(self):
        return f'include "{self.samples}/login.conf"' if self.passwords else ""

    def check(self):
        """The lines of check.conf's own comment."""
        shown = re.findall(r"^#   ((?:var|include).*)$", (self.samples / "check.conf").read_text(), re.M)
        unfit = "bin-path.conf" if self.stands_alone else "socket.conf"
        lines = [line for line in shown if f"with {unfit}" not in line]
        if len(lines) != 3:
            raise machine.LabError("lighttpd-conf/check.conf does not show how it is included")
        return "\n".join([*lines[:2], f'include "{self.samples}/check.conf"']) if self.checked else ""

    def tls(self):
        """What mounts.conf shows is in it."""
        shown = re.findall(r"^#   (ssl\.verifyclient\..*)$", (self.samples / "mounts.conf").read_text(), re.M)
        if len(shown) != 4:
            raise machine.LabError("lighttpd-conf/mounts.conf does not show how certificates are passed")
        lines = "\n    ".join(shown).replace("/etc/lighttpd/clients.pem", f"{self.tls_folder}/clients.pem")
        return f"""
server.modules += ( "mod_openssl" )
$SERVER["socket"] == "127.0.0.1:{self.tls_port}" {{
    ssl.engine = "enable"
    ssl.pemfile = "{self.tls_folder}/server.pem"
    {lines}
}}
""" if self.tls_folder else ""

    def config(self):
        return f"""
server.document-root = "{self.root}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.errorlog = "{self.run}/lighttpd-error.log"
server.breakagelog = "{self.run}/lighttpd-breakage.log"
server.upload-dirs = ( "{self._folder('uploads')}" )
server.modules = ( "mod_accesslog", "mod_indexfile" )
accesslog.filename = "{self.run}/lighttpd-access.log"
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html", ".json" => "application/json" )
var.retoken_home = "{self.installed.folder}"
var.retoken_fcgi = "{self.installed.responder}"
var.retoken_cgi = "{self.installed.script}"
var.retoken_socket = "{self.socket}"
var.retoken_www = "{self.page_folder}"
var.retoken_passwords = "{self.passwords}"
include "{self.samples}/mounts.conf"
{self.login()}
include "{self.samples}/{self.sample}"
{self.check()}
include "{self.samples}/page.conf"
{self.tls()}
{self.extra}
"""


class LighttpdSocket(Lighttpd):
    sample, stands_alone = "socket.conf", True


class LighttpdCgi(Lighttpd):
    sample = "cgi.conf"


class Apache(Web):
    program, name = "apache2", "apache"
    sample, modules = "mod_fcgid.conf", ("fcgid",)
    suexec = "Off"  # where it is installed, mod_fcgid would run as root only
    own_files = "FcgidIPCDir {run}/fcgid\nFcgidProcessTableFile {run}/fcgid.table"

    def __init__(self, kind, installed, run, checked=False, **options):
        self.check_port, self.checker = machine.free_port(), None
        if checked:  # mod_authnz_fcgi knows no other sockets
            self.checker = machine.start([installed.responder, "--listen", f"127.0.0.1:{self.check_port}"],
                                         log=pathlib.Path(run) / "checker.log", cwd=run, env=environment(installed))
        super().__init__(kind, installed, run, checked=checked, **options)
        if checked:
            machine.wait_until(lambda: machine.listens(self.check_port), what="the process that checks")

    def stop(self):
        super().stop()
        if self.checker is not None:
            machine.stop(self.checker)

    def command(self, config):
        return ["/usr/sbin/apache2", "-DFOREGROUND", "-f", config]

    def access_log(self):
        """The two lines that mounts.conf shows for it."""
        lines = re.findall(r"^#   (CustomLog .*)$", (self.samples / "mounts.conf").read_text(), re.M)
        if len(lines) != 2:
            raise machine.LabError("apache-conf/mounts.conf does not show how to log without queries")
        return "\n".join(lines).replace("${APACHE_LOG_DIR}/access.log", f'"{self.run}/apache-access.log"') \
            .replace(" combined ", ' "%h %t \\"%r\\" %>s %b" ')

    def login(self):
        return f'Include "{self.samples}/login.conf"' if self.passwords else ""

    def check(self):
        return f'Include "{self.samples}/check.conf"' if self.checked else ""

    def tls(self):
        return f"""
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
Listen 127.0.0.1:{self.tls_port} https
<VirtualHost 127.0.0.1:{self.tls_port}>
    SSLEngine on
    SSLCertificateFile "{self.tls_folder}/server.pem"
    SSLCACertificateFile "{self.tls_folder}/ca.crt"
    SSLVerifyClient optional_no_ca
</VirtualHost>
""" if self.tls_folder else ""

    def config(self):
        self._folder("fcgid")
        load = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                         for name in ("mpm_event", "authz_core", "alias", "env", "dir", "headers", "mime",
                                      "auth_basic", "authn_core", "authn_file", "authz_user",
                                      "authnz_fcgi", "setenvif",
                                      *self.modules))
        return f"""
ServerRoot "{self.run}"
DefaultRuntimeDir "{self.run}"
PidFile "{self.run}/apache.pid"
Mutex "file:{self.run}" default
ServerName localhost
Listen 127.0.0.1:{self.port}
Suexec {self.suexec}
{load}
ErrorLog "{self.run}/apache-error.log"
LogLevel info
TypesConfig /dev/null
AddType text/html .html
AddType text/css .css
AddType text/javascript .js
AddType image/svg+xml .svg
AddType application/json .json
<Directory "/">
    AllowOverride None
    Require all denied
</Directory>
DocumentRoot "{self.root}"
<Directory "{self.root}">
    Require all granted
    DirectoryIndex index.html
</Directory>
{self.own_files.format(run=self.run)}
Define RETOKEN_HOME "{self.installed.folder}"
Define RETOKEN_FCGI "{self.installed.responder}"
Define RETOKEN_CGI "{self.installed.script}"
Define RETOKEN_SOCKET "{self.socket}"
Define RETOKEN_WWW "{self.page_folder}"
Define RETOKEN_CONF "{self.samples}"
Define RETOKEN_WHOLE_SERVER
Define RETOKEN_PASSWORDS "{self.passwords}"
{self.tls()}
Include "{self.samples}/{self.sample}"
{self.login()}
Define RETOKEN_CHECK_SOCKET 127.0.0.1:{self.check_port}
{self.check()}
Include "{self.samples}/page.conf"
{self.access_log()}
{self.extra}
"""


class ApacheProxy(Apache):
    sample, modules, stands_alone = "mod_proxy_fcgi.conf", ("proxy", "proxy_fcgi"), True
    own_files = ""


class ApacheCgi(Apache):
    sample, modules = "mod_cgid.conf", ("cgid",)
    own_files = "ScriptSock {run}/cgid.sock"


class Nginx(Web):
    program = name = "nginx"
    sample, stands_alone = "retoken.conf", True

    @staticmethod
    def _make_mine(sample, name, value):
        """Sets the one line that a sample marks with `yours`."""
        text, count = re.subn(rf"{name} [^;]+; # yours", f"{name} {value};", sample.read_text())
        if count != 1:
            raise machine.LabError(f"{sample} has no line `{name} …; # yours`")
        sample.write_text(text)

    def command(self, config):
        return ["/usr/sbin/nginx", "-p", self.run, "-e", self.run / "nginx-error.log", "-c", config]

    def tls(self):
        return f"""
        listen 127.0.0.1:{self.tls_port} ssl;
        ssl_certificate {self.tls_folder}/server.pem;
        ssl_certificate_key {self.tls_folder}/server.pem;
        ssl_client_certificate {self.tls_folder}/ca.crt;
        ssl_verify_client optional_no_ca;
""" if self.tls_folder else ""

    def config(self):
        sample, upstream = self.samples / self.sample, self.samples / "upstream.conf"
        self._make_mine(upstream, "server", f"unix:{self.socket}")
        page = self.samples / "page.conf"
        self._make_mine(page, "alias", f"{self.page_folder}/")
        self._make_mine(sample, "access_log", f"{self.run}/nginx-access.log retoken")
        login = self.samples / "login.conf"
        self._make_mine(login, "access_log", f"{self.run}/nginx-access.log retoken")
        self._make_mine(login, "auth_basic_user_file", self.passwords)
        include_login = f"include {login};" if self.passwords else ""
        include_check = f"include {self.samples}/check.conf;" if self.checked else ""
        temporary = "\n".join(f"    {kind}_temp_path {self._folder('temporary')}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""
daemon off;
pid {self.run}/nginx.pid;
error_log {self.run}/nginx-error.log info;
worker_processes 2;
events {{ worker_connections 512; }}
http {{
{temporary}
    include {upstream};
    access_log {self.run}/nginx-access.log;
    types {{
        text/html html;
        text/css css;
        text/javascript js;
        image/svg+xml svg;
        application/json json;
    }}
    server {{
        listen 127.0.0.1:{self.port};
        {self.tls()}
        server_name localhost;
        root {self.root};
        index index.html;
        include {sample};
        {include_login}
        {include_check}
        include {page};
        {self.extra}
    }}
}}
"""


_MAKERS = {"socket": Bare, "lighttpd": Lighttpd, "lighttpd-socket": LighttpdSocket,
           "lighttpd-cgi": LighttpdCgi, "apache": Apache, "apache-proxy": ApacheProxy,
           "apache-cgi": ApacheCgi, "nginx": Nginx}
KINDS = tuple(_MAKERS)
WEB_KINDS = tuple(kind for kind in KINDS if kind != "socket")


def start(kind, installed, run, **options):
    """Starts a server of a kind in front of an installation; `run` is a folder for its own files."""
    return _MAKERS[kind](kind, installed, run, **options)
