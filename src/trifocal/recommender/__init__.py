"""The Python API: frames in, frames out. Thin over import, training, bundle and serving.

`Recommender` here is what a person holds. The Protocol `trifocal.ports.Recommender` is what stages meet at: rows and
arrays in and out, implemented by every baseline and model.
"""

from trifocal.recommender.recommender import Recommender
from trifocal.recommender.showing import Explained, Gallery

__all__ = ["Explained", "Gallery", "Recommender"]
