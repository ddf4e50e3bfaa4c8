"""Secrets: values that go in and come out only in what uses them.

A secret is a set of named values in a workspace. Each PUT that brings other values makes a new
version; the last ``KEPT`` are kept, so that what names a version goes on with it while the next is
tried. Everything is sealed (``kernel.sealing``): values, names and dates. Whatever runs names the
secrets that it needs and gets their values as variables or as files in memory, when it starts; a
later version reaches it with its next start.
"""
