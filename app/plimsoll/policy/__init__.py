"""The decision: what a pod may ask for in a namespace. Pure: no I/O, no clock, no environment, no framework."""
