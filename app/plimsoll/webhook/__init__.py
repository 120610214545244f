"""``/mutate`` and ``/validate``: on the path of every pod, so nothing but decode, review, encode happens per request.

No network call, no lock, no framework; which policies are in force is one look at one reference.
"""
