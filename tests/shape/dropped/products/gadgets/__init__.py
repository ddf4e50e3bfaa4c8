"""Gadgets: a product that nobody in the house knows of.

A *gadget* is a name; its *gears* are forged by jobs of another product, which they own, and are
sold by the piece. It has what a product can have, and stands for all that will come.
"""
