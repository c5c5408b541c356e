"""`trifocal recommend`: recommendations for one user, in the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trifocal.errors import NotFoundError

if TYPE_CHECKING:
    from rich.table import Table

    from trifocal.serve import Answer, ItemCard, Service

__all__ = ["recommend"]

_HISTORY_SHOWN = 8


def recommend(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, as `trifocal train` writes it.")],
    user: Annotated[str, typer.Option("--user", "-u", help="User id, as it stands in your data.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many items.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Print what a user liked last, and the items recommended next, in your own ids.

    Examples:

        trifocal recommend runs/shop/trifocal/bundle --user user-00715

        trifocal recommend runs/shop/trifocal/bundle --user user-00715 -k 5 --json
    """
    from rich.console import Console

    from trifocal.bundle import read_bundle
    from trifocal.feedback import MemoryEventStore
    from trifocal.serve import Ask, build_service
    from trifocal.serve.models import plain_engine

    loaded = read_bundle(bundle)
    service = build_service(loaded, MemoryEventStore(), engine=plain_engine(loaded))
    if not service.state.knows(user):
        known = ", ".join(service.state.some_shoppers(3, seed=0)) or "nobody"
        raise NotFoundError(f"user {user!r} has no liked event in this bundle; it knows for example {known}")
    newest = service.state.history(user).last(_HISTORY_SHOWN).item_rows.tolist()[::-1]
    history = [service.catalogue.card(row) for row in newest]
    answer = service.gateway.recommend(Ask(user_id=user, k=k))
    if as_json:
        typer.echo(json.dumps(_json(user, history, answer), ensure_ascii=False))
        return
    console = Console()
    console.print(_history_table(user, history))
    console.print(_answer_table(answer, service))


def _json(user: str, history: list[ItemCard], answer: Answer) -> dict[str, object]:
    return {
        "user_id": user,
        "history": [card.item_id for card in history],
        "items": [
            {
                "item_id": item.card.item_id,
                "title": item.card.title,
                "score": round(item.score, 6),
                "category": item.card.category,
                "price": item.card.price,
            }
            for item in answer.items
        ],
        "rung": answer.rung,
        "model_version": answer.model_version,
    }


def _history_table(user: str, history: list[ItemCard]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("item", "title", "category", title=f"{escape(user)}, newest first", title_justify="left")
    for card in history:
        table.add_row(escape(card.item_id), escape(card.title), escape(card.category or ""))
    return table


def _answer_table(answer: Answer, service: Service) -> Table:
    from rich.markup import escape
    from rich.table import Table

    title = f"Recommended next, by {escape(service.manifest.model_name)} {answer.model_version} ({answer.rung})"
    table = Table("", "item", "title", "category", "price", "score", title=title, title_justify="left")
    for column in (0, 4, 5):
        table.columns[column].justify = "right"
    for place, item in enumerate(answer.items, start=1):
        card = item.card
        price = "" if card.price is None else f"{card.price:,.2f}"
        table.add_row(
            str(place),
            escape(card.item_id),
            escape(card.title),
            escape(card.category or ""),
            price,
            f"{item.score:.3f}",
        )
    return table
