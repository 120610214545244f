"""The HTTPS server: connections with bounds, drain, probes and ``/metrics``.

Knows nothing of admission or policies: it is given endpoints, functions from an HttpRequest to an HttpResponse.
"""
