"""Participants: the systems that are connected, whether each is there, and how far its clock is off."""
