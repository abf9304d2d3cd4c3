"""Where the three leaves are: the suite, the scenarios, the reference app.

In a checkout they stand beside `src`, in an installed wheel inside the package. Nothing imports them;
whoever runs them asks here for a path, or for the name under which a server can import the app.
"""

import sys
from pathlib import Path
from typing import Final, NamedTuple

from ssegauge.errors import UserError

LEAVES: Final = ("conformance", "loadtests", "target_app")

_PACKAGE: Final = Path(__file__).resolve().parent
_INSTALLED_PREFIX: Final = "ssegauge."


class App(NamedTuple):
    """An application as a server is told of it.

    `import_string` is `module:attribute`; `directory` must be the first entry of `sys.path`
    (and may be the working directory) of the process that imports it, None where nothing is needed.
    """

    import_string: str
    directory: Path | None


def checkout() -> Path | None:
    """The root of the checkout this package is imported from; None when it is installed from a wheel."""
    root = _PACKAGE.parent.parent
    return root if _PACKAGE.parent.name == "src" and (root / "pyproject.toml").is_file() else None


def path(name: str) -> Path:
    """The directory of a leaf. Raises UserError when this installation lacks it."""
    if name not in LEAVES:
        raise ValueError(f"no leaf is called {name!r}")
    root = checkout()
    found = (root or _PACKAGE) / name
    if not found.is_dir():
        raise UserError(f"{found}: not there; this installation of ssegauge is incomplete, install it again")
    return found


def module(name: str) -> str:
    """The name under which a leaf is imported: `target_app` in a checkout, `ssegauge.target_app` from the wheel."""
    path(name)
    return name if checkout() else _INSTALLED_PREFIX + name


def app(spec: str) -> App:
    """The application that `--app` names, as `module:attribute`.

    `ssegauge.target_app.app:app` means the reference app in a checkout too. Any other module is looked for
    from the working directory first, as uvicorn does. Raises UserError for a spec that is none.
    """
    module_name, colon, attribute = spec.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))):
        raise UserError(f"--app {spec}: not an application; give it as module:attribute, as in myproject.main:app")
    for leaf in LEAVES:
        if module_name.startswith(f"{_INSTALLED_PREFIX}{leaf}."):
            beside = path(leaf).parent
            return App(spec.removeprefix(_INSTALLED_PREFIX), beside) if checkout() else App(spec, None)
    return App(spec, Path.cwd())


def importable(application: App) -> App:
    """The same app, after its directory was put at the head of this process's `sys.path`."""
    directory = str(application.directory or "")
    if directory and directory not in sys.path:
        sys.path.insert(0, directory)
    return application
