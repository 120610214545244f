"""Plimsoll gives every container a load line: memory and CPU limits, by a policy per namespace.

The floors; imports point down only, rooms on one floor are strangers (import-linter keeps it so)::

            cli                        commands, output, exit codes
           wiring                      the only place that constructs: local, serve
      webhook · api                    what runs: /mutate and /validate; the audit API
    certs · files · audit · serving    wings: certificates, the policy folder, reports, HTTPS
          schemas                      documents that cross the border, and their compilation
         admission                     PURE: the API server's question and its answer
          policy                       PURE: the decision
          objects                      PURE: Kubernetes objects, only the fields that matter
    errors · observations
    beside the stairs, imported by cli and wiring alone: settings, logs, metrics

Read, in this order: ``policy/model.py``, ``policy/evaluation.py``, ``admission/review.py``, ``webhook/``,
``wiring/serve.py``. Every word used here has one meaning; Kubernetes' own word comes first.
"""

__version__ = "0.1.0"
