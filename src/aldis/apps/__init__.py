"""Apps built on the kernel; none imports another."""
