"""The audit API, its OpenAPI document, and a page that shows it. Not on the path of any pod."""
