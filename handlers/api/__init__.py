"""The JSON handlers, for programs and for the scripts of our pages."""
