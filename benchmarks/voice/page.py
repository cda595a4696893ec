"""What a phone has to fetch for the studio's page, and when it first shows something, over a slow line."""

import shutil
import sys
from typing import Any

from playwright.async_api import Browser, ViewportSize, async_playwright

from benchmarks import speech
from benchmarks.figures import percentile

VISITS = 5
PHONE: ViewportSize = {"width": 360, "height": 640}
# The line and the processor of Lighthouse's profile of a phone ("slow 4G").
LINE = {"latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 768_000 / 8, "offline": False}
SLOWER = 4
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAINTED = """new Promise(done => {
  const seen = () => performance.getEntriesByName("first-contentful-paint")[0];
  if (seen()) return done(seen().startTime);
  new PerformanceObserver(() => seen() && done(seen().startTime)).observe({type: "paint", buffered: true});
})"""


async def measure() -> dict[str, Any]:
    """Bytes of one visit with nothing kept, and the first paint in seconds, the middle of VISITS."""
    async with speech.studio() as stack, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        try:
            visits = [await _visit(browser, stack.https_port) for _ in range(VISITS)]
        finally:
            await browser.close()
    return {
        "transfer_kb": round(max(size for size, _ in visits) / 1000, 1),
        "first_paint_s": round(percentile([painted for _, painted in visits], 0.5), 2),
    }


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        sys.exit("needs the Debian package chromium")
    return found


async def _visit(browser: Browser, port: int) -> tuple[int, float]:
    """Bytes and seconds."""
    context = await browser.new_context(viewport=PHONE, device_scale_factor=3, ignore_https_errors=True)
    try:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        received: list[float] = []
        session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await session.send("Network.emulateNetworkConditions", LINE)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(f"https://{speech.HOST}:{port}/", wait_until="networkidle")
        painted = await page.evaluate(PAINTED)
        return int(sum(received)), painted / 1000
    finally:
        await context.close()
