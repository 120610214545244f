"""Audits: workloads in, rows of a Report out, and one renderer for each format. Decides nothing that policy decides."""
