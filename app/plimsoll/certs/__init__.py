"""Certificates: issue and read them, decide when to renew, and swap them under open connections.

Knows nothing of HTTP or of policies; where files live is told to it by ``wiring``.
"""
