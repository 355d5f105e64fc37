# SPDX-License-Identifier: ISC
"""Chromium, driven by selenium. Knows where Debian has both programs; knows no page. A test is skipped where
there is none: Ubuntu has it as a snap only."""

import contextlib
import pathlib

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
