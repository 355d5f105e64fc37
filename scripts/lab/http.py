# SPDX-License-Identifier: ISC
"""One HTTP request, one answer, both as plain values with the bytes as they were. Header order is
kept and nothing is added but Host, Content-Length and Connection, so a test says exactly what is
on the wire."""

import contextlib
import dataclasses
import socket
import time


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""

    def spelled(self, host):
        names = {name.lower() for name, _ in self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        if "host" not in names:
            lines.append(f"Host: {host}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if "content-length" not in names and "transfer-encoding" not in names and (
                self.body or self.method == "POST"):
            lines.append(f"Content-Length: {len(self.body)}")
        if "connection" not in names:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body


@dataclasses.dataclass
class Answer:
    status: int
    reason: str
    headers: list
    body: bytes
    seconds: float = 0.0

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """The one value of a header, None when absent; two are an error."""
        values = self.all(name)
        if len(values) > 1:
            raise ValueError(f"{name} is there {len(values)} times")
        return values[0] if values else None

    def cookies(self):
        """name -> (value, [attribute, …]) of every Set-Cookie."""
        found = {}
        for line in self.all("set-cookie"):
            first, *attributes = [part.strip() for part in line.split(";")]
            name, _, value = first.partition("=")
            found[name] = (value, attributes)
        return found


class Broken(Exception):
    """The connection ended before a whole answer was there."""


def _dechunked(data):
    whole = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if count == 0:
            return whole
        if len(data) < count + 2:
            raise Broken("a chunk was cut short")
        whole, data = whole + data[:count], data[count + 2:]


def parse(data, seconds=0.0):
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise Broken(f"no answer ({len(data)} bytes)")
    first, *lines = head.decode("latin-1").split("\r\n")
    _, status, *reason = first.split(" ", 2)
    headers = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "")
               for line in lines]
    answer = Answer(int(status), reason[0] if reason else "", headers, body, seconds)
    if (answer.header("transfer-encoding") or "").lower() == "chunked":
        answer.body = _dechunked(body)
    elif answer.header("content-length") is not None:
        length = int(answer.header("content-length"))
        if len(body) < length:
            raise Broken(f"{len(body)} of {length} bytes of body")
        answer.body = body[:length]
    return answer


def exchange_bytes(port, data, timeout=30.0, half_close=False, tls=None):
    """Sends bytes as they are and reads to the end. tls: a context of ssl, of a client."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout))
        if tls is not None:
            connection = stack.enter_context(tls.wrap_socket(connection))
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused in the middle; the answer may be there all the same
        got = b""
        try:
            while block := connection.recv(65536):
                got += block
        except ConnectionResetError:
            pass
    return got


def send(port, request, timeout=30.0, tls=None):
    began = time.perf_counter()
    try:
        data = exchange_bytes(port, request.spelled(f"127.0.0.1:{port}"), timeout, tls=tls)
    except OSError as error:
        raise Broken(str(error)) from error
    return parse(data, time.perf_counter() - began)
