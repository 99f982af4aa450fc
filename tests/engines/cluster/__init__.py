"""A Kubernetes of one node on this machine, of the real programs, with Argo: `make cluster` and `make cluster-down`."""
