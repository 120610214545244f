"""Documents → what governs: policies, exemptions and their context, or InvalidPolicy with all problems at once.

The only home of relations between fields. Pure: texts come in as arguments, nothing is read here. In this order:
``shapes`` (is it one of our documents), ``words`` (what single texts may say), ``layers`` (classes and overrides),
``relations`` (what cannot be), ``documents`` (the compiled value), ``loading`` (many texts, one Snapshot).
"""

from plimsoll.schemas.compile.loading import Loaded, compile_exemption, compile_policy, load

__all__ = ["Loaded", "compile_exemption", "compile_policy", "load"]
