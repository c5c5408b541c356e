from trifocal.recommender import Recommender as Recommender

__all__ = ["Recommender", "__version__"]

__version__: str
