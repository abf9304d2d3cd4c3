"""The results file: one JSON document a run, which reports and gates read and nothing else.

`results.schema.json` in the package describes it. What is in it has been redacted before (`ssegauge.redaction`).
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import re
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import psutil
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

import ssegauge
from ssegauge import schema_check
from ssegauge.errors import UserError
from ssegauge.visible import visible

SCHEMA: Final = "ssegauge/results/1"
_NAME, _, _VERSION = SCHEMA.rpartition("/")

PACKAGES: Final = (
    *("httpx", "httpx-sse", "h11", "h2", "pytest", "locust", "gevent", "httptools"),
    *("fastapi", "sse-starlette", "starlette", "uvicorn"),
)
"""The packages whose versions can change a figure or a verdict."""

MOST_BYTES: Final = 1 << 30


class ResultsError(UserError):
    """Raised where a results file cannot be read or written; the message is one line."""


def write(path: str | Path, document: dict[str, Any]) -> None:
    """Write the document so that the path holds the old file or the whole new one, never a part.

    Raises ResultsError where the document is no results document, or the path cannot be written.
    """
    path = Path(path)
    fault = _fault(document)
    if fault is not None:
        raise ResultsError(f"{path}: not written, for it would be no results file: {fault}")
    write_whole(path, json.dumps(finite(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def forget(path: Path) -> None:
    """Remove an earlier run's results, which must not be taken for those of one that leaves none; nothing but a file."""
    if path.is_file() and not path.is_symlink():
        path.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write a text file by a temporary name in the same folder, which then takes the place of the old one.

    What is no file, as /dev/null or a pipe, is written into: nothing may take its place.
    """
    temporary: Path | None = None
    try:
        path = path.resolve()  # a link stays one
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; this one is for the next step of a pipeline
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ResultsError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def finite(value: Any) -> Any:
    """The value with null for every number that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def read(path: str | Path) -> dict[str, Any]:
    """The document in this file, valid by the schema. Raises ResultsError."""
    document = read_json(path)
    fault = _fault(document)
    if fault is not None:
        raise ResultsError(f"{path}: {fault}")
    return dict(document)


def read_json(path: str | Path) -> Any:
    """The JSON in this file. Raises ResultsError."""
    try:
        file = Path(path)
        if file.stat().st_size > MOST_BYTES:
            raise ResultsError(f"{path}: larger than a gigabyte; a results file is not")
        return json.loads(file.read_bytes(), parse_constant=_no_number, parse_float=_finite)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except RecursionError as error:
        raise ResultsError(f"{path}: nested too deeply to be a results file") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not a results file: not valid JSON ({visible(str(error))})") from error


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON that can be read")


def check(document: Any, source: str) -> dict[str, Any]:
    """The document itself, where it is a results document. Raises ResultsError, which names `source`."""
    fault = _fault(document)
    if fault is not None:
        raise ResultsError(f"{source}: {fault}")
    return dict(document)


def _fault(document: Any) -> str | None:
    if not isinstance(document, dict):
        return "not a results file: it holds no object"
    if "schema" not in document:
        return 'not a results file: it has no "schema"'
    if document["schema"] != SCHEMA:
        return _version_fault(document["schema"])
    if _is_valid()(document):
        return None
    error = best_match(_validator().iter_errors(document))
    return None if error is None else f"not a valid results file: {_sentence(error)}"


def _version_fault(found: Any) -> str:
    known = re.fullmatch(rf"{re.escape(_NAME)}/(\d+)", found) if isinstance(found, str) else None
    if known is None:
        return f"not a results file: its schema is {visible(str(found))}, not {SCHEMA}"
    if int(known[1]) > int(_VERSION):
        return f"written by a newer ssegauge ({found}); this one reads {SCHEMA}: update it"
    return f"written by an older ssegauge ({found}), which this one cannot read; it reads {SCHEMA}: run again"


def _sentence(error: ValidationError) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    return visible(f"{where or 'the document'}: {error.message}", 300)


@cache
def _schema() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("results.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_schema())


@cache
def _is_valid() -> schema_check.Test:
    return schema_check.compiled(_schema())


def tool() -> dict[str, str]:
    """What wrote the results."""
    return {"name": "ssegauge", "version": ssegauge.__version__}


def machine() -> dict[str, Any]:
    """What bears on figures of this machine: processor, cores, memory, system, Python, packages."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": round(psutil.virtual_memory().total / (1 << 20)),
        "os": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {"ssegauge": ssegauge.__version__, **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Model", "cpu model"} and value.strip():
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"
