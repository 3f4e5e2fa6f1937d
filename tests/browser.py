"""A headless Chromium, driven through a pipe by its DevTools protocol; nothing else is needed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optional import lacking

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--remote-debugging-pipe"),
)
_PATIENCE_S = 300.0


class Browser:
    """One page of a browser.

    Parameters
    ----------
    to_browser, from_browser
        The two ends of its pipes.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.asked: list[str] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and return its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return dict(answer["result"])
            self._hear(answer)

    def open(self, url: str, *, width: int = 1280, dark: bool = False) -> None:
        """Open a page and wait until it is there."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[scheme])
        self(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        self("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def ask(self, expression: str) -> Any:
        """Return what an expression of JavaScript is."""
        answer = self(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + _PATIENCE_S
        while not self.ask(expression):
            assert time.monotonic() < until, f"{expression} never came true"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        code = f"Key{key.upper()}" if len(key) == 1 else key
        text = {"text": key} if len(key) == 1 else {}
        self("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, **text)
        self("Input.dispatchKeyEvent", type="keyUp", key=key, code=code)

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        shot = self("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def printed(self) -> bytes:
        """Return the page as it is printed: PDF."""
        return base64.b64decode(self("Page.printToPDF", printBackground=True)["data"])

    def _hear(self, event: dict[str, Any]) -> None:
        """Take note of what the page asks for, and of what the browser says of it."""
        told = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        elif event.get("method") == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._from, 1 << 16)
            assert part, "the browser is gone"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


def find_browser() -> str:
    """Return a browser's program, or skip the test."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or lacking("a browser (apt-get install chromium)")


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Run a headless browser.

    Parameters
    ----------
    profile
        An empty folder for what it remembers.
    """
    program = find_browser()
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    # The protocol wants its pipes at 3 and 4, by whatever numbers they are ours.
    script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
    process = subprocess.Popen(
        ["/bin/bash", "-c", script, "browser", *command],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        page = Browser(ours_out, ours_in)
        yield page
        page._session = None
        with contextlib.suppress(AssertionError, OSError, subprocess.TimeoutExpired):
            page("Browser.close")
            process.wait(20)
    finally:
        process.kill()
        process.wait()
        os.close(ours_out)
        os.close(ours_in)
