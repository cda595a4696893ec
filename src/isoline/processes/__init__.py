"""Supervised processes that outlive the control plane: started under a shim, found again by its next run."""

from isoline.processes.logs import LogFile, LogLine, follow_log, read_log
from isoline.processes.process import Process
from isoline.processes.spec import ExitStatus, ProcessSpec, StartError
from isoline.processes.table import ProcessTable

__all__ = [
    "ExitStatus",
    "LogFile",
    "LogLine",
    "Process",
    "ProcessSpec",
    "ProcessTable",
    "StartError",
    "follow_log",
    "read_log",
]
