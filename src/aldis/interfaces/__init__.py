"""How people and programs reach a node."""
