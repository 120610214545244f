"""Documents that cross the border, read and written here and nowhere else, and their compilation."""
