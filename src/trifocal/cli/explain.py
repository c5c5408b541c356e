"""`trifocal explain`: why items are recommended, in the terminal and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trifocal.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from trifocal.bundle import Bundle
    from trifocal.explain import Encoders, Explanation, IntegratedGradientsExplainer
    from trifocal.explain.page import Shown
    from trifocal.model import TwoStageRecommender
    from trifocal.serve import Service
    from trifocal.types import IntArray, Request

__all__ = ["bundle_explainer", "explain"]


def explain(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, as `trifocal train` writes it.")],
    user: Annotated[str | None, typer.Option("--user", "-u", help="User id; without it a stranger asks.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Item id; default: what would be recommended.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="How many recommended items.")] = 3,
    query: Annotated[str | None, typer.Option("--query", "-q", help="Words of a search.")] = None,
    features: Annotated[
        Path | None, typer.Option(help="Folder of encoded texts and pictures; without it they are encoded now.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Picture folder; default: where the bundle says.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures and heat maps here.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with the section [explain].")] = None,
) -> None:
    """Say why items are recommended: which words, which part of the picture, which item of the user's past.

    Examples:

        trifocal explain runs/shop/trifocal/bundle --user user-00715

        trifocal explain runs/shop/trifocal/bundle --user user-00715 -k 5 --html why.html

        trifocal explain runs/shop/trifocal/bundle --query "red running shoes"
    """
    from rich.console import Console

    from trifocal.bundle import read_bundle
    from trifocal.explain.page import explanation_page
    from trifocal.explain.terminal import shown
    from trifocal.feedback import MemoryEventStore
    from trifocal.serve import Ask, build_service
    from trifocal.serve.models import plain_engine
    from trifocal.settings import load_settings

    steps, loaded = load_settings(config).explain.steps, read_bundle(bundle)
    root = images or Path(loaded.contents.image_root)
    recommender = _recommender(loaded)
    service = build_service(loaded, MemoryEventStore(), engine=plain_engine(loaded), image_root=root)
    if user is not None and not service.state.knows(user):
        known = ", ".join(service.state.some_shoppers(3, seed=0)) or "nobody"
        raise NotFoundError(f"user {user!r} has no liked event in this bundle; it knows for example {known}")
    request, _ = service.gateway.request(Ask(user_id=user, query=query))
    rows = _rows(service, recommender, request, item, k)
    explainer = bundle_explainer(loaded, recommender, features=features, image_root=root, steps=steps)
    found = explainer.explain(request, rows, query)
    console = Console()
    for explanation in found:
        console.print(shown(explanation, service.catalogue.title(explanation.item_row), service.catalogue.title))
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        page = explanation_page(_heading(user, query), [_shown(one, service, root) for one in found])
        html.write_text(page, encoding="utf-8")
        console.print(f"wrote {html}", markup=False)


def bundle_explainer(
    bundle: Bundle, recommender: TwoStageRecommender, *, features: Path | None, image_root: Path, steps: int
) -> IntegratedGradientsExplainer:
    """Return what explains the answers of `bundle`.

    Args:
        bundle: whose items have the content.
        recommender: as it was loaded of the bundle.
        features: token cache of the encoders; None = content is encoded when it is asked for.
        image_root: what the pictures of the items are relative to.
        steps: see `ExplainConfig`.

    Raises:
        ConfigError: when the packages of an encoder are not installed.
    """
    import numpy as np

    from trifocal.bundle.network import load_compact
    from trifocal.explain import (
        EncodedContent,
        IntegratedGradientsExplainer,
        Projections,
        described_items,
        recovered_projection,
    )

    contents, tables = bundle.contents, recommender.knowledge.evidence
    described = described_items(contents.items, image_root, tables.attributes, known=contents.items.height)
    text = load_compact(bundle, "text")
    if text is None and recommender.model.item_tower.uses_text:
        text = recovered_projection(contents.text_vectors, np.asarray(tables.text))
    return IntegratedGradientsExplainer(
        recommender,
        EncodedContent(described, _encoders(bundle, recommender, features)),
        projections=Projections(text, load_compact(bundle, "image")),
        steps=steps,
    )


def _encoders(bundle: Bundle, recommender: TwoStageRecommender, features: Path | None) -> Encoders:
    from trifocal.bundle.network import load_encoder, load_image_encoder
    from trifocal.explain import CachedSource, CachedTexts, Encoders
    from trifocal.features.text import TransformerTextSource

    config, tower = bundle.contents.config, recommender.model.item_tower
    text = load_encoder(bundle) if tower.uses_text else None
    image = load_image_encoder(bundle) if tower.uses_image else None
    trained = int(config["model"].get("text_trainable_layers", 0))
    lower = text.lower(trained) if trained and isinstance(text, TransformerTextSource) else None
    shapes = config["shapes"]
    widths = (shapes["text_width"], shapes["image_width"], shapes["grid_cells"])
    if features is None:
        return Encoders(text, image, *widths, lower)
    return Encoders(
        None if text is None else CachedTexts(text, features),
        None if image is None else CachedSource(image, features, pictures=True),
        *widths,
        None if lower is None else CachedSource(lower, features, pictures=False),
    )


def _recommender(bundle: Bundle) -> TwoStageRecommender:
    from trifocal.bundle.network import load_recommender
    from trifocal.model import TwoStageRecommender

    found = load_recommender(bundle)
    if not isinstance(found, TwoStageRecommender):
        raise ConfigError(f"{bundle.folder} holds vectors and no network, whose scores cannot be explained; train one")
    return found


def _rows(service: Service, recommender: TwoStageRecommender, request: Request, item: str | None, k: int) -> IntArray:
    """(K,) what is explained: the item that is named, or the best that the user does not have yet."""
    from dataclasses import replace

    import numpy as np

    if item is not None:
        return np.array([service.catalogue.row(item)], dtype=np.int64)
    best = recommender.recommend([replace(request, exclude=request.history.item_rows)], k)
    found: IntArray = best.item_rows[0]
    return found[found >= 0]


def _heading(user: str | None, query: str | None) -> str:
    asked = "Why these items?" if query is None else f"Why these items for «{query}»?"
    return asked if user is None else f"{asked} User {user}"


def _shown(explanation: Explanation, service: Service, root: Path) -> Shown:
    from trifocal.explain.page import Shown

    title, near = service.catalogue.title(explanation.item_row), explanation.nearest
    picture = _picture(service, explanation.item_row, root)
    if near is None:
        return Shown(explanation, title, picture)
    return Shown(
        explanation,
        title,
        picture,
        service.catalogue.title(near.item_row),
        _picture(service, near.item_row, root),
    )


def _picture(service: Service, row: int, root: Path) -> Path | None:
    name = service.catalogue.images[row]
    return None if name is None else root / name
