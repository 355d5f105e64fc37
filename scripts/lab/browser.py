# SPDX-License-Identifier: ISC
"""Chromium, driven by selenium, and pages of other origins for it. Knows where Debian has both programs; knows no
page of ours. A test is skipped where there is no browser: Ubuntu has it as a snap only."""

import contextlib
import http.server
import pathlib
import threading

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PROGRAM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-GB")


@contextlib.contextmanager
def chromium(folder, preferences=None):
    """A browser that keeps what it keeps in the folder."""
    if not (pathlib.Path(PROGRAM).exists() and pathlib.Path(DRIVER).exists()):
        pytest.skip("no chromium here")
    options = webdriver.ChromeOptions()
    options.binary_location = PROGRAM
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", preferences or {})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    try:
        yield driver
    finally:
        driver.quit()


def run(driver, text, *arguments):
    """Runs the body of an async function in the page, to which the arguments are `given`; gives what it returns."""
    outcome = driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "const run = Object.getPrototypeOf(async function () {}).constructor;"
        "new run('given', arguments[0]).call(null, arguments[1])"
        ".then((value) => done({ value }), (error) => done({ error: String(error.stack) }))",
        text, list(arguments))
    assert "error" not in outcome, outcome["error"]
    return outcome["value"]


class Pages:
    """A server of one page at every path, on a port of its own: 127.0.0.1 with another port is another origin of
    the same site, localhost another site. script: what the page gets at /script.js."""

    def __init__(self, body=b"<!DOCTYPE html><title>a page</title>", script=b""):
        pages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                is_script = self.path == "/script.js"
                answer = pages.script if is_script else pages.body
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.body, self.script = body, script
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def origin(self, host="127.0.0.1"):
        return f"http://{host}:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
