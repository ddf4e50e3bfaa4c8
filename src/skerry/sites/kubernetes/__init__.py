"""A Kubernetes cluster as a site."""
