"""One question after the other, fast: encode -> retrieve -> rank, each behind a Protocol of its own."""

from trifocal.serve.online.candidates import Candidates
from trifocal.serve.online.encoding import OnnxUsers, TorchUsers, UserEncoding
from trifocal.serve.online.engine import OnlineEngine, online_engine
from trifocal.serve.online.item_features import ItemFeatures
from trifocal.serve.online.links import GrownLinks, LikenessWeights, Links
from trifocal.serve.online.ranking import EvidenceRanking, OnnxScorer, Ranking, Scorer, TorchScorer
from trifocal.serve.online.retrieval import Retrieval, TwoSourceRetrieval

__all__ = [
    "Candidates",
    "EvidenceRanking",
    "GrownLinks",
    "ItemFeatures",
    "LikenessWeights",
    "Links",
    "OnlineEngine",
    "OnnxScorer",
    "OnnxUsers",
    "Ranking",
    "Retrieval",
    "Scorer",
    "TorchScorer",
    "TorchUsers",
    "TwoSourceRetrieval",
    "UserEncoding",
    "online_engine",
]
