"""What MkDocs is told at each build of the docs site: links out of `docs/`, whole folders, and generated references.

A page says `<!-- generated: NAME -->` where a reference goes. The commands, settings, routes and metrics come from the
code itself, so that they are never behind it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# Files of the repository that are pages of the site as well.
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "benchmarks/peers/README.md": "peers.md"}
# Where a link to a file outside docs/ leads on the site.
PLACES = PAGES | {
    "README.md": "index.md",
    "configs/default.toml": "reference/settings.md",
    "docs/decisions": "decisions/0001-one-recommender-port.md",
    "docs/grafana/trifocal.json": "guides/monitor.md",
}

_LINK = re.compile(r"(?<=\]\()(?!https?:|#|data:)([^)#\s]+)(#[^)\s]*)?(?=\))")
_GENERATED = re.compile(r"<!-- generated: (\w+) -->")


def on_config(config: Any) -> Any:
    """Return `config` with the pages of each `FOLDER/*` in the place of that entry."""
    named = set(_named(config.nav))
    config.nav = _filled(config.nav, named)
    return config


def _named(entry: object) -> Iterator[str]:
    match entry:
        case str():
            yield entry
        case list():
            for part in entry:
                yield from _named(part)
        case dict():
            for part in entry.values():
                yield from _named(part)


def _filled(entries: list[Any], named: set[str]) -> list[Any]:
    filled: list[Any] = []
    for entry in entries:
        if isinstance(entry, str) and entry.endswith("/*"):
            filled += _others(entry.removesuffix("/*"), named)
        elif isinstance(entry, dict):
            filled.append(
                {name: _filled(part, named) if isinstance(part, list) else part for name, part in entry.items()}
            )
        else:
            filled.append(entry)
    return filled


def _others(folder: str, named: set[str]) -> list[Any]:
    paths = [path.relative_to(DOCS).as_posix() for path in sorted((DOCS / folder).glob("*.md"))]
    # A published table has no heading of its own.
    return [{Path(path).stem: path} if folder == "results" else path for path in paths if path not in named]


def on_files(files: Any, config: Any) -> Any:
    """Return `files` with the pages that lie elsewhere in the repository."""
    from mkdocs.structure.files import File

    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Return `markdown` with links as the site has them, and with the references that it asks for."""
    here = page.file.src_uri
    written = next((ROOT / source for source, name in PAGES.items() if name == here), DOCS / here)
    linked = _LINK.sub(lambda found: _linked(found, written, here), markdown)
    return _GENERATED.sub(lambda found: REFERENCES[found[1]](), linked)


def _linked(found: re.Match[str], written: Path, here: str) -> str:
    """Return the target of a link in the file `written`, as it is to be on the page `here`."""
    target = (written.parent / found[1]).resolve()
    if not target.is_relative_to(ROOT):
        return found[0]
    name = target.relative_to(ROOT).as_posix()
    if name not in PLACES and written.is_relative_to(DOCS):
        return found[0]
    place = PLACES.get(name, name.removeprefix("docs/"))
    # A heading of the README is not one of the first page.
    heading = "" if name == "README.md" else found[2] or ""
    return "../" * here.count("/") + place + heading


def commands() -> str:
    """Return a section a verb: what it does, its arguments and options."""
    from typer.main import get_command

    from trifocal.cli.app import app

    return "\n".join(_sections(get_command(app), "trifocal"))


def _sections(command: Any, name: str) -> Iterator[str]:
    verbs = getattr(command, "commands", {})
    if not verbs:
        yield f"## {name}\n\n{_help(command)}\n\n{_parameters(command)}\n"
    for verb, inner in verbs.items():
        yield from _sections(inner, f"{name} {verb}")


def _help(command: Any) -> str:
    """The help text, its examples as a block."""
    text, _, examples = (command.help or "").replace("\b", "").partition("Examples:")
    lines = [line.strip().removeprefix("- ") for line in examples.splitlines() if line.strip()]
    plain = [re.sub(r"`([^`]*)`", r"\1", line).replace(" – ", "   # ") for line in lines]
    return text.strip() + ("\n\n```\n" + "\n".join(plain) + "\n```" if plain else "")


def _parameters(command: Any) -> str:
    lines = ["| | default | |", "|---|---|---|"]
    for parameter in command.params:
        names = ", ".join(f"`{name}`" for name in parameter.opts) if parameter.param_type_name == "option" else ""
        name = names or f"`{parameter.name.upper()}`"
        default = "" if parameter.default in (None, False) or parameter.required else f"`{parameter.default}`"
        lines.append(f"| {name} | {default} | {_cell(getattr(parameter, 'help', None) or '')} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def settings() -> str:
    """Return the file of all settings."""
    return f"```toml\n{(ROOT / 'configs/default.toml').read_text(encoding='utf-8')}```"


def routes() -> str:
    """Return a section a route: what it does, what it takes and gives, from the description that a server sends."""
    told = _server().openapi()
    ways = [_route(path, method, way) for path, ways in told["paths"].items() for method, way in ways.items()]
    kinds = [_fields(name, kind) for name, kind in sorted(told["components"]["schemas"].items())]
    return "\n".join([*ways, "## Bodies and answers\n", *kinds])


def _fields(name: str, kind: dict[str, Any]) -> str:
    needed = kind.get("required", [])
    lines = [
        f"| `{field}` | {_type(told)} | {'must' if field in needed else ''} | {_cell(told.get('description', ''))} |"
        for field, told in kind.get("properties", {}).items()
    ]
    table = "\n".join(["| | | | |", "|---|---|---|---|", *lines]) if lines else ""
    return f"### {name}\n\n{_cell(kind.get('description', ''))}\n\n{table}\n"


def _type(told: dict[str, Any]) -> str:
    """Return the type of a field in words: `a list of ItemBody`, `number or null`."""
    if "$ref" in told:
        return f"`{told['$ref'].rsplit('/', 1)[-1]}`"
    if "anyOf" in told:
        return " or ".join(_type(kind) for kind in told["anyOf"])
    if "enum" in told or "const" in told:
        return ", ".join(f"`{value}`" for value in told.get("enum", [told.get("const")]))
    if told.get("type") == "array":
        return f"list of {_type(told.get('items', {}))}"
    return str(told.get("type", "any"))


def _route(path: str, method: str, told: dict[str, Any]) -> str:
    given = [f"| `{p['name']}` | {p['in']} | {_cell(p.get('description', ''))} |" for p in told.get("parameters", [])]
    table = "\n".join(["| | in | |", "|---|---|---|", *given]) if given else ""
    body = [f"Body: {_schema(kind)}." for kind in told.get("requestBody", {}).get("content", {}).values()][:1]
    answer = told["responses"].get("200", {}).get("content", {}).get("application/json")
    gives = [f"Answer: {_schema(answer)}."] if answer and _schema(answer) else []
    text = told.get("description", told.get("summary", ""))
    return "\n\n".join([f"## {method.upper()} {path}", text, *body, *gives, table]) + "\n"


def _schema(kind: dict[str, Any]) -> str:
    name = kind.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    return f"`{name}`" if name else ""


def metrics() -> str:
    """Return the names that `/metrics` shows."""
    from fastapi.testclient import TestClient

    text = TestClient(_server()).get("/metrics").text
    told = re.findall(r"^# HELP (trifocal_\S+) (.*)$", text, re.MULTILINE)
    lines = [f"| `{name}` | {_cell(meaning)} |" for name, meaning in told if not name.endswith("_created")]
    return "\n".join(["| name | meaning |", "|---|---|", *lines])


def _server() -> Any:
    """Return the application of a server with two items: enough to ask it what it can do."""
    from trifocal.bundle import BundleContents, read_bundle, write_bundle
    from trifocal.features.context import ContextVocabulary
    from trifocal.feedback import MemoryEventStore
    from trifocal.serve import build_service
    from trifocal.serve.app import create_app

    vectors = np.eye(2, dtype=np.float32)
    events = {"user_id": pl.String, "item_id": pl.String, "event": pl.String, "timestamp": pl.Datetime("us", "UTC")}
    contents = BundleContents(
        items=pl.DataFrame({"item_id": ["a", "b"], "title": ["A", "B"]}),
        image_root=".",
        config={},
        weights={},
        item_vectors=vectors,
        text_vectors=vectors.astype(np.float16),
        feature_state={
            "context": ContextVocabulary.fit(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.String)).to_json()
        },
        popularity=np.ones(2, np.float32),
        histories=pl.DataFrame(schema=events),
        metrics={},
        data_fingerprint="none",
    )
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(contents, Path(folder) / "bundle")
        return create_app(build_service(read_bundle(Path(folder) / "bundle"), MemoryEventStore()))


REFERENCES: dict[str, Callable[[], str]] = {
    "cli": commands,
    "settings": settings,
    "http": routes,
    "metrics": metrics,
}
