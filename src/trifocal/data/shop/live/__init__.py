"""The sample shop alive: its shoppers visit a running server, see its lists and act by their true utility."""

from trifocal.data.shop.live.client import ShopClient, open_http
from trifocal.data.shop.live.figures import Row, figures, result_json
from trifocal.data.shop.live.new_items import NewItem, draw_new_items
from trifocal.data.shop.live.plan import LivePlan, plan_live
from trifocal.data.shop.live.run import LiveResult, simulate_visits
from trifocal.data.shop.live.visit import Page, VisitDone
from trifocal.data.shop.live.world import World, read_world

__all__ = [
    "LivePlan",
    "LiveResult",
    "NewItem",
    "Page",
    "Row",
    "ShopClient",
    "VisitDone",
    "World",
    "draw_new_items",
    "figures",
    "open_http",
    "plan_live",
    "read_world",
    "result_json",
    "simulate_visits",
]
