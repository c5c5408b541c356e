"""A bundle that was found no worse -> in the place of the one that serves, on disk and in a running server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trifocal.bundle import read_bundle, write_bundle
from trifocal.data.shop.live.client import open_http
from trifocal.errors import ServingError

__all__ = ["drift_since", "put_in_place", "read_health", "swap_in"]

# Signals that learning on can mend; failures and slowness it cannot.
_DRIFT = {"ctr", "score", "new_items", "unknown_items", "empty_context"}


def put_in_place(bundle: Path, folder: Path) -> None:
    """Copy `bundle` to `folder`, in place of what is there: whole, or not at all.

    A server that reads from the old one keeps it until it lets go of it.
    """
    write_bundle(read_bundle(bundle).contents, folder, overwrite=True)


def swap_in(server: str, path: str, key: str | None = None) -> str:
    """Let the server at `server` serve from the bundle at `path` inside its folder; return the model version.

    Raises:
        ServingError: when it does not answer, or refuses.
    """
    return str(_asked("POST", server, "/v1/bundle", key, {"path": path}).get("model_version", ""))


def read_health(server: str, key: str | None = None) -> Mapping[str, object]:
    """Return the health report of the server at `server`.

    Raises:
        ServingError: when it does not answer, or has none.
    """
    return _asked("GET", server, "/v1/health/report", key)


def drift_since(report: Mapping[str, object], since_s: float) -> list[str]:
    """Return the names of the signals of drift that gave an alarm after `since_s`, seconds since 1970, rising.

    >>> alarms = [{"signal": "ctr", "at_s": 7.0}, {"signal": "score", "at_s": 3.0}, {"signal": "ctr", "at_s": 9.0}]
    >>> drift_since({"alarms": alarms}, since_s=5.0)
    ['ctr']
    """
    alarms = report.get("alarms", [])
    found = [alarm for alarm in alarms if isinstance(alarm, Mapping)] if isinstance(alarms, Sequence) else []
    names = {str(alarm.get("signal")) for alarm in found if float(alarm.get("at_s", 0)) > since_s}
    return sorted(names & _DRIFT)


def _asked(
    method: str, server: str, path: str, key: str | None, body: Mapping[str, str] | None = None
) -> Mapping[str, object]:
    import httpx

    with open_http(server, key=key) as http:
        try:
            answer = http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ServingError(
                f"{server} does not answer {path} ({error or type(error).__name__}); start it with `trifocal serve`"
            ) from error
    if not answer.is_success:
        raise ServingError(f"{server}{path} answered {answer.status_code}: {answer.text[:300]}")
    found = answer.json()
    return found if isinstance(found, dict) else {}
