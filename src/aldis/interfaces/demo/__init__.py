"""The main job in one command: three nations, one real sea picture, each sees exactly what it may."""
