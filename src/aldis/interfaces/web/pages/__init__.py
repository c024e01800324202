"""The node's pages, a module for each part; `views(frame)` gives those of a part."""
