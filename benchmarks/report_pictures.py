"""Four reports as a browser shows them, at two widths, in light and dark: docs/images.

    make services && . .nightjar/env
    NIGHTJAR_DATA=../shared/data PYTHONPATH=tests/ui .venv/bin/python benchmarks/report_pictures.py

Nights over eighty paragraphs of squad2, with its questions about them: quiet ones, mojibake in half of 10 %, texts of
30 % swapped, a new topic at 20 %. Needs Chromium; exits 1 where a gate judged otherwise than it should.
"""

from __future__ import annotations

import base64
import io
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import boto3
from airflow_kinds_documents import (
    PREFIX,
    QUESTIONS,
    Change,
    as_it_was,
    edited,
    half_misread,
    hurt,
    medicine,
    new_topic,
    paragraphs,
    questions,
    swapped,
)
from browser import DESKTOP, PHONE, Browser
from corpora import BUCKET, corpus_file, drop_index, empty, nightjar
from PIL import Image

QUIET: Final = hurt(edited, share=0.04)
NIGHTS: Final[tuple[tuple[Change, str, str], ...]] = (
    (as_it_was, "", ""),
    *[(QUIET, "drift", "none")] * 6,
    (hurt(half_misread), "drift", "fail"),
    (swapped, "evaluation", "fail"),
    (new_topic(medicine, share=0.2), "drift", "warn"),
)
FOLDER: Final = Path("docs/images")
WIDTHS: Final = {"desktop": DESKTOP, "phone": PHONE}
STATE: Final = "nightjar-state"


def main() -> int:
    chance = random.Random(7)  # noqa: S311 - a script that can be repeated
    documents = paragraphs(chance)
    drop_index("BenchKinds")
    for bucket in (BUCKET, STATE):
        empty(bucket, prefix=PREFIX)
    QUESTIONS.write_text("".join(f"{json.dumps(each)}\n" for each in questions(documents)))
    path = corpus_file("kinds", evaluation={"questions": QUESTIONS.name})
    client = boto3.client("s3")
    wrong = 0
    try:
        for change, gate, wanted in NIGHTS:
            for name, text in change(documents, chance).items():
                client.put_object(Bucket=BUCKET, Key=PREFIX + name, Body=text.encode())
            report = nightjar("run", path)[1]
            found = report["verdicts"][gate]["state"] if gate else ""
            print(report["version"], report["state"], gate, found, flush=True)
            wrong += found != wanted
            if gate:
                page = client.get_object(Bucket=STATE, Key=f"{PREFIX}versions/{report['version']:06}/{gate}.html")
                photograph(page["Body"].read().decode(), f"{gate}-{found}")
    finally:
        QUESTIONS.unlink()
    return int(wrong > 0)


def photograph(markup: str, name: str) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Browser(Path(folder)) as browser:
        for look, picture in pictures(browser, markup):
            few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256)
            few.save(FOLDER / f"{name}-{look}.png", optimize=True)


def pictures(browser: Browser, markup: str) -> Iterator[tuple[str, bytes]]:
    for scheme in ("light", "dark"):
        for kind, width in WIDTHS.items():
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            browser.open(markup, width=width)
            taken = browser.call("Page.captureScreenshot", format="png")
            yield f"{scheme}-{kind}", base64.b64decode(taken["data"])


if __name__ == "__main__":
    sys.exit(main())
