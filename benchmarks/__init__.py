"""Benchmarks and proofs: what Tidu promises in numbers, measured."""
