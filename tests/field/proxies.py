"""Proxies from the distribution's packages, unprivileged on the loopback: as they come, with a line of the test's, and tuned."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .running import free_port, started

PAGE = Path(__file__).resolve().parents[2] / "docs" / "proxies.md"
Proxy = Callable[[str, Path], contextlib.AbstractContextManager[str]]
"""Takes the address of a server and a folder, and gives the address of the proxy in front of it."""

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
  {server}
}}
"""
_NGINX_SERVER = """
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {target};
      {inside}
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

_CADDY = """
http://127.0.0.1:{port} {{
  bind 127.0.0.1
  {outside}
  reverse_proxy {target} {{
    {inside}
  }}
}}
"""

_VARNISH = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{target_port}"; }}
{subroutines}
"""


def _command(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"needs {name} from the distribution's packages")
    return found


def nginx(target: str, folder: Path, inside: str = "", outside: str = "") -> contextlib.AbstractContextManager[str]:
    """The address of nginx in front of the target; `inside` goes into its location, `outside` beside its server."""
    port = free_port()
    return _nginx(_NGINX_SERVER.format(port=port, target=target, inside=inside), port, folder, outside)


@contextlib.contextmanager
def _nginx(server: str, port: int, folder: Path, outside: str = "") -> Iterator[str]:
    place = folder / "nginx.conf"
    place.write_text(_NGINX.format(folder=folder, outside=outside, server=server))
    with started([_command("nginx"), "-p", str(folder), "-c", str(place)], port, cwd=folder):
        yield f"http://127.0.0.1:{port}"


def haproxy(
    target: str, folder: Path, options: str = "", timeout: str = "60s"
) -> contextlib.AbstractContextManager[str]:
    """The address of HAProxy in front of the target; `options` go into its defaults."""
    port = free_port()
    address = target.removeprefix("http://")
    return _haproxy(_HAPROXY.format(port=port, target=address, options=options, timeout=timeout), port, folder)


@contextlib.contextmanager
def _haproxy(configuration: str, port: int, folder: Path) -> Iterator[str]:
    place = folder / "haproxy.cfg"
    place.write_text(configuration)
    with started([_command("haproxy"), "-f", str(place), "-db"], port, cwd=folder):
        yield f"http://127.0.0.1:{port}"


def caddy(target: str, folder: Path, inside: str = "", outside: str = "") -> contextlib.AbstractContextManager[str]:
    """The address of Caddy in front of the target; `inside` goes into its reverse_proxy, `outside` beside it."""
    port = free_port()
    address = target.removeprefix("http://")
    return _caddy(_CADDY.format(port=port, target=address, inside=inside, outside=outside), port, folder)


@contextlib.contextmanager
def _caddy(sites: str, port: int, folder: Path) -> Iterator[str]:
    place = folder / "Caddyfile"
    # its administration would listen on a port of its own
    place.write_text("{\n  admin off\n  auto_https off\n}\n" + sites)
    home = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    command = [_command("caddy"), "run", "--adapter", "caddyfile", "--config", str(place)]
    with started(command, port, cwd=folder, env=home):
        yield f"http://127.0.0.1:{port}"


def varnish(
    target: str, folder: Path, subroutines: str = "", pipe_timeout: int = 60
) -> contextlib.AbstractContextManager[str]:
    """The address of Varnish in front of the target; `subroutines` follow its backend."""
    configuration = _VARNISH.format(target_port=target.rpartition(":")[2], subroutines=subroutines)
    return _varnish(configuration, free_port(), folder, pipe_timeout)


@contextlib.contextmanager
def _varnish(configuration: str, port: int, folder: Path, pipe_timeout: int = 3600) -> Iterator[str]:
    place = folder / "default.vcl"
    place.write_text(configuration)
    command = [_command("varnishd"), "-F", "-j", "none", "-n", str(folder / "varnish"), "-f", str(place)]
    command += ["-p", f"pipe_timeout={pipe_timeout}"]
    with started([*command, "-a", f"127.0.0.1:{port}"], port, cwd=folder):
        yield f"http://127.0.0.1:{port}"


def _tuned(language: str, start: Callable[[str, int, Path], contextlib.AbstractContextManager[str]]) -> Proxy:
    def front(target: str, folder: Path) -> contextlib.AbstractContextManager[str]:
        found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        assert len(found) == 1, f"{PAGE} has {len(found)} blocks of {language}"
        port, target_port = free_port(), target.rpartition(":")[2]
        return start(re.sub(r"\b8000\b", target_port, re.sub(r"\b8080\b", str(port), found[0])), port, folder)

    return front


TUNED: dict[str, Proxy] = {
    "nginx": _tuned("nginx", _nginx),
    "HAProxy": _tuned("haproxy", _haproxy),
    "Caddy": _tuned("caddyfile", _caddy),
    "Varnish": _tuned("vcl", _varnish),
}
"""The configurations of docs/proxies.md, as they stand there but for the ports."""
