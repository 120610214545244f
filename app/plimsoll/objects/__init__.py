"""Kubernetes objects, only the fields that matter: bytes decode straight into frozen values."""
