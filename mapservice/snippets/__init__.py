"""Layers and styles in the forms that portals and GIS programs take. Plain data in, text out: no database, no
request; addresses are absolute.
"""
