"""The API server's question and its answer. Pure: a request and a snapshot in, a response out."""
