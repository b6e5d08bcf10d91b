"""A real browser without a window, spoken to in its DevTools protocol over pipes: nothing to install but Chromium."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from threading import Timer
from typing import Any, Final, Self

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESKTOP = 390, 1280
_HEIGHT: Final = 1100
_PATIENCE_S: Final = 300
# --remote-debugging-pipe reads descriptor 3 and writes 4.
_PIPED: Final = 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null'
_SETTLED: Final = "new Promise(done => setTimeout(done, 300))"

Message = dict[str, Any]


class Browser:
    """One tab, which remembers what the page last opened asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            ["sh", "-c", _PIPED, str(CHROMIUM), *flags, f"--user-data-dir={folder / 'profile'}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._deadline = Timer(_PATIENCE_S, self._process.kill)
        self._deadline.start()
        self._ids = itertools.count(1)
        self._received = b""
        self._session: Message = {}
        self._requests: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._deadline.cancel()

    def open(self, markup: str, *, width: int = DESKTOP, policy: bool = True) -> None:
        """Show a page and let it do what it would; without `policy` its Content-Security-Policy is not enforced."""
        file = self._folder / "page.html"
        file.write_text(markup, "utf-8")
        self.call("Page.setBypassCSP", enabled=not policy)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=_HEIGHT,
            deviceScaleFactor=1,
            mobile=width == PHONE,
        )
        self._requests.clear()
        self.call("Page.navigate", url=file.as_uri())
        self.evaluate(_SETTLED)

    @property
    def requests(self) -> list[str]:
        """Addresses that were asked for, the page's own left out, and those that its policy held back."""
        return list(self._requests.values())[1:]

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, promises awaited; the page's policy does not bind it."""
        made = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return made["result"].get("value")

    def call(self, method: str, **params: object) -> Message:
        """What the browser answers."""
        asked = {"id": next(self._ids), "method": method, "params": params, **self._session}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\0")
        self._process.stdin.flush()
        while (message := self._next()).get("id") != asked["id"]:
            self._remember(message.get("method", ""), message.get("params", {}))
        assert "result" in message, message
        result: Message = message["result"]
        return result

    def _remember(self, event: str, about: Message) -> None:
        if event == "Network.requestWillBeSent":
            self._requests[about["requestId"]] = about["request"]["url"]
        elif event == "Network.loadingFailed" and about.get("blockedReason") == "csp":
            self._requests.pop(about["requestId"], None)

    def _next(self) -> Message:
        assert self._process.stdout is not None
        while b"\0" not in self._received:
            more = self._process.stdout.read1()  # type: ignore[attr-defined]
            assert more, "the browser is gone, or took too long"
            self._received += more
        told, _, self._received = self._received.partition(b"\0")
        message: Message = json.loads(told)
        return message
