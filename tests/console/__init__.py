"""The console as people use it: a browser, the built pages, and a real cloud with things in it."""
