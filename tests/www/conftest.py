# SPDX-License-Identifier: ISC
"""The demo behind a real web server, and a real browser. RETOKEN_PAGE=URL looks at an installation that
already runs there (with its demo.json) instead of starting the demo."""

import contextlib
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import browser as browsers  # noqa: E402
from lab import installation, machine  # noqa: E402
from page import Page  # noqa: E402

START_SECONDS = 120


def lines_of(process):
    """The lines a process prints, as they come; None when it has ended. Read on a thread of its own,
    so that the process never waits for a reader."""
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def page_url(lines):
    """The address the demo prints under "the page", once it serves."""
    seen = []
    while not seen or "Serving on" not in seen[-1]:
        line = lines.get(timeout=START_SECONDS)
        if line is None:
            raise RuntimeError("the demo ended:\n" + "\n".join(seen[-60:]))
        seen.append(line)
    return seen[[line.strip() for line in seen].index("the page") + 1].strip()


class Demo:
    """Where the page is, and how further sessions are begun; installed is None where it is not ours."""

    def __init__(self, url, installed=None):
        self.url, self.installed = url, installed

    def login(self, mount, **options):
        """Begins a session of the demo's account, as a sign-in would have done."""
        if self.installed is None:
            pytest.skip("needs the demo's own installation")
        return self.installed.login(mount, "ada", **options)


@pytest.fixture(scope="session")
def installed():
    """The installation that the demo is told to use; it is empty until the demo has begun."""
    with contextlib.ExitStack() as cleanup:
        folder = machine.folder("retoken-page-")
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        programs = installation.programs_for_user()
        if programs != machine.BUILD:
            cleanup.callback(shutil.rmtree, programs, ignore_errors=True)
        yield installation.Installation(folder, programs)


@pytest.fixture(scope="session")
def demo(request):
    if url := os.environ.get("RETOKEN_PAGE"):
        yield Demo(url)
        return
    ours = request.getfixturevalue("installed")
    process = subprocess.Popen(
        ["/usr/bin/python3", "-B", ROOT / "scripts" / "lab" / "demo.py", "--port", "0", "--data", ours.folder],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield Demo(page_url(lines_of(process)), ours)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with browsers.chromium(tmp_path_factory.mktemp("chromium")) as driver:
        driver.set_script_timeout(20)
        yield driver


@pytest.fixture
def page(browser, demo):
    """The page, freshly loaded at desktop width, without cookies; afterwards the console must be clean."""
    fresh = Page(browser, demo.url)
    fresh.open()
    yield fresh
    assert fresh.console_errors() == []
