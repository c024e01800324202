"""The HTTP API: what people and their programs do at a node, over one port."""
