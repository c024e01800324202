"""Meaning: searches for what texts say, whatever their words, by an embedding model on this node's own machine."""

from aldis.node.meaning.encoder import Encoder
from aldis.node.meaning.meaning import NOTIFIED, SEARCHED, Meaning, State

__all__ = ["NOTIFIED", "SEARCHED", "Encoder", "Meaning", "State"]
