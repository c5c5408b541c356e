"""Fitted once, used identically offline and online: text, pictures, attributes, context, the token cache."""

from trifocal.features.config import FeaturesConfig
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import CatalogueFeatures, FeatureState, encode_catalogue

__all__ = ["CatalogueFeatures", "ContextVocabulary", "FeatureState", "FeaturesConfig", "encode_catalogue"]
