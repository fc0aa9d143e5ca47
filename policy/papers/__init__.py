"""The papers that prove criteria: which are needed, on file, missing or expired."""
