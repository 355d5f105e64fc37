# SPDX-License-Identifier: ISC
"""A FastCGI client over a Unix socket, small enough to send what no web server would: half a
record, a parameter of a gigabyte, an abort in the middle. Specification: FastCGI 1.0."""

import socket
import struct

from . import http

VERSION, RESPONDER = 1, 1
BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
KEEP_CONNECTION = 1


def record(kind, content=b"", request=1, version=VERSION):
    return struct.pack(">BBHHBx", version, kind, request, len(content), 0) + content


def begin(flags=0, role=RESPONDER):
    return record(BEGIN, struct.pack(">HB5x", role, flags))


def _length(size):
    return struct.pack(">B", size) if size < 128 else struct.pack(">I", size | 0x80000000)


def pair(name, value):
    """One name-value pair of a PARAMS record."""
    name, value = (part.encode("utf-8", "surrogateescape") for part in (name, value))
    return _length(len(name)) + _length(len(value)) + name + value


def bare_pair(name_size, value_size):
    """The two lengths of a pair and nothing behind them."""
    return struct.pack(">II", name_size | 0x80000000, value_size | 0x80000000)


def params(variables):
    """A whole PARAMS stream; variables is a dict or a list of pairs (for repeated names)."""
    rows = variables.items() if isinstance(variables, dict) else variables
    data = b"".join(pair(name, value) for name, value in rows)
    records = b"".join(record(PARAMS, data[at:at + 65535]) for at in range(0, len(data), 65535))
    return records + record(PARAMS)


def stdin(body):
    records = b"".join(record(STDIN, body[at:at + 65535]) for at in range(0, len(body), 65535))
    return records + record(STDIN)


def variables(request, **more):
    """The CGI variables of an http.Request, as a web server would set them, as pairs: of a header that
    is repeated each has its own, as behind nginx."""
    path, _, query = request.path.partition("?")
    found = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
             "REQUEST_METHOD": request.method, "SCRIPT_NAME": path, "PATH_INFO": "",
             "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "localhost",
             "SERVER_PORT": "80"}
    if request.body or request.method == "POST":
        found["CONTENT_LENGTH"] = str(len(request.body))
    repeated = []
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        key = "CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"
        if key in found:
            repeated.append((key, value))
        found.setdefault(key, value)
    found.update(more)
    return [*found.items(), *repeated]


def connect(path, timeout=10.0):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    connection.connect(str(path))
    return connection


def read_answer(connection):
    """Reads records to END or the end of the connection; gives (stdout, stderr, ended)."""
    out, err, data = b"", b"", b""
    while True:
        while len(data) < 8 or len(data) < 8 + struct.unpack(">H", data[4:6])[0] + data[6]:
            try:
                block = connection.recv(65536)
            except ConnectionResetError:
                block = b""
            if not block:
                return out, err, False
            data += block
        _, kind, _, size, padding = struct.unpack(">BBHHBx", data[:8])
        content, data = data[8:8 + size], data[8 + size + padding:]
        if kind == STDOUT:
            out += content
        elif kind == STDERR:
            err += content
        elif kind == END:
            return out, err, True


def raw(path, data, timeout=10.0, half_close=False):
    """Sends bytes as they are; gives what read_answer gives."""
    with connect(path, timeout) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(connection)


def parse(out):
    """CGI output as an http.Answer."""
    head, _, body = out.partition(b"\r\n\r\n")
    if not head:
        raise http.Broken("no answer")
    headers = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n")]
    status = next((value for name, value in headers if name == "Status"), "200 OK")
    code, _, reason = status.partition(" ")
    return http.Answer(int(code), reason, headers, body)


def send(path, request, timeout=30.0, **more):
    """One request over a connection of its own."""
    data = begin() + params(variables(request, **more)) + stdin(request.body)
    try:
        out, _, _ = raw(path, data, timeout)
    except OSError as error:
        raise http.Broken(str(error)) from error
    return parse(out)
