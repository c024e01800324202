"""Sea gateways: bytes in, `Observation` out, and a `Tally` of what was dropped and why."""
