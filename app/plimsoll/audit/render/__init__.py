"""One renderer for each format; all of them show the same rows in the same order."""
