"""The HTML pages and their forms, which work without JavaScript."""
