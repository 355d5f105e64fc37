#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A hook for Retoken ([hook] in retoken.conf(5)): says which roles and claims a user's tokens have, from a file of
JSON: {"ada": {"roles": ["editor"], "claims": {"email": "ada@example.org"}}, "eve": {"refuse": "left the company"}}.

    claims.py /run/app/claims users.json          and in retoken.conf: url = unix:/run/app/claims
"""
import http.server
import json
import os
import socketserver
import sys


class Claims(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(sys.argv[2], encoding="utf-8") as users:
            answer = json.dumps(json.load(users).get(asked["account"], {"refuse": "no such user"})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def address_string(self):
        return "retoken"


if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
os.umask(0o077)  # only Retoken's user may ask
socketserver.ThreadingUnixStreamServer(sys.argv[1], Claims).serve_forever()
