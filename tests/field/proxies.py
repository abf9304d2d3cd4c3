"""nginx and HAProxy from the distribution's packages, unprivileged on the loopback, with a configuration of the test's."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .running import free_port, started

_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {outside}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {target};
      {inside}
    }}
  }}
}}
"""

_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server {timeout}
  {options}
listen proxy
  bind 127.0.0.1:{port}
  server target {target}
"""


def _command(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"needs {name} from the distribution's packages")
    return found


@contextlib.contextmanager
def nginx(target: str, folder: Path, inside: str = "", outside: str = "") -> Iterator[str]:
    """The address of nginx in front of the target; `inside` goes into its location, `outside` beside its server."""
    command, port = _command("nginx"), free_port()
    place = folder / "nginx.conf"
    place.write_text(_NGINX.format(folder=folder, port=port, target=target, inside=inside, outside=outside))
    with started([command, "-p", str(folder), "-c", str(place)], port, cwd=folder):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def haproxy(target: str, folder: Path, options: str = "", timeout: str = "60s") -> Iterator[str]:
    """The address of HAProxy in front of the target."""
    command, port = _command("haproxy"), free_port()
    place = folder / "haproxy.cfg"
    place.write_text(
        _HAPROXY.format(port=port, target=target.removeprefix("http://"), options=options, timeout=timeout)
    )
    with started([command, "-f", str(place), "-db"], port, cwd=folder):
        yield f"http://127.0.0.1:{port}"
