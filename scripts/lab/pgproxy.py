# SPDX-License-Identifier: ISC
"""A proxy in front of a PostgreSQL server that breaks connections at the very places that matter, answers
an error in the server's stead, or holds everything up. Knows the messages of protocol 3.0, the extended
ones in a pipeline too; does not know what the statements are for.

A statement is found by a pattern in its text, wherever the text was sent: with Query, or with the Parse
whose name is in the Bind before an Execute."""

import collections
import contextlib
import pathlib
import re
import socket
import struct
import threading

from . import machine

PORT = 5432
COMMIT = r"^\s*COMMIT\b"
CONNECT = "connect"  # in place of a pattern: the start of a connection

# Where a connection is broken, as seen from the statement.
BEFORE = "before"  # the server never sees it
DURING = "during"  # the server gets it, and whoever sent it does not learn what became of it
UNANSWERED = "unanswered"  # the server has answered, and the answer is thrown away
AFTER = "after"  # the answer arrives, and nothing after it
PLACES = (BEFORE, DURING, UNANSWERED, AFTER)
HIDDEN = "hidden"  # of a message that the proxy has sent itself: its answer goes no further

SSL, CANCEL, GSS = 80877103, 80877102, 80877104
FATAL = ("57P01", "57P02", "57P03", "53300")  # the server ends the connection with these


class Rule:
    """What happens to the nth statement from now on that the pattern is found in, and to as many as
    `times` from there on. happened: how often it did."""

    def __init__(self, action, pattern, nth, times):
        self.action, self.pattern = action, pattern
        self.first, self.last, self.seen, self.happened = nth, nth + times, 0, 0

    def catches(self, text):
        if self.pattern is CONNECT or text is CONNECT:
            if self.pattern is not text:
                return False
        elif not re.search(self.pattern, text, re.I):
            return False
        self.seen += 1
        return self.first <= self.seen < self.last


class Proxy:
    """In front of `server`, with a socket of its own in a new folder."""

    def __init__(self, folder, server):
        self.socket = machine.folder("p-", folder)
        self.server, self.port = server, PORT
        self.rules, self.cancels, self.connections = [], 0, []
        self.statements = collections.Counter()  # text -> how often it was run
        self.lock, self.running = threading.Lock(), threading.Event()
        self.running.set()
        self.listener = socket.socket(socket.AF_UNIX)
        path = self.socket / f".s.PGSQL.{PORT}"
        self.socket.chmod(0o755)
        self.listener.bind(str(path))
        path.chmod(0o777)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self, place, pattern=COMMIT, nth=1, times=1):
        """Breaks the connection at a place of PLACES."""
        return self._add(Rule(place, pattern, nth, times))

    def refuse(self, sqlstate, pattern, nth=1, times=1):
        """Answers with this error. One that ends a connection does; others are raised by the server, so
        that the transaction is what it would be."""
        return self._add(Rule(sqlstate, pattern, nth, times))

    def _add(self, rule):
        with self.lock:
            self.rules.append(rule)
        return rule

    def clear(self):
        with self.lock:
            self.rules.clear()

    def freeze(self):
        """Nothing passes any more, either way; connections stay."""
        self.running.clear()

    def thaw(self):
        self.running.set()

    def stop(self):
        self.running.set()
        self.listener.close()
        for connection in list(self.connections):
            connection.close()

    def action_for(self, text):
        """What is to happen to this statement; None: nothing."""
        with self.lock:
            if text is not CONNECT:
                self.statements[text] += 1
            for rule in self.rules:
                if rule.catches(text):
                    rule.happened += 1
                    return rule.action
        return None

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=_Connection(self, client).run, daemon=True).start()


def error(sqlstate):
    text = "refused by the proxy"
    fields = (("S", "FATAL"), ("V", "FATAL"), ("C", sqlstate), ("M", text))
    return message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields) + b"\0")


def message(kind, content=b""):
    return kind + struct.pack(">I", len(content) + 4) + content


def text_of(content, at=0):
    """A string that ends with a zero byte, and what is behind it."""
    end = content.index(b"\0", at)
    return content[at:end].decode("utf-8", "replace"), end + 1


class Ended(Exception):
    """The connection is over."""


class _Reader:
    """Messages of one direction."""

    def __init__(self, source):
        self.source, self.data = source, b""

    def take(self, size):
        while len(self.data) < size:
            block = self.source.recv(65536)
            if not block:
                raise Ended
            self.data += block
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def message(self):
        head = self.take(5)
        return head[:1], self.take(struct.unpack(">I", head[1:])[0] - 4)

    def is_empty(self):
        return not self.data


# What the server answers to a message of the extended protocol; an error takes the place of any, and
# what comes behind it is not answered until Sync is.
ANSWERS = {b"P": b"1", b"B": b"2", b"C": b"3", b"D": b"Tn", b"E": b"CIs", b"S": b"Z", b"Q": b"Z"}


class _Connection:
    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.socket(socket.AF_UNIX)
        self.texts, self.portals = {}, {}
        self.lock = threading.Lock()
        self.awaited = collections.deque()  # [kind, what is done with its answer], oldest first
        self.number = 0

    def run(self):
        self.proxy.connections.append(self)
        try:
            self._start()
            threading.Thread(target=self._guarded, args=(self._backward,), daemon=True).start()
            self._forward()
        except (Ended, OSError):
            pass
        finally:
            self.close()

    def _guarded(self, work):
        try:
            work()
        except (Ended, OSError):
            pass
        finally:
            self.close()

    def close(self):
        for one in (self.client, self.server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with contextlib.suppress(ValueError):
            self.proxy.connections.remove(self)

    def _start(self):
        """To the message that has no kind, which begins a connection."""
        self.requests = _Reader(self.client)
        while True:
            size, code = struct.unpack(">II", self.requests.take(8))
            rest = self.requests.take(size - 8)
            self.proxy.running.wait()
            if code not in (SSL, GSS):
                break
            self.client.sendall(b"N")
        self.proxy.cancels += code == CANCEL
        action = self.proxy.action_for(CONNECT)
        if action in PLACES:
            raise Ended
        if action is not None:
            self.client.sendall(error(action))
            raise Ended
        self.server.connect(str(pathlib.Path(self.proxy.server.socket) / f".s.PGSQL.{self.proxy.server.port}"))
        self.server.sendall(struct.pack(">II", size, code) + rest)

    # ---- from the client ----

    def _forward(self):
        out = b""
        while True:
            kind, content = self.requests.message()
            self.proxy.running.wait()
            if kind == b"P":
                name, at = text_of(content)
                self.texts[name] = text_of(content, at)[0]
            elif kind == b"B":
                portal, at = text_of(content)
                self.portals[portal] = self.texts.get(text_of(content, at)[0], "")
            action = None
            if kind in (b"E", b"Q"):
                found = text_of(content)[0]
                action = self.proxy.action_for(found if kind == b"Q" else self.portals.get(found, ""))
            if action is not None and action not in PLACES:
                out += self._in_place_of(kind, action)
                if action in FATAL:
                    self.server.sendall(out)
                    while True:  # until the error is told; a server that has ended runs nothing more
                        self.requests.message()
            elif action == BEFORE:
                self.server.sendall(out)
                raise Ended
            else:
                self._await(kind, UNANSWERED if action == DURING else action)
                out += message(kind, content)
                if action == DURING:
                    self.server.sendall(out + (b"" if kind == b"Q" else message(b"S")))
                    raise Ended
            if self.requests.is_empty() or kind == b"S":
                self.server.sendall(out)
                out = b""

    def _in_place_of(self, kind, sqlstate):
        """What the server is sent, so that this statement fails with the error."""
        if sqlstate in FATAL:
            self._await(b"X", sqlstate)  # told when the answers before it have been: behind them comes one
            return message(b"P", b"proxy\0\0\0\0") + message(b"H")
        text = f"DO $$ BEGIN RAISE EXCEPTION 'refused by the proxy' USING ERRCODE = '{sqlstate}'; END $$\0".encode()
        if kind == b"Q":
            self._await(b"Q", None)
            return message(b"Q", text)
        self.number += 1
        name = f"proxy{self.number}\0".encode()
        for hidden in (b"P", b"B"):
            self._await(hidden, HIDDEN)
        self._await(b"E", None)
        return (message(b"P", name + text + b"\0\0") + message(b"B", name + name + b"\0\0" * 3) +
                message(b"E", name + b"\0\0\0\0"))

    def _await(self, kind, action):
        if kind in ANSWERS or kind == b"X":
            with self.lock:
                self.awaited.append([kind, action])

    # ---- from the server ----

    def _backward(self):
        answers, out = _Reader(self.server), b""
        while True:
            kind, content = answers.message()
            self.proxy.running.wait()
            action, over = self._answered(kind)
            if over or action == UNANSWERED:
                self.client.sendall(out)
                if over:
                    self.client.sendall(error(over))
                raise Ended
            if action != HIDDEN:
                out += message(kind, content)
            if answers.is_empty() or action == AFTER:
                self.client.sendall(out)
                out = b""
            if action == AFTER:
                raise Ended

    def _answered(self, kind):
        """What is to be done with an answer: an action or None, and the error that ends the connection in
        its stead."""
        with self.lock:
            if self.awaited and self.awaited[0][0] == b"X":
                return None, self.awaited[0][1]
            if kind == b"E":
                return self._failed(), None
            if self.awaited and kind in ANSWERS[self.awaited[0][0]]:
                return self.awaited.popleft()[1], None
            # the rows and the end of a Query, whose answer is over with Z
            is_query = bool(self.awaited) and self.awaited[0][0] == b"Q"
            return (UNANSWERED if is_query and kind == b"C" and self.awaited[0][1] == UNANSWERED else None), None

    def _failed(self):
        """The first that is awaited has failed, and so have those behind it up to Sync."""
        if not self.awaited or self.awaited[0][0] in b"QS":
            return None
        action = self.awaited[0][1]
        while self.awaited and self.awaited[0][0] not in (b"S", b"X"):
            self.awaited.popleft()
        return None if action == HIDDEN else action
