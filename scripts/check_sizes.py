"""Fail where a source file is longer than 300 lines or a function than 50: the size limits of CONTRIBUTING.md."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

FILE_LINES = 300
FUNCTION_LINES = 50


def faults(path: Path) -> list[str]:
    """Return what is too long in the file at `path`."""
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    found = [f"{path}: {lines} lines, at most {FILE_LINES}"] if lines > FILE_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES and not _is_command(node):
                found.append(f"{path}:{node.lineno} {node.name}: {length} lines, at most {FUNCTION_LINES}")
    return found


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A command's options and help text are its signature and docstring; only its body counts."""
    body = [part for part in node.body if not isinstance(part, ast.ImportFrom | ast.Import)]
    first = body[1] if isinstance(body[0], ast.Expr) and len(body) > 1 else body[0]
    return (node.end_lineno or 0) - first.lineno < FUNCTION_LINES


if __name__ == "__main__":
    every = [fault for path in sorted(Path("src").rglob("*.py")) for fault in faults(path)]
    sys.stdout.write("".join(f"{fault}\n" for fault in every))
    sys.exit(bool(every))
