"""The hooks of a container: postStart and preStop."""

import asyncio

from isoline.controllers.clock import Clock
from isoline.controllers.workloads.probes import Outcome, Target, check_of
from isoline.objects.containers import LifecycleHandler, Probe

LONGEST_REQUEST = 60


async def run(hook: LifecycleHandler, target: Target, clock: Clock, *, at_most: float | None) -> Outcome:
    """Run a hook to its end, for at most so many seconds; a hook without an action succeeds."""
    if hook.sleep is not None:
        await clock.sleep(hook.sleep.seconds if at_most is None else min(hook.sleep.seconds, at_most))
        return Outcome(True)
    seconds = LONGEST_REQUEST if at_most is None else at_most
    if hook.exec is not None:
        return await target.execute(hook.exec.command, seconds)
    # The other two actions are those of a probe.
    action = Probe(http_get=hook.http_get, tcp_socket=hook.tcp_socket, timeout_seconds=max(int(seconds), 1))
    try:
        async with asyncio.timeout(seconds):
            return await check_of(action, target)()
    except TimeoutError:
        return Outcome(False, f"did not end within {seconds:g} s")
