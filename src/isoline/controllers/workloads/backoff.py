"""When a container that ended is started again."""

from dataclasses import dataclass

FIRST_DELAY = 10.0
LONGEST_DELAY = 300.0
RESET_AFTER = 600.0


@dataclass(slots=True)
class RestartBackoff:
    """Kubernetes's back-off for `restartPolicy: Always`: 10 s, doubling to 5 min, forgotten after 10 min of running.

    One thing differs: the first restart is at once. On a cluster other nodes carry the load while one waits; on a
    single machine nothing else will.
    """

    failures: int = 0

    def delay(self, *, ran_for: float) -> float:
        """Return the seconds to wait before the next start of a container that has just run for `ran_for` seconds."""
        if ran_for >= RESET_AFTER:
            self.failures = 0
        self.failures += 1
        if self.failures == 1:
            return 0.0
        # The exponent is bounded so that a container which fails for weeks does not overflow a float.
        return min(FIRST_DELAY * 2.0 ** min(self.failures - 2, 16), LONGEST_DELAY)
