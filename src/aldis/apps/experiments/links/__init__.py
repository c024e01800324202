"""Links: sockets, files and the buses of zenoh and DDS, each behind one small interface."""
