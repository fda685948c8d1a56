"""`/openapi.json`, made from the routes and from what their handlers declare."""
