"""Files: the policy folder and its polling, and the state folder.

Reads and writes bytes and text; what they mean is for ``schemas`` and ``certs``.
"""
