# SPDX-License-Identifier: ISC
"""The page as a person meets it: choose a mount, fill in fields, press a button, read what it says. Knows the
page's structure; does not know what is right."""

import base64
import dataclasses

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from lab import browser

WAIT_SECONDS = 15


@dataclasses.dataclass
class Entry:
    """One line of what was sent: the status and the sentence."""

    status: str
    says: str
    kept: str  # "good", "bad" or "unknown"


class Page:
    def __init__(self, driver, url):
        self.driver, self.url = driver, url

    # ---- the browser ----

    def open(self, width=1280, height=900, scheme="light", motion="no-preference"):
        cdp = self.driver.execute_cdp_cmd
        cdp("Network.clearBrowserCookies", {})
        self.resize(width, height)
        cdp("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion}]})
        self.driver.get_log("browser")
        self.driver.get(self.url)
        self.wait(lambda: self.script("return document.documentElement.dataset.ready") == "yes")

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1,
                                     "mobile": width < 600})

    def wait(self, condition):
        return WebDriverWait(self.driver, WAIT_SECONDS, poll_frequency=0.05).until(lambda _: condition())

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def module(self, text, *arguments):
        """Runs an async function body that may import the page's modules; gives what it returns."""
        return browser.run(self.driver, text, *arguments)

    def console_errors(self):
        """What the console complains of, other than the refusals that were asked for: Chromium reports every
        answer of 400 and more, and a missing demo.json."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")
                and not (entry["source"] == "network" and "responded with a status of 4" in entry["message"])]

    def screenshot(self, height=None, top=0):
        """PNG of the page from `top`, `height` high (all of it unless told)."""
        width, whole = self.script("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": top, "width": width, "height": height or whole - top, "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot",
                                           {"captureBeyondViewport": True, "clip": clip})
        return base64.b64decode(shot["data"])

    # ---- its parts ----

    def at(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.script("return document.getElementById(arguments[0]).textContent", name)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def choose(self, mount):
        """Chooses a mount by the text of its path."""
        for label in self.all(".mount"):
            if label.find_element(By.CSS_SELECTOR, ".mount-path").text == mount:
                label.find_element(By.TAG_NAME, "input").click()
                return
        raise AssertionError(f"no mount {mount} on the page")

    def choose_form(self, form):
        self.driver.find_element(By.CSS_SELECTOR, f'#fields input[value="{form}"]').click()

    def fill(self, name, value):
        """Replaces what a field holds in one go, as pasting does."""
        self.at(f"field-{name}").send_keys(Keys.CONTROL, "a")
        self.at(f"field-{name}").send_keys(Keys.DELETE)
        self.driver.execute_cdp_cmd("Input.insertText", {"text": value})

    def field(self, name):
        return self.at(f"field-{name}").get_property("value")

    def entries(self):
        rows = self.script("""return [...document.querySelectorAll('.entry')].map((entry) => [
            entry.querySelector('.status').textContent, entry.querySelector('.entry-says').textContent,
            entry.querySelector('.entry-says').classList[1]])""")
        return [Entry(*row) for row in rows]

    def press(self, name, answers=1):
        """Presses a step's button; gives the entries that came of it, when there are as many."""
        before = len(self.entries())
        assert self.at(name).get_attribute("aria-disabled") == "false", f"{name} cannot be pressed"
        self.at(name).click()
        self.wait(lambda: len(self.entries()) >= before + answers and self.idle())
        return self.entries()[before:]

    def idle(self):
        return self.script("return document.getElementById('steps').ariaBusy !== 'true'")

    def chain(self):
        """The states of the generations, oldest first."""
        return [link.get_attribute("data-state") for link in self.all(".link")]

    def answer(self):
        """(status line, {header: value}, body) as the page shows them."""
        head, body = self.text("answer").split("\n\n", 1)
        line, *headers = head.split("\n")
        return line, dict(header.split(": ", 1) for header in headers), body

    def verdict(self, card):
        """The signature's verdict in the card "access" or "refresh": (state, sentence)."""
        found = self.wait(lambda: self.script(
            "const one = document.querySelector(`#${arguments[0]} .verdict`);"
            "return one && [one.dataset.state, one.textContent]", card))
        return tuple(found)

    def facts(self, card):
        return self.script("return Object.fromEntries([...document.querySelectorAll(`#${arguments[0]} .facts div`)]"
                           ".map((row) => [...row.children].map((cell) => cell.textContent)))", card)
