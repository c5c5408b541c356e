"""The sample shop: a generated world of products, pictures and shoppers, driven by a known utility."""

from trifocal.data.shop.config import ShopConfig
from trifocal.data.shop.generate import generate_shop
from trifocal.data.shop.truth import true_utility

__all__ = ["ShopConfig", "generate_shop", "true_utility"]
