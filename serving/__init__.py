"""The service: snapshots, the store, HTTP and the command line."""
