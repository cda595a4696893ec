"""The small parent that each supervised process has, so that it outlives the control plane.

`launch.py` runs it in a bare interpreter, as a package of its own (`shim`, not `isoline.processes.shim`), so it imports
the standard library only, and little of it. It detaches (its parent becomes init), starts the program of
`FOLDER/spec.json` in a session of its own, copies its output to `FOLDER/log/`, and ends after the program has ended and
nothing that it started is left.

Files it writes, each by rename, so that a reader never sees half of one:
`state.json` who runs (pids with start times, boot id); `exit.json` how it ended.
Signals it takes: SIGTERM stops the program, with the grace of `stop.json` or else of `spec.json`.
The lock that it inherits is held for as long as the shim lives: whoever can take it knows that nobody runs here.
"""
