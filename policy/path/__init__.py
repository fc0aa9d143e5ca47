"""The path of a firm to a tier: what must really change, by when."""
