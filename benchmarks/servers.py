"""The servers beside the gateway: a backend that costs next to nothing, and nginx as the one to compare with."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKEND = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/body; client_max_body_size 16m;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "{body}"; }} }}
}}
"""

PROXY = """
daemon off; {user} worker_processes {workers}; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_upgrade $connection_upgrade {{ default upgrade; "" "{idle_connection}"; }}
  upstream backend {{ server 127.0.0.1:{upstream}; {upstream_options} }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://backend;
      {options}
    }}
  }}
}}
"""
WEBSOCKET = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
)
TUNED = WEBSOCKET + " proxy_request_buffering off; proxy_buffering off; client_body_buffer_size 1m;"


class MissingProgramError(RuntimeError):
    """A program that a benchmark compares with is not installed."""


def wait_for_port(port: int, *, limit: float = 10.0) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def nginx(configuration: str, port: int, *, cpu: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """An nginx with this configuration (`{folder}` is filled in), ended at the end."""
    if not shutil.which("nginx"):
        raise MissingProgramError("nginx is not installed (Debian: nginx-light)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not write request bodies here
        path.write_text(configuration.replace("{folder}", folder).replace("{user}", user))
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        process = subprocess.Popen([*pin, "nginx", "-c", str(path), "-p", folder])
        try:
            wait_for_port(port)
            yield process
        finally:
            process.terminate()
            process.wait(10)


def backend_configuration(port: int, *, body: str = "ok") -> str:
    return BACKEND.format(folder="{folder}", user="{user}", port=port, body=body)


def proxy_configuration(port: int, upstream: int, *, kind: str) -> str:
    """`default`: proxy_pass and nothing else. `websocket`: what WebSockets need. `tuned`: what its experts set.

    Only the tuned one has as many workers as it may use processors; `auto`, the default, counts all of the machine.
    """
    options = {"default": "", "websocket": WEBSOCKET, "tuned": TUNED}[kind]
    tuned = kind == "tuned"
    return PROXY.format(
        folder="{folder}",
        user="{user}",
        workers="1" if tuned else "auto",
        port=port,
        upstream=upstream,
        options=options,
        upstream_options="keepalive 64;" if tuned else "",
        idle_connection="" if tuned else "close",
    )
